/**
 * The pages of keys and values of all sessions of an engine, as the main thread owns them. What a
 * session gives back, the next one takes: the pool is never larger than its sessions were together at
 * one time, and the pages of one full context that are kept for sessions which begin alike. Opening a
 * session takes no memory at all.
 */

import { InsufficientMemoryError } from "../errors.ts";
import { type KvLayout, kvMemoryBytes, pagesFor } from "../model/kv-layout.ts";
import { KV_PAGE } from "../wasm/kernels.ts";
import { type BankMemory, createMemory, growMemory } from "../wasm/memory-bank.ts";
import { PrefixTree } from "./prefix-tree.ts";

/** A memory has room for so many more pages than wanted: growing has a price, untouched pages have none. */
const SPARE_PAGES = 8;
const SPARE_PART = 1 / 4;

export class KvPool {
  readonly layout: KvLayout;
  /** One for each range of layers; each has its part of every page. */
  readonly memories: readonly BankMemory[];
  readonly #availableMemory: () => number;
  /** What sessions can begin with; absent where they share nothing. */
  readonly #tree: PrefixTree | undefined;
  /** Pages that were given back, the next one last. */
  readonly #free: number[] = [];
  /** Cells of closed caches. */
  readonly #freeCells: CacheCells[] = [];
  /** Pages 0 … taken - 1 have been in use. */
  #taken = 0;

  /**
   * @param availableMemory bytes that the process may still take
   * @param sharesPrefixes whether sessions that begin alike have the same pages for that
   * @throws EngineFailedError when the system refuses the address space
   */
  constructor(layout: KvLayout, availableMemory: () => number, sharesPrefixes = true) {
    this.layout = layout;
    this.#tree = sharesPrefixes ? new PrefixTree() : undefined;
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
   * Pages that hold zeros and are in no other use.
   * @throws InsufficientMemoryError when the process may not take so much more, or the pool's memories
   *   end; nothing is taken then
   * @throws EngineFailedError when the system refuses to grow a memory
   */
  take(count: number): number[] {
    try {
      this.#commit(count - this.#free.length);
    } catch (error) {
      if (!(error instanceof InsufficientMemoryError) || this.#tree === undefined) throw error;
      this.#free.push(...this.#tree.evict(count - this.#free.length));
      this.#commit(count - this.#free.length);
    }
    const pages = this.#free.splice(Math.max(0, this.#free.length - count)).reverse();
    for (const page of pages) for (const part of this.parts(page)) part.fill(0);
    while (pages.length < count) pages.push(this.#taken++);
    return pages;
  }

  /** Pages that a session does not use any more, in order. */
  give(pages: Iterable<number>): void {
    // The first of them will be the first to be taken: neighbours stay neighbours.
    for (const page of [...pages].reverse()) {
      if (!this.#tree?.leave(page)) this.#free.push(page);
    }
    const tooMany = (this.#tree?.unused ?? 0) - this.layout.pagesPerSession;
    if (tooMany > 0) this.#free.push(...(this.#tree?.evict(tooMany) ?? []));
  }

  /** Whether other sessions may use a page as well: then it must not be written. */
  isShared(page: number): boolean {
    return this.#tree?.has(page) ?? false;
  }

  /**
   * Lets sessions that begin alike use these pages.
   * @returns the pages to use in their place
   */
  share(ids: readonly number[], pages: readonly number[]): readonly number[] {
    if (this.#tree === undefined) return pages;
    const kept = this.#tree.add(ids, pages);
    // What another session computed as well is needed once.
    this.#free.push(...pages.filter((page, index) => kept[index] !== page));
    return kept;
  }

  /** The pages that hold the beginning of `ids`, which the caller then uses; see `PrefixTree.find`. */
  findShared(ids: readonly number[]): ReturnType<PrefixTree["find"]> {
    const found = this.#tree?.find(ids) ?? { pages: [], next: null };
    for (const page of found.pages) this.#tree?.use(page);
    return found;
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
  /** Leading pages that other sessions may use as well. */
  #published = 0;

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
   * Makes room for tokens at positions `from` … `to` - 1, in pages of its own. Done before they are
   * computed: worker threads allocate nothing.
   * @throws InsufficientMemoryError, EngineFailedError; the cache is unchanged then
   */
  reserve(from: number, to: number): void {
    const table = this.cells.pageTable;
    const first = Math.min(this.#pages, Math.floor(from / KV_PAGE));
    const shared: number[] = [];
    for (let index = first; index < this.#pages; index++) {
      if (this.#pool.isShared(table[index]!)) shared.push(index);
    }
    const missing = Math.max(0, pagesFor(to) - this.#pages);
    if (shared.length + missing === 0) return;
    const taken = this.#pool.take(shared.length + missing);
    const left: number[] = [];
    for (const index of shared) {
      const page = table[index]!;
      const own = taken.shift()!;
      if (index * KV_PAGE < from) this.#copy(page, own);
      table[index] = own;
      left.push(page);
    }
    this.#pool.give(left);
    table.set(taken, this.#pages);
    this.#pages += missing;
    this.#published = Math.min(this.#published, first);
  }

  /**
   * Begins with what other sessions have computed of `ids`, where that is more than `computed` tokens.
   * @returns how many leading tokens are computed now
   */
  begin(ids: readonly number[], computed: number): number {
    const { pages, next } = this.#pool.findShared(ids);
    const whole = pages.length * KV_PAGE;
    const length = whole + (next?.shared ?? 0);
    if (length <= computed) {
      this.#pool.give(pages);
      return computed;
    }
    this.trim(0);
    this.cells.pageTable.set(pages);
    this.#pages = pages.length;
    this.#published = pages.length;
    if (next === null) return whole;
    try {
      this.reserve(whole, length);
    } catch (error) {
      // Its first tokens are computed anew, or there is no room for any token.
      if (error instanceof InsufficientMemoryError) return whole;
      throw error;
    }
    // Taking pages may have taken this one, which no session uses: then it holds zeros, or what another wrote.
    if (!this.#pool.isShared(next.page)) return whole;
    this.#copy(next.page, this.cells.pageTable[pages.length]!);
    return length;
  }

  /**
   * Lets other sessions begin with what this one has computed.
   * @param ids of its timeline
   * @param computed leading tokens whose keys and values are there
   */
  publish(ids: readonly number[], computed: number): void {
    const whole = Math.floor(computed / KV_PAGE);
    if (whole <= this.#published) return;
    const pages = this.cells.pageTable.subarray(0, whole);
    pages.set(this.#pool.share(ids, [...pages]));
    this.#published = whole;
  }

  /** Gives back the pages behind `positions` tokens. */
  trim(positions: number): void {
    const kept = pagesFor(positions);
    if (kept >= this.#pages) return;
    this.#pool.give(this.cells.pageTable.subarray(kept, this.#pages));
    this.#pages = kept;
    this.#published = Math.min(this.#published, kept);
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

  #copy(from: number, to: number): void {
    const target = this.#pool.parts(to);
    for (const [index, part] of this.#pool.parts(from).entries()) target[index]!.set(part);
  }
}
