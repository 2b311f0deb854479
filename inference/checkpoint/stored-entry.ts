import { CheckpointError } from "../errors.ts";

/** One tensor as a header describes it, checked against the file. */
export type StoredEntry = {
  readonly name: string;
  /** Any dtype of the format; which ones a role accepts is the layout's to say. */
  readonly dtype: string;
  /** Outermost dimension first. */
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** Of the first byte, from the start of the file. */
  readonly position: number;
};

/** @throws CheckpointError when two tensors share bytes */
export function rejectOverlap(entries: readonly StoredEntry[], path: string): void {
  const inOrder = entries
    .filter((entry) => entry.byteLength > 0)
    .sort((a, b) => a.position - b.position);
  for (const [i, entry] of inOrder.entries()) {
    const next = inOrder[i + 1];
    if (next !== undefined && entry.position + entry.byteLength > next.position) {
      throw new CheckpointError(
        path,
        `the tensors ${entry.name} and ${next.name} overlap.`,
        next.name,
      );
    }
  }
}
