/** `note`: works, but less well than it could. `problem`: something is off, and the status of the command is 1. */
export type CheckStatus = "ok" | "note" | "problem";

/** One thing that was looked at. */
export type Check = {
  readonly name: string;
  readonly status: CheckStatus;
  /** What was found: a sentence. */
  readonly detail: string;
  /** What to do about it: a sentence. */
  readonly mend?: string;
};

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

/** Bytes in words. */
export function size(bytes: number): string {
  return bytes >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${Math.round(bytes / MIB)} MiB`;
}
