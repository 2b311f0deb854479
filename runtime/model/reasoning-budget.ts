import type { Tokenizer } from "../../harmony/index.ts";

/**
 * Counts how long the model reasons in one step, and says which ids end it: the end of the analysis
 * message, behind which the model goes on to its answer or a call. Should it begin to reason again, the
 * header of the answer is appended as well.
 */
export class ReasoningBudget {
  readonly #limit: number;
  readonly #tokenizer: Tokenizer;
  #used = 0;
  #isSpent = false;

  /** @param limit null: no limit */
  constructor(tokenizer: Tokenizer, limit: number | null) {
    this.#tokenizer = tokenizer;
    this.#limit = limit ?? Number.POSITIVE_INFINITY;
  }

  /** A token of the content of an analysis message came. */
  take(): void {
    this.#used++;
  }

  /** Tokens of reasoning so far. */
  get used(): number {
    return this.#used;
  }

  /** Whether the analysis message that is open has to end here. */
  get isUsedUp(): boolean {
    return this.#used >= this.#limit;
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
