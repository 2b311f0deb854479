import { describe, expect, test } from "vitest";
import { GrammarCompiler } from "../../../inference/constrain/compiler.ts";
import {
  type GrammarMatcher,
  hasId,
  InvalidRequestError,
  jsonSchemaGrammar,
} from "../../../inference/index.ts";
import { vocabularyOf } from "./arbitraries.ts";

/** Single characters, and tokens that go over the ends of keys. */
const TOKENS = [
  ...'{}[]",:\\abcdeu01269 '.split("").filter((one, at, all) => all.indexOf(one) === at),
  ...['"a', '":', '","', 'a"', '"a"', ',"b":', "ab", 'ab"', '{"a":1,"a":', '":1,"'],
];
const vocabulary = vocabularyOf(TOKENS.map((token) => Buffer.from(token)));
const compiler = new GrammarCompiler(vocabulary);

function matcherOf(schema: unknown): GrammarMatcher {
  const { grammar } = jsonSchemaGrammar(schema, { whitespace: 0 });
  expect(grammar.distinctKeys).toBeDefined();
  return compiler.compile(grammar).matcher();
}

/** The matcher after a text, character by character. */
function reading(schema: unknown, text: string): GrammarMatcher {
  const matcher = matcherOf(schema);
  for (const char of text) matcher.accept(TOKENS.indexOf(char));
  return matcher;
}

function allowed(matcher: GrammarMatcher): readonly string[] {
  const mask = matcher.mask();
  const ids = [...TOKENS.keys()].filter((id) => hasId(mask, id));
  // What is asked about one id is what the mask says.
  expect(ids).toEqual([...TOKENS.keys()].filter((id) => matcher.allows(id)));
  return ids.map((id) => TOKENS[id] ?? "");
}

const object = { type: "object", additionalProperties: { type: "integer" } };

describe("keys that come once", () => {
  test("a key that has been there is not ended, but may become another", () => {
    const options = allowed(reading(object, '{"a":1,"a'));
    expect(options).not.toContain('"');
    expect(options).not.toContain('":');
    expect(options).toEqual(expect.arrayContaining(["b", "ab", 'a"']));
    expect(allowed(reading(object, '{"a":1,"b'))).toContain('"');
  });

  test("a token that writes a key as a whole counts", () => {
    const options = allowed(reading(object, '{"a":1,"b":1'));
    expect(options).not.toContain(',"b":');
    expect(allowed(reading(object, '{"a":1'))).toContain(',"b":');
    expect(allowed(reading(object, ""))).not.toContain('{"a":1,"a":');
    expect(allowed(reading(object, '{"a":1,'))).not.toContain('"a"');
  });

  test("a key is the same in other escapes", () => {
    expect(allowed(reading(object, '{"a":1,"\\u0061'))).not.toContain('"');
    expect(allowed(reading(object, '{"\\u0061":1,"a'))).not.toContain('"');
    expect(allowed(reading(object, '{"a":1,"\\u0062'))).toContain('"');
  });

  test("each object has keys of its own", () => {
    const nested = { type: "object", additionalProperties: true };
    expect(allowed(reading(nested, '{"a":{"a'))).toContain('"');
    expect(allowed(reading(nested, '{"a":{"b":1},"b'))).toContain('"');
    expect(allowed(reading(nested, '{"a":{"b":1},"a'))).not.toContain('"');
    expect(allowed(reading(nested, '{"b":["a","a'))).toContain('"');
    expect(allowed(reading(nested, '{"b":"a,\\"b'))).toContain('"');
  });

  test("a beginning that leads to nothing new is not written", () => {
    const short = { ...object, propertyNames: { pattern: "^(?:ab?|[cd]{1,6})$" } };
    const options = allowed(reading(short, '{"a":1,"ab":1,"'));
    expect(options).not.toContain("a");
    expect(options).not.toContain("ab");
    expect(options).toEqual(expect.arrayContaining(["c", "d"]));
    expect(allowed(reading(short, '{"a":1,"ab":1,'))).not.toContain('"a');
    expect(allowed(reading(short, '{"a":1,"'))).toEqual(expect.arrayContaining(["a", "ab", 'ab"']));
  });

  test("what is taken back is forgotten", () => {
    const matcher = reading(object, '{"a":1,"a');
    matcher.rollback(3);
    expect(matcher.length).toBe(6);
    for (const char of ',"b"') matcher.accept(TOKENS.indexOf(char));
    matcher.rollback(4);
    for (const char of ',"b') matcher.accept(TOKENS.indexOf(char));
    expect(allowed(matcher)).toContain('"');
    expect(matcher.isAccepting).toBe(false);
  });

  test("an id that the mask forbids is refused, and changes nothing", () => {
    const matcher = reading(object, '{"a":1,"a');
    expect(() => matcher.accept(TOKENS.indexOf('"'))).toThrow(InvalidRequestError);
    expect(matcher.length).toBe(9);
    matcher.accept(TOKENS.indexOf("b"));
    matcher.accept(TOKENS.indexOf('"'));
    expect(Buffer.from(matcher.forcedBytes()).toString()).toBe(":");
  });

  test("an ending gives no key twice", () => {
    const ending = (text: string): string | null => {
      const bytes = reading(object, text).shortestEnding();
      return bytes === null ? null : Buffer.from(bytes).toString();
    };
    expect(ending('{"a":1,"b')).toMatch(/^":\d\}$/);
    expect(ending('{"a":1,"a')).toBeNull();
  });
});
