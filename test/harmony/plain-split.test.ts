import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Tokenizer, tokenizerFromHfJson } from "../../harmony/index.ts";
import { plainPieceEnd } from "../../harmony/tokenizer/plain-split.ts";

function pieces(text: string): string[] {
  const found: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = plainPieceEnd(text, start);
    found.push(text.slice(start, end));
    start = end;
  }
  return found;
}

describe("plain split", () => {
  it("keeps spaces, words, numbers and structure apart", () => {
    expect(pieces('{"name":"Ada Lee","n":-5.25}').join("·")).toBe(
      '{"·name·":"·Ada· ·Lee·","·n·":·-·5·.·25·}',
    );
    expect(pieces('<a phone="+49 1234"/>\n  x').join("·")).toBe(
      '<·a· ·phone·="·+·49· ·123·4·"/>·\n·  ·x',
    );
    expect(pieces("camelCase ABc don't *= 7").join("·")).toBe(
      "camel·Case· ·ABc· ·don·'·t· ·*·=· ·7",
    );
  });

  it("always gets on, and cuts no character in two", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        expect(pieces(text).join("")).toBe(text);
        for (const piece of pieces(text)) expect(piece.isWellFormed()).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("gives a value the same tokens after a space, in quotes and in a tag", () => {
    const json = readFileSync(new URL("../../inference/demo/tokenizer.json", import.meta.url));
    const tokenizer: Tokenizer = tokenizerFromHfJson(JSON.parse(json.toString()));
    const has = (text: string, value: readonly number[]): boolean =>
      ` ${tokenizer.encode(text).join(" ")} `.includes(` ${value.join(" ")} `);
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9][a-zA-Z0-9 .@-]{0,20}[a-z0-9]$/), (value) => {
        const ids = tokenizer.encode(value);
        for (const text of [`is ${value}, or`, `{"a":"${value}","b"`, `<a>${value}</a>`]) {
          expect(has(text, ids)).toBe(true);
        }
      }),
    );
  });
});
