/**
 * MXFP4 in words: 32 neighbouring inputs share one power of two, each is one of 16 codes.
 * OCP Microscaling Formats v1.0, E2M1 elements with E8M0 scales.
 */

/** Value of each 4-bit code: sign, two bits of exponent, one of mantissa. 8 is -0. */
const E2M1: readonly number[] = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6];

/** Inputs per scale. */
export const BLOCK = 32;
/** Two codes per byte. */
const BLOCK_BYTES: number = BLOCK / 2;

const SCALE_BIAS = 127;

/** 2^(e-127). Code 255 is not a number. */
export function decodeScale(code: number): number {
  return code === 255 ? Number.NaN : 2 ** (code - SCALE_BIAS);
}

/**
 * One block as safetensors hold it: byte j has input 2j in its low nibble, 2j+1 in its high one.
 * @param bytes 16 bytes
 * @returns 32 values; exact in float32, too, but for scales below 2^-126
 */
export function decodeAdjacent(bytes: Uint8Array, scaleCode: number): Float64Array {
  const scale = decodeScale(scaleCode);
  const out = new Float64Array(BLOCK);
  for (let j = 0; j < BLOCK_BYTES; j++) {
    out[2 * j] = E2M1[bytes[j]! & 15]! * scale;
    out[2 * j + 1] = E2M1[bytes[j]! >> 4]! * scale;
  }
  return out;
}

/** One block as GGUF holds it: byte j has input j in its low nibble, j+16 in its high one. */
export function decodeSplit(bytes: Uint8Array, scaleCode: number): Float64Array {
  const scale = decodeScale(scaleCode);
  const out = new Float64Array(BLOCK);
  for (let j = 0; j < BLOCK_BYTES; j++) {
    out[j] = E2M1[bytes[j]! & 15]! * scale;
    out[j + BLOCK_BYTES] = E2M1[bytes[j]! >> 4]! * scale;
  }
  return out;
}

/**
 * Many blocks in a row.
 * @param blocks U8 (n, 16)
 * @param scales U8 (n)
 * @returns f64 (n · 32)
 */
export function decodeBlocks(
  blocks: Uint8Array,
  scales: Uint8Array,
  decode: (bytes: Uint8Array, scaleCode: number) => Float64Array = decodeAdjacent,
): Float64Array {
  const out = new Float64Array(scales.length * BLOCK);
  for (let i = 0; i < scales.length; i++) {
    const bytes = blocks.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES);
    out.set(decode(bytes, scales[i]!), i * BLOCK);
  }
  return out;
}

/**
 * Values to codes, the way the common quantiser does it: the scale puts the largest magnitude into
 * the top binade of E2M1, each value takes the nearest code, the lower magnitude when in between.
 * @param values f64 (n · 32)
 */
export function encodeBlocks(values: Float64Array): { blocks: Uint8Array; scales: Uint8Array } {
  const count = values.length / BLOCK;
  const scales = new Uint8Array(count);
  const blocks = new Uint8Array(count * BLOCK_BYTES);
  for (let i = 0; i < count; i++) {
    const block = values.subarray(i * BLOCK, (i + 1) * BLOCK);
    const largest = block.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
    const exponent = largest === 0 ? -SCALE_BIAS : Math.floor(Math.log2(largest)) - 2;
    scales[i] = Math.min(Math.max(exponent + SCALE_BIAS, 0), 254);
    const scale = decodeScale(scales[i]!);
    for (let j = 0; j < BLOCK; j++) {
      const code = nearestCode(block[j]! / scale);
      blocks[i * BLOCK_BYTES + (j >> 1)]! |= j % 2 === 0 ? code : code << 4;
    }
  }
  return { blocks, scales };
}

function nearestCode(value: number): number {
  let best = 0;
  for (let code = 1; code < 8; code++) {
    if (Math.abs(Math.abs(value) - E2M1[code]!) < Math.abs(Math.abs(value) - E2M1[best]!)) {
      best = code;
    }
  }
  return value < 0 && best > 0 ? best + 8 : best;
}
