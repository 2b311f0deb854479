/** Random expressions, grammars and vocabularies over a few letters, so that they meet often. */
import fc from "fast-check";
import type { Grammar, GrammarSymbol, Regex, Vocabulary } from "../../../inference/index.ts";

const LETTERS = ["a", "b", "c", "é", "ê", "日"];
const encoder = new TextEncoder();

const letter = fc.constantFrom(...LETTERS);
const scalar = letter.map((text) => text.codePointAt(0) as number);

const leaf: fc.Arbitrary<Regex> = fc.oneof(
  fc
    .array(letter, { maxLength: 3 })
    .map((text): Regex => ({ type: "bytes", bytes: encoder.encode(text.join("")) })),
  fc.array(fc.tuple(scalar, scalar), { maxLength: 2 }).map(
    (pairs): Regex => ({
      type: "set",
      ranges: pairs.map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
    }),
  ),
);

/** With "and" and "not" unless `plain`. */
export function regexes(plain = false): fc.Arbitrary<Regex> {
  return fc.letrec<{ regex: Regex }>((tie) => {
    const regex = tie("regex");
    const parts = fc.array(regex, { maxLength: 3 });
    return {
      regex: fc.oneof(
        { maxDepth: 3, withCrossShrink: true },
        { arbitrary: leaf, weight: 3 },
        { arbitrary: parts.map((all): Regex => ({ type: "concat", parts: all })), weight: 3 },
        {
          arbitrary: parts.map((all): Regex => ({ type: "alternatives", options: all })),
          weight: 2,
        },
        {
          arbitrary: fc.tuple(regex, fc.nat(3), fc.option(fc.nat(3))).map(
            ([item, min, more]): Regex => ({
              type: "repeat",
              item,
              min,
              max: more === null ? null : min + more,
            }),
          ),
          weight: 2,
        },
        ...(plain
          ? []
          : [
              {
                arbitrary: fc
                  .array(regex, { minLength: 1, maxLength: 2 })
                  .map((all): Regex => ({ type: "and", parts: all })),
                weight: 1,
              },
              { arbitrary: regex.map((item): Regex => ({ type: "not", item })), weight: 1 },
            ]),
      ),
    };
  }).regex;
}

/** Rules that call each other in any way, left recursion and empty alternatives included. */
export const grammars: fc.Arbitrary<Grammar> = fc
  .tuple(fc.array(regexes(true), { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 4 }))
  .chain(([terminals, count]) => {
    const symbol: fc.Arbitrary<GrammarSymbol> = fc.oneof(
      { arbitrary: fc.nat(terminals.length - 1).map((terminal) => ({ terminal })), weight: 3 },
      { arbitrary: fc.nat(count - 1).map((rule) => ({ rule })), weight: 2 },
    );
    const alternatives = fc.array(fc.array(symbol, { maxLength: 3 }), {
      minLength: 1,
      maxLength: 3,
    });
    return fc
      .array(alternatives, { minLength: count, maxLength: count })
      .map((rules) => ({ terminals, rules, root: 0 }));
  });

/** All single bytes, ids 0 … 255, tokens of several letters, and one that ends inside a character. */
export const letterVocabulary: Vocabulary = vocabularyOf([
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...["ab", "ba", "abc", "ca", "aa", "aaa", "bé", "é", "éa", "ê", "日", "日a", "cab"].map((text) =>
    encoder.encode(text),
  ),
  Uint8Array.of(0x61, 0xc3),
  Uint8Array.of(0xa9, 0x61),
  Uint8Array.of(0xe6, 0x97),
]);

/** All words of up to four letters as well: enough for masks to be made of slices and whole branches. */
export const wordVocabulary: Vocabulary = vocabularyOf([
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...words(4).map((word) => encoder.encode(word)),
  ...words(2).map((word) => encoder.encode(`${word}é`).subarray(0, -1)),
]);

function words(longest: number): string[] {
  const shorter = longest > 1 ? words(longest - 1) : [];
  const ends = ["", ...shorter].filter((word) => [...word].length === longest - 1);
  return [...shorter, ...ends.flatMap((word) => LETTERS.map((one) => word + one))];
}

/** One id more than there are tokens: a special one. */
export function vocabularyOf(tokens: readonly Uint8Array[]): Vocabulary {
  const offsets = new Uint32Array(tokens.length + 1);
  tokens.forEach((token, id) => {
    offsets[id + 1] = (offsets[id] as number) + token.length;
  });
  return { size: tokens.length + 1, bytes: Buffer.concat(tokens), offsets };
}
