/** The ids of a vocabulary in the order of their bytes: what a trie is written down from in one pass. */
import { GrammarError } from "../errors.ts";

/** Depths are kept in a byte. */
export const LONGEST_TOKEN = 255;

/** Bytes by which ids are sorted without comparing them: three times two. */
const SORTED_BYTES = 6;

export type TokenOrder = {
  /** Ids with bytes, ascending; a token comes before those that it begins. */
  readonly ids: Int32Array;
  /** How many leading bytes each has in common with the one before. */
  readonly shared: Uint8Array;
};

/** @throws GrammarError when offsets do not fit the bytes, or a token is longer than 255 bytes */
export function tokenOrder(bytes: Uint8Array, offsets: Uint32Array, size: number): TokenOrder {
  const count = offsets.length - 1;
  if (count < 0 || count > size || offsets[count] !== bytes.length) {
    throw new GrammarError(
      `Cannot use the vocabulary: its ${count} offsets end at ${offsets[count] ?? "none"} of ` +
        `${bytes.length} bytes, and it has ${size} ids.`,
    );
  }
  for (let id = 0; id < count; id++) {
    const length = offsets[id + 1]! - offsets[id]!;
    if (length >= 0 && length <= LONGEST_TOKEN) continue;
    throw new GrammarError(
      `Cannot use the vocabulary: token ${id} has ${length} bytes; accepted: at most ${LONGEST_TOKEN}.`,
    );
  }
  const all = radixSorted(bytes, offsets);
  let empty = 0;
  while (empty < count && offsets[all[empty]!] === offsets[all[empty]! + 1]) empty++;
  const ids = all.subarray(empty);
  sortTies(ids, bytes, offsets);
  const shared = new Uint8Array(ids.length);
  for (let at = 1; at < ids.length; at++) {
    const a = offsets[ids[at - 1]!]!;
    const b = offsets[ids[at]!]!;
    const most = Math.min(offsets[ids[at - 1]! + 1]! - a, offsets[ids[at]! + 1]! - b);
    let same = 0;
    while (same < most && bytes[a + same] === bytes[b + same]) same++;
    shared[at] = same;
  }
  return { ids, shared };
}

/** Ids by their first bytes, missing ones counted as 0; two bytes at a time, the last two first. */
function radixSorted(bytes: Uint8Array, offsets: Uint32Array): Int32Array {
  const count = offsets.length - 1;
  let ids = new Int32Array(count);
  for (let id = 0; id < count; id++) ids[id] = id;
  let sorted = new Int32Array(count);
  const keys = new Uint16Array(count);
  for (let from = SORTED_BYTES - 2; from >= 0; from -= 2) {
    const starts = new Int32Array((1 << 16) + 1);
    for (let id = 0; id < count; id++) {
      const left = offsets[id + 1]! - offsets[id]! - from;
      const at = offsets[id]! + from;
      const key = left <= 0 ? 0 : (bytes[at]! << 8) | (left === 1 ? 0 : bytes[at + 1]!);
      keys[id] = key;
      starts[key + 1]!++;
    }
    for (let key = 1; key < starts.length; key++) starts[key]! += starts[key - 1]!;
    for (let at = 0; at < count; at++) {
      const id = ids[at]!;
      sorted[starts[keys[id]!]!++] = id;
    }
    [ids, sorted] = [sorted, ids];
  }
  // Empty tokens are all zeros; so are tokens of zero bytes, which come behind them.
  const zeros = ids.findIndex((id) => bytes[offsets[id]!] !== 0 && offsets[id] !== offsets[id + 1]);
  const head = ids.subarray(0, zeros < 0 ? count : zeros);
  head.sort((a, b) => offsets[a + 1]! - offsets[a]! - (offsets[b + 1]! - offsets[b]!));
  return ids;
}

/** Sorts runs of ids whose first bytes are the same by the rest. */
function sortTies(ids: Int32Array, bytes: Uint8Array, offsets: Uint32Array): void {
  const compare = (one: number, other: number): number => {
    const a = offsets[one]!;
    const b = offsets[other]!;
    const lengthA = offsets[one + 1]! - a;
    const lengthB = offsets[other + 1]! - b;
    const most = Math.min(lengthA, lengthB);
    for (let at = 0; at < most; at++) {
      const difference = bytes[a + at]! - bytes[b + at]!;
      if (difference !== 0) return difference;
    }
    return lengthA - lengthB;
  };
  for (let from = 0; from < ids.length; ) {
    let to = from + 1;
    while (to < ids.length && beginAlike(ids[from]!, ids[to]!, bytes, offsets)) to++;
    if (to - from > 12) ids.subarray(from, to).sort(compare);
    else {
      for (let at = from + 1; at < to; at++) {
        const id = ids[at]!;
        let place = at;
        while (place > from && compare(ids[place - 1]!, id) > 0) {
          ids[place] = ids[place - 1]!;
          place--;
        }
        ids[place] = id;
      }
    }
    from = to;
  }
}

/** Whether the bytes by which ids are sorted already are the same. */
function beginAlike(one: number, other: number, bytes: Uint8Array, offsets: Uint32Array): boolean {
  const a = offsets[one]!;
  const b = offsets[other]!;
  const endA = offsets[one + 1]!;
  const endB = offsets[other + 1]!;
  for (let at = 0; at < SORTED_BYTES; at++) {
    const byteA = a + at < endA ? bytes[a + at] : 0;
    const byteB = b + at < endB ? bytes[b + at] : 0;
    if (byteA !== byteB) return false;
  }
  return true;
}
