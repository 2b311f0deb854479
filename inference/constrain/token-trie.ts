/**
 * The bytes of all ordinary tokens as one trie, its nodes in depth-first order: a walk that leaves out
 * branches is a loop over an array. Each node also knows which kinds of characters lie below it, so that
 * a branch that is allowed as a whole is filled in without being walked.
 *
 * o200k_harmony has 421,660 nodes, built in a few ten milliseconds when a vocabulary is first used.
 */
import { bitmaskWords } from "../sampling/token-bitmask.ts";
import {
  BROKEN,
  categoryOfAscii,
  leadCategory,
  pendingAfter,
  secondCategory,
} from "./categories.ts";
import { LONGEST_TOKEN, type TokenOrder, tokenOrder } from "./token-order.ts";

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

/** In `within`: the byte that leads to the node continues a character. No category has this bit. */
const INSIDE = 1 << 31;
/** Slices that are kept: each is a mask of all tokens. */
const MAX_SLICES = 64;
/** Sets of categories whose weight is kept. */
const MAX_WEIGHTS = 4096;

/** A trie, or what is left of one, as a walk goes through it. */
export type Branches = {
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
};

export class TokenTrie implements Branches {
  /** Ids that a mask has a bit for. */
  readonly size: number;
  readonly nodeCount: number;
  readonly info: Uint16Array;
  readonly end: Int32Array;
  readonly first: Int32Array;
  readonly tokens: Int32Array;
  readonly within: Int32Array;
  readonly longest: Uint8Array;
  /** Categories of a token's characters, by its place in `tokens`. */
  readonly tokenCategories: Int32Array;
  /** Characters of a token, by its place in `tokens`; a last, incomplete one counts. */
  readonly #tokenLengths: Uint8Array;
  /** Most characters of a token. */
  readonly longestToken: number;
  /** How many tokens consist of exactly these categories. */
  readonly #counts: Map<number, number> = new Map();
  readonly #weights: Map<number, number> = new Map();
  readonly #bytes: Uint8Array;
  readonly #offsets: Uint32Array;
  readonly #rests: Map<string, Branches> = new Map();
  readonly #slices: Map<number, Uint32Array> = new Map();

  /** @throws GrammarError when offsets do not fit the bytes, or a token is longer than 255 bytes */
  constructor({ size, bytes, offsets }: Vocabulary) {
    this.size = size;
    this.#bytes = bytes;
    this.#offsets = offsets;
    const order = tokenOrder(bytes, offsets, size);
    let count = 1;
    for (let at = 0; at < order.ids.length; at++) {
      const id = order.ids[at]!;
      count += offsets[id + 1]! - offsets[id]! - order.shared[at]!;
    }
    this.nodeCount = count;
    this.info = new Uint16Array(count);
    this.end = new Int32Array(count);
    this.first = new Int32Array(count + 1);
    this.within = new Int32Array(count);
    this.longest = new Uint8Array(count);
    this.tokens = new Int32Array(order.ids.length);
    this.tokenCategories = new Int32Array(order.ids.length);
    this.#tokenLengths = new Uint8Array(order.ids.length);
    this.#layOut(order, bytes, offsets);
    this.longestToken = this.#tokenLengths.reduce((a, b) => Math.max(a, b), 0);
    this.#countCategories();
  }

  #countCategories(): void {
    const { tokenCategories } = this;
    // Neighbours are often alike.
    for (let at = 0, next = 0; at < tokenCategories.length; at = next) {
      const own = tokenCategories[at]!;
      while (tokenCategories[next] === own) next++;
      this.#counts.set(own, (this.#counts.get(own) ?? 0) + next - at);
    }
  }

  /** Writes the nodes down in depth-first order, with what the path to them is made of. */
  #layOut({ ids, shared }: TokenOrder, bytes: Uint8Array, offsets: Uint32Array): void {
    const { info, first, tokens, tokenCategories, nodeCount } = this;
    const tokenLengths = this.#tokenLengths;
    const path = new TriePath();
    const { nodes, edges, starts, categories, lengths, pending } = path;
    let node = 1;
    let depth = 0;
    for (let at = 0; at < ids.length; at++) {
      const id = ids[at]!;
      const from = offsets[id]!;
      const length = offsets[id + 1]! - from;
      for (const same = shared[at]!; depth > same; depth--) this.#close(path, depth, node);
      while (depth < length) {
        const byte = bytes[from + depth]!;
        const before = pending[depth]!;
        let edge: number;
        let after = 0;
        if (before === 0 && byte < 0x80) edge = categoryOfAscii(byte);
        else {
          edge = edgeCategory(before, byte);
          if (edge !== 1 << BROKEN) after = pendingAfter(before, byte);
        }
        const start = before === 0 ? 1 : 0;
        categories[depth + 1] = categories[depth]! | edge;
        lengths[depth + 1] = lengths[depth]! + start;
        depth++;
        starts[depth] = start;
        edges[depth] = edge;
        nodes[depth] = node;
        pending[depth] = after;
        info[node] = byte | (depth << 8);
        first[node++] = at;
      }
      tokenCategories[at] = categories[depth]!;
      tokenLengths[at] = lengths[depth]!;
      tokens[at] = id;
    }
    for (; depth > 0; depth--) this.#close(path, depth, node);
    this.end[0] = nodeCount;
    first[nodeCount] = ids.length;
  }

  /** All nodes below the one at this depth of the path are written: adds it up, and adds it to its parent. */
  #close({ nodes, edges, starts, below, longest }: TriePath, depth: number, next: number): void {
    const node = nodes[depth]!;
    this.end[node] = next;
    const within = edges[depth]! | below[depth]!;
    // Only where a character begins can it be told by its category.
    this.within[node] = starts[depth] === 1 ? within : within | INSIDE;
    below[depth - 1]! |= within;
    below[depth] = 0;
    const length = starts[depth]! + longest[depth]!;
    this.longest[node] = length;
    if (length > longest[depth - 1]!) longest[depth - 1] = length;
    longest[depth] = 0;
  }

  /** Bytes of memory that the trie holds. */
  get byteLength(): number {
    return [
      this.info,
      this.end,
      this.first,
      this.tokens,
      this.within,
      this.longest,
      this.tokenCategories,
      this.#tokenLengths,
    ].reduce((sum, array) => sum + array.byteLength, 0);
  }

  /** The node of these bytes; undefined where no token begins with them. */
  nodeOf(bytes: Uint8Array): number | undefined {
    let node: number | undefined = 0;
    for (const byte of bytes) {
      node = this.#child(node, byte);
      if (node === undefined) return undefined;
    }
    return node;
  }

  /** The longest token that stands at a place of some bytes. */
  longestAt(bytes: Uint8Array, at: number): number | undefined {
    let found: number | undefined;
    let node: number | undefined = 0;
    for (let place = at; place < bytes.length; place++) {
      node = this.#child(node, bytes[place]!);
      if (node === undefined) break;
      if (this.first[node + 1]! > this.first[node]!) found = this.tokens[this.first[node]!];
    }
    return found;
  }

  #child(node: number, byte: number): number | undefined {
    for (let child = node + 1; child < this.end[node]!; child = this.end[child]!) {
      if ((this.info[child]! & 255) === byte) return child;
    }
    return undefined;
  }

  /** How many tokens have only characters of these categories. */
  weight(categories: number): number {
    if (categories === 0) return 0;
    let weight = this.#weights.get(categories);
    if (weight === undefined) {
      weight = 0;
      for (const [own, count] of this.#counts) if ((own & ~categories) === 0) weight += count;
      if (this.#weights.size === MAX_WEIGHTS) this.#weights.clear();
      this.#weights.set(categories, weight);
    }
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

  /**
   * The tokens besides those of `slice`: that have a character which is not of these categories, the first
   * such one not of the `dead` ones. Kept for the next time.
   */
  rest(categories: number, dead: number): Branches {
    const key = `${categories},${dead}`;
    let rest = this.#rests.get(key);
    if (rest === undefined) {
      if (this.#rests.size === MAX_SLICES) this.#rests.clear();
      rest = this.#makeRest(categories, dead);
      this.#rests.set(key, rest);
    }
    return rest;
  }

  /** @param at place of the token in `tokens` */
  #isRest(at: number, categories: number, dead: number): boolean {
    if ((this.tokenCategories[at]! & ~categories) === 0) return false;
    if (dead === 0) return true;
    const id = this.tokens[at]!;
    let pending = 0;
    for (let place = this.#offsets[id]!; place < this.#offsets[id + 1]!; place++) {
      const byte = this.#bytes[place]!;
      const category = edgeCategory(pending, byte);
      if ((category & ~categories) !== 0) return (category & ~categories & ~dead) !== 0;
      pending = pendingAfter(pending, byte);
    }
    return true;
  }

  #makeRest(categories: number, dead: number): Branches {
    const kept: number[] = [];
    const tokens: number[] = [];
    const first: number[] = [];
    // The nodes on the way to the latest kept token, and those of the way to the node that is looked at.
    const path = new Int32Array(LONGEST_TOKEN + 1);
    let written = 0;
    kept.push(0);
    first.push(0);
    for (let node = 1; node < this.nodeCount; ) {
      const from = this.first[node]!;
      const others = ((this.within[node]! & ~INSIDE) | this.tokenCategories[from]!) & ~categories;
      if (others === 0) {
        node = this.end[node]!;
        continue;
      }
      const depth = this.info[node]! >>> 8;
      path[depth] = node;
      if (depth <= written) written = depth - 1;
      for (let at = from; at < this.first[node + 1]!; at++) {
        if (!this.#isRest(at, categories, dead)) continue;
        while (written < depth) {
          kept.push(path[++written]!);
          first.push(tokens.length);
        }
        tokens.push(this.tokens[at]!);
      }
      node++;
    }
    const nodeCount = kept.length;
    first.push(tokens.length);
    const end = new Int32Array(nodeCount).fill(nodeCount);
    const open: number[] = [];
    for (let at = 0; at < nodeCount; at++) {
      const depth = this.info[kept[at]!]! >>> 8;
      while (open.length > depth) end[open.pop()!] = at;
      open.push(at);
    }
    return {
      nodeCount,
      info: Uint16Array.from(kept, (node) => this.info[node]!),
      end,
      first: Int32Array.from(first),
      tokens: Int32Array.from(tokens),
      within: Int32Array.from(kept, (node) => this.within[node]!),
      longest: Uint8Array.from(kept, (node) => this.longest[node]!),
    };
  }
}

/** The way from the root to the node that is written, by depth. */
class TriePath {
  readonly nodes: Int32Array = new Int32Array(LONGEST_TOKEN + 1);
  /** Category of the edge that leads to the node, and whether a character begins with it. */
  readonly edges: Int32Array = new Int32Array(LONGEST_TOKEN + 1);
  readonly starts: Uint8Array = new Uint8Array(LONGEST_TOKEN + 1);
  /** Of all characters up to the node. */
  readonly categories: Int32Array = new Int32Array(LONGEST_TOKEN + 1);
  readonly lengths: Uint8Array = new Uint8Array(LONGEST_TOKEN + 1);
  /** The bytes that a character still needs, as `pendingAfter` gives it. */
  readonly pending: Uint8Array = new Uint8Array(LONGEST_TOKEN + 1);
  /** Of the nodes below that are closed. */
  readonly below: Int32Array = new Int32Array(LONGEST_TOKEN + 1);
  readonly longest: Uint8Array = new Uint8Array(LONGEST_TOKEN + 1);
}

/** The category of a character by its first byte; what its second one adds; `BROKEN` where it is no UTF-8. */
function edgeCategory(pending: number, byte: number): number {
  if (pending === 0 && byte < 0x80) return categoryOfAscii(byte);
  if (pendingAfter(pending, byte) === BROKEN) return 1 << BROKEN;
  return pending === 0 ? leadCategory(byte) : secondCategory(pending, byte);
}
