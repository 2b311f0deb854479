/**
 * Text that a grammar leaves no choice about, in tokens as the model would have written it: cut as a whole
 * text is, and without the last tokens where a longer one could stand, since which one it is depends on what
 * comes behind.
 */
import { type Automaton, REFUSED } from "./automaton.ts";
import type { TokenTrie, Vocabulary } from "./token-trie.ts";

/** A grammar can force a text without end. */
const MAX_BYTES = 4096;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes that must follow a state, as far as there is no choice. */
export function forcedBytes(automaton: Automaton, from: number): Uint8Array {
  const bytes: number[] = [];
  for (let state = from; bytes.length < MAX_BYTES; ) {
    const byte = automaton.onlyByte(state);
    if (byte < 0) break;
    bytes.push(byte);
    state = automaton.next(state, byte);
  }
  return Uint8Array.from(bytes);
}

/**
 * The tokens of the bytes that must follow a state.
 * @param before the token that came last, undefined at the beginning
 */
export function forcedTokens(
  automaton: Automaton,
  trie: TokenTrie,
  vocabulary: Vocabulary,
  from: number,
  before: number | undefined,
): number[] {
  const bytes = forcedBytes(automaton, from);
  const text = wholeCharacters(bytes);
  if (text === undefined || text === "") return [];
  const ids = tokensBehind(vocabulary, trie, text, before);
  // From which states a token may go beyond the forced bytes.
  const kept: number[] = [];
  let state = from;
  let at = 0;
  for (const id of ids) {
    const length = vocabulary.offsets[id + 1]! - vocabulary.offsets[id]!;
    if (mayGoBeyond(automaton, trie, state, bytes, at)) return kept;
    for (const end = at + length; at < end; at++) state = automaton.next(state, bytes[at]!);
    kept.push(id);
  }
  return kept;
}

/** The text of the bytes without a last character that is not complete; undefined where they are no text. */
function wholeCharacters(bytes: Uint8Array): string | undefined {
  for (let missing = 0; missing < 4; missing++) {
    try {
      return strict.decode(bytes.subarray(0, bytes.length - missing));
    } catch {
      // The last character may be incomplete.
    }
  }
  return undefined;
}

/** How the text is cut where the token before it stays as it is. */
function tokensBehind(
  vocabulary: Vocabulary,
  trie: TokenTrie,
  text: string,
  before: number | undefined,
): readonly number[] {
  const { bytes, offsets, encode } = vocabulary;
  if (encode === undefined) return longestTokens(vocabulary, trie, new TextEncoder().encode(text));
  if (before !== undefined) {
    const last = wholeCharacters(bytes.subarray(offsets[before], offsets[before + 1]));
    const ids = last === undefined ? [] : encode(last + text);
    if (ids[0] === before) return ids.slice(1);
  }
  return encode(text);
}

function longestTokens({ bytes, offsets }: Vocabulary, trie: TokenTrie, text: Uint8Array) {
  const ids: number[] = [];
  for (let at = 0; at < text.length; ) {
    const id = trie.longestAt(text, at);
    if (id === undefined) break;
    ids.push(id);
    at += bytes.subarray(offsets[id], offsets[id + 1]).length;
  }
  return ids;
}

/** Whether a token that the grammar allows begins with the rest of the bytes and is longer. */
function mayGoBeyond(
  automaton: Automaton,
  trie: TokenTrie,
  from: number,
  bytes: Uint8Array,
  at: number,
): boolean {
  const rest = bytes.subarray(at);
  const node = trie.nodeOf(rest);
  if (node === undefined) return false;
  const states = new Int32Array(257);
  const start = trie.info[node]! >>> 8;
  states[start] = rest.reduce((state, byte) => automaton.next(state, byte), from);
  for (let one = node + 1; one < trie.end[node]!; ) {
    const depth = trie.info[one]! >>> 8;
    const state = automaton.next(states[depth - 1]!, trie.info[one]! & 255);
    if (state === REFUSED) {
      one = trie.end[one]!;
      continue;
    }
    if (trie.first[one + 1]! > trie.first[one]!) return true;
    states[depth] = state;
    one++;
  }
  return false;
}
