/** Masks over the vocabulary of gpt-oss, with all that makes them fast, against following each token's bytes. */
import { expect, test } from "vitest";
import { loadO200kHarmony } from "../../../harmony/vocabulary/index.ts";
import {
  ebnfGrammar,
  GrammarCompiler,
  hasId,
  jsonSchemaGrammar,
  regexGrammar,
} from "../../../inference/index.ts";

const tokenizer = loadO200kHarmony();
const compiler = new GrammarCompiler({ size: tokenizer.size, ...tokenizer.ordinaryTokens });

const KEYS = {
  type: "object",
  properties: { name: { type: "string", maxLength: 12 }, note: { type: "number" } },
};

test.each([
  ["the body of a string", jsonSchemaGrammar({ type: "string" }).grammar, '"Tür'],
  [
    "the last letters of a string",
    jsonSchemaGrammar({ type: "string", maxLength: 9 }).grammar,
    '"Türen',
  ],
  ["a key that is not one of those declared", jsonSchemaGrammar(KEYS).grammar, '{"'],
  ["a key that begins like a declared one", jsonSchemaGrammar(KEYS).grammar, '{"n'],
  ["what follows a value", jsonSchemaGrammar(KEYS).grammar, '{"note":1'],
  ["a number", jsonSchemaGrammar({ type: "number", minimum: 0 }).grammar, "1"],
  ["an escape", jsonSchemaGrammar({ type: "string" }).grammar, '"\\u00'],
  ["text of XML", ebnfGrammar('root ::= "<a>" ([^<&] | "&amp;")* "</a>"'), "<a>x "],
  ["letters of any script", regexGrammar("\\p{L}+(-\\p{L}+)?"), "日"],
  [
    "words in several ways",
    ebnfGrammar('root ::= one ("," one)*\none ::= [a-z ]{1,8} | [^,"]+ "!"'),
    "ab",
  ],
])("%s", (_, grammar, text) => {
  const matcher = compiler.compile(grammar).matcher({ stopIds: [200_002] });
  for (const id of tokenizer.encode(text)) matcher.accept(id);
  const mask = matcher.mask();
  const wrong: string[] = [];
  for (let id = 0; id < tokenizer.size; id++) {
    if (hasId(mask, id) !== matcher.allows(id)) wrong.push(tokenizer.decodeLossy([id]));
  }
  expect(wrong).toEqual([]);
  expect(mask.some((word) => word !== 0)).toBe(true);
});
