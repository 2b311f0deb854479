/** Vocabularies written out for other programs, and read again. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  hfJsonOf,
  listsFromHfJson,
  listsOf,
  tokenizerFromHfJson,
  tokenizerFromLists,
} from "../../harmony/index.ts";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";

const TEXTS = [
  "What is 12 * 34?",
  '{"name": "Ada", "ids": [1, 2]}',
  "Ünïcödé 東京 🙂",
  "  two\n\n lines\t",
];

test("the vocabulary of the embedded model", () => {
  const path = new URL("../../inference/demo/tokenizer.json", import.meta.url);
  const json: unknown = JSON.parse(readFileSync(path, "utf8"));
  const tokenizer = tokenizerFromHfJson(json);
  const lists = listsFromHfJson(json);
  expect(lists.split).toBe("plain");
  const again = [
    tokenizerFromLists(lists),
    tokenizerFromHfJson(JSON.parse(JSON.stringify(hfJsonOf(lists)))),
  ];
  for (const other of again) {
    expect(other.specialTokens).toEqual(tokenizer.specialTokens);
    for (const text of TEXTS) expect(other.encode(text)).toEqual(tokenizer.encode(text));
  }
});

test("o200k_harmony has the merges that gpt-oss's own files have", () => {
  const o200k = loadO200kHarmony();
  const lists = listsOf(o200k);
  expect(lists.tokens).toHaveLength(199_998);
  expect(lists.merges).toHaveLength(446_189);
  expect(lists.merges.slice(0, 3)).toEqual(["Ġ Ġ", "Ġ ĠĠĠ", "ĠĠ ĠĠ"]);
  const again = tokenizerFromLists(lists);
  for (const text of TEXTS) expect(again.encode(text)).toEqual(o200k.encode(text));
});
