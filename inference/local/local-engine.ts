import { randomInt } from "node:crypto";
import { availableParallelism } from "node:os";
import type { Checkpoint } from "../checkpoint/tensors.ts";
import type { MaskChannel } from "../decoding/mask-channel.ts";
import type {
  EngineCapabilities,
  EngineStatistics,
  KernelTime,
  Roofline,
  RooflineOptions,
  TokenEngine,
} from "../engine.ts";
import {
  EngineFailedError,
  formatBytes,
  InsufficientMemoryError,
  InvalidRequestError,
} from "../errors.ts";
import { type KvLayout, type KvType, kvCacheBytes, planKvLayout } from "../model/kv-layout.ts";
import type { Precision } from "../model/matrix.ts";
import {
  bankBytes,
  type ExpertKind,
  MAX_LOGIT_COLUMNS,
  type ModelPlan,
  type PlanOptions,
  planModel,
  type ResidentPart,
} from "../model/plan.ts";
import { compileKernels, type KernelBuild, type KernelModule } from "../wasm/kernels.ts";
import { createMemory } from "../wasm/memory-bank.ts";
import { revectorize } from "../wasm/revectorize.ts";
import { Threads } from "../workers/threads.ts";
import { KvPool } from "./kv-pool.ts";
import { type LoadProgress, loadWeights } from "./load-weights.ts";
import { availableMemory } from "./memory.ts";
import { identifyModel } from "./model-identity.ts";
import { PrefixCache, type PrefixCacheOptions } from "./prefix-cache.ts";
import { measureRoofline } from "./roofline.ts";
import { DecodeScheduler } from "./scheduler.ts";
import { checkIds, LocalSession, type SessionHost } from "./session.ts";

/** What a program may say about how a model is loaded and computed. */
export type OpenModelOptions = {
  /** Default: as many as the machine has, but one for models so small that waiting would dominate. */
  readonly threads?: number | undefined;
  /** Default: int8. */
  readonly precision?: Precision | undefined;
  /**
   * What experts become that are not MXFP4 in the files, under int8. Default: q8 where that fits into the
   * memory, else mxfp4.
   */
  readonly experts?: ExpertKind | undefined;
  /** Most tokens of one session. Default: what the model was made for, at most 16,384. */
  readonly contextLength?: number | undefined;
  /** Where prefixes that sessions share outlive the process. Default: nowhere. */
  readonly prefixCache?: PrefixCacheOptions | undefined;
  /** Measures where the time goes, for `takeProfile`. */
  readonly profile?: boolean | undefined;
  /**
   * Most bytes for the weights, the activations and the cache of one session: experts that do not fit
   * are read from the files when they are needed. Default: all are in memory.
   */
  readonly memoryLimit?: number | undefined;
  /** What the model is called, for people. Default: the last part of its path. */
  readonly name?: string | undefined;
  /** Ends the loading. */
  readonly signal?: AbortSignal | undefined;
  /** Called once, before any of it is taken. */
  readonly onMemory?: ((needs: MemoryNeeds) => void) | undefined;
  /** Called while loading. */
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
};

export type LocalEngineOptions = OpenModelOptions & {
  /** Most tokens computed in one step of a prefill. Default: 512. */
  readonly prefillChunk?: number | undefined;
  readonly tuning?: EngineTuning | undefined;
};

/** What the engine otherwise decides by itself. Nothing of it but `keyValues` changes an id. */
export type EngineTuning = {
  /** The build of the kernels. Default: the fastest that this Node accepts. */
  readonly kernels?: KernelBuild | undefined;
  /** Whether the kernels are compiled to wider vectors, where that gives the same and pays. Default: for large models. */
  readonly revectorize?: boolean | undefined;
  /** How keys and values are held. Default: i16 under precision int8, else f32. */
  readonly keyValues?: KvType | undefined;
  /** Whether sessions that begin alike share the keys and values of that. Default: yes. */
  readonly sharesPrefixes?: boolean | undefined;
  /** Most milliseconds that a prefill runs before it may be interrupted. Default: see `Threads`. */
  readonly uninterruptedMs?: number | undefined;
} & Partial<Pick<PlanOptions, "maxBankBytes" | "minScreenedWeights" | "screenSeed">>;

/** What an engine with one session takes when its context is full. */
export type MemoryNeeds = {
  /** Tokens. */
  readonly contextLength: number;
  readonly bytes: number;
  /** `cache`: keys and values; they are taken as the context fills. */
  readonly parts: Readonly<Record<ResidentPart | "cache", number>>;
};

const DEFAULT_CONTEXT = 16_384;
/** An expert then has 64 of them on average: each takes 15 % less time than with 16, for which weights are unpacked as well. */
const DEFAULT_PREFILL_CHUNK = 512;
const MAX_THREADS = 64;
/** So many sessions with a full context have room in the pool of keys and values, if memory has. */
const MAX_FULL_SESSIONS = 16;
/**
 * Bytes of weights per token from which a second thread pays: below, a layer's matrices are computed
 * in the time that its eleven barriers take.
 */
const MANY_BYTES_PER_TOKEN = 32 << 20;

/**
 * Loads a checkpoint into shared memories and starts the worker threads. The checkpoint may be closed
 * afterwards.
 *
 * @throws InsufficientMemoryError before anything is loaded
 * @throws CheckpointError, UnsupportedArchitectureError for a model that cannot be loaded
 * @throws InvalidRequestError for options that mean nothing
 * @throws EngineFailedError when memories or threads cannot be had
 */
export async function openLocalEngine(
  checkpoint: Checkpoint,
  options: LocalEngineOptions = {},
): Promise<LocalEngine> {
  const { name, plan, layout, needs } = planEngine(checkpoint, options);
  const { memoryLimit = Number.POSITIVE_INFINITY, tuning = {} } = options;
  const shown = Object.entries(needs.parts).map(([part, bytes]) => `${part} ${formatBytes(bytes)}`);
  const what = `${name} with a context of ${needs.contextLength} tokens (${shown.join(", ")})`;
  if (needs.bytes > memoryLimit) {
    const least = `${what}, and with but one expert of each layer in memory,`;
    throw new InsufficientMemoryError(least, needs.bytes, memoryLimit);
  }
  requireMemory(what, needs.bytes);
  options.onMemory?.(needs);

  // A small model computes for less time than the check takes.
  const isLarge = plan.bytesPerToken >= MANY_BYTES_PER_TOKEN && tuning.kernels === undefined;
  const isWide = (tuning.revectorize ?? isLarge) && (await revectorize());
  options.signal?.throwIfAborted();
  const module = compileKernels(tuning.kernels ?? (isWide ? "wide" : undefined));
  const memories = plan.banks.map((bytes) => createMemory(bytes));
  const onClosed = plan.paged ? checkpoint.retain() : undefined;
  const { uninterruptedMs } = tuning;
  const { profile } = options;
  const pool = new KvPool(layout, availableMemory, tuning.sharesPrefixes);
  const kv = { layout, memories: pool.memories };
  const init = { module, plan, memories, kv, profile };
  const threads = await Threads.start(init, { onClosed, uninterruptedMs });
  try {
    pool.setSinks(await loadWeights(checkpoint, plan, threads, options));
    const { prefixCache } = options;
    const prefixes = prefixCache && {
      store: new PrefixCache(prefixCache),
      identity: identifyModel(checkpoint, plan, layout),
    };
    return new LocalEngine(name, module, plan, pool, threads, prefixes);
  } catch (error) {
    // Ended before the caller closes the files that they read.
    await threads.close();
    throw error;
  }
}

/** How a model would lie in memory. */
type EnginePlan = {
  readonly name: string;
  readonly plan: ModelPlan;
  readonly layout: KvLayout;
  readonly needs: MemoryNeeds;
};

/** @throws InvalidRequestError for options that mean nothing; UnsupportedArchitectureError */
function planEngine(checkpoint: Checkpoint, options: LocalEngineOptions): EnginePlan {
  const name = options.name ?? checkpoint.path;
  const { config } = checkpoint;
  const contextLength = integerOption(
    "a context of",
    options.contextLength ?? Math.min(config.contextLength, DEFAULT_CONTEXT),
    config.contextLength,
  );
  const columns = Math.min(
    contextLength,
    integerOption("a prefill chunk of", options.prefillChunk ?? DEFAULT_PREFILL_CHUNK, 4096),
  );
  const { memoryLimit = Number.POSITIVE_INFINITY, tuning = {} } = options;
  const { maxBankBytes, minScreenedWeights, screenSeed = randomInt(2 ** 48 - 1) } = tuning;
  if (!(memoryLimit > 0)) {
    throw new InvalidRequestError(
      `Cannot open a model with a memory limit of ${memoryLimit}; accepted: bytes, more than 0.`,
    );
  }
  const precision = options.precision ?? "int8";
  const type = tuning.keyValues ?? (precision === "int8" ? "i16" : "f32");
  const available = availableMemory();
  const layoutFor = (threads: number): KvLayout => {
    const sessions = Math.min(columns, MAX_LOGIT_COLUMNS);
    const wanted = {
      contextLength,
      columns,
      sessions,
      threads,
      type,
      maxMemoryBytes: maxBankBytes,
    };
    const full = kvCacheBytes(planKvLayout(config, wanted), contextLength);
    const capacityBytes = Math.min(available, MAX_FULL_SESSIONS * full);
    return planKvLayout(config, { ...wanted, capacityBytes });
  };
  const planFor = (threads: number, experts?: ExpertKind): ModelPlan =>
    planModel(checkpoint, {
      precision,
      experts,
      threads,
      columns,
      memoryLimit: memoryLimit - kvCacheBytes(layoutFor(threads), contextLength),
      maxBankBytes,
      minScreenedWeights,
      screenSeed,
    });
  const threadCount = integerOption(
    "a number of threads of",
    options.threads ?? defaultThreads(planFor(1, options.experts)),
    MAX_THREADS,
  );
  const layout = layoutFor(threadCount);
  const cacheBytes = kvCacheBytes(layout, contextLength);
  const wide = planFor(threadCount, options.experts);
  const isTooLarge = wide.paged || bankBytes(wide) + cacheBytes > available;
  const mayNarrow = options.experts === undefined && precision === "int8";
  const plan = isTooLarge && mayNarrow ? planFor(threadCount, "mxfp4") : wide;
  const parts = { ...plan.resident, cache: cacheBytes };
  const bytes = Object.values(parts).reduce((sum, part) => sum + part, 0);
  return { name, plan, layout, needs: { contextLength, bytes, parts } };
}

/** What an engine would take and read, without opening it. */
export type EngineEstimate = MemoryNeeds & {
  readonly precision: Precision;
  readonly threads: number;
  /** Of weights, that every decoded token reads. */
  readonly bytesPerToken: number;
};

/** @throws InvalidRequestError for options that mean nothing; UnsupportedArchitectureError */
export function estimateEngine(
  checkpoint: Checkpoint,
  options: LocalEngineOptions = {},
): EngineEstimate {
  const { plan, needs } = planEngine(checkpoint, options);
  const { precision, threads, bytesPerToken } = plan;
  return { ...needs, precision, threads, bytesPerToken };
}

/** A model in this process: weights in shared memories, computed by worker threads. */
export class LocalEngine implements TokenEngine {
  readonly name: string;
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly capabilities: EngineCapabilities = {
    rewind: true,
    matchers: true,
  };
  readonly precision: Precision;
  readonly convertedExperts?: ExpertKind;
  readonly threads: number;
  readonly bytesPerToken: number;
  /** Bytes of the weights and of the activations of one step. */
  readonly byteLength: number;
  readonly #module: KernelModule;
  readonly #plan: ModelPlan;
  readonly #pool: KvPool;
  readonly #threads: Threads;
  readonly #scheduler: DecodeScheduler;
  readonly #prefixes: SessionHost["prefixes"];
  readonly #maskChannels: MaskChannel[] = [];
  #sessions = 0;
  #closed = false;

  /** Made by `openLocalEngine`. */
  constructor(
    name: string,
    module: KernelModule,
    plan: ModelPlan,
    pool: KvPool,
    threads: Threads,
    prefixes: SessionHost["prefixes"],
  ) {
    this.name = name;
    this.vocabSize = plan.config.vocab;
    this.contextLength = pool.layout.contextLength;
    this.precision = plan.precision;
    if (plan.convertedExperts !== undefined) this.convertedExperts = plan.convertedExperts;
    this.threads = plan.threads;
    this.bytesPerToken = plan.bytesPerToken;
    this.byteLength = bankBytes(plan);
    this.#module = module;
    this.#plan = plan;
    this.#pool = pool;
    this.#threads = threads;
    this.#prefixes = prefixes;
    this.#scheduler = new DecodeScheduler(threads, plan.scratch.logitColumns);
  }

  /**
   * Takes no memory: a session takes it as its tokens come.
   * @throws EngineFailedError when the engine is closed
   */
  async createSession(): Promise<LocalSession> {
    this.#requireOpen();
    return new LocalSession(this.#host(), ++this.#sessions);
  }

  /**
   * Logits after every token of a prompt, for comparisons with other implementations.
   * @param chunk tokens per step, at most the prefill chunk
   * @returns f32 (vocab) per token
   */
  async logits(ids: readonly number[], chunk?: number): Promise<Float32Array[]> {
    const rows: Float32Array[] = [];
    await this.forEachLogits(ids, (row) => rows.push(row), { chunk });
    return rows;
  }

  async forEachLogits(
    ids: readonly number[],
    onRow: (row: Float32Array, at: number) => void,
    {
      chunk = ids.length,
      signal,
    }: { readonly chunk?: number | undefined; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    checkIds(ids, this.vocabSize);
    if (ids.length > this.contextLength || !(Number.isInteger(chunk) && chunk > 0)) {
      throw new InvalidRequestError(
        `Cannot compute logits of ${ids.length} tokens in chunks of ${chunk}; ` +
          `accepted: at most ${this.contextLength} tokens, chunks of at least 1.`,
      );
    }
    this.#requireOpen();
    const cache = this.#pool.open();
    const session = ++this.#sessions;
    this.#threads.post({ type: "open", session, ...cache.cells });
    let at = 0;
    try {
      cache.reserve(0, ids.length);
      await this.#threads.run(
        { type: "logits", session, start: 0, ids, chunk },
        { signal, onReport: (report) => report.type === "logits" && onRow(report.logits, at++) },
      );
    } finally {
      this.#threads.post({ type: "close", session });
      cache.close();
    }
    signal?.throwIfAborted();
  }

  get statistics(): EngineStatistics {
    const { resident, paged, layers } = this.#plan;
    const residentBytes = { ...resident, cache: this.#pool.byteLength };
    if (!paged) return { residentBytes };
    const slots = layers.reduce((sum, layer) => sum + layer.gateUp.length, 0);
    const paging = this.#threads.pagingStats;
    const { hits, misses } = paging;
    const hitRate = hits + misses === 0 ? null : hits / (hits + misses);
    return { residentBytes, experts: { resident: slots, ...paging, hitRate } };
  }

  /** What the leading thread did since the last call; nothing unless opened with `profile`. */
  async takeProfile(): Promise<readonly KernelTime[]> {
    let times: readonly KernelTime[] = [];
    await this.#threads.run(
      { type: "profile" },
      {
        onReport: (report) => {
          if (report.type === "profile") times = report.times;
        },
      },
    );
    return times;
  }

  async roofline(options: RooflineOptions): Promise<Roofline> {
    this.#requireOpen();
    const subject = { module: this.#module, plan: this.#plan, kv: this.#pool.layout };
    return measureRoofline(subject, options);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#threads.close();
  }

  #requireOpen(): void {
    if (!this.#closed) return;
    throw new EngineFailedError(`Cannot open a session: the engine of ${this.name} is closed.`);
  }

  #host(): SessionHost {
    const { vocabSize, contextLength } = this;
    return {
      threads: this.#threads,
      pool: this.#pool,
      scheduler: this.#scheduler,
      prefixes: this.#prefixes,
      maskChannels: this.#maskChannels,
      vocabSize,
      contextLength,
    };
  }
}

function defaultThreads(plan: ModelPlan): number {
  if (plan.bytesPerToken < MANY_BYTES_PER_TOKEN) return 1;
  return Math.min(MAX_THREADS, availableParallelism());
}

function requireMemory(what: string, bytes: number): void {
  const available = availableMemory();
  if (bytes > available) throw new InsufficientMemoryError(what, bytes, available);
}

function integerOption(what: string, value: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
  throw new InvalidRequestError(
    `Cannot open a model with ${what} ${value}; accepted: an integer 1 … ${max}.`,
  );
}
