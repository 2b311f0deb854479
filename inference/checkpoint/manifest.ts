/**
 * Manifests of stored models: which files a model consists of, each under the hash of its content. They lie in the
 * store of `inference/store/`, beside the blobs:
 *
 *     manifests/huggingface.co/openai/gpt-oss-20b/main.json
 *     blobs/sha256-b112e727c6f1…
 *
 * A manifest may have been changed by anyone who may write the folder: its names and digests are held against
 * patterns that have no way out of the store, and links are not followed.
 */
import { lstatSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { CheckpointError } from "../errors.ts";
import { readJson } from "./read-json.ts";

/** A file of a model; its content is the blob of that hash. */
export type ManifestFile = {
  /** As the model calls it: `config.json`, `model-00001-of-00002.safetensors`. */
  readonly name: string;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
  readonly bytes: number;
};

/** Where a model came from. */
export type ManifestSource = {
  /** Which URL layout the registry has. */
  readonly layout: "huggingface" | "ollama";
  /** Without the path: `https://huggingface.co`. */
  readonly endpoint: string;
  /** `openai/gpt-oss-20b`, `library/gpt-oss` */
  readonly repository: string;
  /** What was asked for: a branch, a tag. */
  readonly revision: string;
  /** What that stood for: a commit; null where the registry does not say. */
  readonly commit: string | null;
};

export type ModelManifest = {
  readonly schema: 1;
  /** As a person writes it. */
  readonly name: string;
  readonly format: "safetensors" | "gguf";
  readonly source: ManifestSource;
  /** As the registry calls it (`apache-2.0`); null where it does not say. */
  readonly license: string | null;
  /** Which content this is, under any name: 64 hexadecimal digits. */
  readonly digest: string;
  /** ISO 8601. */
  readonly pulledAt: string;
  readonly files: readonly ManifestFile[];
};

const SHA256 = /^[0-9a-f]{64}$/;
/** A name of a file without folders. */
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,254}$/;
const MAX_MANIFEST_BYTES = 1 << 20;
const MAX_FILES = 1000;
/** Of a model: host, owner, model, tag. */
const DEPTH = 4;

export function isSha256(text: unknown): text is string {
  return typeof text === "string" && SHA256.test(text);
}

/** Whether a file may be called so in a manifest. */
export function isManifestFileName(text: unknown): text is string {
  return typeof text === "string" && FILE_NAME.test(text);
}

/** Whether a file lies where the manifests of a store do. */
export function isManifestPath(path: string): boolean {
  return path.endsWith(".json") && basename(storePath(path, DEPTH)) === "manifests";
}

function storePath(manifest: string, levels: number): string {
  let folder = resolve(manifest);
  for (let i = 0; i < levels; i++) folder = dirname(folder);
  return folder;
}

/** Path of a blob in the store at `root`. */
export function blobPath(root: string, sha256: string): string {
  return join(root, "blobs", `sha256-${sha256}`);
}

/** @throws CheckpointError for one that is not of its form */
export function readManifest(path: string): ModelManifest {
  const json = readJson(path, MAX_MANIFEST_BYTES) as Partial<ModelManifest> | null;
  const problem = problemOf(json);
  if (problem !== null) throw new CheckpointError(path, `as a manifest, ${problem}.`, "manifest");
  return json as ModelManifest;
}

function problemOf(json: Partial<ModelManifest> | null): string | null {
  if (typeof json !== "object" || json === null || json.schema !== 1) {
    return "its schema is not 1, the only one that is known";
  }
  const { name, format, source, license, digest, pulledAt, files } = json;
  if (typeof name !== "string" || typeof pulledAt !== "string") return "it has no name or time";
  if (format !== "safetensors" && format !== "gguf") return "its format is not known";
  if (license !== null && typeof license !== "string") return "its license is no text";
  if (!isSha256(digest)) return "its digest is no SHA-256";
  if (typeof source !== "object" || source === null) return "it has no source";
  if (!Array.isArray(files) || files.length > MAX_FILES) return "it has no list of files";
  const names = new Set<string>();
  for (const file of files as readonly (Partial<ManifestFile> | null)[]) {
    const isFile =
      isManifestFileName(file?.name) &&
      isSha256(file?.sha256) &&
      Number.isSafeInteger(file?.bytes) &&
      Number(file?.bytes) >= 0;
    if (!isFile || names.has(file?.name ?? "")) return "an entry of its files is not of its form";
    names.add(file?.name ?? "");
  }
  return null;
}

/**
 * Path of a file's blob, which is there with the right size.
 * @param manifest path of the manifest
 * @throws CheckpointError
 */
export function requireBlob(manifest: string, { name, sha256, bytes }: ManifestFile): string {
  const path = blobPath(storePath(manifest, DEPTH + 1), sha256);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isFile() && found.size === bytes) return path;
  const what =
    found === undefined
      ? "is missing"
      : found.isFile()
        ? `has ${found.size} bytes instead of ${bytes}`
        : "is no regular file";
  throw new CheckpointError(
    path,
    `the content of ${name} ${what}; pull the model again (chorale pull).`,
    name,
  );
}
