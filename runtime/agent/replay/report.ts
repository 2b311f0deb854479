/** What a replay found. */

/** Something that is other than when the thread was recorded, whether or not it changed any token. */
export type ReplayCondition = {
  /**
   * `model`: other weights, or another arithmetic. `prompt`: this version writes another system or developer
   * message. `tool`: a tool has another description or schema. `version`: another version of Chorale.
   */
  readonly what: "model" | "prompt" | "tool" | "version";
  /** Entry of the log that tells how it was. */
  readonly seq: number;
  readonly message: string;
};

/** The place where the replay leaves the record. */
export type ReplayDifference = {
  /**
   * `prompt`: the model reads other tokens. `tokens`: it reads the same and writes others. `understanding`: it
   * writes the same and something else is made of it. `step`: what follows is something else.
   */
  readonly what: "prompt" | "tokens" | "understanding" | "step";
  /** Entry of the log. */
  readonly seq: number;
  /** Samplings of the model, counted from 1 over the whole thread. */
  readonly step: number;
  /** Index in the ids of the step, for `tokens`. */
  readonly token?: number;
  readonly message: string;
  readonly recorded: string;
  readonly replayed: string;
};

export type ReplayReport = {
  readonly threadId: string;
  /** Steps that were sampled again. */
  readonly steps: number;
  /** Steps that cannot be: another model's words without ids, or a failure of the model. */
  readonly skipped: number;
  /** Ids that were compared and are the same. */
  readonly tokens: number;
  readonly conditions: readonly ReplayCondition[];
  /** null: nothing differs. */
  readonly difference: ReplayDifference | null;
  /** Nothing differs: neither what came out, nor model, prompt or tools. */
  readonly isSame: boolean;
};
