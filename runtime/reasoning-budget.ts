import type { Tokenizer } from "../harmony/index.ts";

/**
 * Watches how long the model reasons in one sampling, and says which ids end it: the end of the
 * analysis message, behind which the model goes on to its answer or a call. Should it begin to reason
 * again, the header of the answer is put into its mouth as well.
 */
export class ReasoningBudget {
  readonly limit: number;
  readonly #tokenizer: Tokenizer;
  #used = 0;
  #isSpent = false;

  constructor(tokenizer: Tokenizer, limit: number) {
    this.#tokenizer = tokenizer;
    this.limit = limit;
  }

  /** A token of the content of an analysis message came. */
  take(): void {
    this.#used++;
  }

  /** Whether the analysis message that is open has to end here. */
  get isUsedUp(): boolean {
    return this.#used >= this.limit;
  }

  /** The ids to continue with. */
  close(): readonly number[] {
    const { end, start, channel, message } = this.#tokenizer.special;
    const again = this.#isSpent;
    this.#isSpent = true;
    if (!again) return [end];
    const encode = (text: string): number[] => this.#tokenizer.encode(text);
    return [end, start, ...encode("assistant"), channel, ...encode("final"), message];
  }
}
