/**
 * Element types of tensors: what they are called and how many bytes they take. The quantised ones
 * are those of ggml; they hold their elements in blocks with a scale of their own.
 * https://github.com/ggml-org/llama.cpp: ggml/src/ggml-common.h
 */

/** Element types a tensor of an accepted checkpoint can have. */
export type Dtype = FloatDtype | BlockDtype | Mxfp4Dtype | "U8";

export type FloatDtype = "BF16" | "F16" | "F32";

/** Quantised dense weights. */
export type BlockDtype =
  | "Q4_0"
  | "Q4_1"
  | "Q5_0"
  | "Q5_1"
  | "Q8_0"
  | "Q4_K"
  | "Q5_K"
  | "Q6_K"
  | "IQ4_NL";

/**
 * Blocks of 17 bytes: E8M0 scale, then 32 E2M1 elements. In `MXFP4` byte j has element j in its low
 * and j+16 in its high nibble; in `MXFP4_ADJACENT` it has 2j and 2j+1.
 */
export type Mxfp4Dtype = "MXFP4" | "MXFP4_ADJACENT";

type Size = { readonly blockElements: number; readonly blockBytes: number };

const SIZES: Readonly<Record<Dtype, Size>> = {
  BF16: { blockElements: 1, blockBytes: 2 },
  F16: { blockElements: 1, blockBytes: 2 },
  F32: { blockElements: 1, blockBytes: 4 },
  U8: { blockElements: 1, blockBytes: 1 },
  Q4_0: { blockElements: 32, blockBytes: 18 },
  Q4_1: { blockElements: 32, blockBytes: 20 },
  Q5_0: { blockElements: 32, blockBytes: 22 },
  Q5_1: { blockElements: 32, blockBytes: 24 },
  Q8_0: { blockElements: 32, blockBytes: 34 },
  IQ4_NL: { blockElements: 32, blockBytes: 18 },
  Q4_K: { blockElements: 256, blockBytes: 144 },
  Q5_K: { blockElements: 256, blockBytes: 176 },
  Q6_K: { blockElements: 256, blockBytes: 210 },
  MXFP4: { blockElements: 32, blockBytes: 17 },
  MXFP4_ADJACENT: { blockElements: 32, blockBytes: 17 },
};

export const FLOAT_DTYPES: readonly FloatDtype[] = ["BF16", "F16", "F32"];

/** Every type a dense weight can have. */
export const DENSE_DTYPES: readonly (FloatDtype | BlockDtype)[] = [
  ...FLOAT_DTYPES,
  "Q8_0",
  "Q6_K",
  "Q5_K",
  "Q5_1",
  "Q5_0",
  "Q4_K",
  "Q4_1",
  "Q4_0",
  "IQ4_NL",
];

export const MXFP4_DTYPES: readonly Mxfp4Dtype[] = ["MXFP4", "MXFP4_ADJACENT"];

/** Elements that share a block; a row is a whole number of them. */
export function blockElements(dtype: Dtype): number {
  return SIZES[dtype].blockElements;
}

/** Bytes of `count` elements, a whole number of blocks. */
export function bytesOf(dtype: Dtype, count: number): number {
  return (count / SIZES[dtype].blockElements) * SIZES[dtype].blockBytes;
}

/** Elements in `bytes` bytes, a whole number of blocks. */
export function elementsIn(dtype: Dtype, bytes: number): number {
  return (bytes / SIZES[dtype].blockBytes) * SIZES[dtype].blockElements;
}
