/**
 * One timeline over servers: the ids are here, and each request sends all of them. So a server that dies in the
 * middle costs nothing but time: another goes on behind the ids that have come.
 */
import type {
  FinishReason,
  GenerateOptions,
  Session,
  SyncOptions,
  SyncResult,
  TokenLogprobs,
} from "../engine.ts";
import { ContextOverflowError, InvalidRequestError, RemoteEngineError } from "../errors.ts";
import { hasId } from "../sampling/token-bitmask.ts";
import { chooseId } from "./choose-id.ts";
import { GrammarUse } from "./grammars/grammar-use.ts";
import { PassingFailure } from "./http.ts";
import type { LostIds } from "./lost-ids.ts";
import { mixed, type ReplicaPool } from "./pool.ts";
import type { AnswerPart, RemoteToken, TokenRequest } from "./protocol.ts";
import { firstLogprobs, type Replica, wholeTokens } from "./replica.ts";
import { Retries, type RetryOptions } from "./retries.ts";

/** What sessions of one engine share. */
export type SessionContext = {
  readonly pool: ReplicaPool;
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly lostIds: LostIds | null;
  readonly retry: RetryOptions;
  /** Names the timeline to servers that want to know which requests begin alike. */
  readonly cacheKey: string;
  readonly onClose: (session: RemoteSession) => void;
  /** Gets a sentence when another server goes on, or one is tried again. */
  readonly onNote: (sentence: string) => void;
};

/** Answers in a row that end without a token before a stop id has come. */
const MOST_EMPTY = 3;
/** Of the likeliest ids, how many are asked for first where the sampled one is not allowed. */
const FEW_LIKELIEST = 64;
/** Where these have none that is allowed. */
const MANY_LIKELIEST = 1 << 18;

export class RemoteSession implements Session {
  readonly #context: SessionContext;
  readonly #closed = new AbortController();
  #tokens: number[] = [];
  /** Leading ids that a server has computed. */
  #computed = 0;
  #last: Replica | null = null;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  get tokens(): readonly number[] {
    return this.#tokens;
  }

  /** Nothing is sent: the server computes with the next `generate`. `reused` is what it was sent before. */
  async sync(tokens: readonly number[], options: SyncOptions = {}): Promise<SyncResult> {
    options.signal?.throwIfAborted();
    this.#checkOpen();
    const { contextLength, vocabSize } = this.#context;
    if (tokens.length > contextLength) throw new ContextOverflowError(tokens.length, contextLength);
    const strange = tokens.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
    if (strange !== undefined) {
      throw new InvalidRequestError(
        `Cannot sync: ${strange} is no token id; accepted: 0 … ${vocabSize - 1}.`,
      );
    }
    const length = Math.min(tokens.length, this.#computed);
    let reused = 0;
    while (reused < length && tokens[reused] === this.#tokens[reused]) reused++;
    this.#tokens = [...tokens];
    this.#computed = reused;
    return { reused, computed: tokens.length - reused };
  }

  rewind(length: number): void {
    if (!Number.isInteger(length) || length < 0 || length > this.#tokens.length) {
      throw new InvalidRequestError(
        `Cannot rewind to ${length} tokens: the session holds ${this.#tokens.length}.`,
      );
    }
    this.#tokens.length = length;
    this.#computed = Math.min(this.#computed, length);
  }

  /**
   * @throws RemoteEngineError when no server answers any more, or none as it must
   */
  async *generate(options: GenerateOptions): AsyncGenerator<number, FinishReason, void> {
    this.#checkOpen();
    if (this.#tokens.length === 0) throw new InvalidRequestError("Cannot generate: sync first.");
    try {
      return yield* new Generation(this, this.#context, options, this.#closed.signal).run();
    } catch (error) {
      this.#checkOpen();
      throw error;
    }
  }

  /** The connection of a request that runs is closed, by which its server stops. */
  async close(): Promise<void> {
    this.#closed.abort(new InvalidRequestError("The session was closed."));
    this.#context.onClose(this);
  }

  /** Appends an id that `replica` has sampled. */
  append(id: number, replica: Replica): void {
    this.#tokens.push(id);
    this.#computed = this.#tokens.length;
    this.#last = replica;
  }

  get last(): Replica | null {
    return this.#last;
  }

  #checkOpen(): void {
    if (this.#closed.signal.aborted) throw this.#closed.signal.reason;
  }
}

/** One call of `generate`: as many requests as it takes. */
class Generation {
  readonly #session: RemoteSession;
  readonly #context: SessionContext;
  readonly #options: GenerateOptions;
  readonly #signal: AbortSignal;
  readonly #retries: Retries;
  /** Those that have failed since the last token came. */
  readonly #failed = new Set<Replica>();
  #left: number;
  /** So many tokens come with an answer that is whole, since a stream has lost them. */
  #whole = 0;
  #empty = 0;
  readonly #grammarUse: GrammarUse;
  /** With the request that runs. */
  #isGrammarSent = false;

  constructor(
    session: RemoteSession,
    context: SessionContext,
    options: GenerateOptions,
    closed: AbortSignal,
  ) {
    this.#session = session;
    this.#context = context;
    this.#options = options;
    this.#left = options.maxTokens;
    this.#retries = new Retries(context.retry);
    this.#grammarUse = new GrammarUse(options.matcher, context.onNote);
    this.#signal =
      options.signal === undefined ? closed : AbortSignal.any([options.signal, closed]);
  }

  async *run(): AsyncGenerator<number, FinishReason, void> {
    for (;;) {
      this.#signal.throwIfAborted();
      const full = this.#full();
      if (full !== null) return full;
      const { pool } = this.#context;
      const replica = pool.choose(this.#session.tokens, this.#session.last, this.#failed);
      if (replica === null) {
        throw new RemoteEngineError(
          "CHORALE_ENGINE_UNREACHABLE",
          "Every server of the engine is drained; accepted: one that takes requests.",
        );
      }
      pool.begin(replica);
      try {
        const finish = yield* this.#ask(replica);
        if (finish !== null) return finish;
      } catch (error) {
        this.#signal.throwIfAborted();
        if (!(error instanceof PassingFailure)) throw error;
        await this.#passed(replica, error);
      } finally {
        pool.end(replica);
      }
    }
  }

  /** One request, and its tokens. @returns null where there is more to come, with another request */
  async *#ask(replica: Replica): AsyncGenerator<number, FinishReason | null, void> {
    const isWhole = this.#whole > 0;
    const asked = isWhole ? Math.min(this.#whole, this.#room()) : this.#room();
    this.#whole = 0;
    let came = 0;
    const request = {
      ...this.#request(replica, asked),
      grammar: this.#grammarUse.of(replica),
    };
    for await (const part of this.#answer(replica, request, isWhole)) {
      const tokens = this.#withLost(part);
      if (tokens === null) {
        this.#whole = part.lost + 1;
        return null;
      }
      for (const token of tokens) {
        const { id } = token;
        if (id >= this.#context.vocabSize) {
          throw new PassingFailure(
            `${replica.name} gives the id ${id}; accepted: 0 … ${this.#context.vocabSize - 1}`,
          );
        }
        if (!this.#isAllowed(id)) {
          if (this.#isGrammarSent) this.#grammarUse.missed(replica);
          yield this.#take(await this.#another(replica), replica);
          // What the server samples behind an id that is not in the timeline is of no use.
          return this.#ended();
        }
        yield this.#take(token, replica);
        came++;
        const ended = this.#ended();
        if (ended === null) continue;
        if (this.#isGrammarSent) this.#grammarUse.kept(replica);
        return ended;
      }
      if (part.end !== null) return yield* this.#end(part.end, replica, came, isWhole);
    }
    return null;
  }

  /** What a server refuses with a grammar is asked for without it. */
  async *#answer(
    replica: Replica,
    request: Omit<TokenRequest, "model" | "isStream">,
    isWhole: boolean,
  ): AsyncGenerator<AnswerPart, void, void> {
    const { grammar } = request;
    this.#isGrammarSent = grammar !== null;
    let hasCome = false;
    try {
      for await (const part of replica.answer(request, isWhole, this.#signal)) {
        if (!hasCome && part.tokens.length > 0) this.#grammarUse.answers(replica, grammar);
        hasCome ||= part.tokens.length > 0;
        yield part;
      }
    } catch (error) {
      this.#signal.throwIfAborted();
      if (grammar === null || hasCome || !this.#grammarUse.failed(replica, grammar, error)) {
        throw error;
      }
      yield* this.#answer(replica, { ...request, grammar: null }, isWhole);
    }
  }

  /** The server has ended its answer; the generation goes on unless a stop id came. */
  async *#end(
    { stopId }: NonNullable<AnswerPart["end"]>,
    replica: Replica,
    came: number,
    isWhole: boolean,
  ): AsyncGenerator<number, FinishReason | null, void> {
    if (stopId !== null && this.#options.stopIds.has(stopId) && this.#isAllowed(stopId)) {
      yield this.#take({ id: stopId, logprobs: null }, replica);
      return "stop";
    }
    this.#empty = came > 0 || isWhole ? 0 : this.#empty + 1;
    if (this.#empty < MOST_EMPTY) return null;
    throw new RemoteEngineError(
      "CHORALE_ENGINE_PROTOCOL",
      `${replica.name} ends its answers without a token; accepted: at least one, as the last one a stop id.`,
    );
  }

  /** The tokens of a part, with those that the stream left out; null: they are not known. */
  #withLost({ lost, tokens, text }: AnswerPart): readonly RemoteToken[] | null {
    if (lost === 0) return tokens;
    const [token] = tokens;
    // Probabilities of what is lost are lost.
    if (this.#options.logprobs !== undefined || token === undefined || text === null) return null;
    const ids = this.#context.lostIds?.find(lost, text, token.id) ?? null;
    return ids === null ? null : [...ids.map((id) => ({ id, logprobs: null })), ...tokens];
  }

  /** Another id in place of one that is not allowed. */
  async #another(replica: Replica): Promise<RemoteToken> {
    const { capabilities, protocol } = replica;
    const allowed = this.#allowedIds();
    const top = this.#options.logprobs?.top ?? null;
    const [only] = allowed;
    if (allowed.length === 1 && only !== undefined && top === null) {
      return { id: only, logprobs: null };
    }
    const ask = async (change: Partial<TokenRequest>): Promise<readonly RemoteToken[]> =>
      wholeTokens(replica.answer({ ...this.#request(replica, 1), ...change }, true, this.#signal));
    if (capabilities.allowedIds) {
      const [token] = await ask({ allowedIds: allowed });
      if (token !== undefined && this.#isAllowed(token.id)) return token;
      throw new PassingFailure(`${replica.name} gives an id that it was not allowed`);
    }
    const isAllowed = (id: number): boolean => this.#isAllowed(id);
    for (const many of capabilities.logprobs ? [FEW_LIKELIEST, MANY_LIKELIEST] : []) {
      const topLogprobs = Math.min(many, protocol.mostLogprobs, this.#context.vocabSize);
      const logprobs = firstLogprobs(await ask({ topLogprobs }));
      if (logprobs === null) continue;
      const { sampling } = this.#options;
      const id = chooseId(logprobs, isAllowed, sampling, this.#session.tokens.length);
      if (id === null) continue;
      const own = logprobs.top.find((one) => one.id === id)?.logprob ?? 0;
      return { id, logprobs: { id, logprob: own, top: logprobs.top.slice(0, top ?? 0) } };
    }
    throw new RemoteEngineError(
      "CHORALE_ENGINE_CONSTRAINT",
      `${replica.name} gives none of the ${allowed.length} tokens that are allowed here` +
        (capabilities.logprobs ? " among its likeliest." : ", and tells no probabilities."),
    );
  }

  #take({ id, logprobs }: RemoteToken, replica: Replica): number {
    this.#options.matcher?.accept(id);
    if (logprobs !== null) this.#tellLogprobs(logprobs);
    this.#session.append(id, replica);
    this.#context.pool.succeeded(replica);
    this.#retries.progress();
    this.#failed.clear();
    this.#left--;
    return id;
  }

  #tellLogprobs(logprobs: TokenLogprobs): void {
    const { logprobs: wanted } = this.#options;
    wanted?.onLogprobs({ ...logprobs, top: logprobs.top.slice(0, wanted.top) });
  }

  /** Behind an id. */
  #ended(): FinishReason | null {
    const id = this.#session.tokens.at(-1);
    if (id !== undefined && this.#options.stopIds.has(id)) return "stop";
    return this.#full();
  }

  #full(): "length" | "context" | null {
    if (this.#left <= 0) return "length";
    return this.#session.tokens.length >= this.#context.contextLength ? "context" : null;
  }

  #room(): number {
    return Math.min(this.#left, this.#context.contextLength - this.#session.tokens.length);
  }

  #isAllowed(id: number): boolean {
    const { sampleableIds, matcher } = this.#options;
    if (sampleableIds !== undefined && !hasId(sampleableIds, id)) return false;
    const mask = matcher?.mask() ?? null;
    return mask === null || hasId(mask, id);
  }

  #allowedIds(): readonly number[] {
    const { sampleableIds } = this.#options;
    const mask = this.#options.matcher?.mask() ?? null;
    const ids: number[] = [];
    for (let id = 0; id < this.#context.vocabSize; id++) {
      if (sampleableIds !== undefined && !hasId(sampleableIds, id)) continue;
      if (mask === null || hasId(mask, id)) ids.push(id);
    }
    return ids;
  }

  #request(replica: Replica, maxTokens: number): Omit<TokenRequest, "model" | "isStream"> {
    const { sampling, stopIds, logprobs } = this.#options;
    const { tokens } = this.#session;
    const { seed } = replica.capabilities;
    const top =
      logprobs === undefined ? null : Math.min(logprobs.top, replica.protocol.mostLogprobs);
    return {
      prompt: tokens,
      maxTokens,
      stopIds: [...stopIds],
      // Servers that draw from a seed anew with each request would draw the same numbers again behind a cut.
      sampling:
        seed === "request"
          ? { ...sampling, seed: mixed(mixed(sampling.seed) ^ tokens.length) }
          : sampling,
      topLogprobs: top !== null && replica.capabilities.logprobs ? top : null,
      allowedIds: null,
      grammar: null,
      cacheKey: this.#context.cacheKey,
    };
  }

  async #passed(replica: Replica, failure: PassingFailure): Promise<void> {
    const { pool, onNote } = this.#context;
    pool.failed(replica, failure.retryAfterMs ?? 0);
    this.#failed.add(replica);
    const next = pool.choose(this.#session.tokens, null, this.#failed);
    const hasOther = next !== null && !this.#failed.has(next);
    onNote(`${failure.message}; ${hasOther ? `${next.name} goes on` : "trying again"}.`);
    await this.#retries.failed(failure, hasOther, this.#signal);
    if (!hasOther) this.#failed.clear();
  }
}
