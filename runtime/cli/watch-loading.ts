/** Tells what a large model needs, and how far its loading has come. */
import type { LoadProgress, MemoryNeeds } from "../../inference/index.ts";

/** A smaller one is loaded at once. */
const LARGE_BYTES = 1e9;
const NOTE_INTERVAL_MS = 10_000;
const PROGRESS_INTERVAL_MS = 200;
/** Bytes per second; a slower beginning says nothing about the rest. */
const MIN_RATE = 1e7;

/** What is said before any of it is taken; null for a small model. */
export function memoryNote({ contextLength, bytes, parts }: MemoryNeeds): string | null {
  if (bytes < LARGE_BYTES) return null;
  return (
    `memory: ${gibibytes(bytes - parts.cache)} for weights and activations, up to ` +
    `${gibibytes(parts.cache)} for the keys and values of ${contextLength} tokens.`
  );
}

export type LoadingWatcher = {
  /** A sentence that stays. */
  readonly note: (sentence: string) => void;
  /** A line that is written over; null where the output is no terminal. */
  readonly progress: ((text: string) => void) | null;
};

/**
 * @param now milliseconds, for tests
 * @returns to be called with every progress; tells it in place, else every ten seconds, and at the end
 */
export function watchLoading(
  { note, progress }: LoadingWatcher,
  now: () => number = () => performance.now(),
): (progress: LoadProgress) => void {
  const start = now();
  let saidAt = start;
  return ({ done, total, bytes, totalBytes }) => {
    const complete = done === total;
    const interval = progress === null ? NOTE_INTERVAL_MS : PROGRESS_INTERVAL_MS;
    if (totalBytes < LARGE_BYTES || (!complete && now() - saidAt < interval)) return;
    saidAt = now();
    const seconds = Math.max(1, saidAt - start) / 1000;
    const rate = bytes / seconds;
    if (complete) {
      note(`loaded ${gigabytes(bytes)} GB in ${seconds.toFixed(1)} s (${gigabytes(rate)} GB/s).`);
      return;
    }
    const left = Math.ceil((totalBytes - bytes) / Math.max(1, rate));
    const rest = rate < MIN_RATE ? "" : `, ${left} s left`;
    const sentence = `loading: ${gigabytes(bytes)} of ${gigabytes(totalBytes)} GB${rest}`;
    if (progress === null) note(`${sentence}.`);
    else progress(sentence);
  };
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
