/**
 * The boundary of inference: token ids in, token ids out.
 *
 * A `TokenEngine` is a loaded model (or a connection to one). A `Session` is one mutable timeline of
 * tokens over it, with its KV cache: `sync` makes the timeline equal to a list of ids and computes
 * only what is new, `generate` extends it by sampling, `rewind` cuts it. Nothing here knows
 * messages, roles, channels or tools; which ids stop a generation is the caller's to say.
 */
import type { TokenGrammar } from "./token-grammar.ts";

export type Sampling = {
  /** 0 = greedy. */
  readonly temperature: number;
  /** Nucleus: smallest set of ids whose probability reaches this; 1 = all. */
  readonly topP: number;
  /** So many likeliest ids; 0 = all, the default. */
  readonly topK?: number | undefined;
  /** Ids at least this share as likely as the likeliest; 0 = all, the default. */
  readonly minP?: number | undefined;
  /** Divides the positive logits of ids that came lately, multiplies negative ones; 1 = off. */
  readonly repetitionPenalty?: number | undefined;
  /** Subtracted from the logits of ids that came lately; 0 = off. */
  readonly presencePenalty?: number | undefined;
  /** Subtracted once for every time they came; 0 = off. */
  readonly frequencyPenalty?: number | undefined;
  /** How many of the latest ids penalties count. Default 64. */
  readonly penaltyWindow?: number | undefined;
  /** Ids that penalties leave alone, such as those that give a format its structure. */
  readonly unpenalisedIds?: readonly number[] | undefined;
  /** Same seed and same timeline give the same ids, on any number of threads. */
  readonly seed: number;
};

export type SyncOptions = {
  /**
   * So many leading tokens begin other sessions as well: where the engine has a prefix cache, they are
   * read from it instead of computed, or put there once they are.
   */
  readonly sharedPrefix?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called between chunks of prefill. */
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
};

export type SyncResult = {
  /** Leading tokens whose KV was kept, or read from the prefix cache. */
  readonly reused: number;
  /** Tokens computed by this call. */
  readonly computed: number;
};

export type GenerateOptions = {
  readonly maxTokens: number;
  readonly stopIds: ReadonlySet<number>;
  readonly sampling: Sampling;
  readonly signal?: AbortSignal | undefined;
  /**
   * The only ids that may be sampled, as bits (id i is bit i % 32 of word i / 32): leaves out rows that
   * a vocabulary reserves or does not name. Default: all that the model has rows for.
   */
  readonly sampleableIds?: Uint32Array | undefined;
  /**
   * Constrained decoding. When the generation begins, the matcher stands at the end of the timeline; when
   * it has ended, however it did, the matcher has accepted exactly the ids that are in the timeline.
   */
  readonly matcher?: TokenMatcher | undefined;
  /** Gets the log probabilities of each id just before that id is yielded. */
  readonly logprobs?: LogprobOptions | undefined;
  /**
   * Whether drafts from earlier text may be checked several tokens at a time, where that is expected to
   * pay by what passes and drafts before have cost and brought; `always`, for measurements: wherever there is a draft.
   * The ids are the same with and without. Default: yes.
   */
  readonly speculation?: boolean | "always" | undefined;
};

/**
 * Constrained decoding: a grammar, and how far it has read. The session tells it of each id before that
 * id is yielded, and asks it once per position for what may come, while the model computes that
 * position's logits. With `speculation` it is also told of drafted ids, which are rolled back as far as
 * they do not come. What it throws ends the generation.
 */
export interface TokenMatcher {
  /** An id has come; it is one that the last mask allows. */
  accept(id: number): void;
  /** Forgets the last `count` accepted ids. */
  rollback(count: number): void;
  /**
   * What may come next: bits as in `sampleableIds`, at least one of those set; null where everything may
   * come. Read before the next call.
   */
  mask(): Uint32Array | null;
  /**
   * What may come from here on, for an engine whose servers keep grammars themselves; null where no grammar says it.
   * Everything that the masks allow is in it, and it may have more: the masks decide. The same object as long as the
   * grammar is the same.
   */
  grammar?(): TokenGrammar | null;
}

export type TokenLogprob = {
  readonly id: number;
  /** Natural logarithm of the probability that the model gives, before sampling options change it. */
  readonly logprob: number;
};

export type TokenLogprobs = TokenLogprob & {
  /** The likeliest ids at this position, likeliest first. */
  readonly top: readonly TokenLogprob[];
};

export type LogprobOptions = {
  /** How many of the likeliest ids are named, 0 … 20. */
  readonly top: number;
  readonly onLogprobs: (logprobs: TokenLogprobs) => void;
};

/** Why a generation ended. `stop`: the last id yielded is a stop id. */
export type FinishReason = "stop" | "length" | "context";

/** What the generations of a session took so far. */
export type SessionStatistics = {
  /** Passes through the model. */
  readonly forwards: number;
  /** Ids that drafts proposed, and those of them that came. */
  readonly drafted: number;
  readonly accepted: number;
  /** Ids that were sampled from bounds of the logits, and the logits that were computed for them. */
  readonly screened?: { readonly ids: number; readonly logits: number };
};

/** What an engine holds in memory, and what paging costs where a memory limit made it page. */
export type EngineStatistics = {
  /**
   * Bytes of the weights by part, of the activations of one step, and of the keys and values (`cache`)
   * that sessions hold or have given back for the next ones.
   */
  readonly residentBytes: Readonly<Record<string, number>>;
  /** Since the model was loaded; absent where all experts are in memory. */
  readonly experts?: {
    /** How many are in memory at most. */
    readonly resident: number;
    /** Experts that were wanted and there. */
    readonly hits: number;
    /** Experts that had to be read from the files. */
    readonly misses: number;
    /** Part of the wanted ones that were there; null before the first. */
    readonly hitRate: number | null;
    readonly bytesRead: number;
    /** Time in which nothing was computed because experts were read. */
    readonly readMs: number;
  };
};

export interface Session {
  /** The ids whose KV is held, oldest first. */
  readonly tokens: readonly number[];
  /** Absent where the engine does not tell. */
  readonly statistics?: SessionStatistics;
  /**
   * Makes the timeline equal to `tokens`: keeps the longest common prefix, computes the rest.
   * @throws ContextOverflowError when they do not fit the context; the timeline is unchanged
   * @throws InsufficientMemoryError when memory is short; the timeline is then a valid prefix of `tokens`
   * @throws the signal's reason when aborted; the timeline is then a valid prefix of `tokens`
   */
  sync(tokens: readonly number[], options?: SyncOptions): Promise<SyncResult>;
  /**
   * Samples ids one by one, each appended to the timeline before it is yielded; the stop id is
   * yielded too. Leaving the loop early (break, return) ends the generation. An empty timeline is
   * an error: sync first.
   * @throws BrokenNumbersError when the logits hold NaN or infinity
   * @throws InsufficientMemoryError when memory is short; what came until then is in the timeline
   */
  generate(options: GenerateOptions): AsyncGenerator<number, FinishReason, void>;
  /** Forgets everything after the first `length` tokens. */
  rewind(length: number): void;
  /**
   * Gives back what the session holds. May be called while `sync` or `generate` runs: that ends with an
   * InvalidRequestError, and `close` waits until nothing is computed for it any more.
   */
  close(): Promise<void>;
}

/** What a thread spent in one kernel, or in waiting for the others ("barrier"). */
export type KernelTime = { readonly name: string; readonly ms: number; readonly calls: number };

export type RooflineOptions = {
  /** Tokens of a prompt, the last of them computed with its logits. */
  readonly prompt: number;
  /** Tokens decoded behind it. */
  readonly generate: number;
  readonly signal?: AbortSignal | undefined;
};

/** Multiply-accumulates per second of one thread, while all threads of the engine multiply from their caches. */
export type KernelRate = {
  /** The layout of its weights (`q8`, `mxfp4`, `bf16`, `f32`), `screen` or `attention`. */
  readonly kind: string;
  /** With the one column of a decode step. */
  readonly one: number;
  /** With as many columns as make the most of an unpacked weight. */
  readonly many: number;
};

/** What a token takes, and how many per second are possible. */
export type RooflineSide = {
  /** Of weights, keys and values. */
  readonly bytesPerToken: number;
  /** Multiply-accumulates. */
  readonly macsPerToken: number;
  /** Tokens per second if memory were all that is waited for. */
  readonly memoryLimit: number;
  /** Tokens per second if arithmetic were. */
  readonly arithmeticLimit: number;
  /** Tokens per second where each pass waits for the slower of the two. */
  readonly limit: number;
};

/** What a model's passes read and multiply, beside what this machine's memory and the kernels allow. */
export type Roofline = {
  /** Bytes per second that all threads read together. */
  readonly bandwidth: number;
  readonly rates: readonly KernelRate[];
  readonly prefill: RooflineSide;
  readonly decode: RooflineSide;
};

export type EngineCapabilities = {
  /** The engine can go back to an earlier length of a session. */
  readonly rewind: boolean;
  /** Sampling follows a `matcher`. */
  readonly matchers: boolean;
};

export interface TokenEngine {
  /** For people: a folder name, a URL, `chorale-demo`. */
  readonly name: string;
  /** Ids the model has rows for: 0 … vocabSize-1. */
  readonly vocabSize: number;
  /** Most tokens one session can hold. */
  readonly contextLength: number;
  readonly capabilities: EngineCapabilities;
  /** Of this process that compute; absent where something else computes. */
  readonly threads?: number;
  /** How it multiplies, where there is a choice. */
  readonly precision?: "int8" | "exact";
  /** What experts were made of that are not MXFP4 in the files; absent where there are none, or they are as in the files. */
  readonly convertedExperts?: "q8" | "mxfp4";
  /** Bytes of weights that one decoded token reads, where that is known. */
  readonly bytesPerToken?: number;
  /** Absent where the engine does not tell. */
  readonly statistics?: EngineStatistics;
  createSession(): Promise<Session>;
  /**
   * Measures for some seconds how fast a prompt and what follows it could be; absent where something else
   * computes. Nothing else should use the machine meanwhile.
   * @throws EngineFailedError when it cannot be measured; the signal's reason
   */
  roofline?(options: RooflineOptions): Promise<Roofline>;
  /**
   * Computes a prompt beside all sessions, and gives the logits behind each of its ids: f32 (vocabSize) in order, with
   * the place of the id. For comparisons with other engines; absent where the engine has no logits.
   * @throws InvalidRequestError for ids that are none, and more of them than the context holds; the signal's reason
   */
  forEachLogits?(
    ids: readonly number[],
    onRow: (row: Float32Array, at: number) => void,
    options?: { readonly signal?: AbortSignal },
  ): Promise<void>;
  close(): Promise<void>;
}
