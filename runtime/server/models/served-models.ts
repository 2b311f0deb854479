/**
 * Which models are in memory: loaded when they are asked for, kept while they are used and for a while after, and
 * made room of for others.
 */
import type { HarmonyModel } from "../../index.ts";
import type { Clock } from "../clock.ts";
import { ModelNotFoundError, ServerError } from "../errors.ts";
import type { ModelFacts, ModelSource } from "./model-source.ts";

export type ServedModelsOptions = {
  readonly source: ModelSource;
  readonly clock: Clock;
  readonly maxModels: number;
  /** Milliseconds, where a request says nothing. */
  readonly keepAliveMs: number;
  readonly loadTimeoutMs: number;
  readonly note: (sentence: string) => void;
};

export type UseOptions = {
  /** Most tokens of context that are wanted; a model is loaded again only for more than it has. */
  readonly contextLength?: number | null;
  /** Milliseconds that the model stays behind this use; Infinity: for ever. */
  readonly keepAliveMs?: number | null;
  readonly signal: AbortSignal;
};

/** A model while a request uses it. */
export type ModelLease = {
  readonly facts: ModelFacts;
  readonly model: HarmonyModel;
  /** Milliseconds that this request has waited for it. */
  readonly loadMs: number;
  /** May be called more than once. */
  readonly release: () => void;
};

/** A model in memory, for those who watch. */
export type LoadedModel = {
  readonly facts: ModelFacts;
  readonly contextLength: number;
  /** Bytes in memory. */
  readonly bytes: number;
  /** Milliseconds since 1970; Infinity: never. */
  readonly expiresAt: number;
  readonly isBusy: boolean;
};

type Entry = {
  readonly facts: ModelFacts;
  readonly contextLength: number;
  readonly opening: Promise<HarmonyModel>;
  model: HarmonyModel | null;
  users: number;
  keepAliveMs: number;
  expiresAt: number;
  lastUse: number;
  /** No further request gets it: it is closed when its last user is gone. */
  isLeaving: boolean;
  forgetExpiry: () => void;
  readonly gone: PromiseWithResolvers<void>;
};

export class ServedModels {
  readonly source: ModelSource;
  readonly #options: ServedModelsOptions;
  readonly #entries = new Map<string, Entry>();
  /** Resolved when a user has left, or a model is gone. */
  #changed = Promise.withResolvers<void>();
  #uses = 0;
  #isClosed = false;

  constructor(options: ServedModelsOptions) {
    this.#options = options;
    this.source = options.source;
  }

  get loaded(): readonly LoadedModel[] {
    return [...this.#entries.values()].flatMap((entry) => {
      const { model, facts, contextLength, expiresAt, users } = entry;
      if (model === null) return [];
      return [{ facts, contextLength, bytes: bytesOf(model), expiresAt, isBusy: users > 0 }];
    });
  }

  /** A model is being loaded, and none is there. */
  get isLoading(): boolean {
    const entries = [...this.#entries.values()];
    return entries.length > 0 && entries.every(({ model }) => model === null);
  }

  /** @throws ModelNotFoundError */
  async find(name: string): Promise<ModelFacts> {
    const facts = await this.source.find(name);
    if (facts === null) throw new ModelNotFoundError(name);
    return facts;
  }

  /**
   * The model of a name, loaded where it is not.
   * @throws ModelNotFoundError; what loading it throws; ServerError where that takes too long; the signal's reason
   */
  async use(name: string, options: UseOptions): Promise<ModelLease> {
    const { signal, keepAliveMs = null } = options;
    const startedAt = this.#options.clock.now();
    const facts = await this.find(name);
    for (;;) {
      signal.throwIfAborted();
      if (this.#isClosed) throw closing();
      const entry = this.#entries.get(facts.name);
      if (entry === undefined) {
        if (!(await this.#makeRoom(signal))) continue;
        if (!this.#entries.has(facts.name)) this.#open(facts, options.contextLength ?? null);
        continue;
      }
      if (entry.isLeaving) {
        await unlessAborted(entry.gone.promise, signal);
        continue;
      }
      const wanted = Math.min(options.contextLength ?? 0, facts.contextLength);
      if (wanted > entry.contextLength) {
        this.#options.note(
          `${facts.name} is loaded again for a context of ${wanted} tokens instead of ${entry.contextLength}.`,
        );
        this.#leave(entry);
        continue;
      }
      return this.#lease(entry, keepAliveMs, startedAt, signal);
    }
  }

  /** Takes a model out of memory once no request uses it. @returns whether it was there */
  async unload(name: string): Promise<boolean> {
    const facts = await this.find(name);
    const entry = this.#entries.get(facts.name);
    if (entry === undefined || entry.isLeaving) return false;
    this.#leave(entry);
    return true;
  }

  /** Closes all models; who uses one has to be done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const entries = [...this.#entries.values()];
    for (const entry of entries) this.#leave(entry);
    await Promise.all(entries.map(({ gone }) => gone.promise));
  }

  async #lease(
    entry: Entry,
    keepAliveMs: number | null,
    startedAt: number,
    signal: AbortSignal,
  ): Promise<ModelLease> {
    const { clock, loadTimeoutMs } = this.#options;
    entry.users++;
    entry.forgetExpiry();
    entry.lastUse = ++this.#uses;
    let hasLeft = false;
    const release = (): void => {
      if (hasLeft) return;
      hasLeft = true;
      entry.users--;
      entry.keepAliveMs = keepAliveMs ?? this.#options.keepAliveMs;
      this.#settle(entry);
    };
    const late = Promise.withResolvers<never>();
    const forget = clock.after(loadTimeoutMs, () => late.reject(loadTooLong(entry.facts.name)));
    late.promise.catch(() => {});
    try {
      const model = await unlessAborted(Promise.race([entry.opening, late.promise]), signal);
      return { facts: entry.facts, model, loadMs: clock.now() - startedAt, release };
    } catch (error) {
      release();
      throw error;
    } finally {
      forget();
    }
  }

  #open(facts: ModelFacts, wanted: number | null): void {
    const { source, clock, note, keepAliveMs } = this.#options;
    const contextLength = Math.min(
      facts.contextLength,
      Math.max(wanted ?? 0, source.defaultContext(facts)),
    );
    const entry: Entry = {
      facts,
      contextLength,
      opening: source.open(facts, { contextLength }),
      model: null,
      users: 0,
      keepAliveMs,
      expiresAt: Number.POSITIVE_INFINITY,
      lastUse: 0,
      isLeaving: false,
      forgetExpiry: () => {},
      gone: Promise.withResolvers(),
    };
    this.#entries.set(facts.name, entry);
    const startedAt = clock.now();
    entry.opening.then(
      (model) => {
        entry.model = model;
        note(`${facts.name} is loaded (${((clock.now() - startedAt) / 1000).toFixed(1)} s).`);
        this.#settle(entry);
      },
      (error: unknown) => {
        note(`${facts.name} cannot be loaded: ${error instanceof Error ? error.message : error}`);
        this.#gone(entry);
      },
    );
  }

  /** @returns whether there is room now; false: look again */
  async #makeRoom(signal: AbortSignal): Promise<boolean> {
    if (this.#entries.size < this.#options.maxModels) return true;
    const idle = [...this.#entries.values()].filter(({ users, model }) => users === 0 && model);
    const victim = idle.sort((a, b) => a.lastUse - b.lastUse)[0];
    if (victim !== undefined) this.#leave(victim);
    await unlessAborted(victim?.gone.promise ?? this.#changed.promise, signal);
    return false;
  }

  #leave(entry: Entry): void {
    entry.isLeaving = true;
    this.#settle(entry);
  }

  /** Closes what no request uses any more, or has it expire. */
  #settle(entry: Entry): void {
    this.#tell();
    const { model, users, keepAliveMs } = entry;
    if (users > 0 || model === null) return;
    if (entry.isLeaving || keepAliveMs <= 0) {
      entry.isLeaving = true;
      entry.forgetExpiry();
      entry.model = null;
      this.#options.note(`${entry.facts.name} is taken out of memory.`);
      model.close().then(
        () => this.#gone(entry),
        () => this.#gone(entry),
      );
      return;
    }
    const { clock } = this.#options;
    entry.forgetExpiry();
    entry.expiresAt = clock.now() + keepAliveMs;
    if (keepAliveMs === Number.POSITIVE_INFINITY) return;
    entry.forgetExpiry = clock.after(keepAliveMs, () => {
      if (entry.users === 0) this.#leave(entry);
    });
  }

  #gone(entry: Entry): void {
    if (this.#entries.get(entry.facts.name) === entry) this.#entries.delete(entry.facts.name);
    entry.gone.resolve();
    this.#tell();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

function bytesOf({ engine }: HarmonyModel): number {
  const { residentBytes = {} } = engine.statistics ?? {};
  return Object.values(residentBytes).reduce((sum, bytes) => sum + bytes, 0);
}

function loadTooLong(name: string): ServerError {
  return new ServerError(
    "CHORALE_MODEL_LOADING",
    `${name} is not loaded yet; CHORALE_LOAD_TIMEOUT says how long a request waits for that.`,
    { status: 503, retryAfter: 30 },
  );
}

function closing(): ServerError {
  return new ServerError("CHORALE_SERVER_CLOSING", "The server is closing.", {
    status: 503,
    retryAfter: 5,
  });
}

/** @throws the signal's reason */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
