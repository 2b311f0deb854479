import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkTensors } from "../../../inference/check-tensors.ts";
import { openCheckpoint } from "../../../inference/checkpoint/open.ts";
import { describeModel } from "../../../inference/describe-model.ts";
import { ModelStore } from "../../../inference/store/model-store.ts";
import { parseModelName } from "../../../inference/store/names.ts";
import { verifyFiles, verifyFoundFiles } from "../../../inference/store/verify.ts";
import { addToOllamaStore, FORMS, makeGguf } from "../../fixtures/make-gguf-model.ts";
import { makeRandomModel, randomWeights, TINY } from "../../fixtures/make-tiny-model.ts";
import { sha256 } from "../../fixtures/model-registry.ts";

const SIZE = { ...TINY, swigluLimit: 7 };
const { signal } = new AbortController();

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chorale-verify-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("files", () => {
  test("of a pulled model are hashed anew", async () => {
    const gguf = makeGguf(SIZE, randomWeights(SIZE, 5), FORMS.ollamaLater);
    const store = new ModelStore(join(folder, "models"));
    store.prepare();
    const hash = sha256(gguf);
    store.addBlob(hash, gguf);
    const files = [{ name: "model.gguf", sha256: hash, bytes: gguf.byteLength }];
    const source = { layout: "ollama", endpoint: "", repository: "", revision: "", commit: null };
    const text = "gpt-oss:20b";
    const facts = { license: null, digest: hash, pulledAt: "", files } as const;
    const manifest = { schema: 1, name: text, format: "gguf", source, ...facts } as const;
    await store.add(parseModelName(text), manifest as never, signal);
    const stored = store.find(parseModelName(text));
    if (stored === undefined) throw new Error("it was stored");
    const check = () => verifyFiles(store, stored, { signal });
    expect(await check()).toEqual([{ ...files[0], problem: null }]);
    const path = store.blob(hash);
    chmodSync(path, 0o600);
    const changed = Uint8Array.from(gguf);
    changed[1000] = (changed[1000] ?? 0) ^ 1;
    writeFileSync(path, changed);
    expect((await check())[0]?.problem).toMatch(/^its SHA-256 is [0-9a-f]{64}$/);
    writeFileSync(path, gguf.subarray(1));
    expect((await check())[0]?.problem).toMatch(/bytes instead of/);
    rmSync(path);
    expect((await check())[0]?.problem).toBe("its content is missing");
  });

  test("of Ollama's are called by their hashes", async () => {
    const gguf = makeGguf(SIZE, randomWeights(SIZE, 5), FORMS.ollamaLater);
    const { blob } = addToOllamaStore(folder, "registry.ollama.ai/library/gpt-oss/20b", gguf);
    expect(await verifyFoundFiles(blob, { signal })).toMatchObject([{ problem: null }]);
    const changed = Uint8Array.from(gguf);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    writeFileSync(blob, changed);
    expect((await verifyFoundFiles(blob, { signal }))[0]?.problem).toMatch(/^its SHA-256 is/);
    const plain = join(folder, "plain.gguf");
    copyFileSync(blob, plain);
    expect(await verifyFoundFiles(plain, { signal })).toEqual([]);
  });
});

describe("tensors", () => {
  /** Writes bytes into a tensor of the model's file. */
  function damage(
    path: string,
    role: "norm" | "scales" | "embedding",
    bytes: readonly number[],
  ): string {
    const checkpoint = openCheckpoint(path);
    const { weights } = checkpoint.layers[1]?.down ?? {};
    const scales =
      weights?.form === "separate"
        ? weights.scales
        : weights?.form === "joined"
          ? weights.parts[0]?.tensor
          : undefined;
    const tensor = role === "scales" ? scales : checkpoint[role];
    checkpoint.close();
    if (tensor === undefined) throw new Error("the model has experts");
    const file = readFileSync(tensor.path);
    file.set(bytes, tensor.position);
    writeFileSync(tensor.path, file);
    return tensor.name;
  }

  test("that are finite have no problems", async () => {
    makeRandomModel(folder, TINY, 3);
    let last = 0;
    const { tensors, problems } = await checkTensors(folder, signal, (done, total) => {
      last = done / total;
    });
    expect(problems).toEqual([]);
    expect(tensors).toBeGreaterThan(20);
    expect(last).toBe(1);
  });

  test("with NaN, infinity or a scale that is no number are named", async () => {
    makeRandomModel(folder, TINY, 3);
    // The first bf16 of each: infinity and NaN.
    const embedding = damage(folder, "embedding", [0x80, 0x7f]);
    const norm = damage(folder, "norm", [0xc1, 0xff]);
    const scales = damage(folder, "scales", [255]);
    const { problems } = await checkTensors(folder, signal);
    expect(problems.map(({ tensor, problem }) => `${tensor} ${problem}`)).toEqual([
      `${embedding} is infinite or NaN at element 0`,
      `${scales} has the scale 255 at 0, which is no number`,
      `${norm} is infinite or NaN at element 0`,
    ]);
  });

  test.each(["llamaCpp", "llamaCppF16", "llamaCppQ8", "ollamaFirst"] as const)(
    "of %s",
    async (form) => {
      const path = join(folder, "model.gguf");
      writeFileSync(path, makeGguf(SIZE, randomWeights(SIZE, 5), FORMS[form]));
      expect((await checkTensors(path, signal)).problems).toEqual([]);
      const name = damage(path, "scales", [255]);
      const infinity = { llamaCppF16: [0, 0x7c], llamaCppQ8: [0, 0x7c], ollamaFirst: [0x80, 0x7f] };
      const first = damage(
        path,
        "embedding",
        form === "llamaCpp" ? [0, 0, 0x80, 0x7f] : infinity[form],
      );
      expect((await checkTensors(path, signal)).problems.map(({ tensor }) => tensor)).toEqual([
        first,
        name,
      ]);
    },
  );
});

test("a model is described by its groups, and by what it needs here", () => {
  makeRandomModel(folder, TINY, 3);
  const model = describeModel(folder, { threads: 1, contextLength: 256 });
  const total = (key: "parameters" | "bytes"): number =>
    model.groups.reduce((sum, group) => sum + group[key], 0);
  expect(total("bytes")).toBe(model.bytes);
  expect(total("parameters")).toBe(model.parameters);
  expect(model.activeParameters).toBeLessThan(model.parameters);
  const types = Object.fromEntries(model.groups.map(({ group, types }) => [group, types]));
  expect(types).toMatchObject({ experts: ["MXFP4"], attention: ["BF16"], embedding: ["BF16"] });
  expect(model).toMatchObject({ experts: TINY.experts, layers: TINY.layers.length });
  expect(model.engine).toMatchObject({ contextLength: 256, threads: 1, precision: "int8" });
  expect(model.engine.bytes).toBeGreaterThan(model.engine.bytesPerToken);
});
