/** An engine that answers for ever: what it says is a function of the prompt, and nothing is kept of it. */
import { setImmediate } from "node:timers/promises";
import type {
  FinishReason,
  GenerateOptions,
  Session,
  SyncResult,
  TokenEngine,
} from "../../inference/index.ts";

export class EndlessEngine implements TokenEngine {
  readonly name = "endless";
  readonly vocabSize = 201_088;
  readonly contextLength: number;
  readonly capabilities: TokenEngine["capabilities"] = { rewind: true, matchers: false };
  readonly #reply: (tokens: readonly number[]) => readonly number[];

  constructor(reply: (tokens: readonly number[]) => readonly number[], contextLength = 8192) {
    this.#reply = reply;
    this.contextLength = contextLength;
  }

  async createSession(): Promise<Session> {
    return new EndlessSession(this, this.#reply);
  }

  async close(): Promise<void> {}
}

class EndlessSession implements Session {
  #tokens: number[] = [];
  readonly #engine: EndlessEngine;
  readonly #reply: (tokens: readonly number[]) => readonly number[];

  constructor(engine: EndlessEngine, reply: (tokens: readonly number[]) => readonly number[]) {
    this.#engine = engine;
    this.#reply = reply;
  }

  get tokens(): readonly number[] {
    return this.#tokens;
  }

  async sync(tokens: readonly number[]): Promise<SyncResult> {
    const differs = tokens.findIndex((id, at) => id !== this.#tokens[at]);
    const reused = differs === -1 ? tokens.length : differs;
    this.#tokens = [...tokens];
    return { reused, computed: tokens.length - reused };
  }

  async *generate(options: GenerateOptions): AsyncGenerator<number, FinishReason, void> {
    const ids = this.#reply(this.#tokens);
    for (const [at, id] of ids.entries()) {
      // As a model does, it lets others have their turn.
      if (at % 8 === 0) await setImmediate();
      options.signal?.throwIfAborted();
      if (at >= options.maxTokens) return "length";
      if (this.#tokens.length >= this.#engine.contextLength) return "context";
      this.#tokens.push(id);
      yield id;
      if (options.stopIds.has(id)) return "stop";
    }
    return "length";
  }

  rewind(length: number): void {
    this.#tokens.length = length;
  }

  async close(): Promise<void> {}
}
