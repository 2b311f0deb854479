/**
 * Random sequences of ids that are mostly markers and words of headers, so that every branch of the
 * parser is met, and a check that no word of them is lost.
 */
import { HarmonyParser, type Tokenizer } from "../../harmony/index.ts";
import { randomNumbers } from "../fixtures/random-numbers.ts";

/** Words that mean nothing to the parser, one token each: their fate can be followed. */
const MARKED_WORDS = [
  " giraffe",
  " marble",
  " lantern",
  " walnut",
  " velvet",
  " pepper",
  " glacier",
];
const HEADER_WORDS = [
  "assistant",
  "user",
  "tool",
  "analysis",
  "final",
  " final",
  " to",
  "=",
  "functions",
  ".f",
  " json",
  "json",
  " code",
  " ",
  "\n",
  "{",
  "?",
  ":",
  "<",
  "|",
  "python",
];

export function randomIds(tokenizer: Tokenizer, seed: number, length: number): number[] {
  const random = randomNumbers(seed);
  const { endOfText: _, ...structural } = tokenizer.special;
  const markers = Object.values(structural);
  const words = HEADER_WORDS.flatMap((word) => tokenizer.encode(word));
  const marked = MARKED_WORDS.map((word) => tokenizer.encode(word)[0] ?? 0);
  const pick = (from: readonly number[]): number => from[Math.floor(random() * from.length)] ?? 0;
  // How often markers come differs from sequence to sequence: dense ones and long contents.
  const density = random() * 0.5;
  return Array.from({ length }, () => {
    const kind = random();
    if (kind < density) return pick(markers);
    if (kind < density + 0.2) return pick(words);
    if (kind < density + 0.35) return pick(marked);
    if (kind < density + 0.36) return Math.floor(random() * 2 ** 32);
    return Math.floor(random() * tokenizer.size);
  });
}

/**
 * Parses one random sequence leniently.
 * @throws when the parser throws, or a marked word is neither in a message nor reported as dropped
 */
export function checkRandomIds(tokenizer: Tokenizer, seed: number, length: number): void {
  const ids = randomIds(tokenizer, seed, length);
  const parser = new HarmonyParser({
    tokenizer,
    role: seed % 2 === 0 ? "assistant" : null,
    knownTools: seed % 3 === 0 ? ["f", "marble"] : [],
  });
  for (const id of ids) parser.process(id);
  parser.finish();
  const said = [
    ...parser.messages.map(({ name, channel, recipient, contentType, text }) =>
      [name, channel, recipient, contentType, text].join("\n"),
    ),
    ...parser.issues.map(({ detail, dropped }) => `${detail}\n${dropped}`),
  ].join("\n");
  const words = markedWords(tokenizer);
  const given = new Map<string, number>();
  for (const id of ids) {
    for (const word of words.get(id) ?? []) given.set(word, (given.get(word) ?? 0) + 1);
  }
  for (const [word, count] of given) {
    const found = said.split(word).length - 1;
    if (found < count) {
      throw new Error(`Seed ${seed}, ${length} ids: ${count} × ${word} given, ${found} found`);
    }
  }
}

const known = new WeakMap<Tokenizer, ReadonlyMap<number, readonly string[]>>();

/** The marked words in the text of each id that has one; made once for a vocabulary. */
function markedWords(tokenizer: Tokenizer): ReadonlyMap<number, readonly string[]> {
  const made = known.get(tokenizer);
  if (made !== undefined) return made;
  const words = new Map<number, string[]>();
  for (let id = 0; id < tokenizer.size; id++) {
    const text = tokenizer.tokenText(id) ?? "";
    const found = MARKED_WORDS.map((word) => word.trim()).filter((word) => text.includes(word));
    if (found.length > 0) words.set(id, found);
  }
  known.set(tokenizer, words);
  return words;
}
