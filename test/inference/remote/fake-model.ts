/**
 * A model of 300 ids whose next token follows from all tokens before it: a token that is lost, doubled or moved changes
 * everything behind it.
 */
import { mixed } from "../../../inference/remote/pool.ts";

export const VOCAB_SIZE = 300;
export const STOP_ID = 299;
/** Without text, and no end. */
export const SPECIAL_ID = 298;

/**
 * Ids 0 … 255 are the bytes, then come two parts of characters and some words. Never twice the same bytes.
 */
export const TEXTS: readonly Uint8Array[] = [
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  Uint8Array.of(0xf0, 0x9f),
  Uint8Array.of(0xe6, 0xbc),
  ...["the", " of", "and", "né", "漢字", "🙂", "<|"].map((word) => Buffer.from(word)),
];

/** As a tokenizer has them. */
export function vocabulary(): { readonly bytes: Uint8Array; readonly offsets: Uint32Array } {
  const offsets = new Uint32Array(TEXTS.length + 1);
  for (const [id, text] of TEXTS.entries()) offsets[id + 1] = (offsets[id] ?? 0) + text.length;
  return { bytes: Buffer.concat(TEXTS), offsets };
}

/** Scores of all ids behind a timeline; the highest is the model's choice. */
function scores(timeline: readonly number[]): number[] {
  const hash = timeline.reduce((sum, id) => mixed(sum ^ id), timeline.length);
  return Array.from({ length: VOCAB_SIZE }, (_, id) => mixed(hash ^ mixed(id)) / 2 ** 32);
}

/** Characters of several bytes come often, and mostly whole: those are what streams lose ids of. */
export function nextId(timeline: readonly number[], allowed?: readonly number[]): number {
  if (allowed !== undefined) {
    const all = scores(timeline);
    return allowed.reduce((best, id) => ((all[id] ?? 0) > (all[best] ?? 0) ? id : best));
  }
  const [last = 0, before = 0] = [timeline.at(-1), timeline.at(-2)];
  if (last === 256) return 0x99;
  if (last === 0x99 && before === 256) return 0x82;
  if (last === 257) return 0xa2;
  if (last === 0xc3) return 0xa9;
  const choice = timeline.reduce((sum, id) => mixed(sum ^ id), timeline.length) % 100;
  if (choice < 10) return 256;
  if (choice < 20) return 257;
  if (choice < 30) return 0xc3;
  if (choice < 40) return 258 + (choice % 7);
  if (choice === 40) return STOP_ID;
  if (choice === 41) return SPECIAL_ID;
  return 97 + (choice % 26);
}

/** What the model says behind a prompt. */
export function expectedIds(prompt: readonly number[], maxTokens: number): number[] {
  const timeline = [...prompt];
  while (timeline.length - prompt.length < maxTokens) {
    timeline.push(nextId(timeline));
    if (timeline.at(-1) === STOP_ID) break;
  }
  return timeline.slice(prompt.length);
}

/** With the logarithms of their probabilities, as a server tells them behind a timeline. */
export function likeliest(timeline: readonly number[], count: number): readonly [number, number][] {
  const chosen = nextId(timeline);
  const others = scores(timeline)
    .map((score, id): [number, number] => [id, Math.log(score) - 3])
    .filter(([id]) => id !== chosen)
    .sort((a, b) => b[1] - a[1]);
  return [[chosen, -0.5], ...others].slice(0, Math.max(1, count)) as [number, number][];
}
