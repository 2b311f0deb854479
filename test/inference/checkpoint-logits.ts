/** Logits of a checkpoint: by the reference, and by an engine that is opened for them. */
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import { type LocalEngineOptions, openLocalEngine } from "../../inference/local/local-engine.ts";
import { referenceLogits } from "../../inference/reference/forward.ts";
import { readReferenceWeights } from "../../inference/reference/weights.ts";

/** f64 (vocab) behind each id of a prompt. */
export function referenceLogitsOf(path: string, prompt: readonly number[]): Float64Array[] {
  const checkpoint = openCheckpoint(path);
  try {
    return referenceLogits(readReferenceWeights(checkpoint), prompt);
  } finally {
    checkpoint.close();
  }
}

/** f32 (vocab) behind each id of a prompt. */
export async function engineLogitsOf(
  path: string,
  prompt: readonly number[],
  options: LocalEngineOptions,
): Promise<Float32Array[]> {
  const checkpoint = openCheckpoint(path);
  const engine = await openLocalEngine(checkpoint, options).finally(() => checkpoint.close());
  try {
    return await engine.logits(prompt);
  } finally {
    await engine.close();
  }
}
