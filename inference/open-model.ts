import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { openCheckpoint } from "./checkpoint/open.ts";
import type { TokenEngine } from "./engine.ts";
import { type GenerationDefaults, readGenerationDefaults } from "./generation-config.ts";
import type { LocalEngineOptions } from "./local-engine.ts";

/** The folder of the embedded model, which is opened when no other is named. */
export const demoModelPath: string = fileURLToPath(new URL("./demo", import.meta.url));

export type OpenModelOptions = Pick<
  LocalEngineOptions,
  "contextLength" | "threads" | "precision" | "signal" | "onProgress"
>;

/** A loaded model and the facts about it that its user needs. */
export type OpenedModel = {
  readonly engine: TokenEngine;
  /** tokenizer.json when the model brings its own vocabulary; undefined: it is o200k_harmony. */
  readonly tokenizerPath: string | undefined;
  readonly generation: GenerationDefaults;
};

/**
 * Opens a model: checks its files and the memory it needs, then loads it.
 * @param path a folder or a .safetensors file; undefined opens the embedded model
 * @throws ModelNotFoundError, CheckpointError, UnsupportedArchitectureError,
 *   InsufficientMemoryError, InvalidRequestError, EngineFailedError
 */
export async function openModel(
  path: string | undefined,
  options: OpenModelOptions = {},
): Promise<OpenedModel> {
  const checkpoint = openCheckpoint(path ?? demoModelPath);
  try {
    const generation = readGenerationDefaults(checkpoint.files.generationConfig);
    // Loaded on demand: a program that only scripts an engine never compiles the kernels.
    const { openLocalEngine } = await import("./local-engine.ts");
    const name = path === undefined ? "chorale-demo" : basename(resolve(path));
    const engine = await openLocalEngine(checkpoint, { ...options, name });
    return { engine, tokenizerPath: checkpoint.files.tokenizer, generation };
  } finally {
    checkpoint.close();
  }
}
