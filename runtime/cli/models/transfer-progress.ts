/** Tells how far something large has come: in place on a terminal, else every ten seconds. */
import type { Output } from "../output.ts";

const NOTE_INTERVAL_MS = 10_000;
const PROGRESS_INTERVAL_MS = 200;
const RATE_WINDOW_MS = 5_000;
/** A beginning says nothing about the rest. */
const MIN_RATE_MS = 1_000;

/**
 * @param now milliseconds, for tests
 * @returns to be called with what is done, a label for it, and how much there is
 */
export function transferProgress(
  output: Pick<Output, "note" | "progress" | "isLive">,
  now: () => number = () => performance.now(),
): (label: string, done: number, total: number) => void {
  let saidAt = now();
  /** What was done when, in the last seconds. */
  let past: { readonly at: number; readonly done: number }[] = [];
  return (label, done, total) => {
    const at = now();
    const last = past.at(-1);
    if (last !== undefined && done < last.done) past = [];
    if (last === undefined || at - last.at >= PROGRESS_INTERVAL_MS) past.push({ at, done });
    while (past.length > 2 && at - (past[0]?.at ?? at) > RATE_WINDOW_MS) past.shift();
    const interval = output.isLive ? PROGRESS_INTERVAL_MS : NOTE_INTERVAL_MS;
    if (at - saidAt < interval) return;
    saidAt = at;
    const [first] = past;
    const ms = first === undefined ? 0 : at - first.at;
    const rate = first === undefined || ms < MIN_RATE_MS ? 0 : ((done - first.done) * 1000) / ms;
    const left =
      rate > 0 ? `, ${bytesText(rate)}/s, ${Math.ceil((total - done) / rate)} s left` : "";
    const sentence = `${label}: ${bytesText(done)} of ${bytesText(total)}${left}`;
    if (output.isLive) output.progress(sentence);
    else output.note(`${sentence}.`);
  };
}

/** Powers of ten, as registries and disks count: `13.8 GB`, `340 kB`. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}
