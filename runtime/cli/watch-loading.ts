/** Tells what a large model needs, and how far its loading has come. */
import type { LoadProgress, MemoryNeeds } from "../../inference/index.ts";

/** A smaller one is there before anybody wonders. */
const LARGE_BYTES = 1e9;
const INTERVAL_MS = 2000;

/** What is said before any of it is taken; null for a small model. */
export function memoryNote({ contextLength, bytes, parts }: MemoryNeeds): string | null {
  if (bytes < LARGE_BYTES) return null;
  return (
    `memory: ${gibibytes(bytes - parts.cache)} for weights and activations, up to ` +
    `${gibibytes(parts.cache)} for the keys and values of ${contextLength} tokens.`
  );
}

/**
 * @param now milliseconds, for tests
 * @returns to be called with every progress; says something every other second, and at the end
 */
export function watchLoading(
  note: (sentence: string) => void,
  now: () => number = () => performance.now(),
): (progress: LoadProgress) => void {
  const start = now();
  let saidAt = start;
  return ({ done, total, bytes, totalBytes }) => {
    const complete = done === total;
    if (totalBytes < LARGE_BYTES || (!complete && now() - saidAt < INTERVAL_MS)) return;
    saidAt = now();
    const seconds = Math.max(1, saidAt - start) / 1000;
    const rate = `${gigabytes(bytes / seconds)} GB/s`;
    if (complete) {
      note(`loaded ${gigabytes(bytes)} GB in ${seconds.toFixed(1)} s (${rate}).`);
      return;
    }
    // Two of the parts are no layers: embedding and head.
    const layers = `${Math.max(0, Math.min(done - 1, total - 2))} of ${total - 2} layers`;
    note(`loading: ${layers}, ${gigabytes(bytes)} of ${gigabytes(totalBytes)} GB, ${rate}.`);
  };
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
