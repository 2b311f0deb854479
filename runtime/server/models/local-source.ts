/** Models that are named when the server is started. */
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { basename, extname } from "node:path";
import { inspectModel } from "../../../inference/index.ts";
import type { HarmonyModel } from "../../index.ts";
import { findByName, type ModelFacts, type ModelSource, type OpenOptions } from "./model-source.ts";

export type NamedModel = {
  /** As for `loadModel`; undefined: the embedded one. */
  readonly path: string | undefined;
  /** Default: the name of its folder or file. */
  readonly name?: string | undefined;
};

export type LocalSourceOptions = {
  readonly models: readonly NamedModel[];
  /** Tokens that a model is opened with where nobody asks for more; null: the engine's own default. */
  readonly contextLength: number | null;
  readonly open: (path: string | undefined, options: OpenOptions) => Promise<HarmonyModel>;
};

/** What the engine takes where nothing is said. */
const ENGINE_CONTEXT = 16_384;

/** @throws InferenceError for a path that holds no model */
export function localSource({ models, contextLength, open }: LocalSourceOptions): ModelSource {
  const paths = new Map<string, string | undefined>();
  const list = models.map((named) => {
    const facts = factsOf(named);
    paths.set(facts.name, named.path);
    return facts;
  });
  return {
    list: async () => list,
    find: async (name) => findByName(list, name),
    defaultContext: (facts) => Math.min(facts.contextLength, contextLength ?? ENGINE_CONTEXT),
    open: (facts, options) => open(paths.get(facts.name), options),
  };
}

function factsOf({ path, name }: NamedModel): ModelFacts {
  const facts = inspectModel(path);
  const { parameters, byteLength, fingerprint, contextLength, hidden } = facts;
  const isFile = path !== undefined && extname(path) === ".gguf";
  return {
    name: name ?? nameOf(path),
    aliases: path === undefined ? [] : [path],
    modifiedAt: modifiedAt(path),
    size: byteLength,
    // Clients want a digest of 64 digits; which weights it has is known by fewer.
    digest: createHash("sha256").update(fingerprint).digest("hex"),
    architecture: "gptoss",
    format: isFile ? "gguf" : "safetensors",
    parameterSize: sizeText(parameters),
    parameterCount: parameters,
    quantization: "MXFP4",
    contextLength,
    embeddingLength: hidden,
    sampling: {},
    license: null,
  };
}

function nameOf(path: string | undefined): string {
  if (path === undefined) return "chorale-demo";
  return basename(path).replace(/\.(?:gguf|safetensors)$/i, "") || path;
}

/** Of a name in a store, which is no path: the time of the server's start. */
function modifiedAt(path: string | undefined): number {
  const stat = statSync(path ?? "", { throwIfNoEntry: false });
  return stat?.mtimeMs ?? Date.now();
}

/** `20.9B`, `117M`. */
function sizeText(parameters: number): string {
  const [unit, name] = parameters >= 1e9 ? [1e9, "B"] : parameters >= 1e6 ? [1e6, "M"] : [1e3, "K"];
  return `${(parameters / unit).toFixed(1)}${name}`;
}
