/** Whether the model that commands would use can be opened, and whether it computes. */
import type { ExpertKind, MemoryNeeds, Precision } from "../../../inference/index.ts";
import { availableMemory } from "../../../inference/index.ts";
import { codeOf, messageOf } from "../../errors.ts";
import { loadModel, loadTokenizer } from "../../index.ts";
import { errorText } from "../error-text.ts";
import { type Check, size } from "./check.ts";

export type ModelToCheck = {
  /** undefined: the embedded model. */
  readonly model: string | undefined;
  readonly context: number | undefined;
  readonly threads: number | undefined;
  readonly memory: number | undefined;
  readonly precision: Precision | undefined;
  readonly experts: ExpertKind | undefined;
};

/** A larger one is loaded only when that is asked for: it may take a minute. */
const LARGE_BYTES = 1e9;

/** Stops the opening of a large model once its files are checked and its needs are known. */
class OpenedFarEnough extends Error {}

/** @param load  also where the model is large */
export async function modelCheck(wanted: ModelToCheck, load: boolean): Promise<Check> {
  const { model: path, context: contextLength, memory: memoryLimit } = wanted;
  const { threads, precision, experts } = wanted;
  const name = "model";
  const what = path ?? "The embedded model";
  let needs: MemoryNeeds | undefined;
  try {
    // The vocabulary first: it is small, and often what is missing.
    await loadTokenizer(path);
    const startedAt = performance.now();
    await using model = await loadModel(path, {
      contextLength,
      threads,
      memoryLimit,
      precision,
      experts,
      onMemory: (found) => {
        needs = found;
        if (found.bytes > LARGE_BYTES && !load) throw new OpenedFarEnough();
      },
    });
    const session = await model.engine.createSession();
    await session.sync([model.tokenizer.special.start]);
    const sampling = { temperature: 0, topP: 1, seed: 0 };
    await session.generate({ maxTokens: 1, stopIds: new Set(), sampling }).next();
    await session.close();
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const detail = `${what} was loaded and has computed, in ${seconds} s; it may take ${size(needs?.bytes ?? 0)}.`;
    return { name, status: "ok", detail };
  } catch (error) {
    if (error instanceof OpenedFarEnough && needs !== undefined) {
      const free = availableMemory();
      const detail = `${what} has its files, and needs ${size(needs.bytes)} of ${size(free)} that are available for ${needs.contextLength} tokens of context.`;
      return { name, status: "ok", detail, mend: "--load loads it and computes." };
    }
    const mend =
      codeOf(error) === "CHORALE_INSUFFICIENT_MEMORY"
        ? "--memory SIZE reads experts from the file, --context N takes less for a conversation."
        : "chorale config get model says which model is configured, and chorale run --help what is accepted.";
    return { name, status: "problem", detail: errorText(error) || messageOf(error), mend };
  }
}
