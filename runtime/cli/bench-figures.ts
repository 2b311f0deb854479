/** What both kinds of `chorale bench` take, prompts that they send, and their figures. */
import type { ExpertKind, Precision } from "../../inference/index.ts";

export type BenchArguments = {
  readonly model: string | undefined;
  readonly threads: number | undefined;
  readonly precision: Precision | undefined;
  readonly experts: ExpertKind | undefined;
  readonly prompt: number;
  readonly generate: number;
  readonly rounds: number;
  readonly engine: readonly string[];
  readonly engineKeyFile: string | undefined;
  readonly noLocal: boolean;
  readonly json: boolean;
};

/**
 * Ids all over the vocabulary, so that the router chooses all sorts of experts; others in each round, since
 * what one session has computed is there for the next.
 */
export function spread(round: number, count: number, vocabSize: number): number[] {
  // The golden ratio's fraction: neighbours are far apart.
  return Array.from({ length: count }, (_, i) =>
    Math.floor((((i + round * count) * 0.618_033_988_75) % 1) * vocabSize),
  );
}

/** With three significant digits. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? 0;
  const middle = sorted.length >> 1;
  return rounded(sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2);
}

export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
