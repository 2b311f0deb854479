/**
 * The same grammars for web-xgrammar, an independent implementation: every mask must be the same, for tokens
 * that are whole characters. Where it differs by itself it is left out: a negated class lets it write bytes that are
 * no UTF-8 (0xC0), it cuts characters outside ASCII off from negated classes, it follows
 * rules that never come to an end, and it confuses the bytes of two characters outside ASCII that are the same:
 * of `("a" | "é"){2} | "é" "b"` it allows `ab`.
 */

import { isUtf8 } from "node:buffer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ebnfGrammar, GrammarCompiler, hasId } from "../../../inference/index.ts";
import { letterVocabulary } from "./arbitraries.ts";
import { byteLevelTokens, loadXGrammar } from "./xgrammar.ts";

/** EBNF that both read: what random trees of its constructs look like as text. */
const bodies = fc.letrec<{ body: string }>((tie) => {
  const body = tie("body");
  return {
    body: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      {
        arbitrary: fc.constantFrom('"a"', '"ab"', '"é"', "[ab]", "[^ab]", "[b-c]", '"日b"'),
        weight: 4,
      },
      { arbitrary: fc.tuple(body, body).map(([a, b]) => `${a} ${b}`), weight: 3 },
      { arbitrary: fc.tuple(body, body).map(([a, b]) => `(${a} | ${b})`), weight: 2 },
      {
        arbitrary: fc
          .tuple(body, fc.constantFrom("?", "*", "+", "{2}", "{1,3}", "{2,}"))
          .map(([a, sign]) => `(${a})${sign}`),
        weight: 2,
      },
      { arbitrary: fc.constantFrom("one", "two"), weight: 2 },
    ),
  };
}).body;

const grammarTexts = fc
  .tuple(bodies, bodies, bodies)
  .map(
    ([root, one, two]) =>
      `root ::= ${root}\none ::= "c" (${one} | "b")\ntwo ::= "(" (${two})? ")"\n`,
  )
  .filter((text) => {
    const outsideAscii = text.match(/[^\n-~]/g) ?? [];
    return new Set(outsideAscii).size === outsideAscii.length;
  });

test("masks of random EBNF are those of web-xgrammar", async () => {
  const { TokenizerInfo, GrammarCompiler: Compiler, GrammarMatcher } = loadXGrammar();
  const tokens = byteLevelTokens(letterVocabulary);
  const stop = letterVocabulary.size - 1;
  const info = await TokenizerInfo.createTokenizerInfo(tokens, "byte_level", false, tokens.length, [
    stop,
  ]);
  const theirs = await Compiler.createGrammarCompiler(info, false);
  const ours = new GrammarCompiler(letterVocabulary);
  const { bytes, offsets } = letterVocabulary;
  const ids = tokens.flatMap((_, id) =>
    isUtf8(bytes.subarray(offsets[id], offsets[id + 1])) ? [id] : [],
  );
  let masks = 0;
  await fc.assert(
    fc.asyncProperty(grammarTexts, fc.array(fc.nat(), { maxLength: 6 }), async (text, choices) => {
      const compiled = compile(ours, text);
      // The peer takes a grammar without any text; here that is an error.
      if (compiled === null) return;
      const matcher = compiled.matcher({ stopIds: [stop] });
      const peer = await GrammarMatcher.createGrammarMatcher(await theirs.compileGrammar(text));
      for (const choice of choices) {
        const mask = matcher.mask();
        const peerMask = new Uint32Array(await peer.getNextTokenBitmask());
        const allowed = ids.filter((id) => hasId(mask, id));
        expect(allowed.map((id) => tokens[id])).toEqual(
          ids.filter((id) => hasId(peerMask, id)).map((id) => tokens[id]),
        );
        masks++;
        if (allowed.length === 0) break;
        const id = allowed[choice % allowed.length] as number;
        if (id === stop) break;
        matcher.accept(id);
        expect(peer.acceptToken(id)).toBe(true);
      }
      peer.dispose();
    }),
    { numRuns: 120 },
  );
  expect(masks).toBeGreaterThan(100);
});

function compile(compiler: GrammarCompiler, text: string) {
  try {
    return compiler.compile(ebnfGrammar(text));
  } catch (error) {
    if (String(error).includes("no text belongs to it")) return null;
    throw error;
  }
}
