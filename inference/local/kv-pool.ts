/**
 * The pages of keys and values of all sessions of an engine, as the main thread owns them. What a
 * session gives back, the next one takes: the pool is never larger than its sessions were together at
 * one time, and opening a session takes no memory at all.
 */

import { InsufficientMemoryError } from "../errors.ts";
import { type KvLayout, kvMemoryBytes, pagesFor } from "../model/kv-layout.ts";
import { KV_PAGE } from "../wasm/kernels.ts";
import { type BankMemory, createMemory, growMemory } from "../wasm/memory-bank.ts";

/** A memory has room for so many more pages than wanted: growing has a price, untouched pages have none. */
const SPARE_PAGES = 8;
const SPARE_PART = 1 / 4;

export class KvPool {
  readonly layout: KvLayout;
  /** One for each range of layers; each has its part of every page. */
  readonly memories: readonly BankMemory[];
  readonly #availableMemory: () => number;
  /** Pages that were given back, the next one last. */
  readonly #free: number[] = [];
  /** Cells of closed caches. */
  readonly #freeCells: CacheCells[] = [];
  /** Pages 0 … taken - 1 have been in use. */
  #taken = 0;

  /**
   * @param availableMemory bytes that the process may still take
   * @throws EngineFailedError when the system refuses the address space
   */
  constructor(layout: KvLayout, availableMemory: () => number) {
    this.layout = layout;
    this.#availableMemory = availableMemory;
    const maxBytes = kvMemoryBytes(layout, layout.maxPages);
    this.memories = Array.from({ length: layout.memories }, () =>
      createMemory(kvMemoryBytes(layout, 0), maxBytes),
    );
  }

  /** Bytes of all pages that sessions hold or have given back. */
  get byteLength(): number {
    return this.#taken * this.#pageBytes;
  }

  /** @param sinks f32 (layers, heads), where the kernels find them */
  setSinks(sinks: Float32Array): void {
    for (const { buffer } of this.memories) new Float32Array(buffer, this.layout.sinks).set(sinks);
  }

  /** A cache without pages. */
  open(): KvCache {
    return new KvCache(this, this.#freeCells.pop() ?? createCells(this.layout));
  }

  /**
   * Pages that hold zeros.
   * @throws InsufficientMemoryError when the process may not take so much more, or the pool's memories
   *   end; nothing is taken then
   * @throws EngineFailedError when the system refuses to grow a memory
   */
  take(count: number): number[] {
    this.#commit(count - this.#free.length);
    const pages = this.#free.splice(Math.max(0, this.#free.length - count)).reverse();
    for (const page of pages) for (const part of this.parts(page)) part.fill(0);
    while (pages.length < count) pages.push(this.#taken++);
    return pages;
  }

  give(pages: Iterable<number>): void {
    // The first of them will be the first to be taken: neighbours stay neighbours.
    this.#free.push(...[...pages].reverse());
  }

  recycle(cells: CacheCells): void {
    this.#freeCells.push(cells);
  }

  /** A page's bytes, in the order of the layers. */
  parts(page: number): Uint8Array[] {
    const { layers, layersPerMemory, layerPageBytes } = this.layout;
    const at = kvMemoryBytes(this.layout, page);
    return this.memories.map(({ buffer }, index) => {
      const count = Math.min(layersPerMemory, layers - index * layersPerMemory);
      return new Uint8Array(buffer, at, count * layerPageBytes);
    });
  }

  get #pageBytes(): number {
    return this.layout.layers * this.layout.layerPageBytes;
  }

  /** Makes room for so many pages that no session has had. */
  #commit(count: number): void {
    if (count <= 0) return;
    const { layout } = this;
    const pages = this.#taken + count;
    const bytes = count * this.#pageBytes;
    const left = (layout.maxPages - this.#taken) * this.#pageBytes;
    const available = Math.min(this.#availableMemory(), left);
    if (bytes > available) {
      throw new InsufficientMemoryError("To hold its further tokens, a session", bytes, available);
    }
    const held = kvMemoryBytes(layout, pages);
    if (this.memories.every(({ buffer }) => buffer.byteLength >= held)) return;
    const spare = SPARE_PAGES + Math.floor(pages * SPARE_PART);
    const roomy = kvMemoryBytes(layout, Math.min(layout.maxPages, pages + spare));
    for (const memory of this.memories) growMemory(memory, roomy);
  }
}

/** What a cache shares with the worker threads. */
export type CacheCells = {
  /** The session's ids by position: the leading thread, which samples, reads and extends them. */
  readonly timeline: Int32Array<SharedArrayBuffer>;
  /** Numbers of its pages, in order. */
  readonly pageTable: Int32Array<SharedArrayBuffer>;
};

function createCells({ contextLength, pagesPerSession }: KvLayout): CacheCells {
  const cells = (count: number): Int32Array<SharedArrayBuffer> =>
    new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT));
  return { timeline: cells(contextLength), pageTable: cells(pagesPerSession) };
}

/** Keys and values of one session. */
export class KvCache {
  readonly cells: CacheCells;
  readonly #pool: KvPool;
  /** How many pages it has. */
  #pages = 0;

  /** Made by `KvPool.open`. */
  constructor(pool: KvPool, cells: CacheCells) {
    this.#pool = pool;
    this.cells = cells;
  }

  get byteLength(): number {
    const { layers, layerPageBytes } = this.#pool.layout;
    return this.#pages * layers * layerPageBytes;
  }

  /**
   * Makes room for `positions` tokens. Done before tokens are computed: worker threads allocate nothing.
   * @throws InsufficientMemoryError, EngineFailedError; the cache is unchanged then
   */
  reserve(positions: number): void {
    const missing = pagesFor(positions) - this.#pages;
    if (missing <= 0) return;
    this.cells.pageTable.set(this.#pool.take(missing), this.#pages);
    this.#pages += missing;
  }

  /** Gives back the pages behind `positions` tokens. */
  trim(positions: number): void {
    const kept = pagesFor(positions);
    if (kept >= this.#pages) return;
    this.#pool.give(this.cells.pageTable.subarray(kept, this.#pages));
    this.#pages = kept;
  }

  /** Gives back everything. The cache must not be used again, nor may a thread still use it. */
  close(): void {
    this.trim(0);
    this.#pool.recycle(this.cells);
  }

  /** The bytes of the pages that hold positions `from` … `to` - 1, which must be reserved. */
  pages(from: number, to: number): Uint8Array[] {
    const numbers = this.cells.pageTable.subarray(Math.floor(from / KV_PAGE), pagesFor(to));
    return Array.from(numbers).flatMap((page) => this.#pool.parts(page));
  }
}
