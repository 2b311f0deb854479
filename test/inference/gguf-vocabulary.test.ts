import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tokenizerFromLists } from "../../harmony/index.ts";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import type { ModelFiles } from "../../inference/checkpoint/tensors.ts";
import { CheckpointError } from "../../inference/errors.ts";
import { encodeGguf, i32s, type MetaValue, strings, text } from "../fixtures/gguf-writer.ts";
import { FORMS, ggufContent } from "../fixtures/make-gguf-model.ts";
import { type ModelSize, randomWeights, TINY } from "../fixtures/make-tiny-model.ts";

const SIZE: ModelSize = { ...TINY, swigluLimit: 7, layers: ["sliding"] };

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chorale-vocabulary-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function filesWith(metadata: Readonly<Record<string, MetaValue>>): ModelFiles {
  const content = ggufContent(SIZE, randomWeights(SIZE, 1), FORMS.llamaCpp);
  for (const [key, value] of Object.entries(metadata)) {
    content.metadata.set(`tokenizer.ggml.${key}`, value);
  }
  const path = join(folder, "model.gguf");
  writeFileSync(path, encodeGguf(content));
  const checkpoint = openCheckpoint(path);
  checkpoint.close();
  return checkpoint.files;
}

/** GPT-2's alphabet: printable Latin-1 stands for itself, other bytes for characters from U+0100 on. */
const ALPHABET: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable =
      (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(printable ? byte : next++);
  });
})();

const SPECIALS = [
  "<|return|>",
  "<|constrain|>",
  "<|channel|>",
  "<|start|>",
  "<|end|>",
  "<|message|>",
  "<|call|>",
];
const MERGED = ["th", "he", "the", "Ġt", "Ġthe"];
const TOKENS = [...ALPHABET, ...MERGED, ...SPECIALS, "[PAD268]"];
const TYPES = [...ALPHABET, ...MERGED]
  .map(() => 1)
  .concat(
    SPECIALS.map(() => 3),
    [5],
  );
const MERGES = ["h e", "t h", "Ġ t", "t he", "Ġt he"];

const SMALL = {
  model: text("gpt2"),
  pre: text("gpt-4o"),
  tokens: strings(TOKENS),
  token_type: i32s(TYPES),
  merges: strings(MERGES),
};

describe("a vocabulary of its own", () => {
  test("becomes a tokenizer that merges in the order of the list", () => {
    const { vocabulary } = filesWith(SMALL);
    expect(vocabulary?.tokens).toHaveLength(261);
    expect(vocabulary?.specialTokens.get("<|call|>")).toBe(267);
    expect(vocabulary?.specialTokens.has("[PAD268]")).toBe(false);
    const tokenizer = tokenizerFromLists(vocabulary ?? expect.unreachable());
    const shown = tokenizer.encode("the then th <|end|>").map((id) => tokenizer.tokenText(id));
    // "h e" goes first, so that "the" is t + he; "t h" goes before "Ġ t".
    expect(shown).toEqual(["the", " the", "n", " ", "th", " ", "<", "|", "e", "n", "d", "|", ">"]);
    expect(tokenizer.special.end).toBe(265);
  });

  test("without types, tokens between <| and |> are special ones", () => {
    const { token_type: _, ...others } = SMALL;
    const { vocabulary } = filesWith({ ...others, tokens: strings(TOKENS.slice(0, -1)) });
    expect([...(vocabulary?.specialTokens.keys() ?? [])]).toEqual(SPECIALS);
  });

  test("as Ollama writes it, without or with the default way to split", () => {
    const { pre: _, ...others } = SMALL;
    expect(filesWith(others).vocabulary).toBeDefined();
    expect(filesWith({ ...SMALL, pre: text("default") }).vocabulary).toBeDefined();
  });

  const broken: [string, Readonly<Record<string, MetaValue>>, RegExp][] = [
    ["another kind of tokenizer", { model: text("llama") }, /model is "llama"; accepted: "gpt2"/],
    ["another way to split", { pre: text("llama-bpe") }, /pre is "llama-bpe"; accepted: "gpt-4o"/],
    ["too few types", { token_type: i32s([1]) }, /token_type has 1 values for 269 tokens/],
    ["types of another type", { token_type: strings(["1"]) }, /a list of 1 values of type 8/],
    ["tokens that are numbers", { tokens: i32s([1]) }, /accepted: at most \d+ strings/],
    [
      "an ordinary token behind",
      { token_type: i32s([...TYPES.slice(0, -1), 1]) },
      /token 268, "\[PAD/,
    ],
    [
      "a special token twice",
      { tokens: strings([...TOKENS.slice(0, -1), "<|end|>"]) },
      /token 268, "<\|end\|>", is there twice/,
    ],
  ];
  test.each(broken)("%s is refused", (_name, change, message) => {
    expect(() => filesWith({ ...SMALL, ...change })).toThrow(CheckpointError);
    expect(() => filesWith({ ...SMALL, ...change })).toThrow(message);
  });
});

describe("o200k_harmony", () => {
  const tokenizer = loadO200kHarmony();
  const ordinary = Array.from({ length: 199_998 }, (_, id) =>
    Array.from(tokenizer.tokenBytes(id), (byte) => ALPHABET[byte]).join(""),
  );
  const texts = new Map([...tokenizer.specialTokens].map(([name, id]) => [id, name]));
  const special = Array.from({ length: 1090 }, (_, i) =>
    i < 21 ? (texts.get(199_998 + i) ?? "") : `[PAD${199_998 + i}]`,
  );
  const lists = (tokens: readonly string[]): Readonly<Record<string, MetaValue>> => ({
    ...SMALL,
    tokens: strings(tokens),
    token_type: i32s(tokens.map((_, id) => (id < 199_998 ? 1 : id < 200_019 ? 3 : 5))),
  });

  test("is recognised, whatever its padding is called, and not read", () => {
    expect(filesWith(lists([...ordinary, ...special])).vocabulary).toBeUndefined();
  });

  test("is another vocabulary when one token or one special token differs", () => {
    const swapped = ordinary.with(5000, ordinary[6000] ?? "").with(6000, ordinary[5000] ?? "");
    expect(filesWith(lists([...swapped, ...special])).vocabulary?.tokens[5000]).toBe(
      ordinary[6000],
    );
    const renamed = special.with(4, "<|giveback|>");
    const { vocabulary } = filesWith(lists([...ordinary, ...renamed]));
    expect(vocabulary?.specialTokens.get("<|giveback|>")).toBe(200_002);
  });
});
