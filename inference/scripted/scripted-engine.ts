import type {
  FinishReason,
  GenerateOptions,
  Session,
  SyncOptions,
  SyncResult,
  TokenEngine,
  TokenMatcher,
} from "../engine.ts";
import { ContextOverflowError, InvalidRequestError, ScriptExhaustedError } from "../errors.ts";
import { hasId } from "../sampling/token-bitmask.ts";

/** Ids to yield; or a function from the ids synced so far to ids; or an error to throw. */
export type ScriptedReply =
  | readonly number[]
  | ((tokens: readonly number[], options: GenerateOptions) => readonly number[])
  | Error;

/** One call of `generate`, as the engine saw it. */
export type ScriptedRequest = {
  /** The whole timeline at that moment. */
  readonly tokens: readonly number[];
  readonly options: GenerateOptions;
};

export type ScriptedEngineOptions = {
  readonly name?: string;
  /** Default 201,088, the rows of gpt-oss. */
  readonly vocabSize?: number;
  /** Default 131,072. */
  readonly contextLength?: number;
  /** Whether it says that sampling follows a matcher. Default: no. */
  readonly matchers?: boolean;
};

/**
 * An engine that says what it was told to: one reply per `generate`, in order, over all its
 * sessions. Stop ids, `maxTokens`, the context limit, abort and rewind work as with a model, so the
 * code around it runs unchanged. For tests of agents and tools.
 */
export class ScriptedEngine implements TokenEngine {
  readonly name: string;
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly capabilities: TokenEngine["capabilities"];
  /** Every `generate` so far, oldest first. */
  readonly requests: ScriptedRequest[] = [];
  readonly #replies: readonly ScriptedReply[];

  constructor(replies: readonly ScriptedReply[], options: ScriptedEngineOptions = {}) {
    this.#replies = replies;
    this.name = options.name ?? "scripted";
    this.vocabSize = options.vocabSize ?? 201_088;
    this.contextLength = options.contextLength ?? 131_072;
    this.capabilities = {
      rewind: true,
      matchers: options.matchers ?? false,
    };
  }

  /** Replies that were not asked for yet. */
  get remaining(): number {
    return Math.max(0, this.#replies.length - this.requests.length);
  }

  async createSession(): Promise<Session> {
    return new ScriptedSession(this, (request) => this.#next(request));
  }

  async close(): Promise<void> {}

  #next(request: ScriptedRequest): readonly number[] {
    const reply = this.#replies[this.requests.length];
    if (reply === undefined) throw new ScriptExhaustedError(this.#replies.length);
    this.requests.push(request);
    if (reply instanceof Error) throw reply;
    return typeof reply === "function" ? reply(request.tokens, request.options) : reply;
  }
}

class ScriptedSession implements Session {
  #tokens: number[] = [];
  readonly #engine: ScriptedEngine;
  readonly #reply: (request: ScriptedRequest) => readonly number[];

  constructor(engine: ScriptedEngine, reply: (request: ScriptedRequest) => readonly number[]) {
    this.#engine = engine;
    this.#reply = reply;
  }

  get tokens(): readonly number[] {
    return this.#tokens;
  }

  async sync(tokens: readonly number[], options: SyncOptions = {}): Promise<SyncResult> {
    options.signal?.throwIfAborted();
    if (tokens.length > this.#engine.contextLength) {
      throw new ContextOverflowError(tokens.length, this.#engine.contextLength);
    }
    const differs = tokens.findIndex((id, i) => id !== this.#tokens[i]);
    const reused = differs === -1 ? tokens.length : differs;
    this.#tokens = [...tokens];
    const computed = tokens.length - reused;
    options.onProgress?.({ done: computed, total: computed });
    return { reused, computed };
  }

  /** @throws InvalidRequestError for a reply with an id that the matcher does not allow */
  async *generate(options: GenerateOptions): AsyncGenerator<number, FinishReason, void> {
    if (this.#tokens.length === 0) throw new InvalidRequestError("Cannot generate: sync first.");
    const ids = this.#reply({ tokens: [...this.#tokens], options });
    for (const [i, id] of ids.entries()) {
      options.signal?.throwIfAborted();
      if (i >= options.maxTokens) return "length";
      if (this.#tokens.length >= this.#engine.contextLength) return "context";
      follow(options.matcher, id);
      this.#tokens.push(id);
      yield id;
      if (options.stopIds.has(id)) return "stop";
    }
    // A model goes on until it may not: a script that ends without a stop id ran out of length.
    return "length";
  }

  rewind(length: number): void {
    if (!Number.isInteger(length) || length < 0 || length > this.#tokens.length) {
      throw new InvalidRequestError(
        `Cannot rewind to ${length} tokens: the session holds ${this.#tokens.length}.`,
      );
    }
    this.#tokens.length = length;
  }

  async close(): Promise<void> {}
}

/** Tells a matcher of an id that the script says. */
function follow(matcher: TokenMatcher | undefined, id: number): void {
  if (matcher === undefined) return;
  const mask = matcher.mask();
  if (mask !== null && !hasId(mask, id)) {
    throw new InvalidRequestError(`The script says ${id}, which the matcher does not allow here.`);
  }
  matcher.accept(id);
}
