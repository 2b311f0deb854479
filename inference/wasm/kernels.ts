/**
 * The exports of the Rust crate in `../kernels/`, typed once by hand, and the choice between its two
 * builds. What each function computes and what its arguments hold is documented beside its source;
 * the order here is the order there. Addresses are byte offsets in the instance's memory.
 */

import { readFileSync } from "node:fs";
import { EngineFailedError } from "../errors.ts";

/** Byte address in the memory of one bank; 0 is "none" where a kernel allows it. */
export type Address = number;

/** Over a cache of f32 or of 16-bit integers. */
type Attention = (
  q: Address,
  columns: number,
  group: number,
  headDim: number,
  pages: Address,
  pageTable: Address,
  pageStrideFloats: number,
  window: number,
  end: number,
  scale: number,
  sinks: Address,
  out: Address,
  scratch: Address,
) => void;

type KvStore = (
  k: Address,
  v: Address,
  page: Address,
  slot: number,
  heads: number,
  headDim: number,
) => void;

/** Of a row-major matrix. */
type DenseMatmul = (
  w: Address,
  rows: number,
  k: number,
  x: Address,
  columns: number,
  bias: Address,
  y: Address,
  yStride: number,
) => void;

type ToFloats = (x: Address, y: Address, n: number) => void;

export interface Kernels {
  add_scaled(y: Address, x: Address, scale: number, n: number): void;
  /** Returns how many indices it wrote. */
  at_least(values: Address, n: number, least: number, indices: Address): number;
  attention: Attention;
  attention_i16: Attention;
  bf16_matmul: DenseMatmul;
  bf16_to_f32: ToFloats;
  f16_to_f32: ToFloats;
  f32_matmul: DenseMatmul;
  gumbel_bounds(
    values: Address,
    n: number,
    temperature: number,
    least: number,
    first: number,
    second: number,
    bounds: Address,
  ): void;
  kv_store: KvStore;
  kv_store_i16: KvStore;
  /** Returns an index. */
  largest(values: Address, n: number): number;
  mxfp4_matmul_f32(
    w: Address,
    rows: number,
    rowBlocks: number,
    x: Address,
    index: Address,
    columns: number,
    bias: Address,
    y: Address,
    yStride: number,
    scratch: Address,
  ): void;
  mxfp4_matmul_i8(
    w: Address,
    rows: number,
    rowBlocks: number,
    x: Address,
    xScale: Address,
    xStart: Address,
    index: Address,
    columns: number,
    bias: Address,
    y: Address,
    yStride: number,
    scratch: Address,
  ): void;
  /** Returns 0, or 1 + the index of the first scale byte that is not a number. */
  mxfp4_repack(
    codes: Address,
    scales: Address,
    blockBytes: number,
    split: number,
    odd: number,
    out: Address,
    rows: number,
    rowBlocks: number,
  ): number;
  /** Returns an index, `n` for none. */
  not_finite_16(x: Address, n: number, exponent: number): number;
  /** Returns an index, `n` for none. */
  not_finite_32(x: Address, n: number): number;
  q8_matmul_i8(
    w: Address,
    rows: number,
    rowBlocks: number,
    x: Address,
    xI16: Address,
    xScale: Address,
    xStart: Address,
    index: Address,
    columns: number,
    bias: Address,
    y: Address,
    yStride: number,
  ): void;
  q8_pack(w: Address, out: Address, rows: number, rowBlocks: number): void;
  /** Returns 0, or 1 + the index of the first block whose scale is not a finite number. */
  q8_repack(blocks: Address, out: Address, rows: number, rowBlocks: number): number;
  quantise_i8(
    x: Address,
    blocks: number,
    q: Address,
    scale: Address,
    start: Address,
    offset: number,
    xI16: Address,
  ): void;
  rms_norm(x: Address, weight: Address, y: Address, n: number, epsilon: number): void;
  rope(x: Address, heads: number, half: number, cos: Address, sin: Address): void;
  screen_bounds(
    w: Address,
    rows: number,
    rowBlocks: number,
    x: Address,
    terms: Address,
    spread: number,
    y: Address,
  ): void;
  screen_pack(w: Address, dither: Address, out: Address, groups: number, rowBlocks: number): void;
  screen_terms(
    x: Address,
    xScale: Address,
    dither: Address,
    rowBlocks: number,
    terms: Address,
  ): void;
  swiglu(x: Address, y: Address, n: number, limit: number, alpha: number): void;
  top_k_softmax(logits: Address, n: number, k: number, index: Address, weight: Address): void;
}

/** A key for each kernel and no other: the compiler counts them. */
const EXPORTS: Readonly<Record<keyof Kernels, true>> = {
  add_scaled: true,
  at_least: true,
  attention: true,
  attention_i16: true,
  bf16_matmul: true,
  bf16_to_f32: true,
  f16_to_f32: true,
  f32_matmul: true,
  gumbel_bounds: true,
  kv_store: true,
  kv_store_i16: true,
  largest: true,
  mxfp4_matmul_f32: true,
  mxfp4_matmul_i8: true,
  mxfp4_repack: true,
  not_finite_16: true,
  not_finite_32: true,
  q8_matmul_i8: true,
  q8_pack: true,
  q8_repack: true,
  quantise_i8: true,
  rms_norm: true,
  rope: true,
  screen_bounds: true,
  screen_pack: true,
  screen_terms: true,
  swiglu: true,
  top_k_softmax: true,
};

/** Every export, for the linker and for the test that holds the module against this file. */
export const KERNEL_NAMES: readonly string[] = Object.keys(EXPORTS);

/** Bytes of an f32, an i32 or a u32 of the kernels, and of an i16. */
export const FLOAT_BYTES = 4;
export const I16_BYTES = 2;
/** Columns that share one scale, in MXFP4 and Q8 weights and in int8 activations. */
export const BLOCK = 32;
/** Rows that one record of a quantised matrix interleaves. */
export const ROW_GROUP = 8;
/** Bytes of 8 rows × 32 columns. */
export const MXFP4_RECORD_BYTES = 136;
export const Q8_RECORD_BYTES = 272;
/** Of the copy of a Q8 matrix that `screen_bounds` reads, and bytes of a block's terms. */
export const SCREEN_RECORD_BYTES = 144;
export const SCREEN_TERMS_BYTES = 12;
/** Dithers of the copy are 0 … 16. */
export const SCREEN_DITHERS = 17;
/** What the kernels add to weights to make them unsigned; `quantise_i8` prepares the correction. */
export const MXFP4_OFFSET = 12;
export const Q8_OFFSET = 127;
/** Scratch of the MXFP4 matrix kernels for one row group, per block of 32 columns. */
export const MXFP4_I8_SCRATCH_BYTES = 288;
export const MXFP4_F32_SCRATCH_BYTES = 1056;
/** Positions in one page of the KV cache. */
export const KV_PAGE = 64;
/** Most neighbouring columns that attention takes together: a page of keys and values serves all of them. */
export const ATTENTION_COLUMNS = 8;

/** Floats of scratch that attention needs for the `group` query heads of one key-value head. */
export function attentionScratchFloats(group: number, headDim: number): number {
  const heads = Math.ceil(group / 4) * 4;
  const perColumn = 3 + (5 * headDim) / 2;
  return heads * (KV_PAGE + KV_PAGE / 2 + 3 + ATTENTION_COLUMNS * perColumn) + KV_PAGE + 8;
}

/** Compiled kernels: cheap to post to workers, where they share the machine code. */
export type KernelModule = WebAssembly.Module;

export type KernelBuild = "relaxed" | "baseline";

/** `wide` is the relaxed build for V8's revectorizer, see `revectorize.ts`. */
export type AnyKernelBuild = KernelBuild | "wide";

const FILES: Readonly<Record<AnyKernelBuild, URL>> = {
  relaxed: new URL("../kernels/kernels.wasm", import.meta.url),
  wide: new URL("../kernels/kernels-wide.wasm", import.meta.url),
  baseline: new URL("../kernels/kernels-baseline.wasm", import.meta.url),
};

/** The build that this Node would run: the faster one needs relaxed SIMD. Null when it accepts neither. */
export function kernelBuild(): KernelBuild | null {
  const builds = ["relaxed", "baseline"] as const;
  return builds.find((build) => WebAssembly.validate(readFileSync(FILES[build]))) ?? null;
}

/**
 * Compiles a build of the kernels; all give the same results.
 * @param build absent: the fastest that this Node accepts without flags
 * @throws EngineFailedError when this Node has no WebAssembly SIMD, or not what the build needs
 */
export function compileKernels(build?: AnyKernelBuild): KernelModule {
  for (const candidate of build === undefined ? (["relaxed", "baseline"] as const) : [build]) {
    const bytes = readFileSync(FILES[candidate]);
    if (WebAssembly.validate(bytes)) return new WebAssembly.Module(bytes);
  }
  throw new EngineFailedError(
    `Cannot run the kernels: Node ${process.version} does not accept WebAssembly SIMD. ` +
      "Accepted: Node 24 or newer, started without switching SIMD off.",
  );
}

/** Binds the kernels to one memory. */
export function instantiateKernels(module: KernelModule, memory: WebAssembly.Memory): Kernels {
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
}
