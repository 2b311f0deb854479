/**
 * The embedded model as a GGUF file whose tensors all are float32, each with the value that it has in the model:
 * llama.cpp multiplies MXFP4 with inputs that it rounds to 8 bits, and BF16 with inputs that it rounds to BF16, and
 * float32 with inputs as they are.
 */
import { writeFileSync } from "node:fs";
import { toFloat32 } from "../../inference/checkpoint/dequantise.ts";
import { bytesOf } from "../../inference/checkpoint/dtypes.ts";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import { ggufHeader, padded } from "../../inference/convert/gguf-file.ts";
import { bytesView, type OutputTensor } from "../../inference/convert/output-tensor.ts";
import { ggufContent } from "../../inference/convert/to-gguf.ts";
import { demoModelPath } from "../../inference/index.ts";

/** @param exported  a GGUF file of the embedded model, which has its vocabulary as lists */
export function writeWidenedGguf(exported: string, to: string): void {
  const checkpoint = openCheckpoint(demoModelPath);
  const { vocabulary } = openCheckpoint(exported).files;
  if (vocabulary === undefined) throw new Error(`${exported} has no vocabulary`);
  try {
    const { metadata, tensors } = ggufContent(checkpoint, vocabulary, "chorale-demo-f32");
    const wide = tensors.map(widened);
    const parts: Uint8Array[] = [ggufHeader(metadata, wide)];
    for (const { pieces, byteLength } of wide) {
      for (const piece of pieces()) parts.push(piece.slice());
      parts.push(new Uint8Array(padded(byteLength) - byteLength));
    }
    writeFileSync(to, Buffer.concat(parts));
  } finally {
    checkpoint.close();
  }
}

function widened(tensor: OutputTensor): OutputTensor {
  const { dtype, shape } = tensor;
  const count = shape.reduce((product, size) => product * size, 1);
  return {
    ...tensor,
    dtype: "F32",
    byteLength: bytesOf("F32", count),
    *pieces() {
      for (const piece of tensor.pieces()) yield bytesView(toFloat32(piece, dtype));
    },
  };
}
