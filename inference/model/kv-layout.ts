/**
 * Where keys and values of all sessions lie: in pages of 64 positions, which sessions take from one pool
 * as their tokens come and give back. A page holds the keys and values of all layers for its positions;
 * a session's page table says which pages it has, in order. Windowed layers are kept in full, too: a
 * session can then be cut back to any length.
 *
 * The pool has one memory, or several with a range of layers each, as one memory holds at most 4 GiB.
 * In front of the pages lies what attention needs beside them: sinks, rotations, page tables of the
 * sessions of the current step, and scratch of each thread.
 */

import type { ModelConfig } from "../checkpoint/config.ts";
import {
  type Address,
  ATTENTION_COLUMNS,
  attentionScratchFloats,
  FLOAT_BYTES,
  KV_PAGE,
} from "../wasm/kernels.ts";
import { BankAllocator, MAX_BANK_BYTES } from "../wasm/memory-bank.ts";
import { MAX_OPEN_COMMANDS } from "../wasm/team.ts";

/**
 * `i16`: integers of at most 4095 times a scale per position and head, which changes what attention
 * gives by 5e-4 (nRMSE) and takes half the memory of `f32`.
 */
export type KvType = "f32" | "i16";

export type KvLayout = {
  readonly type: KvType;
  readonly layers: number;
  /** Most positions of one session. */
  readonly contextLength: number;
  /** Each memory holds this many layers, the last one perhaps fewer. */
  readonly layersPerMemory: number;
  readonly memories: number;
  /** Most pages that each memory can hold. */
  readonly maxPages: number;
  /** One layer's part of a page: per key-value head the keys, then the values, see `attention.rs`. */
  readonly layerPageBytes: number;
  /** In one memory, from one page to the next. */
  readonly pageBytes: number;
  readonly sinks: Address; // f32 (layers, heads)
  /** Of a command, and by depth of those that interrupt one. */
  readonly steps: readonly KvStep[];
  readonly pagesPerSession: number;
  /** Per thread, for a key-value head of some columns that are attended to together. */
  readonly thread: Address;
  readonly threadBytes: number;
  /** Within a thread's part. */
  readonly q: Address; // f32 (ATTENTION_COLUMNS, group, headDim)
  readonly k: Address; // f32 (headDim)
  readonly v: Address; // f32 (headDim)
  readonly z: Address; // f32 (ATTENTION_COLUMNS, group, headDim): what attention saw
  readonly scratch: Address;
  readonly pages: Address;
};

/** What attention needs of the columns and sessions of one step. */
export type KvStep = {
  readonly cos: Address; // f32 (columns, headDim / 2)
  readonly sin: Address; // f32 (columns, headDim / 2)
  /** Page numbers of each session, in order. */
  readonly tables: Address; // u32 (sessions, pagesPerSession)
};

export type KvOptions = {
  /** Most positions of one session. */
  readonly contextLength: number;
  /** Most tokens of one step. */
  readonly columns: number;
  /** Most sessions of one step. */
  readonly sessions: number;
  readonly threads: number;
  /** What keys and values are; i16 only where the shape of a head allows it. */
  readonly type: KvType;
  /** Bytes that the pages of all sessions may take; at least one session's are planned for. */
  readonly capacityBytes?: number | undefined;
  /** For tests: spreads the layers over several memories. */
  readonly maxMemoryBytes?: number | undefined;
};

export function planKvLayout(config: ModelConfig, options: KvOptions): KvLayout {
  const { heads, kvHeads, headDim, layers } = config;
  const { contextLength, columns, sessions, threads } = options;
  const group = heads / kvHeads;
  const pagesPerSession = pagesFor(contextLength);
  const thread = new BankAllocator();
  const threadFloats = (count: number): Address => thread.allocate(count * FLOAT_BYTES);
  const inThread = {
    q: threadFloats(ATTENTION_COLUMNS * group * headDim),
    k: threadFloats(headDim),
    v: threadFloats(headDim),
    z: threadFloats(ATTENTION_COLUMNS * group * headDim),
    scratch: threadFloats(attentionScratchFloats(group, headDim)),
  };
  const front = new BankAllocator();
  const floats = (count: number): Address => front.allocate(count * FLOAT_BYTES);
  const addresses = {
    sinks: floats(layers * heads),
    steps: Array.from({ length: MAX_OPEN_COMMANDS }, () => ({
      cos: floats((columns * headDim) / 2),
      sin: floats((columns * headDim) / 2),
      tables: floats(sessions * pagesPerSession),
    })),
    thread: front.allocate(threads * thread.byteLength),
  };
  const type = takesI16(headDim) ? options.type : "f32";
  const layerPageBytes = kvHeads * headPageBytes(type, headDim);
  const room = (options.maxMemoryBytes ?? MAX_BANK_BYTES) - front.byteLength;
  const wanted = Math.ceil((options.capacityBytes ?? 0) / (layers * layerPageBytes));
  const pages = Math.max(pagesPerSession, wanted);
  const layersPerMemory = Math.max(1, Math.min(layers, Math.floor(room / pages / layerPageBytes)));
  const pageBytes = layersPerMemory * layerPageBytes;
  return {
    type,
    layers,
    contextLength,
    layersPerMemory,
    memories: Math.ceil(layers / layersPerMemory),
    maxPages: Math.max(pagesPerSession, Math.floor(room / pageBytes)),
    layerPageBytes,
    pageBytes,
    ...addresses,
    pagesPerSession,
    threadBytes: thread.byteLength,
    ...inThread,
    pages: front.byteLength,
  };
}

/** What the kernels for i16 want: whole groups of 16, and sums that stay in 32 bits. */
function takesI16(headDim: number): boolean {
  return headDim % 16 === 0 && headDim <= 128;
}

/** Of one key-value head; i16 has two scales per position. */
function headPageBytes(type: KvType, headDim: number): number {
  const elements = 2 * headDim * KV_PAGE;
  return type === "f32" ? elements * FLOAT_BYTES : elements * 2 + 2 * KV_PAGE * FLOAT_BYTES;
}

/** Pages that hold so many positions. */
export function pagesFor(positions: number): number {
  return Math.ceil(positions / KV_PAGE);
}

/** Bytes of a memory with room for so many pages. */
export function kvMemoryBytes(layout: KvLayout, pages: number): number {
  return layout.pages + pages * layout.pageBytes;
}

/** Bytes of the whole pool with one session of so many positions. */
export function kvCacheBytes(layout: KvLayout, positions: number): number {
  const { memories, pages, layers, layerPageBytes } = layout;
  return memories * pages + pagesFor(positions) * layers * layerPageBytes;
}
