/**
 * The bytes of all ordinary tokens as one trie, its nodes in depth-first order: a walk that leaves out
 * branches is a loop over an array. Each node also knows which kinds of characters lie below it, so that
 * a branch that is allowed as a whole is filled in without being walked.
 *
 * o200k_harmony has 421,660 nodes, built in a few ten milliseconds when a vocabulary is first used.
 */
import { GrammarError } from "../errors.ts";
import { bitmaskWords } from "../sampling/token-bitmask.ts";
import {
  BROKEN,
  categoryOfAscii,
  leadCategory,
  pendingAfter,
  secondCategory,
} from "./categories.ts";

/** The tokens that a text is made of; special tokens are none of them. Data, shared with a tokenizer. */
export type Vocabulary = {
  /** Ids that a mask has a bit for: the highest id + 1, special ones included. */
  readonly size: number;
  /** The bytes of the ordinary tokens one after another, ids 0 … n-1. */
  readonly bytes: Uint8Array;
  /** Token `id` is bytes[offsets[id] … offsets[id + 1]); an empty one is no token. Length n + 1. */
  readonly offsets: Uint32Array;
  /** How a text is usually cut into tokens; for forced text. Absent: the longest token that fits. */
  readonly encode?: (text: string) => readonly number[];
};

/** Depths are kept in a byte. */
const LONGEST_TOKEN = 255;
/** In `within`: the byte that leads to the node continues a character. No category has this bit. */
const INSIDE = 1 << 31;
/** Slices that are kept: each is a mask of all tokens. */
const MAX_SLICES = 64;

export class TokenTrie {
  /** Ids that a mask has a bit for. */
  readonly size: number;
  /** Nodes, the root (0) included. */
  readonly nodeCount: number;
  /** Byte of the edge that leads to a node, and above it its depth (root 0). */
  readonly info: Uint16Array;
  /** The first node behind a node's branch. */
  readonly end: Int32Array;
  /** Tokens at a node: `tokens[first[node] … first[node + 1])`; of its whole branch: up to `first[end[node]]`. */
  readonly first: Int32Array;
  /** Ids in the order of the nodes. */
  readonly tokens: Int32Array;
  /** Categories of the characters on the edges of a node's branch, the one that leads to it included. */
  readonly within: Int32Array;
  /** Most characters that begin on a way down a node's branch. */
  readonly longest: Uint8Array;
  /** Categories of a token's characters, by its place in `tokens`. */
  readonly tokenCategories: Int32Array;
  /** Characters of a token, by its place in `tokens`; a last, incomplete one counts. */
  readonly #tokenLengths: Uint8Array;
  /** Most characters of a token. */
  readonly longestToken: number;
  /** How many tokens consist of exactly these categories. */
  readonly #counts: Map<number, number> = new Map();
  readonly #slices: Map<number, Uint32Array> = new Map();

  /** @throws GrammarError when offsets do not fit the bytes, or a token is longer than 255 bytes */
  constructor({ size, bytes, offsets }: Vocabulary) {
    this.size = size;
    const raw = insertAll(bytes, offsets, size);
    const { count } = raw;
    this.nodeCount = count;
    this.info = new Uint16Array(count);
    this.end = new Int32Array(count);
    this.first = new Int32Array(count + 1);
    this.within = new Int32Array(count);
    this.longest = new Uint8Array(count);
    this.tokens = new Int32Array(raw.tokenCount);
    this.tokenCategories = new Int32Array(raw.tokenCount);
    this.#tokenLengths = new Uint8Array(raw.tokenCount);
    this.#layOut(raw);
    for (const own of this.tokenCategories) this.#counts.set(own, (this.#counts.get(own) ?? 0) + 1);
    this.longestToken = this.#tokenLengths.reduce((a, b) => Math.max(a, b), 0);
  }

  /** Nodes in depth-first order, with what the path to them is made of. */
  #layOut({ firstChild, nextSibling, byteOf, tokenAt, sameBytes }: RawTrie): void {
    const { info, end, first, tokens } = this;
    const stack = new Int32Array(LONGEST_TOKEN + 2);
    const place = new Int32Array(LONGEST_TOKEN + 2);
    const categories = new Int32Array(LONGEST_TOKEN + 2);
    const lengths = new Uint8Array(LONGEST_TOKEN + 2);
    // The bytes that a character still needs, as `pendingAfter` gives it.
    const pending = new Uint8Array(LONGEST_TOKEN + 2);
    const edges = new Int32Array(this.nodeCount);
    const starts = new Uint8Array(this.nodeCount);
    let next = 1;
    let token = 0;
    let depth = 0;
    stack[0] = firstChild[0]!;
    for (;;) {
      const raw = stack[depth]!;
      if (raw === 0) {
        end[place[depth]!] = next;
        if (depth === 0) break;
        depth--;
        continue;
      }
      stack[depth] = nextSibling[raw]!;
      const byte = byteOf[raw]!;
      const before = pending[depth]!;
      const after = pendingAfter(before, byte);
      let edge = 0;
      if (before === 0) {
        edge = byte < 0x80 ? categoryOfAscii(byte) : leadCategory(byte);
        starts[next] = 1;
      } else edge = secondCategory(before, byte);
      if (after === BROKEN) edge = 1 << BROKEN;
      edges[next] = edge;
      const node = next++;
      const path = categories[depth]! | edge;
      const length = lengths[depth]! + starts[node]!;
      depth++;
      info[node] = byte | (depth << 8);
      place[depth] = node;
      categories[depth] = path;
      lengths[depth] = length;
      pending[depth] = after === BROKEN ? 0 : after;
      stack[depth] = firstChild[raw]!;
      first[node] = token;
      for (let id = tokenAt[raw]!; id >= 0; id = sameBytes?.get(id) ?? -1) {
        this.tokenCategories[token] = path;
        this.#tokenLengths[token] = length;
        tokens[token++] = id;
      }
    }
    first[this.nodeCount] = token;
    this.#sumUp(edges, starts);
  }

  /** Fills `within` and `longest`, from the leaves up. */
  #sumUp(edges: Int32Array, starts: Uint8Array): void {
    // What the children, which come behind a node, have left at their depth.
    const categories = new Int32Array(LONGEST_TOKEN + 2);
    const lengths = new Uint8Array(LONGEST_TOKEN + 2);
    for (let node = this.nodeCount - 1; node >= 0; node--) {
      const depth = this.info[node]! >>> 8;
      const within = edges[node]! | categories[depth + 1]!;
      const longest = starts[node]! + lengths[depth + 1]!;
      // Only where a character begins can it be told by its category.
      this.within[node] = starts[node] === 1 ? within : within | INSIDE;
      this.longest[node] = longest;
      categories[depth + 1] = 0;
      lengths[depth + 1] = 0;
      categories[depth]! |= within;
      if (longest > lengths[depth]!) lengths[depth] = longest;
    }
  }

  /** How many tokens have only characters of these categories. */
  weight(categories: number): number {
    let weight = 0;
    for (const [own, count] of this.#counts) if ((own & ~categories) === 0) weight += count;
    return weight;
  }

  /** The tokens whose characters are all of these categories and at most so many. Kept for the next time. */
  slice(categories: number, length: number): Uint32Array {
    const most = Math.min(length, this.longestToken);
    const key = categories * 256 + most;
    let slice = this.#slices.get(key);
    if (slice !== undefined) return slice;
    if (this.#slices.size === MAX_SLICES) this.#slices.clear();
    slice = new Uint32Array(bitmaskWords(this.size));
    for (let at = 0; at < this.tokens.length; at++) {
      if ((this.tokenCategories[at]! & ~categories) !== 0 || this.#tokenLengths[at]! > most)
        continue;
      const id = this.tokens[at]!;
      slice[id >>> 5]! |= 1 << (id & 31);
    }
    this.#slices.set(key, slice);
    return slice;
  }
}

/** Nodes in the order in which they were made; 0 is the root and, as a child or sibling, none. */
type RawTrie = {
  readonly count: number;
  readonly tokenCount: number;
  readonly firstChild: Int32Array;
  readonly nextSibling: Int32Array;
  readonly byteOf: Uint8Array;
  /** The last id with a node's bytes, or -1. */
  readonly tokenAt: Int32Array;
  /** Id → an earlier id with the same bytes; undefined where all differ. */
  readonly sameBytes: ReadonlyMap<number, number> | undefined;
};

function insertAll(bytes: Uint8Array, offsets: Uint32Array, size: number): RawTrie {
  const ids = offsets.length - 1;
  if (ids < 0 || ids > size || offsets[ids] !== bytes.length) {
    throw new GrammarError(
      `Cannot use the vocabulary: its ${ids} offsets end at ${offsets[ids] ?? "none"} of ${bytes.length} bytes, ` +
        `and it has ${size} ids.`,
    );
  }
  const most = bytes.length + 1;
  const firstChild = new Int32Array(most);
  const nextSibling = new Int32Array(most);
  const byteOf = new Uint8Array(most);
  const tokenAt = new Int32Array(most).fill(-1);
  let capacity = 1024;
  while (capacity < most * 1.5) capacity *= 2;
  // Parent and byte → child; no child is the root, so 0 is an empty slot.
  const keys = new Int32Array(capacity);
  const children = new Int32Array(capacity);
  const mask = capacity - 1;
  const sameBytes = new Map<number, number>();
  let count = 1;
  let tokenCount = 0;
  for (let id = 0; id < ids; id++) {
    const from = offsets[id]!;
    const to = offsets[id + 1]!;
    if (to === from) continue;
    if (to < from || to - from > LONGEST_TOKEN) {
      throw new GrammarError(
        `Cannot use the vocabulary: token ${id} has ${to - from} bytes; accepted: at most ${LONGEST_TOKEN}.`,
      );
    }
    let node = 0;
    for (let at = from; at < to; at++) {
      const key = (node << 8) | bytes[at]!;
      let slot = (Math.imul(key, 0x9e3779b1) >>> 7) & mask;
      while (children[slot] !== 0 && keys[slot] !== key) slot = (slot + 1) & mask;
      let child = children[slot]!;
      if (child === 0) {
        child = count++;
        keys[slot] = key;
        children[slot] = child;
        byteOf[child] = bytes[at]!;
        nextSibling[child] = firstChild[node]!;
        firstChild[node] = child;
      }
      node = child;
    }
    if (tokenAt[node]! >= 0) sameBytes.set(id, tokenAt[node]!);
    tokenAt[node] = id;
    tokenCount++;
  }
  return {
    count,
    tokenCount,
    firstChild,
    nextSibling,
    byteOf,
    tokenAt,
    sameBytes: sameBytes.size > 0 ? sameBytes : undefined,
  };
}
