import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type GenerationDefaults, readGenerationDefaults } from "./checkpoint/generation-config.ts";
import { openCheckpoint } from "./checkpoint/open.ts";
import type { ListedVocabulary } from "./checkpoint/vocabulary.ts";
import type { TokenEngine } from "./engine.ts";
import type { OpenModelOptions } from "./local/local-engine.ts";

/** The folder of the embedded model, which is opened when no other is named. */
export const demoModelPath: string = fileURLToPath(new URL("./demo", import.meta.url));

/** What the embedded model is called. */
export const demoModelName = "chorale-demo";

/** A loaded model and the facts about it that its user needs. */
export type OpenedModel = {
  readonly engine: TokenEngine;
  /** tokenizer.json where there is one. Without it and a `vocabulary`, it is o200k_harmony. */
  readonly tokenizerPath: string | undefined;
  /** The vocabulary of a GGUF file, if it is another than o200k_harmony. */
  readonly vocabulary: ListedVocabulary | undefined;
  readonly generation: GenerationDefaults;
  /** Which weights it has: the same for the same files on every machine, 16 hexadecimal digits. */
  readonly fingerprint: string;
};

/**
 * Opens a model: checks its files and the memory it needs, then loads it.
 * @param path a folder, a .safetensors or GGUF file, or the name of a model in an Ollama store;
 *   undefined opens the embedded model
 * @throws ModelNotFoundError, CheckpointError, UnsupportedArchitectureError,
 *   InsufficientMemoryError, InvalidRequestError, EngineFailedError
 */
export async function openModel(
  path: string | undefined,
  options: OpenModelOptions = {},
): Promise<OpenedModel> {
  const checkpoint = openCheckpoint(path ?? demoModelPath);
  try {
    const { files } = checkpoint;
    const generation = readGenerationDefaults(files.generationConfig);
    // Loaded on demand: a program that only scripts an engine never compiles the kernels.
    const { openLocalEngine } = await import("./local/local-engine.ts");
    const name = options.name ?? (path === undefined ? demoModelName : basename(resolve(path)));
    // Rounded activations change about 4 % of the embedded model's choices, and it is fast either way.
    const precision = options.precision ?? (path === undefined ? "exact" : "int8");
    const engine = await openLocalEngine(checkpoint, { ...options, precision, name });
    const fingerprint = checkpoint.fingerprint();
    const { tokenizer: tokenizerPath, vocabulary } = files;
    return { engine, tokenizerPath, vocabulary, generation, fingerprint };
  } finally {
    checkpoint.close();
  }
}

/** What a model's files say about it. */
export type ModelFacts = Pick<OpenedModel, "tokenizerPath" | "vocabulary" | "generation"> & {
  /** Most tokens that a session may be given. */
  readonly contextLength: number;
};

/**
 * Which vocabulary and context a model has, without loading the model.
 * @param path as for `openModel`
 * @throws ModelNotFoundError, CheckpointError, UnsupportedArchitectureError
 */
export function inspectModel(path: string | undefined): ModelFacts {
  const checkpoint = openCheckpoint(path ?? demoModelPath);
  try {
    const { tokenizer, vocabulary, generationConfig } = checkpoint.files;
    const { contextLength } = checkpoint.config;
    const generation = readGenerationDefaults(generationConfig);
    return { tokenizerPath: tokenizer, vocabulary, contextLength, generation };
  } finally {
    checkpoint.close();
  }
}
