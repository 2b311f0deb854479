import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LocalEngineOptions } from "../../inference/local/local-engine.ts";
import { encodeGguf, type GgufTensor } from "../fixtures/gguf-writer.ts";
import { FORMS, GGML, type GgufForm, ggufContent, makeGguf } from "../fixtures/make-gguf-model.ts";
import {
  type ModelSize,
  makeRandomModel,
  randomWeights,
  TINY,
  writeOriginalModel,
} from "../fixtures/make-tiny-model.ts";
import { randomNumbers } from "../fixtures/random-numbers.ts";
import { engineLogitsOf, referenceLogitsOf } from "./checkpoint-logits.ts";

/** GGUF has no key for the limit of SwiGLU, so it must be the architecture's. */
const SIZE: ModelSize = { ...TINY, swigluLimit: 7, intermediate: 64, experts: 5 };
const SEED = 11;
const PROMPT = Array.from({ length: 20 }, (_, i) => (i * i + 7 * i) % SIZE.vocab);

/** float32 sums in another order than float64's. */
const EXACT_NRMSE = 1e-4;

let folder = "";
/** float64 logits of the weights that all float forms share. */
let expected: Float64Array[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chorale-gguf-"));
  makeRandomModel(folder, SIZE, SEED);
  expected = reference(folder);
});

afterAll(() => rmSync(folder, { recursive: true }));

const reference = (path: string): Float64Array[] => referenceLogitsOf(path, PROMPT);

const logits = (path: string, options: LocalEngineOptions): Promise<Float32Array[]> =>
  engineLogitsOf(path, PROMPT, options);

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function writeForm(name: keyof typeof FORMS): string {
  const form: GgufForm = FORMS[name];
  return write(`${name}.gguf`, makeGguf(SIZE, randomWeights(SIZE, SEED), form));
}

function expectSame(found: readonly Float32Array[], wanted: readonly Float64Array[]): void {
  let error = 0;
  let power = 0;
  for (const [i, row] of wanted.entries()) {
    for (const [j, value] of row.entries()) {
      error += ((found[i]?.[j] ?? Number.NaN) - value) ** 2;
      power += value ** 2;
    }
  }
  expect(Math.sqrt(error / power)).toBeLessThan(EXACT_NRMSE);
  expect(found.map(greedy)).toEqual(wanted.map(greedy));
}

function greedy(row: Float32Array | Float64Array): number {
  return row.indexOf(Math.max(...row));
}

describe("the same weights in every container give the same logits", () => {
  test("Hugging Face's and the original layout", async () => {
    writeOriginalModel(join(folder, "published"), SIZE, randomWeights(SIZE, SEED));
    expectSame(await logits(folder, { precision: "exact" }), expected);
    expectSame(await logits(join(folder, "published"), { precision: "exact" }), expected);
  });

  const float = [
    "llamaCpp",
    "llamaCppFused",
    "llamaCppBF16",
    "ollamaFirst",
    "ollamaLater",
  ] as const;
  const byDense = new Map<string, Float32Array[]>();
  test.each(float)("%s", async (name) => {
    const path = writeForm(name);
    expect(reference(path)).toEqual(expected);
    const found = await logits(path, { precision: "exact" });
    expectSame(found, expected);
    // Where the arithmetic is the same, the results are, to the bit.
    const { dense } = FORMS[name];
    expect(found).toEqual(byDense.get(dense) ?? found);
    byDense.set(dense, found);
  });
});

describe("other dense weights give the logits of what they stand for", () => {
  test.each(["llamaCppF16", "llamaCppQ8"] as const)("%s", async (name) => {
    const path = writeForm(name);
    expectSame(await logits(path, { precision: "exact" }), reference(path));
  });

  test("Q8_0 is not quantised again: the default precision reads its values as they are", async () => {
    const path = writeForm("llamaCppQ8");
    const again = write(
      "again.gguf",
      asFloat32(ggufContent(SIZE, randomWeights(SIZE, SEED), FORMS.llamaCppQ8)),
    );
    expect(await logits(path, { precision: "int8" })).toEqual(
      await logits(again, { precision: "int8" }),
    );
  });

  test("a mixture of all of ggml's types", async () => {
    // 256 columns in attn_output, as the types with blocks of 256 need.
    const size = { ...SIZE, heads: 16 };
    const path = write("mixture.gguf", encodeGguf(withRandomBlocks(size)));
    expectSame(await logits(path, { precision: "exact" }), reference(path));
  });
});

/** A file with Q8_0 matrices written as float32. */
function asFloat32(content: ReturnType<typeof ggufContent>): Uint8Array {
  const floats = new Map<string, GgufTensor>();
  for (const [name, tensor] of content.tensors) {
    const isQ8 = tensor.type === GGML.Q8_0;
    floats.set(name, isQ8 ? { ...tensor, type: GGML.F32, bytes: decodeQ8(tensor.bytes) } : tensor);
  }
  return encodeGguf({ ...content, tensors: floats });
}

function decodeQ8(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = Float32Array.from({ length: (bytes.length / 34) * 32 }, (_, i) => {
    const block = Math.floor(i / 32) * 34;
    return view.getFloat16(block, true) * view.getInt8(block + 2 + (i % 32));
  });
  return new Uint8Array(values.buffer);
}

/** A model whose matrices are random blocks of different types, with scales that keep them small. */
function withRandomBlocks(size: ModelSize): ReturnType<typeof ggufContent> {
  const content = ggufContent(size, randomWeights(size, SEED), FORMS.llamaCpp);
  const random = randomNumbers(SEED);
  const fill = (
    name: string,
    type: number,
    elements: number,
    bytes: number,
    halves: number[],
  ): void => {
    const tensor = content.tensors.get(name);
    if (tensor === undefined) throw new Error(`there is no ${name}`);
    const count = tensor.shape.reduce((a, b) => a * b, 1) / elements;
    const blocks = Uint8Array.from({ length: count * bytes }, () => Math.floor(random() * 256));
    const view = new DataView(blocks.buffer);
    for (let block = 0; block < count; block++) {
      for (const at of halves) view.setFloat16(block * bytes + at, 0.001 + 0.002 * random(), true);
    }
    content.tensors.set(name, { ...tensor, type, bytes: blocks });
  };
  fill("token_embd.weight", 6, 32, 22, [0]); // Q5_0
  fill("output.weight", 7, 32, 24, [0, 2]); // Q5_1
  fill("blk.0.attn_q.weight", 2, 32, 18, [0]); // Q4_0
  fill("blk.0.attn_k.weight", 3, 32, 20, [0, 2]); // Q4_1
  fill("blk.0.attn_v.weight", 20, 32, 18, [0]); // IQ4_NL
  fill("blk.0.ffn_gate_inp.weight", 8, 32, 34, [0]); // Q8_0
  fill("blk.0.attn_output.weight", 12, 256, 144, [0, 2]); // Q4_K
  fill("blk.1.attn_output.weight", 14, 256, 210, [208]); // Q6_K
  return content;
}
