/** Helpers of the checkpoint tests: folders that are copies of the tiny model, but for one thing. */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSafetensors } from "../../inference/checkpoint/safetensors.ts";
import type { StoredEntry } from "../../inference/checkpoint/stored-entry.ts";
import { encodeSafetensors, type RawTensor } from "../fixtures/safetensors-writer.ts";

export type Layout = "hf" | "original";

/** The fixture's folder of one layout. */
export function tinyModel(layout: Layout): string {
  return join(import.meta.dirname, "../fixtures/tiny-model", layout);
}

/** A temporary copy of the tiny model, removed at the end of the test. */
export class ModelCopy implements Disposable {
  readonly folder: string;

  constructor(layout: Layout) {
    this.folder = mkdtempSync(join(tmpdir(), "chorale-checkpoint-"));
    cpSync(tinyModel(layout), this.folder, { recursive: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Rewrites config.json. */
  config(change: (config: Record<string, unknown>) => unknown): void {
    const config: unknown = JSON.parse(readFileSync(this.path("config.json"), "utf8"));
    const changed = change(config as Record<string, unknown>);
    writeFileSync(this.path("config.json"), JSON.stringify(changed));
  }

  /** Rewrites model.safetensors. */
  tensors(change: (tensors: Map<string, RawTensor>) => void): void {
    const tensors = readTensors(this.path("model.safetensors"));
    change(tensors);
    writeFileSync(this.path("model.safetensors"), encodeSafetensors(tensors));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** All tensors of a file with their bytes. */
export function readTensors(path: string): Map<string, RawTensor> {
  const bytes = readFileSync(path);
  const { file, entries } = openSafetensors(path);
  file.close();
  return new Map(
    entries.map(({ name, dtype, shape, position, byteLength }) => [
      name,
      { dtype, shape, bytes: bytes.subarray(position, position + byteLength) },
    ]),
  );
}

/** Opens bytes as a safetensors file. */
export function openBytes(bytes: Uint8Array): { entries: StoredEntry[]; close: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "chorale-safetensors-"));
  try {
    writeFileSync(join(folder, "x.safetensors"), bytes);
    const { file, entries } = openSafetensors(join(folder, "x.safetensors"));
    return { entries, close: () => file.close() };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
