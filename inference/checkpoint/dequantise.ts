/**
 * Bytes of a tensor → float32, for every element type of dense weights. The quantised formats are
 * ggml's: little-endian, a block's scales before or behind its packed elements.
 * https://github.com/ggml-org/llama.cpp: ggml/src/ggml-quants.c, dequantize_row_*
 *
 * Each loop runs over whole blocks of plain byte arrays, so that gigabytes take seconds. All results
 * are the float32 nearest to the exact product, since a scale times a few bits fits a double.
 */

import { type Dtype, elementsIn } from "./dtypes.ts";

type Bytes = Uint8Array<ArrayBufferLike>;
type Floats = Float32Array<ArrayBufferLike>;

/**
 * @param bytes whole blocks of `dtype`
 * @param out f32, as many as there are elements; U8 elements become their integer value
 */
export function dequantise(dtype: Dtype, bytes: Bytes, out: Floats): void {
  DECODERS[dtype](bytes, out);
}

/** The same into an array of its own. */
export function toFloat32(bytes: Bytes, dtype: Dtype): Float32Array<ArrayBuffer> {
  const out = new Float32Array(elementsIn(dtype, bytes.byteLength));
  dequantise(dtype, bytes, out);
  return out;
}

const DECODERS: Readonly<Record<Dtype, (bytes: Bytes, out: Floats) => void>> = {
  BF16: decodeBF16,
  F16: decodeF16,
  F32: decodeF32,
  U8: (bytes, out) => out.set(bytes),
  Q4_0: decodeQ4_0,
  Q4_1: decodeQ4_1,
  Q5_0: decodeQ5_0,
  Q5_1: decodeQ5_1,
  Q8_0: decodeQ8_0,
  IQ4_NL: decodeIQ4_NL,
  Q4_K: decodeQ4_K,
  Q5_K: decodeQ5_K,
  Q6_K: decodeQ6_K,
  MXFP4: (bytes, out) => decodeMxfp4(bytes, out, 1, 16),
  MXFP4_ADJACENT: (bytes, out) => decodeMxfp4(bytes, out, 2, 1),
};

/** Value of every f16 bit pattern: scales are looked up, not computed. */
export const HALF: Float32Array = Float32Array.from(
  new Float16Array(Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits).buffer),
);

function half(bytes: Bytes, at: number): number {
  return HALF[bytes[at]! | (bytes[at + 1]! << 8)]!;
}

function decodeBF16(bytes: Bytes, out: Floats): void {
  // bf16 is the upper half of a float32.
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bits.length; i++) {
    bits[i] = ((bytes[2 * i]! << 16) | (bytes[2 * i + 1]! << 24)) >>> 0;
  }
}

function decodeF16(bytes: Bytes, out: Floats): void {
  for (let i = 0; i < out.length; i++) out[i] = half(bytes, 2 * i);
}

function decodeF32(bytes: Bytes, out: Floats): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < out.length; i++) out[i] = view.getFloat32(4 * i, true);
}

/** f16 d, 16 bytes: element j in the low, j+16 in the high nibble; d·(q - 8) */
function decodeQ4_0(bytes: Bytes, out: Floats): void {
  for (let at = 0, o = 0; o < out.length; at += 18, o += 32) {
    const d = half(bytes, at);
    for (let j = 0; j < 16; j++) {
      const byte = bytes[at + 2 + j]!;
      out[o + j] = d * ((byte & 15) - 8);
      out[o + j + 16] = d * ((byte >> 4) - 8);
    }
  }
}

/** f16 d, f16 m, 16 bytes as Q4_0; d·q + m */
function decodeQ4_1(bytes: Bytes, out: Floats): void {
  for (let at = 0, o = 0; o < out.length; at += 20, o += 32) {
    const d = half(bytes, at);
    const m = half(bytes, at + 2);
    for (let j = 0; j < 16; j++) {
      const byte = bytes[at + 4 + j]!;
      out[o + j] = d * (byte & 15) + m;
      out[o + j + 16] = d * (byte >> 4) + m;
    }
  }
}

/** f16 d, u32 of which bit j is the fifth bit of element j, 16 bytes as Q4_0; d·(q - 16) */
function decodeQ5_0(bytes: Bytes, out: Floats): void {
  for (let at = 0, o = 0; o < out.length; at += 22, o += 32) {
    const d = half(bytes, at);
    for (let j = 0; j < 16; j++) {
      const byte = bytes[at + 6 + j]!;
      out[o + j] = d * ((byte & 15) + fifthBit(bytes, at + 2, j) - 16);
      out[o + j + 16] = d * ((byte >> 4) + fifthBit(bytes, at + 2, j + 16) - 16);
    }
  }
}

/** f16 d, f16 m, fifth bits and nibbles as Q5_0; d·q + m */
function decodeQ5_1(bytes: Bytes, out: Floats): void {
  for (let at = 0, o = 0; o < out.length; at += 24, o += 32) {
    const d = half(bytes, at);
    const m = half(bytes, at + 2);
    for (let j = 0; j < 16; j++) {
      const byte = bytes[at + 8 + j]!;
      out[o + j] = d * ((byte & 15) + fifthBit(bytes, at + 4, j)) + m;
      out[o + j + 16] = d * ((byte >> 4) + fifthBit(bytes, at + 4, j + 16)) + m;
    }
  }
}

/** 16 when bit `j` of the little-endian word at `at` is set. */
function fifthBit(bytes: Bytes, at: number, j: number): number {
  return ((bytes[at + (j >> 3)]! >> (j & 7)) & 1) << 4;
}

/** f16 d, 32 signed bytes; d·q */
function decodeQ8_0(bytes: Bytes, out: Floats): void {
  for (let at = 0, o = 0; o < out.length; at += 34, o += 32) {
    const d = half(bytes, at);
    for (let j = 0; j < 32; j++) out[o + j] = d * ((bytes[at + 2 + j]! << 24) >> 24);
  }
}

/** The 16 levels of IQ4_NL. */
const IQ4_NL_LEVELS = Int8Array.of(
  ...[-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113],
);

/** f16 d, 16 bytes as Q4_0; d·level */
function decodeIQ4_NL(bytes: Bytes, out: Floats): void {
  for (let at = 0, o = 0; o < out.length; at += 18, o += 32) {
    const d = half(bytes, at);
    for (let j = 0; j < 16; j++) {
      const byte = bytes[at + 2 + j]!;
      out[o + j] = d * IQ4_NL_LEVELS[byte & 15]!;
      out[o + j + 16] = d * IQ4_NL_LEVELS[byte >> 4]!;
    }
  }
}

/** The 6-bit scale of sub-block `s` (0 … 7) in the 12 packed bytes of Q4_K and Q5_K. */
function kScale(bytes: Bytes, at: number, s: number): number {
  if (s < 4) return bytes[at + s]! & 63;
  return (bytes[at + s + 4]! & 15) | ((bytes[at + s - 4]! >> 6) << 4);
}

/** The 6-bit minimum of sub-block `s`. */
function kMinimum(bytes: Bytes, at: number, s: number): number {
  if (s < 4) return bytes[at + s + 4]! & 63;
  return (bytes[at + s + 4]! >> 4) | ((bytes[at + s]! >> 6) << 4);
}

/**
 * f16 d, f16 dmin, 12 bytes of scales and minima of 8 sub-blocks, 128 bytes: each 32 bytes hold one
 * sub-block in the low nibbles and the next in the high ones; d·scale·q - dmin·minimum
 */
function decodeQ4_K(bytes: Bytes, out: Floats): void {
  for (let at = 0, o = 0; o < out.length; at += 144, o += 256) {
    const d = half(bytes, at);
    const dmin = half(bytes, at + 2);
    for (let s = 0; s < 8; s++) {
      const scale = d * kScale(bytes, at + 4, s);
      const minimum = dmin * kMinimum(bytes, at + 4, s);
      const from = at + 16 + (s >> 1) * 32;
      const shift = (s & 1) * 4;
      for (let j = 0; j < 32; j++) {
        out[o + s * 32 + j] = scale * ((bytes[from + j]! >> shift) & 15) - minimum;
      }
    }
  }
}

/** As Q4_K, with 32 bytes before the nibbles of which bit s of byte j is the fifth bit of (s, j). */
function decodeQ5_K(bytes: Bytes, out: Floats): void {
  for (let at = 0, o = 0; o < out.length; at += 176, o += 256) {
    const d = half(bytes, at);
    const dmin = half(bytes, at + 2);
    for (let s = 0; s < 8; s++) {
      const scale = d * kScale(bytes, at + 4, s);
      const minimum = dmin * kMinimum(bytes, at + 4, s);
      const from = at + 48 + (s >> 1) * 32;
      const shift = (s & 1) * 4;
      for (let j = 0; j < 32; j++) {
        const q = ((bytes[from + j]! >> shift) & 15) | (((bytes[at + 16 + j]! >> s) & 1) << 4);
        out[o + s * 32 + j] = scale * q - minimum;
      }
    }
  }
}

/**
 * 128 bytes of low nibbles, 64 bytes of upper bit pairs, 16 signed scales, f16 d; d·scale·(q - 32).
 * Each half of the block has four runs of 32 elements: the low nibbles of its first and second 32
 * bytes, then their high ones; run k finds its upper bits in bits 2k, 2k+1.
 */
function decodeQ6_K(bytes: Bytes, out: Floats): void {
  for (let at = 0, o = 0; o < out.length; at += 210, o += 256) {
    const d = half(bytes, at + 208);
    for (let run = 0; run < 8; run++) {
      const inner = run & 3;
      const low = at + (run >> 2) * 64 + (inner & 1) * 32;
      const high = at + 128 + (run >> 2) * 32;
      const shift = (inner >> 1) * 4;
      for (let j = 0; j < 32; j++) {
        const scale = (bytes[at + 192 + run * 2 + (j >> 4)]! << 24) >> 24;
        const q =
          ((bytes[low + j]! >> shift) & 15) | (((bytes[high + j]! >> (2 * inner)) & 3) << 4);
        out[o + run * 32 + j] = d * scale * (q - 32);
      }
    }
  }
}

const E2M1 = Float32Array.of(0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6);

/** Byte j holds the elements `step`·j and `step`·j + `apart`. */
function decodeMxfp4(bytes: Bytes, out: Floats, step: number, apart: number): void {
  for (let at = 0, o = 0; o < out.length; at += 17, o += 32) {
    const scale = bytes[at]! === 255 ? Number.NaN : 2 ** (bytes[at]! - 127);
    for (let j = 0; j < 16; j++) {
      const byte = bytes[at + 1 + j]!;
      out[o + step * j] = E2M1[byte & 15]! * scale;
      out[o + step * j + apart] = E2M1[byte >> 4]! * scale;
    }
  }
}
