import type { FinishReason, GenerateOptions, Session, SyncOptions, SyncResult } from "./engine.ts";
import { ContextOverflowError, InvalidRequestError } from "./errors.ts";
import type { KvCache } from "./kv-cache.ts";
import { checkSampling } from "./sampler.ts";
import type { Threads } from "./wasm/threads.ts";

/**
 * Tokens that the workers sample in one command. Between commands other sessions get their turn, and
 * a reader who is slow or leaves holds the workers back by at most this many tokens.
 */
const TOKENS_PER_COMMAND = 32;

/** What a session needs of its engine. */
export type SessionHost = {
  readonly threads: Threads;
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

  constructor(host: SessionHost, id: number, cache: KvCache) {
    this.#host = host;
    this.#id = id;
    this.#cache = cache;
    host.threads.post({
      type: "open",
      session: id,
      layout: cache.layout,
      memories: cache.memories,
    });
  }

  get tokens(): readonly number[] {
    return this.#tokens;
  }

  /** Bytes that are reserved for keys and values, touched or not. */
  get cacheByteLength(): number {
    return this.#cache.byteLength;
  }

  async sync(tokens: readonly number[], options: SyncOptions = {}): Promise<SyncResult> {
    this.#begin("sync");
    try {
      const { vocabSize, contextLength } = this.#host;
      checkIds(tokens, vocabSize);
      if (tokens.length > contextLength) {
        throw new ContextOverflowError(tokens.length, contextLength);
      }
      const reused = commonPrefix(this.#tokens, tokens);
      this.#cut(reused);
      await this.#prefill(tokens, options);
      this.#tokens.push(...tokens.slice(this.#tokens.length));
      return { reused, computed: tokens.length - reused };
    } finally {
      this.#end();
    }
  }

  async *generate(options: GenerateOptions): AsyncGenerator<number, FinishReason, void> {
    const { maxTokens, stopIds, signal } = options;
    this.#begin("generate");
    try {
      checkSampling(options.sampling);
      const banned = options.bannedFirstIds ?? [];
      if (!(Number.isSafeInteger(maxTokens) && maxTokens >= 0)) {
        throw new InvalidRequestError(
          `Cannot generate ${maxTokens} tokens; accepted: an integer from 0.`,
        );
      }
      if (this.#tokens.length === 0) {
        throw new InvalidRequestError("Cannot generate on an empty timeline; sync first.");
      }
      const { contextLength } = this.#host;
      this.#cache.reserve(Math.min(contextLength, this.#tokens.length + maxTokens));
      let count = 0;
      while (count < maxTokens) {
        const room = contextLength - this.#tokens.length;
        if (room === 0) return "context";
        const size = Math.min(TOKENS_PER_COMMAND, maxTokens - count, room);
        const first = count === 0 ? banned : [];
        for await (const id of this.#burst(size, first, options)) {
          signal?.throwIfAborted();
          this.#tokens.push(id);
          this.#computed = this.#tokens.length - 1;
          count++;
          yield id;
          if (stopIds.has(id)) return "stop";
        }
      }
      return "length";
    } finally {
      this.#end();
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
    this.#tokens.length = 0;
    this.#host.threads.post({ type: "close", session: this.#id });
  }

  /** Computes all of `tokens` but the last; when aborted, the timeline is as far as that came. */
  async #prefill(tokens: readonly number[], options: SyncOptions): Promise<void> {
    const start = this.#computed;
    const total = tokens.length - this.#tokens.length;
    const ids = tokens.slice(start, -1);
    if (ids.length === 0) return;
    options.signal?.throwIfAborted();
    this.#cache.reserve(tokens.length);
    // A token that was left pending is computed now, but it is not a new one.
    const known = this.#tokens.length - start;
    await this.#host.threads.run(
      { type: "prefill", session: this.#id, start, ids },
      {
        signal: options.signal,
        onReport: (report) => {
          if (report.type !== "progress") return;
          this.#computed = start + report.done;
          options.onProgress?.({ done: Math.max(0, report.done - known), total });
        },
      },
    );
    const reached = Math.max(this.#tokens.length, this.#computed);
    this.#tokens.push(...tokens.slice(this.#tokens.length, reached));
    options.signal?.throwIfAborted();
  }

  /** The ids of one command, as the workers sample them. Leaving the loop early stops the workers. */
  async *#burst(
    maxTokens: number,
    bannedFirstIds: readonly number[],
    options: GenerateOptions,
  ): AsyncGenerator<number, void, void> {
    const start = this.#tokens.length - 1;
    const left = new AbortController();
    const signals = options.signal === undefined ? [] : [options.signal];
    const signal = AbortSignal.any([left.signal, ...signals]);
    const ids: number[] = [];
    let wake = Promise.withResolvers<void>();
    let ended = false;
    const run = this.#host.threads.run(
      {
        type: "generate",
        session: this.#id,
        start,
        last: this.#tokens[start] ?? 0,
        maxTokens,
        stopIds: options.stopIds,
        sampling: options.sampling,
        bannedFirstIds,
      },
      {
        signal,
        onReport: (report) => {
          if (report.type === "token") ids.push(report.id);
          wake.resolve();
        },
      },
    );
    const settle = (): void => {
      ended = true;
      wake.resolve();
    };
    run.then(settle, settle);
    try {
      for (;;) {
        for (let id = ids.shift(); id !== undefined; id = ids.shift()) yield id;
        if (ended) break;
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
      if ((await run) === "cancelled") options.signal?.throwIfAborted();
    } finally {
      left.abort();
      // The workers write into this session's cache until they have ended.
      await run.catch(() => {});
    }
  }

  #cut(length: number): void {
    this.#tokens.length = length;
    this.#computed = Math.min(this.#computed, length);
  }

  #begin(operation: string): void {
    if (this.#state !== "idle") {
      const why =
        this.#state === "closed" ? "the session is closed" : "another operation still runs on it";
      throw new InvalidRequestError(`Cannot ${operation} this session: ${why}.`);
    }
    this.#state = "busy";
  }

  #end(): void {
    if (this.#state === "busy") this.#state = "idle";
  }
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
