/** safetensors: the length of the header (u64), a JSON header, then the tensors without gaps. */
import type { OutputTensor } from "./output-tensor.ts";

/** Everything in front of the first tensor. */
export function safetensorsHeader(tensors: readonly OutputTensor[]): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let position = 0;
  for (const { name, dtype, shape, byteLength } of tensors) {
    header[name] = { dtype, shape, data_offsets: [position, position + byteLength] };
    position += byteLength;
  }
  const text = JSON.stringify(header);
  // Padded, so that the data begins at a multiple of 8.
  const bytes = new TextEncoder().encode(text.padEnd(text.length + ((8 - (text.length % 8)) % 8)));
  const out = new Uint8Array(8 + bytes.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(bytes.length), true);
  out.set(bytes, 8);
  return out;
}
