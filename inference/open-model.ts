import { fileURLToPath } from "node:url";
import { openCheckpoint } from "./checkpoint/open.ts";
import type { TokenEngine } from "./engine.ts";
import { type GenerationDefaults, readGenerationDefaults } from "./generation-config.ts";

/** The folder of the embedded model, which is opened when no other is named. */
export const demoModelPath: string = fileURLToPath(new URL("./demo", import.meta.url));

/**
 * `int8`: activations are rounded to 8 bits before the large matrix products, as every fast engine
 * does. `exact`: everything in float32 over the weights as they are; several times slower.
 */
export type Precision = "int8" | "exact";

export type OpenModelOptions = {
  /** Most tokens a session may hold; default and upper limit: what the model was made for. */
  readonly contextLength?: number | undefined;
  /** Default: one. */
  readonly threads?: number | undefined;
  /** Default: int8. */
  readonly precision?: Precision | undefined;
};

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
 *   InsufficientMemoryError, EngineFailedError
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
    const name = path ?? "chorale-demo";
    const engine = await openLocalEngine(checkpoint, { ...options, name });
    return { engine, tokenizerPath: checkpoint.files.tokenizer, generation };
  } finally {
    checkpoint.close();
  }
}
