import { GrammarLimitError } from "../errors.ts";

/** Counts what one mask or one token takes, in steps of about a tenth of a microsecond. */
export class Work {
  readonly #most: number;
  #left: number;

  constructor(most: number) {
    this.#most = most;
    this.#left = most;
  }

  /** Before the next mask or token. */
  begin(): void {
    this.#left = this.#most;
  }

  /** @throws GrammarLimitError when it has been too much */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new GrammarLimitError("steps for one token", this.#most);
  }
}
