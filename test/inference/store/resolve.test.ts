import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openCheckpoint } from "../../../inference/checkpoint/open.ts";
import { CheckpointError, ModelNotFoundError, ModelStoreError } from "../../../inference/errors.ts";
import { ModelStore } from "../../../inference/store/model-store.ts";
import { parseModelName } from "../../../inference/store/names.ts";
import { listLocalModels, resolveModelName } from "../../../inference/store/resolve.ts";
import { addToOllamaStore, FORMS, makeGguf } from "../../fixtures/make-gguf-model.ts";
import { makeRandomModel, randomWeights, TINY } from "../../fixtures/make-tiny-model.ts";
import { sha256 } from "../../fixtures/model-registry.ts";

const SIZE = { ...TINY, swigluLimit: 7 };
const gguf = makeGguf(SIZE, randomWeights(SIZE, 5), FORMS.ollamaLater);
const { signal } = new AbortController();

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "chorale-names-"));
});
afterEach(() => rmSync(home, { recursive: true }));

const places = () => ({ store: join(home, "models"), env: { HOME: home } });
const find = (text: string) => resolveModelName(text, places());
const opens = (text: string): void => openCheckpoint(find(text).path).close();

/** A model of the store, as a pull would have left it. */
async function keep(text: string): Promise<void> {
  const store = new ModelStore(join(home, "models"));
  const hash = sha256(gguf);
  store.prepare();
  store.addBlob(hash, gguf);
  await store.add(
    parseModelName(text),
    {
      schema: 1,
      name: text,
      format: "gguf",
      source: { layout: "ollama", endpoint: "x", repository: "x", revision: "x", commit: null },
      license: null,
      digest: hash,
      pulledAt: "2026-01-01T00:00:00.000Z",
      files: [{ name: "model.gguf", sha256: hash, bytes: gguf.byteLength }],
    },
    signal,
  );
}

/** As `hf download` leaves it: links into the cache's own blobs. */
function addToHub(owner: string, repository: string): string {
  const folder = join(home, ".cache/huggingface/hub", `models--${owner}--${repository}`);
  const commit = "a".repeat(40);
  const snapshot = join(folder, "snapshots", commit);
  mkdirSync(join(folder, "refs"), { recursive: true });
  writeFileSync(join(folder, "refs/main"), commit);
  mkdirSync(snapshot, { recursive: true });
  makeRandomModel(join(folder, "blobs"), TINY, 7);
  for (const name of ["config.json", "model.safetensors"]) {
    symlinkSync(join("../../blobs", name), join(snapshot, name));
  }
  return snapshot;
}

test("every program's models are found by their full names, and open", async () => {
  await keep("gpt-oss:120b");
  addToOllamaStore(join(home, ".ollama/models"), "registry.ollama.ai/library/gpt-oss/20b", gguf);
  addToOllamaStore(join(home, ".ollama/models"), "registry.ollama.ai/me/own/q8", gguf);
  addToHub("openai", "gpt-oss-20b");
  const studio = join(home, ".lmstudio/models/lmstudio-community/gpt-oss-20b-GGUF");
  mkdirSync(studio, { recursive: true });
  for (const quant of ["MXFP4", "Q8_0"])
    writeFileSync(join(studio, `gpt-oss-20b-${quant}.gguf`), gguf);
  expect(listLocalModels(places()).map(({ keeper, text }) => `${keeper} ${text}`)).toEqual([
    "chorale gpt-oss:120b",
    "ollama gpt-oss:20b",
    "ollama ollama.com/me/own:q8",
    "huggingface openai/gpt-oss-20b",
    "lmstudio lmstudio-community/gpt-oss-20b-GGUF:MXFP4",
    "lmstudio lmstudio-community/gpt-oss-20b-GGUF:Q8_0",
  ]);
  for (const { text, keeper } of listLocalModels(places())) {
    expect(find(text)).toMatchObject({ name: text, keeper });
    opens(text);
  }
  // As Ollama itself writes it.
  expect(find("me/own:q8").keeper).toBe("ollama");
});

test("a path goes before a name, an exact name before a short one, pulled models before others", async () => {
  addToHub("openai", "gpt-oss-20b");
  expect(find("gpt-oss-20b")).toMatchObject({ name: "openai/gpt-oss-20b", keeper: "huggingface" });
  expect(find("gpt-oss:20b").name).toBe("openai/gpt-oss-20b");
  addToOllamaStore(join(home, ".ollama/models"), "registry.ollama.ai/library/gpt-oss/20b", gguf);
  expect(find("gpt-oss:20b").keeper).toBe("ollama");
  // The full name of OpenAI's repository, although that is the shorter spelling.
  expect(find("gpt-oss-20b").keeper).toBe("huggingface");
  await keep("gpt-oss:20b");
  expect(find("gpt-oss:20b").keeper).toBe("chorale");
  const file = join(home, "gpt-oss.gguf");
  writeFileSync(file, gguf);
  expect(find(file)).toEqual({ name: "gpt-oss.gguf", keeper: "path", path: file });
});

test("a short name of several models is refused with their names", async () => {
  await keep("a/tuned");
  expect(find("tuned").name).toBe("a/tuned");
  await keep("b/tuned");
  expect(() => find("tuned")).toThrow(ModelStoreError);
  expect(() => find("tuned")).toThrow('"tuned" stands for 2 models; accepted: a/tuned, b/tuned.');
});

test("an unknown name is answered with the nearest ones", async () => {
  expect(() => find("gpt-oss:20b")).toThrow(/no model of any name is on this machine/);
  for (const name of ["alpha:1", "gpt-oss:20b", "beta:2"]) await keep(name);
  expect(() => find("gpt-os:20b")).toThrow(ModelNotFoundError);
  expect(() => find("gpt-os:20b")).toThrow(/there are: gpt-oss:20b, /);
  for (const text of ["", "\0", "../x", "a".repeat(5000)]) {
    expect(() => find(text)).toThrow(ModelNotFoundError);
  }
});

test("links out of another program's folder are not followed", () => {
  const snapshot = addToHub("openai", "gpt-oss-20b");
  writeFileSync(join(home, "secret"), "secret");
  symlinkSync(join(home, "secret"), join(snapshot, "tokenizer.json"));
  expect(() => find("openai/gpt-oss-20b")).toThrow(ModelNotFoundError);
});

test("nothing of the own store is a link, and a blob has its size", async () => {
  await keep("gpt-oss:20b");
  const store = new ModelStore(join(home, "models"));
  const blob = store.blob(sha256(gguf));
  const elsewhere = join(home, "elsewhere.gguf");
  writeFileSync(elsewhere, gguf);
  rmSync(blob);
  symlinkSync(elsewhere, blob);
  expect(() => opens("gpt-oss:20b")).toThrow(/the content of model.gguf is no regular file/);
  rmSync(blob);
  writeFileSync(blob, gguf.subarray(1));
  expect(() => opens("gpt-oss:20b")).toThrow(/bytes instead of \d+; pull the model again/);
  rmSync(blob);
  expect(() => opens("gpt-oss:20b")).toThrow(/the content of model.gguf is missing/);
  const manifests = join(home, "models/manifests");
  rmSync(manifests, { recursive: true });
  mkdirSync(join(home, "other"));
  symlinkSync(join(home, "other"), manifests);
  expect(() => store.prepare()).toThrow(/manifests is a link or a file/);
});

test("a manifest of an attacker leads nowhere", async () => {
  await keep("gpt-oss:20b");
  const { path } = find("gpt-oss:20b");
  const hash = sha256(gguf);
  const base = {
    schema: 1,
    name: "gpt-oss:20b",
    format: "gguf",
    source: { layout: "ollama" },
    license: null,
    digest: hash,
    pulledAt: "",
  };
  const file = { name: "model.gguf", sha256: hash, bytes: gguf.byteLength };
  const broken: unknown[] = [
    null,
    [],
    { ...base, schema: 2, files: [file] },
    { ...base, files: [{ ...file, sha256: "../../../../etc/passwd" }] },
    { ...base, files: [{ ...file, sha256: hash.toUpperCase() }] },
    { ...base, files: [{ ...file, name: "../model.gguf" }] },
    { ...base, files: [{ ...file, bytes: -1 }] },
    { ...base, files: [file, file] },
    { ...base, files: [null] },
    { ...base, files: Array.from({ length: 2000 }, (_, i) => ({ ...file, name: `${i}.gguf` })) },
    { ...base, digest: "x", files: [file] },
    { ...base, format: "pickle", files: [file] },
  ];
  for (const manifest of broken) {
    writeFileSync(path, JSON.stringify(manifest));
    expect(() => openCheckpoint(path)).toThrow(CheckpointError);
    expect(() => find("gpt-oss:20b")).toThrow(ModelNotFoundError);
  }
  const { broken: listed } = new ModelStore(join(home, "models")).list();
  expect(listed).toHaveLength(1);
});
