/** Models written as GGUF and as safetensors, and read again. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import {
  ConvertError,
  type Converted,
  type ConvertOptions,
  convertModel,
  type ListedVocabulary,
} from "../../inference/index.ts";
import { FORMS, makeGguf } from "../fixtures/make-gguf-model.ts";
import {
  type ModelSize,
  makeRandomModel,
  randomWeights,
  TINY,
} from "../fixtures/make-tiny-model.ts";
import { referenceLogitsOf } from "./checkpoint-logits.ts";

const SIZE: ModelSize = { ...TINY, swigluLimit: 7 };
const SEED = 31;
const PROMPT = Array.from({ length: 20 }, (_, i) => (i * i + 3 * i) % SIZE.vocab);
const VOCABULARY: ListedVocabulary = {
  path: "none",
  tokens: ["a", "b", "ab"],
  merges: ["a b"],
  specialTokens: new Map([["<|return|>", 3]]),
};

let folder = "";
let original = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chorale-convert-"));
  original = join(folder, "original");
  makeRandomModel(original, SIZE, SEED);
});
afterAll(() => rmSync(folder, { recursive: true }));

function convert(
  path: string,
  to: string,
  format: ConvertOptions["format"],
  options: Partial<ConvertOptions> = {},
): Promise<Converted> {
  return convertModel(path, {
    to: join(folder, to),
    format,
    name: "a model",
    vocabulary: VOCABULARY,
    tokenizerJson: { model: {} },
    ...options,
  });
}

const logits = (path: string): Float64Array[] => referenceLogitsOf(path, PROMPT);

test("safetensors to GGUF and back keeps every number", async () => {
  const progress: number[] = [];
  const gguf = await convert(original, "model.gguf", "gguf", {
    onProgress: (done, total) => progress.push(done / total),
  });
  expect(gguf.roundedLayers).toBe(0);
  expect(progress.at(-1)).toBe(1);
  expect(logits(gguf.path)).toEqual(logits(original));
  const back = await convert(gguf.path, "back", "safetensors");
  expect(logits(back.path)).toEqual(logits(original));
  const blocks = (path: string) =>
    openCheckpoint(path).layers.map(({ gateUp, down }) =>
      [gateUp, down].map(({ weights }) => weights.form),
    );
  expect(blocks(back.path)).toEqual(blocks(original));
});

test.each(["llamaCpp", "llamaCppFused", "ollamaFirst", "ollamaLater"] as const)(
  "%s to safetensors",
  async (form) => {
    const source = join(folder, `${form}.gguf`);
    writeFileSync(source, makeGguf(SIZE, randomWeights(SIZE, SEED), FORMS[form]));
    const { path } = await convert(source, `from-${form}`, "safetensors");
    expect(logits(path)).toEqual(logits(source));
  },
);

test("the vocabulary is in the GGUF file, and rows without a token are unused ones", async () => {
  const { path } = await convert(original, "vocabulary.gguf", "gguf", {
    vocabulary: { ...VOCABULARY, split: "plain" },
  });
  const found = openCheckpoint(path).files.vocabulary;
  expect(found).toMatchObject({
    tokens: VOCABULARY.tokens,
    merges: VOCABULARY.merges,
    split: "plain",
  });
  expect(found?.specialTokens).toEqual(VOCABULARY.specialTokens);
});

describe("what cannot be written", () => {
  test("over something that is there", async () => {
    writeFileSync(join(folder, "there.gguf"), "mine");
    await expect(convert(original, "there.gguf", "gguf")).rejects.toThrow(
      /Cannot write .*there\.gguf: there is something already/,
    );
    expect(readFileSync(join(folder, "there.gguf"), "utf8")).toBe("mine");
    await expect(convert(original, "original", "safetensors")).rejects.toThrow(ConvertError);
  });

  test("into a folder that is not there", async () => {
    await expect(convert(original, "no/such/model.gguf", "gguf")).rejects.toThrow(/no such folder/);
  });

  test("a limit of SwiGLU that GGUF has no key for", async () => {
    const other = join(folder, "other-limit");
    makeRandomModel(other, { ...SIZE, swigluLimit: 5 }, SEED);
    await expect(convert(other, "other.gguf", "gguf")).rejects.toThrow(/no key for a limit/);
  });

  test("a model that breaks in the middle leaves nothing behind", async () => {
    const place = join(folder, "empty");
    mkdirSync(place);
    const abort = new AbortController();
    const reason = new Error("enough");
    await expect(
      convert(original, "empty/model.gguf", "gguf", {
        signal: abort.signal,
        onProgress: (done, total) => done > total / 2 && abort.abort(reason),
      }),
    ).rejects.toBe(reason);
    expect(readdirSync(place)).toEqual([]);
    expect(existsSync(join(place, "model.gguf"))).toBe(false);
  });
});
