/** An engine that samples a token when a test lets it. */
import {
  type FinishReason,
  type GenerateOptions,
  ScriptedEngine,
  type Session,
} from "../../../inference/index.ts";

export class SteppedEngine extends ScriptedEngine {
  /** Tokens that were sampled. */
  sampled = 0;
  #allowed = 0;
  #changed = Promise.withResolvers<void>();

  /** Lets so many more tokens be sampled. */
  allow(tokens: number): void {
    this.#allowed += tokens;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  override async createSession(): Promise<Session> {
    const session = await super.createSession();
    const generate = session.generate.bind(session);
    session.generate = (options) => this.#step(generate(options), options);
    return session;
  }

  async *#step(
    tokens: AsyncGenerator<number, FinishReason, void>,
    { signal }: GenerateOptions,
  ): AsyncGenerator<number, FinishReason, void> {
    const aborted = Promise.withResolvers<void>();
    signal?.addEventListener("abort", () => aborted.resolve());
    for (;;) {
      while (this.#allowed === 0) {
        await Promise.race([this.#changed.promise, aborted.promise]);
        signal?.throwIfAborted();
      }
      this.#allowed--;
      const next = await tokens.next();
      if (next.done) return next.value;
      this.sampled++;
      yield next.value;
    }
  }
}
