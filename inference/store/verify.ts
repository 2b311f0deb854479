/** Whether the files of models are what they were when they were pulled. */

import { realpathSync, statSync } from "node:fs";
import { basename } from "node:path";
import { locateModel } from "../checkpoint/locate.ts";
import { isSha256 } from "../checkpoint/manifest.ts";
import { hashFile } from "./hash-thread.ts";
import type { ModelStore, StoredModel } from "./model-store.ts";

export type FileCheck = {
  readonly name: string;
  readonly bytes: number;
  /** What it must be. */
  readonly sha256: string;
  /** What is wrong, as the end of a sentence; null when nothing is. */
  readonly problem: string | null;
};

export type VerifyOptions = {
  readonly signal: AbortSignal;
  /** Gets bytes of this file that were hashed. */
  readonly onProgress?: (file: string, done: number, total: number) => void;
};

/** Hashes every file of a pulled model anew. @throws the signal's reason */
export async function verifyFiles(
  store: ModelStore,
  { manifest }: StoredModel,
  watching: VerifyOptions,
): Promise<readonly FileCheck[]> {
  const checks: FileCheck[] = [];
  for (const { name, sha256, bytes } of manifest.files) {
    const path = store.blob(sha256);
    const found = store.blobBytes(sha256);
    const problem =
      found === undefined
        ? "its content is missing"
        : found === bytes
          ? await problemOf(path, name, sha256, bytes, watching)
          : `it has ${found} bytes instead of ${bytes}`;
    checks.push({ name, bytes, sha256, problem });
  }
  return checks;
}

/**
 * Hashes the weights of a model of another program, where that names its files by their hashes, as Ollama and the
 * Hugging Face hub do.
 * @param path of a model
 * @throws ModelNotFoundError, CheckpointError; the signal's reason
 */
export async function verifyFoundFiles(
  path: string,
  watching: VerifyOptions,
): Promise<readonly FileCheck[]> {
  const checks: FileCheck[] = [];
  for (const file of locateModel(path).files) {
    const target = realpathSync(file);
    const sha256 = basename(target).replace(/^sha256-/, "");
    if (!isSha256(sha256)) continue;
    const { size: bytes } = statSync(target);
    const name = basename(file);
    const problem = await problemOf(target, name, sha256, bytes, watching);
    checks.push({ name, bytes, sha256, problem });
  }
  return checks;
}

async function problemOf(
  path: string,
  name: string,
  sha256: string,
  bytes: number,
  { signal, onProgress = () => {} }: VerifyOptions,
): Promise<string | null> {
  const onHashed = (done: number): void => onProgress(name, done, bytes);
  const found = await hashFile(path, bytes, signal, onHashed).catch((error: unknown) => {
    signal.throwIfAborted();
    return error instanceof Error ? error : new Error(String(error));
  });
  if (typeof found !== "string") return `it cannot be read (${found.message})`;
  return found === sha256 ? null : `its SHA-256 is ${found}`;
}
