/**
 * The boundary of inference: token ids in, token ids out.
 *
 * A `TokenEngine` is a loaded model (or a connection to one). A `Session` is one mutable timeline of
 * tokens over it, with its KV cache: `sync` makes the timeline equal to a list of ids and computes
 * only what is new, `generate` extends it by sampling, `rewind` cuts it. Nothing here knows
 * messages, roles, channels or tools; which ids stop a generation is the caller's to say.
 */

export type Sampling = {
  /** 0 = greedy. */
  readonly temperature: number;
  /** Nucleus: smallest set of ids whose probability reaches this; 1 = all. */
  readonly topP: number;
  /** Same seed and same timeline give the same ids, on any number of threads. */
  readonly seed: number;
};

export type SyncOptions = {
  readonly signal?: AbortSignal | undefined;
  /** Called between chunks of prefill. */
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
};

export type SyncResult = {
  /** Leading tokens whose KV was kept. */
  readonly reused: number;
  /** Tokens computed by this call. */
  readonly computed: number;
};

export type GenerateOptions = {
  readonly maxTokens: number;
  readonly stopIds: ReadonlySet<number>;
  readonly sampling: Sampling;
  readonly signal?: AbortSignal | undefined;
  /** Ids never sampled for the first token, e.g. the one that led astray before a rewind. */
  readonly bannedFirstIds?: readonly number[] | undefined;
};

/** Why a generation ended. `stop`: the last id yielded is a stop id. */
export type FinishReason = "stop" | "length" | "context";

export interface Session {
  /** The ids whose KV is held, oldest first. */
  readonly tokens: readonly number[];
  /**
   * Makes the timeline equal to `tokens`: keeps the longest common prefix, computes the rest.
   * @throws ContextOverflowError when they do not fit the context; the timeline is unchanged
   * @throws the signal's reason when aborted; the timeline is then a valid prefix of `tokens`
   */
  sync(tokens: readonly number[], options?: SyncOptions): Promise<SyncResult>;
  /**
   * Samples ids one by one, each appended to the timeline before it is yielded; the stop id is
   * yielded too. Leaving the loop early (break, return) ends the generation. An empty timeline is
   * an error: sync first.
   */
  generate(options: GenerateOptions): AsyncGenerator<number, FinishReason, void>;
  /** Forgets everything after the first `length` tokens. */
  rewind(length: number): void;
  close(): Promise<void>;
}

export type EngineCapabilities = {
  /** The engine can go back to an earlier length of a session. */
  readonly rewind: boolean;
  /** Sampling can exclude ids. */
  readonly bannedIds: boolean;
};

export interface TokenEngine {
  /** For people: a folder name, a URL, `chorale-demo`. */
  readonly name: string;
  /** Ids the model has rows for: 0 … vocabSize-1. */
  readonly vocabSize: number;
  /** Most tokens one session can hold. */
  readonly contextLength: number;
  readonly capabilities: EngineCapabilities;
  createSession(): Promise<Session>;
  close(): Promise<void>;
}
