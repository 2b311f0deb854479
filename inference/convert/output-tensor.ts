/** A tensor that is written: what a header says of it, and its bytes, made piece by piece. */

import { bytesOf, type Dtype } from "../checkpoint/dtypes.ts";
import type { Tensor } from "../checkpoint/tensor-file.ts";
import { readFloatsInto } from "../checkpoint/tensors.ts";

export type OutputTensor = {
  readonly name: string;
  readonly dtype: Dtype;
  /** Outermost dimension first. */
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** Each piece is valid until the next one is asked for. @throws CheckpointError */
  pieces(): Generator<Uint8Array, void, void>;
};

/** A multiple of every block. */
const PIECE_ELEMENTS = 1 << 20;

/** The bytes of a tensor as they are. */
export function copied(name: string, tensor: Tensor): OutputTensor {
  const { dtype, shape, byteLength } = tensor;
  return {
    name,
    dtype,
    shape,
    byteLength,
    *pieces() {
      const size = bytesOf(dtype, PIECE_ELEMENTS);
      const buffer = new Uint8Array(Math.min(size, byteLength));
      for (let done = 0; done < byteLength; done += size) {
        const bytes = buffer.subarray(0, Math.min(size, byteLength - done));
        tensor.readInto(bytes, done);
        yield bytes;
      }
    },
  };
}

/** The values of a tensor as floats of a dtype. */
export function asFloats(name: string, tensor: Tensor, dtype: "F32" | "BF16"): OutputTensor {
  const { shape } = tensor;
  const count = shape.reduce((product, size) => product * size, 1);
  return {
    name,
    dtype,
    shape,
    byteLength: bytesOf(dtype, count),
    *pieces() {
      const floats = new Float32Array(Math.min(PIECE_ELEMENTS, count));
      for (let done = 0; done < count; done += PIECE_ELEMENTS) {
        const part = floats.subarray(0, Math.min(PIECE_ELEMENTS, count - done));
        readFloatsInto(tensor, done, part);
        yield dtype === "F32" ? bytesView(part) : toBfloat16(part);
      }
    },
  };
}

export function bytesView(values: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** To the nearest, of two equally near ones the even. */
function toBfloat16(values: Float32Array<ArrayBuffer>): Uint8Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i]!;
    out[i] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return new Uint8Array(out.buffer);
}
