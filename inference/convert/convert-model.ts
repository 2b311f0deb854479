/** A model written anew: as one GGUF file, or as a folder of safetensors. */

import { copyFileSync, existsSync, mkdirSync, statfsSync, writeFileSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { openCheckpoint } from "../checkpoint/open.ts";
import type { Checkpoint } from "../checkpoint/tensors.ts";
import type { ListedVocabulary } from "../checkpoint/vocabulary.ts";
import { formatBytes, InferenceError } from "../errors.ts";
import { ggufHeader, padded } from "./gguf-file.ts";
import type { OutputTensor } from "./output-tensor.ts";
import { safetensorsHeader } from "./safetensors-file.ts";
import { ggufContent } from "./to-gguf.ts";
import { huggingFaceConfig, safetensorsContent } from "./to-safetensors.ts";

export type ConvertOptions = {
  /** A file, or for safetensors a folder, which may exist and be empty of models. Nothing is written over. */
  readonly to: string;
  readonly format: "gguf" | "safetensors";
  /** Of the model, for people. */
  readonly name: string;
  /** The vocabulary in GPT-2's alphabet; it is written into a GGUF file. */
  readonly vocabulary: ListedVocabulary;
  /** Content of `tokenizer.json`, for safetensors. */
  readonly tokenizerJson: object;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
};

export type Converted = {
  readonly path: string;
  readonly bytes: number;
  readonly tensors: number;
  /** Layers whose experts were rounded to MXFP4; the others keep every bit. */
  readonly roundedLayers: number;
};

/** The place for a converted model is taken, too small or cannot be written. */
export class ConvertError extends InferenceError {
  static override readonly brand: string = "chorale.ConvertError";
  readonly code = "CHORALE_CONVERT";
}

/**
 * Experts become MXFP4, or stay so bit for bit. Everything else stays as it is, but that GGUF wants norms, biases
 * and the router in f32, and safetensors has no types of ggml, which become bf16.
 * @param path as for `openModel`
 * @throws ConvertError; CheckpointError, ModelNotFoundError, UnsupportedArchitectureError; the signal's reason
 */
export async function convertModel(path: string, options: ConvertOptions): Promise<Converted> {
  const checkpoint = openCheckpoint(path);
  try {
    return options.format === "gguf"
      ? await writeGguf(checkpoint, options)
      : await writeSafetensors(checkpoint, options);
  } finally {
    checkpoint.close();
  }
}

async function writeGguf(checkpoint: Checkpoint, options: ConvertOptions): Promise<Converted> {
  const to = resolve(options.to);
  refuseExisting(to);
  const { swigluLimit, swigluAlpha, layerTypes } = checkpoint.config;
  const alternates = layerTypes.every((type, layer) => (type === "sliding") === (layer % 2 === 0));
  if (swigluLimit !== 7 || swigluAlpha !== 1.702 || !alternates) {
    throw new ConvertError(
      `Cannot write ${to}: GGUF has no key for a limit of SwiGLU other than 7, or for layers that do not ` +
        `alternate; found a limit of ${swigluLimit}, ${alternates ? "alternating" : "other"} layers. ` +
        "Accepted: a folder, for safetensors.",
    );
  }
  const { metadata, tensors } = ggufContent(checkpoint, options.vocabulary, options.name);
  const header = ggufHeader(metadata, tensors);
  const bytes = await writeFile(to, header, tensors, padded, options);
  return { path: to, bytes, tensors: tensors.length, roundedLayers: roundedLayers(checkpoint) };
}

async function writeSafetensors(
  checkpoint: Checkpoint,
  options: ConvertOptions,
): Promise<Converted> {
  const folder = resolve(options.to);
  const file = join(folder, "model.safetensors");
  for (const name of [file, join(folder, "config.json"), join(folder, "tokenizer.json")]) {
    refuseExisting(name);
  }
  mkdirSync(folder, { recursive: true });
  const tensors = safetensorsContent(checkpoint);
  const header = safetensorsHeader(tensors);
  const bytes = await writeFile(file, header, tensors, (length) => length, options);
  const { generationConfig } = checkpoint.files;
  if (generationConfig !== undefined) {
    copyFileSync(generationConfig, join(folder, "generation_config.json"));
  }
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(options.tokenizerJson));
  // Last: without it the folder is no model.
  const config = JSON.stringify(huggingFaceConfig(checkpoint.config), null, 2);
  writeFileSync(join(folder, "config.json"), `${config}\n`);
  return { path: folder, bytes, tensors: tensors.length, roundedLayers: roundedLayers(checkpoint) };
}

function roundedLayers({ layers }: Checkpoint): number {
  return layers.filter(({ gateUp, down }) =>
    [gateUp, down].some(({ weights }) => weights.form === "dense"),
  ).length;
}

function refuseExisting(path: string): void {
  if (!existsSync(path)) return;
  throw new ConvertError(
    `Cannot write ${path}: there is something already. Accepted: a path where there is nothing.`,
  );
}

/**
 * Writes beside the target and renames it, so that a file under its name is whole.
 * @param room bytes that a tensor takes in the file
 * @returns the size of the file
 */
async function writeFile(
  path: string,
  header: Uint8Array,
  tensors: readonly OutputTensor[],
  room: (byteLength: number) => number,
  { signal, onProgress }: ConvertOptions,
): Promise<number> {
  const total = tensors.reduce((sum, { byteLength }) => sum + room(byteLength), header.length);
  const folder = dirname(path);
  requireDisk(folder, total);
  const temporary = join(folder, `.${basename(path)}.${process.pid}.tmp`);
  let file: FileHandle | undefined;
  try {
    file = await open(temporary, "wx", 0o644);
    let done = 0;
    const write = async (bytes: Uint8Array): Promise<void> => {
      await file?.appendFile(bytes);
      done += bytes.length;
      onProgress?.(done, total);
    };
    await write(header);
    for (const { byteLength, pieces } of tensors) {
      for (const piece of pieces()) {
        // Ctrl-C is heard between two of them.
        await setImmediate();
        signal?.throwIfAborted();
        await write(piece);
      }
      const gap = room(byteLength) - byteLength;
      if (gap > 0) await write(new Uint8Array(gap));
    }
    await file.sync();
    await file.close();
    file = undefined;
    await rename(temporary, path);
    return total;
  } catch (error) {
    await file?.close().catch(() => {});
    await rm(temporary, { force: true });
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (typeof code !== "string" || error instanceof InferenceError) throw error;
    throw new ConvertError(`Cannot write ${path}: ${(error as Error).message}.`, { cause: error });
  }
}

function requireDisk(folder: string, bytes: number): void {
  if (!existsSync(folder)) {
    throw new ConvertError(
      `Cannot write into ${folder}: there is no such folder. Accepted: a folder that exists.`,
    );
  }
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= bytes) return;
  throw new ConvertError(
    `Cannot write ${formatBytes(bytes)} into ${folder}: ${formatBytes(bavail * bsize)} are free.`,
  );
}
