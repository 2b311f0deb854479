/** The JSON around the weights comes from strangers, too: manifests, indexes, configs. */

import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parseConfig } from "../../inference/checkpoint/config.ts";
import { readGenerationDefaults } from "../../inference/checkpoint/generation-config.ts";
import { locateModel } from "../../inference/checkpoint/locate.ts";
import { readJson } from "../../inference/checkpoint/read-json.ts";
import { CheckpointError, InferenceError, ModelNotFoundError } from "../../inference/errors.ts";
import { addToOllamaStore } from "../fixtures/make-gguf-model.ts";
import { openFiles } from "../fixtures/open-files.ts";
import { tinyModel } from "./broken-checkpoints.ts";
import { documentMutations, FILE_FUZZ, FUZZ_TIMEOUT } from "./hostile-headers.ts";

const LIBRARY = "registry.ollama.ai/library";
/** Longer messages would carry what a stranger wrote. */
const MAX_MESSAGE = 1000;

let folder = "";
let store = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chorale-documents-"));
  store = join(folder, "store");
  vi.stubEnv("OLLAMA_MODELS", store);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** What it gives; undefined when it is refused, which must be in few words. */
function orRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    expect(error).toBeInstanceOf(InferenceError);
    expect((error as Error).message.length).toBeLessThan(MAX_MESSAGE);
    return undefined;
  }
}

const filesOf = (model: string): readonly string[] => locateModel(model).files;

describe("an Ollama store", () => {
  const GGUF = Buffer.from("not read here");

  test("may be moved by a link, but nothing in it leads out by one", () => {
    const { blob, manifest } = addToOllamaStore(store, `${LIBRARY}/m/latest`, GGUF);
    const elsewhere = join(folder, "elsewhere");
    renameSync(join(store, "blobs"), elsewhere);
    symlinkSync(elsewhere, join(store, "blobs"));
    expect(filesOf("m")).toEqual([blob]);

    const secret = join(folder, "secret");
    renameSync(blob, secret);
    symlinkSync(secret, blob);
    expect(() => filesOf("m")).toThrow(CheckpointError);
    expect(() => filesOf("m")).toThrow(`it is a link to ${secret}, outside of`);
    rmSync(blob);
    renameSync(secret, blob);
    expect(filesOf("m")).toEqual([blob]);

    const foreign = join(folder, "manifest");
    renameSync(manifest, foreign);
    symlinkSync(foreign, manifest);
    expect(() => filesOf("m")).toThrow(`it is a link to ${foreign}, outside of`);
  });

  test("whose links lead in circles, and whose names are none, is listed all the same", () => {
    addToOllamaStore(store, `${LIBRARY}/m/latest`, GGUF);
    addToOllamaStore(store, `${LIBRARY}/m/\u001b[2J`, GGUF);
    addToOllamaStore(store, `${LIBRARY}/m/too/deep`, GGUF);
    for (const name of ["a", "b", "c"]) symlinkSync(".", join(store, "manifests", name));
    symlinkSync("/", join(store, "manifests", LIBRARY, "root"));
    expect(() => filesOf("other")).toThrow("(there are: m:latest)");
  });

  test("a manifest that is a pipe, a folder or too large is not read", () => {
    const { manifest } = addToOllamaStore(store, `${LIBRARY}/m/latest`, GGUF);
    truncateSync(manifest, 2 ** 40);
    expect(() => filesOf("m")).toThrow(/has 1099511627776 bytes; accepted: at most 1048576/);
    rmSync(manifest);
    execFileSync("mkfifo", [manifest]);
    expect(() => filesOf("m")).toThrow("not a regular file");
    rmSync(manifest);
    mkdirSync(manifest);
    expect(() => filesOf("m")).toThrow("not a regular file");
  });

  test("a manifest that nests deep is not parsed", () => {
    const { manifest } = addToOllamaStore(store, `${LIBRARY}/m/latest`, GGUF);
    writeFileSync(manifest, "[".repeat(1 << 20));
    expect(() => filesOf("m")).toThrow("nests deeper than 32 levels");
  });

  test(
    "whatever happens to a manifest, it gives the blob it names or is refused",
    () => {
      const { blob, manifest } = addToOllamaStore(store, `${LIBRARY}/m/latest`, GGUF);
      // What a path that escaped would find.
      for (const path of [
        join(folder, "evil"),
        join(store, "evil"),
        join(store, "blobs", "evil"),
      ]) {
        writeFileSync(path, GGUF);
      }
      const config = { mediaType: "application/vnd.docker.container.image.v1+json", size: 5 };
      const document = { ...(readJson(manifest, 1 << 20) as object), config };
      let found = 0;
      fc.assert(
        fc.property(documentMutations(document), (bytes) => {
          writeFileSync(manifest, bytes);
          const files = orRefused(() => filesOf("m"));
          if (files === undefined) return;
          expect(files).toEqual([blob]);
          found++;
        }),
        FILE_FUZZ,
      );
      expect(found).toBeGreaterThan(0);
      expect(openFiles(folder)).toEqual([]);
    },
    FUZZ_TIMEOUT,
  );
});

describe("an index of shards", () => {
  const write = (name: string, content: unknown): void =>
    writeFileSync(join(folder, name), JSON.stringify(content));
  const index = (weight_map: unknown): void =>
    write("model.safetensors.index.json", { metadata: { total_size: 8 }, weight_map });

  beforeEach(() => {
    write("config.json", {});
    for (const name of ["one", "two"]) write(`${name}.safetensors`, {});
  });

  test("names files beside it, and all of them are there", () => {
    index({ a: "two.safetensors", b: "one.safetensors", c: "two.safetensors" });
    const expected = ["one", "two"].map((name) => join(folder, `${name}.safetensors`));
    expect(filesOf(folder)).toEqual(expected);
    index({ a: "two.safetensors", b: "three.safetensors" });
    expect(() => filesOf(folder)).toThrow(/1 of its 2 files are missing: three.safetensors/);
  });

  test.each([
    ["the folder above", "../one.safetensors"],
    ["a folder within", "a/one.safetensors"],
    ["the root", "/one.safetensors"],
    ["the way up of another system", "..\\one.safetensors"],
    ["a drive of another system", "C:one.safetensors"],
    ["a name that ends early", "one.safetensors\0.safetensors"],
    ["a name for no file system", `${"n".repeat(300)}.safetensors`],
    ["another kind of file", "config.json"],
    ["a number", 7],
    ["nothing", null],
  ])("%s is not followed", (_name, shard) => {
    index({ a: "one.safetensors", b: shard });
    expect(() => filesOf(folder)).toThrow(CheckpointError);
    expect(() => filesOf(folder)).toThrow(/that b is in something that is not the name of/);
  });

  test("too large or too deep is not parsed; too many shards are not looked for", () => {
    const path = join(folder, "model.safetensors.index.json");
    writeFileSync(path, `{"weight_map":${"[".repeat(1000)}`);
    expect(() => filesOf(folder)).toThrow("nests deeper than 32 levels");
    truncateSync(path, 2 ** 40);
    expect(() => filesOf(folder)).toThrow(/accepted: at most 4194304/);
    const names = Array.from({ length: 1001 }, (_, i) => [`t${i}`, `${i}.safetensors`]);
    index(Object.fromEntries(names));
    expect(() => filesOf(folder)).toThrow(/1001 files of weights; accepted: at most 1000/);
  });

  test(
    "whatever happens to it, it gives files of its folder or is refused",
    () => {
      const names = Array.from({ length: 6 }, (_, i) => [`t${i}`, i < 3 ? "one" : "two"]);
      const weight_map = Object.fromEntries(names.map(([t, name]) => [t, `${name}.safetensors`]));
      const path = join(folder, "model.safetensors.index.json");
      let found = 0;
      fc.assert(
        fc.property(documentMutations({ metadata: { total_size: 8 }, weight_map }), (bytes) => {
          writeFileSync(path, bytes);
          const files = orRefused(() => filesOf(folder));
          for (const file of files ?? []) expect(dirname(file)).toBe(folder);
          if (files !== undefined) found++;
        }),
        FILE_FUZZ,
      );
      expect(found).toBeGreaterThan(0);
      expect(openFiles(folder)).toEqual([]);
    },
    FUZZ_TIMEOUT,
  );
});

describe("the files beside the weights", () => {
  test("that are pipes or too large are not read", () => {
    const path = join(folder, "config.json");
    execFileSync("mkfifo", [path]);
    expect(() => readJson(path, 10)).toThrow(ModelNotFoundError);
    rmSync(path);
    writeFileSync(path, "");
    truncateSync(path, 2 ** 40);
    expect(() => readGenerationDefaults(path)).toThrow(/accepted: at most 1048576/);
  });

  test.each([
    [
      "config.json",
      () => JSON.parse(readFileSync(join(tinyModel("hf"), "config.json"), "utf8")) as unknown,
      (path: string): unknown => parseConfig(readJson(path, 1 << 20), path),
    ],
    [
      "generation_config.json",
      () => ({ do_sample: true, temperature: 1, top_k: 4, eos_token_id: [9, 7], min_p: 0.1 }),
      readGenerationDefaults,
    ],
  ])(
    "whatever happens to a %s, it is read or refused",
    (name, document, read) => {
      const path = join(folder, name);
      let good = 0;
      fc.assert(
        fc.property(documentMutations(document()), (bytes) => {
          writeFileSync(path, bytes);
          if (orRefused(() => read(path)) !== undefined) good++;
        }),
        FILE_FUZZ,
      );
      expect(good).toBeGreaterThan(0);
      expect(openFiles(folder)).toEqual([]);
    },
    FUZZ_TIMEOUT,
  );
});
