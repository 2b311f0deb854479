import { basename } from "node:path";
import { CheckpointError } from "../errors.ts";
import { parseConfig } from "./config.ts";
import type { Located } from "./finder.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { openGguf } from "./gguf.ts";
import { readArchitecture, readGgufConfig } from "./gguf-config.ts";
import { bindGgufRoles } from "./gguf-layout.ts";
import type { GgufMetadata } from "./gguf-metadata.ts";
import { readGgufVocabulary } from "./gguf-vocabulary.ts";
import { bindRoles } from "./layout.ts";
import { type Location, locateModel } from "./locate.ts";
import { readJson } from "./read-json.ts";
import { openSafetensors } from "./safetensors.ts";
import type { StoredEntry } from "./stored-entry.ts";
import type { TensorFile } from "./tensor-file.ts";
import type { Checkpoint, ModelFiles } from "./tensors.ts";

const MAX_CONFIG_BYTES = 1 << 20;

/**
 * Opens a checkpoint: reads and checks what describes it and every header, no weights.
 * @param model a folder, a file or a name: `locateModel` says which
 * @throws ModelNotFoundError when there is none
 * @throws UnsupportedArchitectureError when it is another kind of model
 * @throws CheckpointError when something in it is missing, cut short or of the wrong shape
 */
export function openCheckpoint(model: string): Checkpoint {
  const location = locateModel(model);
  const tensors = new TensorMap();
  try {
    return location.kind === "gguf"
      ? openGgufFiles(model, location.files, tensors)
      : openSafetensorsFiles(model, location, tensors);
  } catch (error) {
    tensors.close();
    throw error;
  }
}

function openSafetensorsFiles(
  path: string,
  location: Location & { readonly kind: "safetensors" },
  tensors: TensorMap,
): Checkpoint {
  const { folder, files, tokenizer, generationConfig } = location;
  const json = readJson(location.config, MAX_CONFIG_BYTES);
  for (const name of files) {
    const { file, entries } = openSafetensors(name);
    tensors.add(file, entries);
  }
  const config = parseConfig(json, location.config, (name) => tensors.rowsOf(name));
  const roles = bindRoles(config, tensors.byName, folder);
  const modelFiles: ModelFiles = { tokenizer, generationConfig, vocabulary: undefined };
  return { path, config, files: modelFiles, ...roles, ...tensors.facts };
}

/** @param files the one with the metadata first */
function openGgufFiles(path: string, files: readonly string[], tensors: TensorMap): Checkpoint {
  let first: GgufMetadata | undefined;
  for (const name of files) {
    const { file, entries, metadata } = openGguf(name);
    tensors.add(file, entries);
    first ??= metadata;
    checkShards(metadata, files.length);
  }
  if (first === undefined) throw new CheckpointError(path, "it has no files.");
  const architecture = readArchitecture(first);
  const embedding = tensors.byName.get("token_embd.weight");
  if (embedding === undefined) {
    throw new CheckpointError(
      path,
      "the tensor token_embd.weight is missing.",
      "token_embd.weight",
    );
  }
  const config = readGgufConfig(first, embedding.entry.shape[0] ?? 0, (name) =>
    tensors.rowsOf(name),
  );
  const roles = bindGgufRoles(config, architecture, tensors.byName, path);
  const modelFiles: ModelFiles = {
    tokenizer: undefined,
    generationConfig: undefined,
    vocabulary: readGgufVocabulary(first),
  };
  return { path, config, files: modelFiles, ...roles, ...tensors.facts };
}

/** A file says of how many it is one; on its own it would lack most of the model. */
function checkShards(metadata: GgufMetadata, files: number): void {
  const count = metadata.scalar("split.count") ?? 1;
  if (count === files || (count === 0 && files === 1)) return;
  throw new CheckpointError(
    metadata.path,
    `it is one of ${count} files, of which ${files} were found; accepted: all of them, under their ` +
      "names NAME-00001-of-00003.gguf.",
    "split.count",
  );
}

/** The tensors of all files. */
class TensorMap {
  readonly byName: Map<string, Located> = new Map();
  readonly #files: TensorFile[] = [];
  #byteLength = 0;
  #holders = 0;

  /** Takes over the file. @throws CheckpointError for a tensor that another file has, too */
  add(file: TensorFile, entries: readonly StoredEntry[]): void {
    this.#files.push(file);
    for (const entry of entries) {
      const twin = this.byName.get(entry.name);
      if (twin !== undefined) {
        throw new CheckpointError(
          file.path,
          `the tensor ${entry.name} is in ${basename(twin.file.path)}, too.`,
          entry.name,
        );
      }
      this.byName.set(entry.name, { entry, file });
      this.#byteLength += entry.byteLength;
    }
  }

  /** Rows of a matrix. */
  rowsOf(name: string): number | undefined {
    return this.byName.get(name)?.entry.shape[0];
  }

  get facts(): Pick<Checkpoint, "byteLength" | "close" | "retain" | "fingerprint"> {
    return {
      byteLength: this.#byteLength,
      close: this.retain(),
      retain: () => this.retain(),
      fingerprint: () => fingerprintOf(this.#files),
    };
  }

  /** Closes the files when the last holder calls what this returns. */
  retain(): () => void {
    this.#holders++;
    let held = true;
    return () => {
      if (held && --this.#holders === 0) this.close();
      held = false;
    };
  }

  close(): void {
    for (const file of this.#files) file.close();
  }
}
