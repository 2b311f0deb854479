/**
 * Byte-pair merging of one piece: again and again the adjacent pair with the lowest rank becomes one
 * token, the leftmost of equals first. Short pieces scan for the minimum; long ones keep a heap, so
 * that a megabyte of one letter costs n log n and not n².
 */

/** Which pairs of tokens merge, and in which order. */
export interface MergeTable {
  /** Rank of the merge of two adjacent tokens, lower first; -1 when they do not merge. */
  rank(left: number, right: number): number;
  /** The token that the merge of this rank gives. */
  merged(rank: number): number;
}

/** Up to this many bytes a linear search for the minimum beats the heap. */
const SCAN_LIMIT = 40;
const NONE = 0x7fffffff;

const scanIds = new Int32Array(SCAN_LIMIT);
const scanRanks = new Int32Array(SCAN_LIMIT);

function rankOrNone(table: MergeTable, left: number, right: number): number {
  const rank = table.rank(left, right);
  return rank < 0 ? NONE : rank;
}

/**
 * Appends the tokens of one piece to `out`.
 * @param bytes  the piece is bytes[0 … length)
 * @param byteId id of each single byte (256)
 */
export function mergeBytePairs(
  table: MergeTable,
  byteId: Int32Array,
  bytes: Uint8Array,
  length: number,
  out: number[],
): void {
  if (length <= SCAN_LIMIT) mergeByScan(table, byteId, bytes, length, out);
  else mergeByHeap(table, byteId, bytes, length, out);
}

function mergeByScan(
  table: MergeTable,
  byteId: Int32Array,
  bytes: Uint8Array,
  length: number,
  out: number[],
): void {
  const ids = scanIds;
  const ranks = scanRanks; // ranks[i]: of the pair (i, i+1)
  for (let i = 0; i < length; i++) ids[i] = byteId[bytes[i]!]!;
  for (let i = 0; i + 1 < length; i++) ranks[i] = rankOrNone(table, ids[i]!, ids[i + 1]!);
  let count = length;
  for (;;) {
    let best = NONE;
    let at = -1;
    for (let i = 0; i + 1 < count; i++) {
      if (ranks[i]! < best) {
        best = ranks[i]!;
        at = i;
      }
    }
    if (at === -1) break;
    ids[at] = table.merged(best);
    count--;
    ids.copyWithin(at + 1, at + 2, count + 1);
    ranks.copyWithin(at, at + 1, count);
    if (at + 1 < count) ranks[at] = rankOrNone(table, ids[at]!, ids[at + 1]!);
    if (at > 0) ranks[at - 1] = rankOrNone(table, ids[at - 1]!, ids[at]!);
  }
  for (let i = 0; i < count; i++) out.push(ids[i]!);
}

/** Positions are less than this, so that a heap key can be `rank * POSITIONS + position`, exact in a double. */
const POSITIONS = 2 ** 31;

function mergeByHeap(
  table: MergeTable,
  byteId: Int32Array,
  bytes: Uint8Array,
  length: number,
  out: number[],
): void {
  const ids = new Int32Array(length);
  const next = new Int32Array(length);
  const previous = new Int32Array(length);
  const ranks = new Int32Array(length); // of the pair (i, next[i]); NONE also when i is gone
  for (let i = 0; i < length; i++) {
    ids[i] = byteId[bytes[i]!]!;
    next[i] = i + 1;
    previous[i] = i - 1;
  }
  const heap = new KeyHeap(length);
  const update = (at: number): void => {
    const right = next[at]!;
    const rank = right < length ? rankOrNone(table, ids[at]!, ids[right]!) : NONE;
    ranks[at] = rank;
    if (rank !== NONE) heap.push(rank * POSITIONS + at);
  };
  for (let i = 0; i < length; i++) update(i);
  while (heap.size > 0) {
    const key = heap.pop();
    const rank = Math.floor(key / POSITIONS);
    const at = key - rank * POSITIONS;
    if (ranks[at] !== rank) continue; // merged away, or its neighbour changed since
    const right = next[at]!;
    ids[at] = table.merged(rank);
    ranks[right] = NONE;
    next[at] = next[right]!;
    if (next[at]! < length) previous[next[at]!] = at;
    update(at);
    if (previous[at]! >= 0) update(previous[at]!);
  }
  for (let i = 0; i < length; i = next[i]!) out.push(ids[i]!);
}

/** A binary heap of numbers, smallest first. */
class KeyHeap {
  size = 0;
  #keys: Float64Array;
  constructor(capacity: number) {
    this.#keys = new Float64Array(Math.max(16, capacity));
  }

  push(key: number): void {
    if (this.size === this.#keys.length) {
      const grown = new Float64Array(this.#keys.length * 2);
      grown.set(this.#keys);
      this.#keys = grown;
    }
    const keys = this.#keys;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (keys[parent]! <= key) break;
      keys[at] = keys[parent]!;
      at = parent;
    }
    keys[at] = key;
  }

  pop(): number {
    const keys = this.#keys;
    const top = keys[0]!;
    const last = keys[--this.size]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && keys[child + 1]! < keys[child]!) child++;
      if (keys[child]! >= last) break;
      keys[at] = keys[child]!;
      at = child;
    }
    keys[at] = last;
    return top;
  }
}
