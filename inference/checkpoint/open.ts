import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { CheckpointError, ModelNotFoundError } from "../errors.ts";
import { parseConfig } from "./config.ts";
import { bindRoles, type Located } from "./layout.ts";
import { openSafetensors } from "./safetensors.ts";
import { reasonOf, TensorFile } from "./tensor-file.ts";
import type { Checkpoint, ModelFiles } from "./tensors.ts";

const CONFIG = "config.json";
const INDEX = "model.safetensors.index.json";
/** The published repositories keep the original layout in this subfolder. */
const ORIGINAL = "original";
/** gpt-oss comes in at most 15 shards; its index lists some 700 names. */
const MAX_SHARDS = 1000;
const MAX_CONFIG_BYTES = 1 << 20;
const MAX_INDEX_BYTES = 16 << 20;

/**
 * Opens a checkpoint: reads and checks config.json and every header, no weights.
 * @param path a folder (Hugging Face or original layout, or with an `original/` subfolder), or one
 *   .safetensors file with config.json beside it
 * @throws ModelNotFoundError when there is none
 * @throws UnsupportedArchitectureError when it is another kind of model
 * @throws CheckpointError when something in it is missing, cut short or of the wrong shape
 */
export function openCheckpoint(path: string): Checkpoint {
  const { folder, weights } = locateWeights(path);
  const config = parseConfig(
    readJson(join(folder, CONFIG), MAX_CONFIG_BYTES),
    join(folder, CONFIG),
  );
  const files: TensorFile[] = [];
  const close = (): void => {
    for (const file of files) file.close();
  };
  try {
    const tensors = new Map<string, Located>();
    let byteLength = 0;
    for (const name of weights) {
      const { file, entries } = openSafetensors(name);
      files.push(file);
      for (const entry of entries) {
        const twin = tensors.get(entry.name);
        if (twin !== undefined) {
          throw new CheckpointError(
            file.path,
            `the tensor ${entry.name} is in ${basename(twin.file.path)}, too.`,
            entry.name,
          );
        }
        tensors.set(entry.name, { entry, file });
        byteLength += entry.byteLength;
      }
    }
    const roles = bindRoles(config, tensors, folder);
    return { path, config, files: modelFiles(folder), byteLength, ...roles, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** The folder with config.json, and the files of weights that belong to it. */
function locateWeights(path: string): { folder: string; weights: string[] } {
  const absolute = resolve(path);
  const kind = kindOf(absolute, path);
  if (kind === "file") {
    if (!absolute.endsWith(".safetensors")) {
      throw new ModelNotFoundError(path, "the file does not end in .safetensors");
    }
    const folder = dirname(absolute);
    if (!existsSync(join(folder, CONFIG))) {
      throw new ModelNotFoundError(path, `there is no ${CONFIG} beside the file`);
    }
    return { folder, weights: [absolute] };
  }
  for (const folder of [absolute, join(absolute, ORIGINAL)]) {
    if (!existsSync(join(folder, CONFIG))) continue;
    const weights = weightsIn(folder);
    if (weights.length > 0) return { folder, weights };
  }
  const found = existsSync(join(absolute, CONFIG))
    ? "the folder has no *.safetensors"
    : `the folder has no ${CONFIG}`;
  throw new ModelNotFoundError(path, found);
}

function kindOf(absolute: string, path: string): "file" | "folder" {
  try {
    return statSync(absolute).isDirectory() ? "folder" : "file";
  } catch (error) {
    throw new ModelNotFoundError(path, reasonOf(error), { cause: error });
  }
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
  return names.sort().map((name) => join(folder, name));
}

/** { weight_map: { tensor: file } } → the files; only names inside the folder are followed. */
function shardsOf(index: unknown, path: string): string[] {
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== "object" || map === null) {
    throw new CheckpointError(path, "it has no weight_map.", "weight_map");
  }
  const shards = new Set<string>();
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== "string" || basename(file) !== file || !file.endsWith(".safetensors")) {
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

/** Tokenizer and sampling defaults; those of an `original/` subfolder are one level up. */
function modelFiles(folder: string): ModelFiles {
  const find = (name: string): string | undefined =>
    [join(folder, name), basename(folder) === ORIGINAL ? join(dirname(folder), name) : ""].find(
      (candidate) => candidate !== "" && existsSync(candidate),
    );
  return {
    tokenizer: find("tokenizer.json"),
    generationConfig: find("generation_config.json"),
    vocabulary: undefined,
  };
}

/**
 * Reads a JSON file of bounded size.
 * @throws ModelNotFoundError, CheckpointError
 */
export function readJson(path: string, maxBytes: number): unknown {
  const file = new TensorFile(path);
  try {
    if (file.byteLength > maxBytes) {
      throw new CheckpointError(
        path,
        `the file has ${file.byteLength} bytes; accepted: at most ${maxBytes}.`,
      );
    }
    const bytes = new Uint8Array(file.byteLength);
    file.readInto(bytes, 0, "the file");
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) {
      throw new CheckpointError(path, "it is not JSON.", undefined, { cause: error });
    }
    throw error;
  } finally {
    file.close();
  }
}
