/** What goes wrong with policies and what is kept of their answers. */
import { messageOf, RunError, UsageError } from "../errors.ts";

/** A policy that is none. Nothing of it is used: half a policy may allow what the other half forbids. */
export class PolicyError extends UsageError {
  /** The file that it was read from; undefined for rules of a program. */
  readonly file: string | undefined;
  /** Counted from 1. */
  readonly line: number | undefined;

  constructor(problem: string, place: { readonly file?: string; readonly line?: number } = {}) {
    const { file, line } = place;
    const where = line === undefined ? "" : `, line ${line}`;
    const what = file === undefined ? "The policy" : `The policy ${file}`;
    super(`${what}${where}: ${problem}`, { option: "policy" });
    this.file = file;
    this.line = line;
  }
}

/** Answers and trusted tools cannot be read or written. */
export class PolicyStoreError extends RunError {
  constructor(doing: string, cause: unknown) {
    super("CHORALE_POLICY_STORE", `Cannot ${doing}: ${messageOf(cause)}.`, { cause });
  }
}
