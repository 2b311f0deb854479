/**
 * Models in an Ollama store, by name. A store has one manifest per name and tag, and the files that
 * manifests list as blobs named after their digest:
 *
 *     manifests/registry.ollama.ai/library/gpt-oss/20b
 *     blobs/sha256-b112e727c6f1…
 *
 * Names become paths, so every part of one is held against a pattern that has no way up; and a
 * manifest or a blob that is a link to somewhere else is refused. The folders themselves may be links:
 * people move their models to another disk.
 */

import { type Dirent, existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, sep } from "node:path";
import { CheckpointError, ModelNotFoundError } from "../errors.ts";
import { readJson } from "./read-json.ts";

const DEFAULT_HOST = "registry.ollama.ai";
const DEFAULT_NAMESPACE = "library";
const DEFAULT_TAG = "latest";
const MODEL_LAYER = "application/vnd.ollama.image.model";

const PART = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const HOST = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(:\d{1,5})?$/;
const DIGEST = /^sha256:([0-9a-f]{64})$/;

const MAX_MANIFEST_BYTES = 1 << 20;
/** A store with more is listed in part. */
const MAX_ENTRIES = 10_000;
const MAX_LISTED = 20;

/** host, namespace, model, tag: the path of a manifest below `manifests/`. */
type OllamaName = readonly [string, string, string, string];

/** Stores that exist on this machine: the one of OLLAMA_MODELS, or else the user's and the service's. */
function stores(env: NodeJS.ProcessEnv): {
  readonly found: readonly string[];
  readonly looked: readonly string[];
} {
  const chosen = env["OLLAMA_MODELS"];
  const looked = chosen
    ? [chosen]
    : [join(env["HOME"] || homedir(), ".ollama", "models"), "/usr/share/ollama/.ollama/models"];
  return { found: looked.filter((store) => existsSync(join(store, "manifests"))), looked };
}

/**
 * Path of the GGUF file of a model.
 * @param text `gpt-oss:20b`, `namespace/name:tag`, `host/namespace/name`
 * @throws ModelNotFoundError when no store has it, or it is no name
 * @throws CheckpointError when the store has it, but not whole
 */
export function findOllamaModel(text: string): string {
  const nothing = "there is nothing at this path";
  const name = parseName(text);
  if (name === undefined) throw new ModelNotFoundError(text, nothing);
  const { found, looked } = stores(process.env);
  if (found.length === 0) {
    throw new ModelNotFoundError(
      text,
      `${nothing}, and there are no models of Ollama in ${looked.join(" or ")}`,
    );
  }
  for (const store of found) {
    const manifest = join(store, "manifests", ...name);
    if (!existsSync(manifest)) continue;
    requireInside(manifest, join(store, "manifests"));
    return weightsOf(manifest, store);
  }
  const models = found.flatMap((store) => manifestsIn(store).map(nameText)).sort();
  const shown = models.slice(0, MAX_LISTED).join(", ");
  const list = models.length === 0 ? "there are none" : `there are: ${shown}`;
  throw new ModelNotFoundError(
    text,
    `${nothing}, and no Ollama model of that name in ${found.join(" or ")} (${list})`,
  );
}

/** Undefined for what cannot be a name. */
function parseName(text: string): OllamaName | undefined {
  const parts = text.split("/");
  const [model = "", tag = DEFAULT_TAG, ...rest] = (parts.pop() ?? "").split(":");
  const namespace = parts.pop() ?? DEFAULT_NAMESPACE;
  const host = parts.pop() ?? DEFAULT_HOST;
  const valid =
    parts.length === 0 &&
    rest.length === 0 &&
    HOST.test(host) &&
    [namespace, model, tag].every((part) => PART.test(part));
  return valid ? [host, namespace, model, tag] : undefined;
}

/** The blob of weights that a manifest lists, held against the size it states. */
function weightsOf(manifest: string, store: string): string {
  const json = readJson(manifest, MAX_MANIFEST_BYTES) as { layers?: unknown } | null;
  const layers: readonly unknown[] = Array.isArray(json?.layers) ? json.layers : [];
  const layer = layers.find(
    (entry) => (entry as { mediaType?: unknown } | null)?.mediaType === MODEL_LAYER,
  ) as { readonly digest?: unknown; readonly size?: unknown } | undefined;
  if (layer === undefined) {
    throw new CheckpointError(manifest, `it lists no layer of the type ${MODEL_LAYER}.`, "layers");
  }
  const hash = typeof layer.digest === "string" ? DIGEST.exec(layer.digest)?.[1] : undefined;
  if (hash === undefined) {
    throw new CheckpointError(manifest, "the digest of its weights is no sha256.", "digest");
  }
  const blobs = join(store, "blobs");
  const blob = join(blobs, `sha256-${hash}`);
  if (!existsSync(blob)) {
    const count = existsSync(blobs) ? readdirSync(blobs).length : 0;
    throw new CheckpointError(
      manifest,
      `its weights, sha256-${hash}, are not among the ${count} files of ${blobs}; pull the model again.`,
      "digest",
    );
  }
  requireInside(blob, blobs);
  const { size } = statSync(blob);
  if (typeof layer.size === "number" && layer.size !== size) {
    throw new CheckpointError(
      blob,
      `it has ${size} bytes, but ${manifest} says ${layer.size}; pull the model again.`,
      "size",
    );
  }
  return blob;
}

/** @throws CheckpointError when a file of the store is a link that leads out of `folder` */
function requireInside(file: string, folder: string): void {
  const target = realpathSync(file);
  if (target.startsWith(realpathSync(folder) + sep)) return;
  throw new CheckpointError(
    file,
    `it is a link to ${target}, outside of ${folder}; name that file instead.`,
  );
}

/** A model in a store of Ollama. */
export type OllamaModel = {
  readonly host: string;
  readonly namespace: string;
  readonly model: string;
  readonly tag: string;
  /** Path of its manifest. */
  readonly manifest: string;
  /** Path of its weights, a GGUF file. @throws CheckpointError when the store does not have them whole */
  weights(): string;
};

/** Every model in the stores of Ollama on this machine, whole or not. */
export function listOllamaModels(env: NodeJS.ProcessEnv): readonly OllamaModel[] {
  return stores(env).found.flatMap((store) =>
    manifestsIn(store).map((name): OllamaModel => {
      const [host, namespace, model, tag] = name;
      const manifest = join(store, "manifests", ...name);
      const weights = (): string => {
        requireInside(manifest, join(store, "manifests"));
        return weightsOf(manifest, store);
      };
      return { host, namespace, model, tag, manifest, weights };
    }),
  );
}

function nameText([host, namespace, model, tag]: OllamaName): string {
  const isDefault = host === DEFAULT_HOST;
  const isLibrary = isDefault && namespace === DEFAULT_NAMESPACE;
  const prefix = [...(isDefault ? [] : [host]), ...(isLibrary ? [] : [namespace])];
  return [...prefix, `${model}:${tag}`].join("/");
}

function manifestsIn(store: string): readonly OllamaName[] {
  const names: OllamaName[] = [];
  let left = MAX_ENTRIES;
  const list = (folder: string, parts: readonly string[]): void => {
    for (const entry of entriesOf(folder)) {
      if (left-- <= 0) return;
      const path = [...parts, entry.name];
      // Links are not followed: they may lead in a circle, or to all files there are.
      if (path.length < 4 && entry.isDirectory()) list(join(folder, entry.name), path);
      if (path.length < 4 || !entry.isFile()) continue;
      const [host = "", namespace = "", model = "", tag = ""] = path;
      if (parseName(`${host}/${namespace}/${model}:${tag}`) === undefined) continue;
      names.push([host, namespace, model, tag]);
    }
  };
  list(join(store, "manifests"), []);
  return names;
}

/** None for a folder that cannot be read: this is only about what to suggest. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
