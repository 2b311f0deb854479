/**
 * Sampling that takes wrong headers back. An id that makes a header (or the gap between two messages)
 * something the format does not have is never read: the session is cut before it, the id is banned at
 * that position, since greedy sampling would only choose it again, and another is sampled. After so
 * many attempts the model's own choice stands, and the parser makes of it what it can.
 */
import { HeaderWatch } from "../harmony/index.ts";
import type { FinishReason } from "../inference/index.ts";
import type { Run } from "./prepare.ts";
import { sampleableIds } from "./sampleable-ids.ts";

export class CarefulSampling {
  readonly #run: Run;
  /** null where the run does not want it, or the engine cannot go back. */
  readonly #watch: HeaderWatch | null;
  readonly #sampleableIds: Uint32Array;
  /** Ids that may not be sampled next. */
  #banned: readonly number[] = [];
  /** In this header. */
  #attempts = 0;
  #hasGivenUp = false;
  #takenBack = 0;

  constructor(run: Run) {
    this.#run = run;
    const { engine, tokenizer } = run.options;
    this.#sampleableIds = sampleableIds(tokenizer, engine.vocabSize);
    const { rewind, bannedIds } = engine.capabilities;
    const isOn = rewind && bannedIds && run.settings.resample.headers > 0;
    const knownTools = run.tools.list().map(({ recipient }) => recipient);
    this.#watch = isOn ? new HeaderWatch(tokenizer, knownTools) : null;
  }

  /** Ids that were sampled and taken back. */
  get takenBack(): number {
    return this.#takenBack;
  }

  /** Ids behind `<|start|>assistant` that were not sampled. */
  observe(id: number): void {
    this.#watch?.take(id);
  }

  /**
   * Samples behind what the session holds; `maxTokens` counts what is taken back as well.
   * @throws InferenceError; the signal's reason when aborted
   */
  async *sample(
    maxTokens: number,
    stopIds: ReadonlySet<number>,
  ): AsyncGenerator<number, FinishReason, void> {
    const { session, settings } = this.#run;
    const { sampling, signal } = settings;
    let left = maxTokens;
    while (left > 0) {
      const bannedFirstIds = this.#banned;
      const ids = session.generate({
        maxTokens: left,
        stopIds,
        sampling,
        signal,
        bannedFirstIds,
        sampleableIds: this.#sampleableIds,
      });
      let wrong: number | null = null;
      try {
        while (wrong === null) {
          const next = await ids.next();
          if (next.done) return next.value;
          left--;
          if (this.#mustTakeBack(next.value)) wrong = next.value;
          else {
            this.#keep(next.value);
            yield next.value;
          }
        }
      } finally {
        await ids.return("stop");
      }
      await this.#takeBack(wrong);
    }
    return "length";
  }

  #mustTakeBack(id: number): boolean {
    if (this.#watch === null || this.#hasGivenUp || this.#watch.accepts(id)) return false;
    // At a new position there is nothing to undo: the id is the model's own choice.
    return this.#attempts < this.#run.settings.resample.headers || this.#banned.length > 0;
  }

  #keep(id: number): void {
    this.#banned = [];
    this.#watch?.take(id);
    if (this.#watch?.isOutside !== true) return;
    this.#attempts = 0;
    this.#hasGivenUp = false;
  }

  async #takeBack(id: number): Promise<void> {
    const { session, settings, reporter } = this.#run;
    const position = session.tokens.length - 1;
    session.rewind(position);
    this.#takenBack++;
    if (this.#attempts < settings.resample.headers) {
      this.#attempts++;
      this.#banned = [...this.#banned, id];
    } else {
      this.#hasGivenUp = true;
      this.#banned = [];
    }
    await reporter.emit({
      type: "generation.resampled",
      position,
      sampled_id: id,
      banned_ids: this.#banned,
      attempt: this.#attempts,
      reason: `The header went wrong: ${this.#watch?.describe(id) ?? ""}`,
    });
  }
}
