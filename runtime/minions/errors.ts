/** Failures of the minions' own. Others (a model that cannot be opened, a flag) are those of the runtime. */

export type MinionsErrorCode =
  /** Something was about to leave the machine that must not, or whose origin is not known. Nothing of it was sent. */
  | "CHORALE_MINIONS_EGRESS"
  /** The tokens that the remote model may take are used up. */
  | "CHORALE_MINIONS_BUDGET"
  /** The supervisor's replies stayed unusable after every further attempt. */
  | "CHORALE_MINIONS_SUPERVISOR"
  /** The supervisor or the worker failed, or was cancelled. */
  | "CHORALE_MINIONS_MODEL";

export class MinionsError extends Error {
  readonly code: MinionsErrorCode;

  constructor(code: MinionsErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }

  override get name(): string {
    return this.constructor.name;
  }
}
