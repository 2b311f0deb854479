import { MaskChannel } from "../decoding/mask-channel.ts";
import { MatcherFeed } from "../decoding/matcher-feed.ts";
import {
  type DecodeCounts,
  type DecodeSequence,
  NO_COUNTS,
  type Speculation,
} from "../decoding/sequence.ts";
import type {
  FinishReason,
  GenerateOptions,
  Session,
  SessionStatistics,
  SyncOptions,
  SyncResult,
} from "../engine.ts";
import { ContextOverflowError, InsufficientMemoryError, InvalidRequestError } from "../errors.ts";
import { checkGeneration } from "../sampling/check.ts";
import type { Outcome } from "../workers/messages.ts";
import type { Threads } from "../workers/threads.ts";
import type { KvCache, KvPool } from "./kv-pool.ts";
import { type PrefixCache, prefixKey } from "./prefix-cache.ts";
import { type DecodeScheduler, type DecodeToken, idsPerCommand } from "./scheduler.ts";

/** Tokens of a prompt that are computed in one command; between commands other sessions get their turn. */
const PREFILL_PER_COMMAND = 512;

/** Prompts with no more tokens to compute are read between the parts of a longer one. */
const SHORT_PREFILL = 512;

/** Shorter prefixes are computed sooner than they are looked for. */
const MIN_STORED_PREFIX = 64;

/** What a session needs of its engine. */
export type SessionHost = {
  readonly threads: Threads;
  readonly pool: KvPool;
  readonly scheduler: DecodeScheduler;
  /** Where prefixes outlive the process, and the identity of the model there. */
  readonly prefixes: { readonly store: PrefixCache; readonly identity: string } | undefined;
  /** Memory for the masks of a generation, which the next one uses again. */
  readonly maskChannels: MaskChannel[];
  readonly vocabSize: number;
  readonly contextLength: number;
};

/**
 * A session over the local engine.
 *
 * The last token of the timeline is computed only when its logits are asked for (by `generate`) or
 * when others follow it (by `sync`): computing it twice would be the price of doing so earlier. All
 * tokens before it have their keys and values in the cache, at their position, so cutting the
 * timeline is a matter of its length alone.
 */
export class LocalSession implements Session {
  readonly #host: SessionHost;
  readonly #id: number;
  readonly #cache: KvCache;
  readonly #tokens: number[] = [];
  /** Leading tokens whose keys and values are in the cache. */
  #computed = 0;
  #state: "idle" | "busy" | "closed" = "idle";
  /** Aborted when the session is closed. */
  readonly #closing = new AbortController();
  /** Settles when nothing uses the cache any more that did so last. */
  #lastUse: Promise<unknown> = Promise.resolve();
  readonly #counts = { ...NO_COUNTS };
  /** What the cache holds is not what its ids give. */
  #isAssumed = false;

  constructor(host: SessionHost, id: number) {
    this.#host = host;
    this.#id = id;
    this.#cache = host.pool.open();
    host.threads.post({ type: "open", session: id, ...this.#cache.cells });
  }

  get tokens(): readonly number[] {
    return this.#tokens;
  }

  get statistics(): SessionStatistics {
    const { screened: ids, computedLogits: logits, ...counts } = this.#counts;
    return { ...counts, ...(ids > 0 && { screened: { ids, logits } }) };
  }

  /** Bytes of the pages of keys and values that the session holds. */
  get cacheByteLength(): number {
    return this.#cache.byteLength;
  }

  async sync(tokens: readonly number[], wanted: SyncOptions = {}): Promise<SyncResult> {
    this.#begin("sync");
    const options = { ...wanted, signal: this.#signal(wanted.signal) };
    try {
      const { vocabSize, contextLength } = this.#host;
      checkIds(tokens, vocabSize);
      if (tokens.length > contextLength) {
        throw new ContextOverflowError(tokens.length, contextLength);
      }
      let reused = commonPrefix(this.#tokens, tokens);
      this.#cut(reused);
      reused = this.#beginShared(tokens);
      const { sharedPrefix = 0 } = options;
      if (sharedPrefix > reused && sharedPrefix < tokens.length) {
        if (await this.#takeShared(tokens, sharedPrefix, options)) reused = sharedPrefix;
        this.#closing.signal.throwIfAborted();
      }
      await this.#prefill(tokens, tokens.length - 1, options);
      this.#closing.signal.throwIfAborted();
      this.#append(tokens, tokens.length);
      return { reused, computed: tokens.length - reused };
    } finally {
      this.#end();
    }
  }

  async *generate(options: GenerateOptions): AsyncGenerator<number, FinishReason, void> {
    return yield* this.#decode({ ...options, signal: this.#signal(options.signal) });
  }

  /**
   * For measurements: decodes as `generate` does, but what comes is what is given. Drafts are checked
   * against it.
   */
  async replay(ids: readonly number[], speculation: Speculation): Promise<void> {
    checkIds(ids, this.#host.vocabSize);
    const sampling = { temperature: 0, topP: 1, seed: 0 };
    const signal = this.#closing.signal;
    const stopIds = new Set<number>();
    const run = this.#decode(
      { maxTokens: ids.length, stopIds, sampling, speculation, signal },
      ids,
    );
    while (!(await run.next()).done);
  }

  /**
   * For measurements: goes on as if `tokens` had been computed. Some keys and values lie in the cache for
   * them, so that what follows takes the time that it takes behind them; its ids mean nothing.
   */
  assume(tokens: readonly number[]): void {
    checkIds(tokens, this.#host.vocabSize);
    this.#cut(0);
    this.#cache.reserve(0, tokens.length);
    // Small numbers, but no zeros: pages that were never written would take no memory traffic.
    for (const part of this.#cache.pages(0, tokens.length)) part.fill(0x10);
    this.#append(tokens, tokens.length);
    this.#computed = tokens.length - 1;
    this.#isAssumed = true;
  }

  async *#decode(
    options: GenerateOptions & { readonly signal: AbortSignal },
    forcedIds?: readonly number[],
  ): AsyncGenerator<number, FinishReason, void> {
    const { maxTokens, stopIds, signal, matcher } = options;
    this.#begin("generate");
    const { vocabSize, maskChannels } = this.#host;
    const channel = matcher && (maskChannels.pop() ?? MaskChannel.create(vocabSize));
    const feed = matcher && channel && new MatcherFeed(matcher, options, vocabSize, channel);
    try {
      checkGeneration(options, vocabSize);
      if (this.#tokens.length === 0) {
        throw new InvalidRequestError("Cannot generate on an empty timeline; sync first.");
      }
      const { contextLength } = this.#host;
      let count = 0;
      while (count < maxTokens) {
        const room = contextLength - this.#tokens.length;
        if (room === 0) return "context";
        if (count === 0) feed?.begin();
        const size = Math.min(maxTokens - count, room);
        const forced = forcedIds?.slice(count);
        for await (const token of this.#burst(size, options, feed, forced)) {
          signal.throwIfAborted();
          this.#tokens.push(token.id);
          this.#computed = this.#tokens.length - 1;
          count++;
          feed?.keep();
          if (token.logprobs !== undefined) options.logprobs?.onLogprobs(token.logprobs);
          yield token.id;
          if (stopIds.has(token.id)) return "stop";
        }
      }
      return "length";
    } finally {
      this.#end();
      if (channel !== undefined) maskChannels.push(channel);
      feed?.end();
    }
  }

  rewind(length: number): void {
    if (!(Number.isSafeInteger(length) && length >= 0 && length <= this.#tokens.length)) {
      throw new InvalidRequestError(
        `Cannot rewind to length ${length}; accepted: 0 … ${this.#tokens.length}.`,
      );
    }
    this.#begin("rewind");
    this.#cut(length);
    this.#end();
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#closing.abort(closedError("go on with"));
    await this.#lastUse;
    this.#tokens.length = 0;
    this.#host.threads.post({ type: "close", session: this.#id });
    this.#cache.close();
  }

  /**
   * Makes the timeline hold what sessions of this engine have computed of `tokens`, where that is more.
   * @returns its length
   */
  #beginShared(tokens: readonly number[]): number {
    // The last token is computed when its logits are asked for.
    const found = this.#cache.begin(tokens.slice(0, -1), this.#computed);
    if (found === this.#computed) return this.#tokens.length;
    this.#cut(0);
    this.#computed = found;
    this.#append(tokens, found);
    return found;
  }

  /**
   * Makes the timeline hold the first `length` of `tokens`: from the prefix cache, where they are; else
   * computes them and puts them there.
   * @returns whether they were there
   */
  async #takeShared(
    tokens: readonly number[],
    length: number,
    options: SyncOptions,
  ): Promise<boolean> {
    const { prefixes } = this.#host;
    if (prefixes === undefined || length < MIN_STORED_PREFIX) return false;
    const { store, identity } = prefixes;
    const key = prefixKey(identity, tokens.slice(0, length));
    this.#cut(0);
    this.#cache.reserve(0, tokens.length);
    const pages = this.#cache.pages(0, length);
    if (await this.#use(store.load(key, pages))) {
      options.signal?.throwIfAborted();
      if (await this.#isAsComputed(tokens, length)) {
        this.#computed = length;
        this.#append(tokens, length);
        return true;
      }
      await store.forget(key);
    }
    await this.#prefill(tokens, length, options);
    await this.#use(store.save(key, pages));
    options.signal?.throwIfAborted();
    return false;
  }

  /**
   * Computes the last position of a prefix anew, over what was read for those before it, and compares it
   * with what was read: weights or kernels that have changed show, even where the key is the same.
   */
  async #isAsComputed(tokens: readonly number[], length: number): Promise<boolean> {
    const last = this.#cache.pages(length - 1, length);
    const stored = last.map((page) => Buffer.from(page));
    const ids = tokens.slice(length - 1, length);
    const work = { type: "prefill", session: this.#id, start: length - 1, ids } as const;
    await this.#use(this.#host.threads.run(work));
    return stored.every((page, index) => page.equals(last[index] ?? page));
  }

  /** Computes `tokens` up to position `end`; when aborted, the timeline is as far as that came. */
  async #prefill(tokens: readonly number[], end: number, options: SyncOptions): Promise<void> {
    const start = this.#computed;
    const total = tokens.length - this.#tokens.length;
    const ids = tokens.slice(start, end);
    if (ids.length === 0) return;
    options.signal?.throwIfAborted();
    this.#cache.reserve(start, tokens.length);
    // A token that was left pending is computed now, but it is not a new one.
    const known = this.#tokens.length - start;
    const priority = ids.length <= SHORT_PREFILL ? 1 : 0;
    let outcome: Outcome = "finished";
    for (let done = 0; done < ids.length && outcome === "finished"; done += PREFILL_PER_COMMAND) {
      const part = ids.slice(done, done + PREFILL_PER_COMMAND);
      const work = { type: "prefill", session: this.#id, start: start + done, ids: part } as const;
      const run = this.#host.threads.run(work, {
        priority,
        signal: options.signal,
        onReport: (report) => {
          if (report.type !== "progress") return;
          this.#computed = start + done + report.done;
          const fresh = Math.max(0, done + report.done - known);
          options.onProgress?.({ done: fresh, total });
        },
      });
      outcome = await this.#use(run);
    }
    this.#append(tokens, Math.max(this.#tokens.length, this.#computed));
    options.signal?.throwIfAborted();
  }

  /** Makes the timeline equal to the first `length` of `tokens`, whose beginning it is. */
  #append(tokens: readonly number[], length: number): void {
    for (let i = this.#tokens.length; i < length; i++) {
      const id = tokens[i]!;
      this.#tokens.push(id);
      this.#cache.cells.timeline[i] = id;
    }
  }

  /** The ids of one command, as the workers sample them. Leaving the loop early stops the workers. */
  async *#burst(
    maxTokens: number,
    options: GenerateOptions & { readonly signal: AbortSignal },
    feed: MatcherFeed | undefined,
    forcedIds: readonly number[] | undefined,
  ): AsyncGenerator<DecodeToken, void, void> {
    const left = new AbortController();
    const signal = AbortSignal.any([left.signal, options.signal]);
    const speculation = this.#reserveForCommand(maxTokens, options.speculation ?? true);
    const tokens: DecodeToken[] = [];
    let wake = Promise.withResolvers<void>();
    let received = 0;
    let ended = false;
    const sequence: DecodeSequence = {
      session: this.#id,
      start: this.#tokens.length - 1,
      maxTokens,
      stopIds: options.stopIds,
      sampling: options.sampling,
      sampleableIds: options.sampleableIds,
      masks: feed?.channel.cells,
      logprobs: options.logprobs?.top,
      speculation,
      forcedIds,
    };
    const leaveOnFailure = (): void => {
      if (feed?.failure !== undefined) left.abort();
    };
    const run = this.#host.scheduler.run(sequence, signal, {
      onToken: (token) => {
        const goesOn = ++received < maxTokens && !options.stopIds.has(token.id);
        if (feed === undefined || feed.take(token.id, token.isDrafted, goesOn)) tokens.push(token);
        leaveOnFailure();
        wake.resolve();
      },
      onDraft: (ids) => {
        feed?.draft(ids);
        leaveOnFailure();
      },
    });
    void this.#use(run)
      .catch(() => {})
      .then(() => {
        ended = true;
        wake.resolve();
      });
    try {
      for (;;) {
        for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) yield token;
        if (ended) break;
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
      this.#count(await run);
      if (feed?.failure !== undefined) throw feed.failure.error;
      options.signal.throwIfAborted();
    } finally {
      left.abort();
      // The workers write into this session's pages until they have ended.
      await this.#lastUse;
    }
  }

  /**
   * Takes the pages that the ids of one command may need.
   * @returns how to speculate: not at all where memory is too short for drafts
   * @throws InsufficientMemoryError
   */
  #reserveForCommand(maxTokens: number, wanted: Speculation): Speculation {
    const { length } = this.#tokens;
    const reserve = (speculation: Speculation): void => {
      // The last id is not computed by this command.
      const ids = Math.min(maxTokens, idsPerCommand(speculation));
      this.#cache.reserve(length - 1, length + ids - 1);
    };
    try {
      reserve(wanted);
      return wanted;
    } catch (error) {
      if (wanted === false || !(error instanceof InsufficientMemoryError)) throw error;
      reserve(false);
      return false;
    }
  }

  #count(counts: DecodeCounts): void {
    this.#counts.forwards += counts.forwards;
    this.#counts.drafted += counts.drafted;
    this.#counts.accepted += counts.accepted;
    this.#counts.screened += counts.screened;
    this.#counts.computedLogits += counts.computedLogits;
  }

  #cut(length: number): void {
    this.#tokens.length = length;
    this.#computed = Math.min(this.#computed, length);
  }

  #begin(operation: string): void {
    if (this.#state === "closed") throw closedError(operation);
    if (this.#state === "busy") {
      throw new InvalidRequestError(
        `Cannot ${operation} this session: another operation still runs on it.`,
      );
    }
    this.#state = "busy";
  }

  #end(): void {
    if (this.#state !== "busy") return;
    this.#state = "idle";
    this.#cache.trim(this.#tokens.length);
    if (!this.#isAssumed) this.#cache.publish(this.#tokens, this.#computed);
  }

  /** The caller's signal, and that of closing. */
  #signal(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined
      ? this.#closing.signal
      : AbortSignal.any([signal, this.#closing.signal]);
  }

  /** Has `close` wait for what uses the cache. */
  #use<T>(use: Promise<T>): Promise<T> {
    this.#lastUse = use.catch(() => {});
    return use;
  }
}

function closedError(operation: string): InvalidRequestError {
  return new InvalidRequestError(`Cannot ${operation} this session: the session is closed.`);
}

function commonPrefix(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

/** @throws InvalidRequestError */
export function checkIds(ids: readonly number[], vocabSize: number): void {
  for (const [index, id] of ids.entries()) {
    if (Number.isInteger(id) && id >= 0 && id < vocabSize) continue;
    throw new InvalidRequestError(
      `Cannot compute id ${id} at position ${index}; accepted: integers 0 … ${vocabSize - 1}.`,
    );
  }
}
