/**
 * Models that other programs keep on this machine. Nothing of theirs is ever changed. What they list may be a link:
 * the hub's cache is made of links into its own `blobs`; one that leads elsewhere is passed over.
 */
import {
  type Dirent,
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
} from "node:fs";
import { homedir } from "node:os";
import { join, sep } from "node:path";
import { listOllamaModels, type OllamaModel } from "../checkpoint/ollama.ts";
import { variantOf } from "./huggingface.ts";
import { type ModelName, modelNameText, readModelName } from "./names.ts";

export type ModelKeeper = "ollama" | "huggingface" | "lmstudio";

export type FoundModel = {
  readonly name: ModelName;
  /** As a person writes it; `resolveModelName` takes it. */
  readonly text: string;
  readonly keeper: ModelKeeper;
  /** What `openCheckpoint` takes. @throws CheckpointError where the program has it, but not whole */
  path(): string;
};

/** A folder with more is listed in part. */
const MAX_ENTRIES = 10_000;
const MAX_REF_BYTES = 256;

/** Every model of Ollama, the Hugging Face hub's cache and LM Studio that this user can read. */
export function listFoundModels(env: NodeJS.ProcessEnv): readonly FoundModel[] {
  const home = env["HOME"] || homedir();
  const hub =
    env["HF_HUB_CACHE"] || join(env["HF_HOME"] || join(home, ".cache/huggingface"), "hub");
  const studio = [join(home, ".lmstudio/models"), join(home, ".cache/lm-studio/models")];
  return [
    ...listOllamaModels(env).map(ollamaModel),
    ...hubModels(hub),
    ...studio.flatMap(studioModels),
  ];
}

function ollamaModel(model: OllamaModel): FoundModel {
  const { host, namespace, model: base, tag } = model;
  const name: ModelName = {
    layout: "ollama",
    host,
    owner: namespace,
    model: base,
    tag,
    variant: undefined,
  };
  return { name, text: modelNameText(name), keeper: "ollama", path: () => model.weights() };
}

/** `models--OWNER--REPO/snapshots/COMMIT/…`, of the commits that `refs/` names. */
function hubModels(hub: string): FoundModel[] {
  return entriesOf(hub).flatMap((entry) => {
    const [, owner, repository] = /^models--(.+?)--(.+)$/.exec(entry.name) ?? [];
    if (owner === undefined || repository === undefined || !entry.isDirectory()) return [];
    const folder = join(hub, entry.name);
    return entriesOf(join(folder, "refs")).flatMap((ref) => {
      const commit = ref.isFile() ? commitOf(join(folder, "refs", ref.name)) : undefined;
      const name = readModelName(`${owner}/${repository}@${ref.name}`);
      if (commit === undefined || name === undefined) return [];
      return modelsIn(join(folder, "snapshots", commit), folder, name, "huggingface");
    });
  });
}

function commitOf(path: string): string | undefined {
  try {
    if (statSync(path).size > MAX_REF_BYTES) return undefined;
    const text = readFileSync(path, "utf8").trim();
    return /^[0-9a-f]{40}$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** `PUBLISHER/REPO/*.gguf` */
function studioModels(root: string): FoundModel[] {
  return entriesOf(root).flatMap((publisher) => {
    if (!publisher.isDirectory()) return [];
    return entriesOf(join(root, publisher.name)).flatMap((repository) => {
      const name = readModelName(`${publisher.name}/${repository.name}`);
      if (name === undefined || !repository.isDirectory()) return [];
      return modelsIn(join(root, publisher.name, repository.name), root, name, "lmstudio");
    });
  });
}

/** A folder is a model of safetensors, or has a model for each GGUF file. */
function modelsIn(
  folder: string,
  within: string,
  name: ModelName,
  keeper: ModelKeeper,
): FoundModel[] {
  const files = entriesOf(folder).map((entry) => entry.name);
  if (!files.every((file) => isInside(join(folder, file), within))) return [];
  const model = (variant: string | undefined, path: string): FoundModel => {
    const own = { ...name, variant };
    return { name: own, text: modelNameText(own), keeper, path: () => path };
  };
  const hasWeights =
    files.some((file) => file.endsWith(".safetensors")) ||
    entriesOf(join(folder, "original")).some((file) => file.name.endsWith(".safetensors"));
  if (hasWeights && files.includes("config.json")) return [model(undefined, folder)];
  const models = files.filter((file) =>
    /(?<!-\d{5}-of-\d{5})\.gguf$|-00001-of-\d{5}\.gguf$/.test(file),
  );
  return models.map((file) => {
    const stem = file.replace(/(?:-\d{5}-of-\d{5})?\.gguf$/, "");
    return model(models.length === 1 ? undefined : variantOf(stem), join(folder, file));
  });
}

function isInside(path: string, folder: string): boolean {
  if (!existsSync(path)) return false;
  return realpathSync(path).startsWith(realpathSync(folder) + sep);
}

/** None for a folder that is missing or cannot be read: these are others' folders. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).slice(0, MAX_ENTRIES);
  } catch {
    return [];
  }
}
