/**
 * Floats → MXFP4, as ggml rounds them: a block's scale is the power of two that puts its largest value
 * between 4 and 8, and each value becomes the nearest of the sixteen, of two equally near ones the one that
 * is nearer to zero.
 */

const BLOCK = 32;
/** Halfway between the neighbours of 0, 0.5, 1, 1.5, 2, 3, 4 and 6. */
const HALFWAY = [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5] as const;
/** E8M0 of 1. */
const BIAS = 127;
const MAX_SCALE = 254;

/**
 * @param values whole blocks of 32 finite numbers
 * @param codes 16 bytes per block: byte j has element 2j in its low and 2j+1 in its high nibble
 * @param scales a byte per block, E8M0
 */
export function packMxfp4(
  values: Float32Array<ArrayBufferLike>,
  codes: Uint8Array<ArrayBufferLike>,
  scales: Uint8Array<ArrayBufferLike>,
): void {
  for (let block = 0; block < scales.length; block++) {
    const at = block * BLOCK;
    let largest = 0;
    for (let i = 0; i < BLOCK; i++) largest = Math.max(largest, Math.abs(values[at + i]!));
    const exponent = largest === 0 ? 0 : clamp(floorLog2(largest) - 2 + BIAS);
    scales[block] = exponent;
    const factor = 2 ** (BIAS - exponent);
    for (let i = 0; i < BLOCK; i += 2) {
      const low = codeOf(values[at + i]! * factor);
      codes[(at + i) / 2] = low | (codeOf(values[at + i + 1]! * factor) << 4);
    }
  }
}

function codeOf(value: number): number {
  const size = Math.abs(value);
  let code = 0;
  while (code < HALFWAY.length && size > HALFWAY[code]!) code++;
  return value < 0 && code > 0 ? code | 8 : code;
}

/** Exact, unlike a logarithm near a power of two. */
function floorLog2(value: number): number {
  let exponent = Math.floor(Math.log2(value));
  if (2 ** exponent > value) exponent--;
  else if (2 ** (exponent + 1) <= value) exponent++;
  return exponent;
}

function clamp(exponent: number): number {
  return Math.max(0, Math.min(MAX_SCALE, exponent));
}
