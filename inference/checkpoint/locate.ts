/** From a path, or the name of an Ollama model, to the files of a model. */

import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { CheckpointError, ModelNotFoundError } from "../errors.ts";
import { GGUF_MAGIC } from "./gguf.ts";
import { isManifestPath, readManifest, requireBlob } from "./manifest.ts";
import { findOllamaModel } from "./ollama.ts";
import { readJson } from "./read-json.ts";
import { reasonOf } from "./tensor-file.ts";

/** The weights' files, in the order of their names in the model, and for safetensors what lies beside them. */
export type Location =
  | ({
      readonly kind: "safetensors";
      /** For messages. */
      readonly folder: string;
      readonly files: readonly string[];
    } & CompanionFiles)
  | { readonly kind: "gguf"; readonly files: readonly string[] };

/** Paths of what describes safetensors. */
type CompanionFiles = {
  readonly config: string;
  readonly tokenizer: string | undefined;
  readonly generationConfig: string | undefined;
};

const CONFIG = "config.json";
const TOKENIZER = "tokenizer.json";
const GENERATION_CONFIG = "generation_config.json";
/** The published repositories keep the original layout in this subfolder. */
const ORIGINAL = "original";
const INDEX = "model.safetensors.index.json";
/** gpt-oss comes in at most 15 shards; its index lists some 700 names. */
const MAX_SHARDS = 1000;
const MAX_INDEX_BYTES = 4 << 20;
/** What every file system takes as a name. */
const MAX_NAME_BYTES = 255;

/**
 * @param model a folder (Hugging Face or original layout, with an `original/` subfolder, or with one
 *   GGUF model), a .safetensors file with config.json beside it, a GGUF file (any shard of several), the
 *   manifest of a stored model (`manifest.ts`), or, where no such path exists, the name of a model in an Ollama store
 * @throws ModelNotFoundError when there is none
 * @throws CheckpointError when some of its files are missing
 */
export function locateModel(model: string): Location {
  const absolute = resolve(model);
  const kind = kindOf(absolute, model);
  if (kind === "folder") return locateInFolder(absolute, model);
  if (kind === "file") return locateFile(absolute, model);
  return { kind: "gguf", files: [findOllamaModel(model)] };
}

function kindOf(absolute: string, model: string): "file" | "folder" | undefined {
  try {
    return statSync(absolute).isDirectory() ? "folder" : "file";
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new ModelNotFoundError(model, reasonOf(error), { cause: error });
  }
}

function locateFile(absolute: string, model: string): Location {
  if (isManifestPath(absolute)) return locateStored(absolute);
  if (!absolute.endsWith(".safetensors")) {
    if (!hasGgufMagic(absolute, model)) {
      throw new ModelNotFoundError(model, "the file is neither .safetensors nor GGUF");
    }
    return { kind: "gguf", files: shardsOfGguf(absolute) };
  }
  const folder = dirname(absolute);
  if (!existsSync(join(folder, CONFIG))) {
    throw new ModelNotFoundError(model, `there is no ${CONFIG} beside the file`);
  }
  return { kind: "safetensors", folder, files: [absolute], ...companionsIn(folder) };
}

/** Tokenizer and sampling defaults; those of an `original/` subfolder are one level up. */
function companionsIn(folder: string): CompanionFiles {
  const find = (name: string): string | undefined =>
    [join(folder, name), basename(folder) === ORIGINAL ? join(dirname(folder), name) : ""].find(
      (candidate) => candidate !== "" && existsSync(candidate),
    );
  return {
    config: join(folder, CONFIG),
    tokenizer: find(TOKENIZER),
    generationConfig: find(GENERATION_CONFIG),
  };
}

/** @throws CheckpointError for a manifest that lists no model, or files that are not there whole */
function locateStored(path: string): Location {
  const manifest = readManifest(path);
  const pathOf = (name: string): string | undefined => {
    const file = manifest.files.find((one) => one.name === name);
    return file && requireBlob(path, file);
  };
  const weights = manifest.files
    .filter(({ name }) => name.endsWith(manifest.format === "gguf" ? ".gguf" : ".safetensors"))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((file) => requireBlob(path, file));
  if (weights.length === 0) throw new CheckpointError(path, "it lists no weights.", "files");
  if (manifest.format === "gguf") return { kind: "gguf", files: weights };
  const config = pathOf(CONFIG);
  if (config === undefined) throw new CheckpointError(path, `it lists no ${CONFIG}.`, "files");
  return {
    kind: "safetensors",
    folder: path,
    files: weights,
    config,
    tokenizer: pathOf(TOKENIZER),
    generationConfig: pathOf(GENERATION_CONFIG),
  };
}

function locateInFolder(absolute: string, model: string): Location {
  for (const folder of [absolute, join(absolute, ORIGINAL)]) {
    if (!existsSync(join(folder, CONFIG))) continue;
    const files = weightsIn(folder);
    if (files.length > 0) return { kind: "safetensors", folder, files, ...companionsIn(folder) };
  }
  const names = readdirSync(absolute).filter((name) => name.endsWith(".gguf"));
  const models = new Set(names.map((name) => shardPattern(name)?.first ?? name));
  const [only, ...more] = models;
  if (only !== undefined && more.length === 0) {
    return { kind: "gguf", files: shardsOfGguf(join(absolute, only)) };
  }
  throw new ModelNotFoundError(model, describeFolder(absolute, [...models]));
}

function describeFolder(folder: string, models: readonly string[]): string {
  if (models.length > 0) {
    const shown = models.slice(0, 10).sort().join(", ");
    return `the folder has ${models.length} GGUF models (${shown}); name one of the files`;
  }
  return existsSync(join(folder, CONFIG))
    ? "the folder has no *.safetensors"
    : `the folder has no ${CONFIG} and no *.gguf`;
}

function hasGgufMagic(path: string, model: string): boolean {
  // Asked before opening: opening a pipe would wait for a writer.
  if (!statSync(path).isFile()) throw new ModelNotFoundError(model, "it is not a regular file");
  const bytes = new Uint8Array(4);
  try {
    const descriptor = openSync(path, "r");
    try {
      readSync(descriptor, bytes, 0, bytes.length, 0);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new ModelNotFoundError(model, reasonOf(error), { cause: error });
  }
  return new DataView(bytes.buffer).getUint32(0, true) === GGUF_MAGIC;
}

/** NAME-00002-of-00003.gguf → how to name each of them; undefined for a file that stands alone. */
function shardPattern(
  name: string,
): { readonly count: number; readonly first: string; nameOf(shard: number): string } | undefined {
  const [, stem, , of] = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/.exec(name) ?? [];
  if (stem === undefined || of === undefined) return undefined;
  const nameOf = (shard: number): string =>
    `${stem}-${String(shard).padStart(5, "0")}-of-${of}.gguf`;
  return { count: Number(of), first: nameOf(1), nameOf };
}

/** All shards of the model, the one with the metadata first. */
function shardsOfGguf(path: string): string[] {
  const pattern = shardPattern(basename(path));
  if (pattern === undefined) return [path];
  const { count, nameOf } = pattern;
  if (count < 1 || count > MAX_SHARDS) {
    throw new CheckpointError(path, `it is one of ${count} files; accepted: 1 … ${MAX_SHARDS}.`);
  }
  const files = Array.from({ length: count }, (_, i) => join(dirname(path), nameOf(i + 1)));
  requireAll(files, path);
  return files;
}

/** @param path says which files there are */
function requireAll(files: readonly string[], path: string): void {
  const missing = files.filter((file) => !existsSync(file)).map((file) => basename(file));
  if (missing.length === 0) return;
  const shown = missing.slice(0, 5).join(", ");
  throw new CheckpointError(
    path,
    `${missing.length} of its ${files.length} files are missing: ${shown}.`,
  );
}

/** The shards of the index if there is one, else every *.safetensors, as the original layout does. */
function weightsIn(folder: string): string[] {
  const index = join(folder, INDEX);
  const names = existsSync(index)
    ? shardsOf(readJson(index, MAX_INDEX_BYTES), index)
    : readdirSync(folder).filter((name) => name.endsWith(".safetensors"));
  if (names.length > MAX_SHARDS) {
    throw new CheckpointError(
      folder,
      `it has ${names.length} files of weights; accepted: at most ${MAX_SHARDS}.`,
    );
  }
  const files = names.sort().map((name) => join(folder, name));
  requireAll(files, index);
  return files;
}

/** { weight_map: { tensor: file } } → the files; only names inside the folder are followed. */
function shardsOf(index: unknown, path: string): string[] {
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== "object" || map === null) {
    throw new CheckpointError(path, "it has no weight_map.", "weight_map");
  }
  const shards = new Set<string>();
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== "string" || !isFileName(file) || !file.endsWith(".safetensors")) {
      throw new CheckpointError(
        path,
        `weight_map says that ${tensor.slice(0, 120)} is in something that is not the name of a ` +
          ".safetensors file beside it.",
        "weight_map",
      );
    }
    shards.add(file);
  }
  return [...shards];
}

/** Whether it stays in its folder, on every system. */
function isFileName(text: string): boolean {
  return /^[^/\\:\p{Cc}]+$/u.test(text) && Buffer.byteLength(text) <= MAX_NAME_BYTES;
}
