/** The model that flags name, for the environment: how it is loaded, and what is told while it is. */
import type { ModelConfiguration } from "../environment.ts";
import type { ModelArguments } from "./flags.ts";
import { memoryNote, watchLoading } from "./watch-loading.ts";

/** Where sentences and progress go. */
export type Teller = {
  readonly note: (sentence: string) => void;
  /** A line that is written over; null where that cannot be. */
  readonly progress: ((text: string) => void) | null;
};

export function modelConfiguration(given: ModelArguments, teller: Teller): ModelConfiguration {
  const {
    model: path,
    context: contextLength,
    threads,
    memory,
    precision,
    experts,
    prefixStore,
    engine: engines,
    engineKeyFile,
  } = given;
  return {
    path,
    engines,
    engineKeyFile,
    contextLength,
    threads,
    memoryLimit: memory,
    precision,
    experts,
    prefixCacheBytes: prefixStore === undefined ? undefined : prefixStore * 2 ** 30,
    onMemory: (needs) => {
      const sentence = memoryNote(needs);
      if (sentence !== null) teller.note(sentence);
    },
    onProgress: watchLoading(teller),
  };
}
