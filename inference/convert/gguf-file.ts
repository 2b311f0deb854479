/**
 * GGUF, version 3: magic, counts, metadata, what there is to know of each tensor, then the tensors, each at a
 * multiple of 32 bytes. https://github.com/ggml-org/ggml: docs/gguf.md
 */

import { ggmlTypeOf } from "../checkpoint/ggml-types.ts";
import { GGUF_MAGIC } from "../checkpoint/gguf.ts";
import type { OutputTensor } from "./output-tensor.ts";

const VERSION = 3;
const ALIGNMENT = 32;
const TYPES = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const;

export type GgufOutputValue =
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly bool: boolean }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | { readonly i32s: readonly number[] };

/** Everything in front of the first tensor. */
export function ggufHeader(
  metadata: ReadonlyMap<string, GgufOutputValue>,
  tensors: readonly OutputTensor[],
): Uint8Array<ArrayBuffer> {
  const out = new Bytes();
  out.u32(GGUF_MAGIC);
  out.u32(VERSION);
  out.u64(tensors.length);
  out.u64(metadata.size);
  for (const [key, value] of metadata) {
    out.string(key);
    out.value(value);
  }
  let position = 0;
  for (const { name, dtype, shape, byteLength } of tensors) {
    out.string(name);
    out.u32(shape.length);
    // ggml has the innermost dimension first.
    for (const size of [...shape].reverse()) out.u64(size);
    out.u32(ggmlTypeOf(dtype));
    out.u64(position);
    position += padded(byteLength);
  }
  return out.finish();
}

/** Bytes that a tensor takes in the file. */
export function padded(byteLength: number): number {
  return Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT;
}

class Bytes {
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  readonly #encoder = new TextEncoder();

  u32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
  }

  u64(value: number): void {
    this.#room(8);
    this.#view.setBigUint64(this.#length, BigInt(value), true);
    this.#length += 8;
  }

  string(text: string): void {
    const bytes = this.#encoder.encode(text);
    this.u64(bytes.length);
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  value(value: GgufOutputValue): void {
    if ("u32" in value) {
      this.u32(TYPES.u32);
      this.u32(value.u32);
    } else if ("f32" in value) {
      this.u32(TYPES.f32);
      this.#f32(value.f32);
    } else if ("bool" in value) {
      this.u32(TYPES.bool);
      this.#room(1);
      this.#bytes[this.#length++] = value.bool ? 1 : 0;
    } else if ("string" in value) {
      this.u32(TYPES.string);
      this.string(value.string);
    } else if ("strings" in value) {
      this.#array(TYPES.string, value.strings.length);
      for (const text of value.strings) this.string(text);
    } else {
      this.#array(TYPES.i32, value.i32s.length);
      for (const number of value.i32s) this.u32(number >>> 0);
    }
  }

  finish(): Uint8Array<ArrayBuffer> {
    const length = padded(this.#length);
    this.#room(length - this.#length);
    return this.#bytes.slice(0, length);
  }

  #array(type: number, count: number): void {
    this.u32(TYPES.array);
    this.u32(type);
    this.u64(count);
  }

  #f32(value: number): void {
    this.#room(4);
    this.#view.setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + bytes));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
