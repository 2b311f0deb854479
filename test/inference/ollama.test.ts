import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import { CheckpointError, ModelNotFoundError } from "../../inference/errors.ts";
import { addToOllamaStore, FORMS, makeGguf } from "../fixtures/make-gguf-model.ts";
import { type ModelSize, randomWeights, TINY } from "../fixtures/make-tiny-model.ts";

const SIZE: ModelSize = { ...TINY, swigluLimit: 7 };
const LIBRARY = "registry.ollama.ai/library";

let folder = "";
let store = "";
let gguf: Uint8Array = new Uint8Array();

beforeAll(() => {
  gguf = makeGguf(SIZE, randomWeights(SIZE, 5), FORMS.ollamaFirst);
  folder = mkdtempSync(join(tmpdir(), "chorale-ollama-"));
});
beforeEach(() => {
  store = mkdtempSync(join(folder, "store-"));
  vi.stubEnv("OLLAMA_MODELS", store);
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(folder, { recursive: true }));

function open(name: string): string {
  const checkpoint = openCheckpoint(name);
  checkpoint.close();
  return checkpoint.embedding.path;
}

describe("a model by name", () => {
  test("with and without tag, namespace and host", () => {
    const { blob } = addToOllamaStore(store, `${LIBRARY}/gpt-oss/latest`, gguf);
    addToOllamaStore(store, `${LIBRARY}/gpt-oss/20b`, gguf);
    addToOllamaStore(store, "registry.ollama.ai/somebody/tuned.model/q8_0", gguf);
    addToOllamaStore(store, "localhost:5000/team/own/latest", gguf);
    const names = [
      "gpt-oss",
      "gpt-oss:latest",
      "gpt-oss:20b",
      "library/gpt-oss:20b",
      "registry.ollama.ai/library/gpt-oss:20b",
      "somebody/tuned.model:q8_0",
      "localhost:5000/team/own",
    ];
    for (const name of names) expect(open(name)).toBe(blob);
  });

  test("a path of the same name goes before", () => {
    addToOllamaStore(store, `${LIBRARY}/tiny/latest`, gguf);
    vi.spyOn(process, "cwd").mockReturnValue(store);
    expect(open("tiny")).toContain("sha256-");
    mkdirSync(join(store, "tiny"));
    writeFileSync(join(store, "tiny", "model.gguf"), gguf);
    expect(open("tiny")).toBe(join(store, "tiny", "model.gguf"));
    vi.restoreAllMocks();
  });

  test("a store in the home directory is found without a word", () => {
    vi.stubEnv("OLLAMA_MODELS", undefined);
    vi.stubEnv("HOME", store);
    const { blob } = addToOllamaStore(
      join(store, ".ollama/models"),
      `${LIBRARY}/gpt-oss/20b`,
      gguf,
    );
    expect(open("gpt-oss:20b")).toBe(blob);
  });
});

describe("a name that leads nowhere", () => {
  test("is answered with the names that there are", () => {
    addToOllamaStore(store, `${LIBRARY}/gpt-oss/20b`, gguf);
    addToOllamaStore(store, "registry.ollama.ai/somebody/tuned/latest", gguf);
    addToOllamaStore(store, "hf.co/team/own/q4", gguf);
    expect(() => open("gpt-oss:120b")).toThrow(ModelNotFoundError);
    expect(() => open("gpt-oss:120b")).toThrow(
      `(there are: gpt-oss:20b, hf.co/team/own:q4, somebody/tuned:latest)`,
    );
  });

  test("without a store, says where one was looked for", () => {
    expect(() => open("gpt-oss:20b")).toThrow(`there are no models of Ollama in ${store}`);
  });

  test("never leaves the store", () => {
    addToOllamaStore(store, `${LIBRARY}/gpt-oss/20b`, gguf);
    // A manifest of an attacker, beside the manifests and above the store.
    addToOllamaStore(folder, "manifests/evil", gguf);
    const names = [
      "../../../../evil",
      "../evil:latest",
      "gpt-oss:../../../../evil",
      "..:latest",
      "a/../../b",
      "registry.ollama.ai/../library/gpt-oss:20b",
      "gpt-oss:20b/",
      "gpt-oss:20b:x",
      "a/b/c/d",
      "gpt oss",
      "gpt-oss\0",
      "",
    ];
    for (const name of names) {
      expect(() => open(name)).toThrow(ModelNotFoundError);
      expect(() => open(name)).not.toThrow(/no Ollama model of that name/);
    }
  });
});

describe("a model that is not whole", () => {
  const manifestWith = (layers: unknown): void => {
    mkdirSync(join(store, "manifests", LIBRARY, "gpt-oss"), { recursive: true });
    writeFileSync(
      join(store, "manifests", LIBRARY, "gpt-oss", "20b"),
      JSON.stringify({ schemaVersion: 2, layers }),
    );
  };
  const mediaType = "application/vnd.ollama.image.model";

  test("has no blob, or one of another size", () => {
    const { blob } = addToOllamaStore(store, `${LIBRARY}/gpt-oss/20b`, gguf);
    truncateSync(blob, gguf.length - 1);
    expect(() => open("gpt-oss:20b")).toThrow(CheckpointError);
    expect(() => open("gpt-oss:20b")).toThrow(
      `it has ${gguf.length - 1} bytes, but ${join(store, "manifests", LIBRARY, "gpt-oss/20b")} says ${gguf.length}`,
    );
    rmSync(blob);
    expect(() => open("gpt-oss:20b")).toThrow(
      /its weights, sha256-\w{64}, are not among the 0 files/,
    );
  });

  const broken: [string, unknown, RegExp][] = [
    ["no list of layers", undefined, /lists no layer of the type/],
    ["no weights among its layers", [null, 7, { mediaType: "text/plain" }], /lists no layer/],
    ["no digest", [{ mediaType }], /is no sha256/],
    ["a digest that is a path", [{ mediaType, digest: "sha256:../../evil" }], /is no sha256/],
    [
      "a digest of another kind",
      [{ mediaType, digest: `sha512:${"a".repeat(64)}` }],
      /is no sha256/,
    ],
  ];
  test.each(broken)("has %s", (_name, layers, message) => {
    manifestWith(layers);
    expect(() => open("gpt-oss:20b")).toThrow(CheckpointError);
    expect(() => open("gpt-oss:20b")).toThrow(message);
  });
});

describe("a folder with GGUF files", () => {
  test("is a model when there is one, and asks which when there are several", () => {
    const models = mkdtempSync(join(folder, "models-"));
    writeFileSync(join(models, "a.gguf"), gguf);
    expect(open(models)).toBe(join(models, "a.gguf"));
    writeFileSync(join(models, "b.gguf"), gguf);
    expect(() => open(models)).toThrow(/has 2 GGUF models \(a.gguf, b.gguf\); name one/);
  });
});
