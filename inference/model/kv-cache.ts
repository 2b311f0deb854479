/**
 * Keys and values of one session. They are held in shared memories of their own, apart from the
 * weights: a session that closes gives all of it back, and any number of sessions share the weights.
 *
 * A cache is a row of pages of 64 positions; a page holds the keys and values of a range of layers,
 * so the cache grows by whole pages and nothing is ever moved. Windowed layers are kept in full, too:
 * a session can then be cut back to any length. At most 4 GiB per memory: long contexts of large
 * models have several, each for a range of layers.
 *
 * In front of the pages lies what attention needs beside them: sinks, rotations, the current step's
 * queries, keys, values and results, and scratch of each thread.
 */

import type { ModelConfig } from "../checkpoint/config.ts";
import { type Address, ATTENTION_SCRATCH_FLOATS, KV_PAGE } from "../wasm/kernels.ts";
import {
  BankAllocator,
  type BankMemory,
  createMemory,
  growMemory,
  MAX_BANK_BYTES,
} from "../wasm/memory-bank.ts";

const FLOAT_BYTES = 4;

/**
 * `words`: integers of at most 4095 times a scale per position and head, which changes what attention
 * gives by 5e-4 (nRMSE) and takes half the memory of `f32`.
 */
export type KvType = "f32" | "words";

export type KvLayout = {
  readonly type: KvType;
  /** Most positions of one session. */
  readonly contextLength: number;
  /** Each memory holds this many layers, the last one perhaps fewer. */
  readonly layersPerMemory: number;
  readonly memories: number;
  /** One layer's part of a page: per key-value head the keys, then the values, see `attention.rs`. */
  readonly layerPageBytes: number;
  /** From one page to the next. */
  readonly pageBytes: number;
  readonly sinks: Address; // f32 (layers, heads)
  readonly cos: Address; // f32 (columns, headDim / 2)
  readonly sin: Address; // f32 (columns, headDim / 2)
  readonly qkv: Address; // f32 (columns, (heads + 2·kvHeads)·headDim)
  readonly z: Address; // f32 (columns, heads·headDim)
  readonly scratch: Address; // per thread
  readonly scratchBytes: number;
  readonly pages: Address;
};

/**
 * Where everything of a session lies.
 * @param columns most tokens of one step
 * @param wanted what keys and values are; words only where the shape of a head allows it
 * @param maxMemoryBytes for tests
 */
export function planKvCache(
  config: ModelConfig,
  contextLength: number,
  columns: number,
  threads: number,
  wanted: KvType,
  maxMemoryBytes: number = MAX_BANK_BYTES,
): KvLayout {
  const { heads, kvHeads, headDim, layers } = config;
  const front = new BankAllocator();
  const floats = (count: number): Address => front.allocate(count * FLOAT_BYTES);
  const type = takesWords(headDim) ? wanted : "f32";
  const scratchFloats = ATTENTION_SCRATCH_FLOATS + headDim / 2;
  const scratchBytes = scratchFloats * (heads / kvHeads) * FLOAT_BYTES;
  const addresses = {
    sinks: floats(layers * heads),
    cos: floats((columns * headDim) / 2),
    sin: floats((columns * headDim) / 2),
    qkv: floats(columns * (heads + 2 * kvHeads) * headDim),
    z: floats(columns * heads * headDim),
    scratch: front.allocate(threads * scratchBytes),
  };
  const layerPageBytes = kvHeads * headPageBytes(type, headDim);
  const layerBytes = Math.ceil(contextLength / KV_PAGE) * layerPageBytes;
  const room = maxMemoryBytes - front.byteLength;
  const layersPerMemory = Math.max(1, Math.min(layers, Math.floor(room / layerBytes)));
  return {
    type,
    ...addresses,
    contextLength,
    layersPerMemory,
    memories: Math.ceil(layers / layersPerMemory),
    layerPageBytes,
    pageBytes: layersPerMemory * layerPageBytes,
    scratchBytes,
    pages: front.byteLength,
  };
}

/** What the kernels for words want: whole groups of 16, and sums that stay in 32 bits. */
function takesWords(headDim: number): boolean {
  return headDim % 16 === 0 && headDim <= 128;
}

/** Of one key-value head; words have two scales per position. */
function headPageBytes(type: KvType, headDim: number): number {
  const elements = 2 * headDim * KV_PAGE;
  return type === "f32" ? elements * FLOAT_BYTES : elements * 2 + 2 * KV_PAGE * FLOAT_BYTES;
}

/** Bytes of one session that holds `positions`. */
export function kvCacheBytes(layout: KvLayout, positions: number): number {
  return layout.memories * memoryBytes(layout, positions);
}

function memoryBytes(layout: KvLayout, positions: number): number {
  return layout.pages + Math.ceil(positions / KV_PAGE) * layout.pageBytes;
}

/** The memories of one session, as the main thread owns them. */
export class KvCache {
  readonly layout: KvLayout;
  readonly memories: readonly BankMemory[];
  /** The session's ids by position: the leading thread, which samples, reads and extends them. */
  readonly timeline: Int32Array<SharedArrayBuffer>;

  /** @throws EngineFailedError when the system refuses the address space */
  constructor(layout: KvLayout) {
    this.layout = layout;
    this.timeline = new Int32Array(
      new SharedArrayBuffer(layout.contextLength * Int32Array.BYTES_PER_ELEMENT),
    );
    this.memories = Array.from({ length: layout.memories }, () =>
      createMemory(memoryBytes(layout, 0), memoryBytes(layout, layout.contextLength)),
    );
  }

  /**
   * Makes room for `positions` tokens. Done before tokens are computed, so that decoding itself
   * allocates nothing.
   * @throws EngineFailedError when the system refuses
   */
  reserve(positions: number): void {
    for (const memory of this.memories) growMemory(memory, memoryBytes(this.layout, positions));
  }

  /** The pages that hold positions `from` … `to` - 1, in each memory. The cache must have room for them. */
  pages(from: number, to: number): Uint8Array[] {
    const { pages, pageBytes } = this.layout;
    const first = Math.floor(from / KV_PAGE);
    const count = Math.ceil(to / KV_PAGE) - first;
    return this.memories.map(
      ({ buffer }) => new Uint8Array(buffer, pages + first * pageBytes, count * pageBytes),
    );
  }

  get byteLength(): number {
    return this.memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0);
  }
}
