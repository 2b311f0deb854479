/** A token engine behind URLs: several servers with the same model are one engine. */
import { randomUUID } from "node:crypto";
import type { Vocabulary } from "../constrain/token-trie.ts";
import type { EngineCapabilities, Session, TokenEngine, TokenLogprob } from "../engine.ts";
import { ContextOverflowError, InvalidRequestError, RemoteEngineError } from "../errors.ts";
import { parseEngineAddress } from "./address.ts";
import { connectReplica } from "./connect.ts";
import { PassingFailure } from "./http.ts";
import { LostIds } from "./lost-ids.ts";
import { ReplicaPool } from "./pool.ts";
import {
  DEFAULT_TOP,
  likeliestBehind,
  type PromptLogprobsOptions,
  wholePromptLogprobs,
} from "./prompt-logprobs.ts";
import { RemoteSession } from "./remote-session.ts";
import type { RemoteCapabilities, Replica } from "./replica.ts";
import { Retries, type RetryOptions } from "./retries.ts";

export type RemoteEngineOptions = {
  /** Sent as `Authorization: Bearer`; never part of an error. */
  readonly apiKey?: string | undefined;
  /** Milliseconds to connect in. Default 10,000. */
  readonly connectMs?: number | undefined;
  /** Milliseconds that a server may be silent, before its answer and within it. Default 300,000. */
  readonly idleMs?: number | undefined;
  /** Tokens of context, where no server says; default 131,072, that of gpt-oss. */
  readonly contextLength?: number | undefined;
  /** Rows of the model, where no server says; default 201,088, those of gpt-oss. */
  readonly vocabSize?: number | undefined;
  readonly retry?: RetryOptions | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Gets sentences about servers that are not used, fail, or cannot do something. */
  readonly onNote?: ((sentence: string) => void) | undefined;
};

/** What is known of one server. */
export type RemoteServer = {
  /** Host and path. */
  readonly name: string;
  /** `vLLM`, `llama-server`, … */
  readonly kind: string;
  readonly model: string | null;
  readonly contextLength: number | null;
  readonly capabilities: RemoteCapabilities;
  /** Requests that run. */
  readonly active: number;
  readonly state: "ready" | "resting" | "drained";
};

/** A token engine whose tokens servers compute. */
export type RemoteEngine = TokenEngine & {
  readonly servers: readonly RemoteServer[];
  /** What servers cannot do, and what is done in its place, one sentence each. */
  readonly limitations: readonly string[];
  /** The vocabulary of the servers, by which ids that a stream left out are found without another request. */
  useVocabulary(vocabulary: Pick<Vocabulary, "bytes" | "offsets">): void;
  /**
   * The ids of a text as each server has them, special tokens written as text.
   * @returns null for a server that does not tokenise
   */
  tokenize(text: string, signal?: AbortSignal): Promise<readonly (readonly number[] | null)[]>;
  /**
   * The text of ids as each server has it.
   * @returns null for a server that does not tell
   */
  detokenize(ids: readonly number[], signal?: AbortSignal): Promise<readonly (string | null)[]>;
  /**
   * The likeliest ids behind each id of a prompt, likeliest first, with the probabilities before sampling options
   * change them: from a server that is well.
   * @throws RemoteEngineError where no server tells probabilities by ids; ContextOverflowError for a prompt without
   *   room behind it; the signal's reason
   */
  promptLogprobs(
    ids: readonly number[],
    options?: PromptLogprobsOptions,
  ): Promise<readonly (readonly TokenLogprob[])[]>;
  /**
   * Gives a server no more requests, and waits for those that run.
   * @param name as in `servers`
   * @throws InvalidRequestError for a name that no server has
   */
  drain(name: string): Promise<void>;
};

const CONTEXT_LENGTH = 131_072;
const VOCAB_SIZE = 201_088;

/**
 * Connects to servers, and asks each for a token or two to see what it can do. One that does not answer is left out,
 * as long as another does.
 * @param addresses as `parseEngineAddress` has them
 * @throws RemoteEngineError for an address that is none, or when no server can be used; the signal's reason
 */
export async function openRemoteEngine(
  addresses: readonly string[],
  options: RemoteEngineOptions = {},
): Promise<RemoteEngine> {
  const { onNote = () => {} } = options;
  const parsed = addresses.map(parseEngineAddress);
  const connected = await Promise.allSettled(
    parsed.map((address) => connectReplica(address, options)),
  );
  const replicas = connected.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failures = connected.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  options.signal?.throwIfAborted();
  if (replicas.length === 0) throw failures[0] ?? noAddress();
  for (const failure of failures) {
    if (!(failure instanceof RemoteEngineError)) throw failure;
    onNote(`${failure.message} The engine goes on without it.`);
  }
  const engine = new ServersEngine(replicas, options);
  for (const sentence of engine.limitations) onNote(sentence);
  return engine;
}

/** @see openRemoteEngine */
class ServersEngine implements RemoteEngine {
  readonly name: string;
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly capabilities: EngineCapabilities;
  readonly #pool: ReplicaPool;
  readonly #options: RemoteEngineOptions;
  readonly #sessions = new Set<RemoteSession>();
  #lostIds: LostIds | null = null;
  #isClosed = false;

  /** @param replicas at least one */
  constructor(replicas: readonly Replica[], options: RemoteEngineOptions = {}) {
    this.#pool = new ReplicaPool(replicas);
    this.#options = options;
    const models = new Set(replicas.map(({ model }) => model ?? "a model"));
    this.name = `${[...models].join(" and ")} at ${replicas.map(({ name }) => name).join(", ")}`;
    const contexts = replicas.flatMap(({ facts }) => facts.contextLength ?? []);
    const rows = replicas.flatMap(({ facts }) => facts.vocabSize ?? []);
    // What one server holds, another has to be able to go on with.
    this.contextLength = Math.min(
      ...contexts,
      options.contextLength ?? (contexts.length > 0 ? Number.POSITIVE_INFINITY : CONTEXT_LENGTH),
    );
    this.vocabSize = rows.length > 0 ? Math.min(...rows) : (options.vocabSize ?? VOCAB_SIZE);
    this.capabilities = {
      rewind: true,
      matchers: replicas.every(
        ({ capabilities }) => capabilities.allowedIds || capabilities.logprobs,
      ),
    };
  }

  get servers(): readonly RemoteServer[] {
    return this.#pool.replicas.map((one) => ({
      name: one.name,
      kind: one.protocol.title,
      model: one.model,
      contextLength: one.facts.contextLength,
      capabilities: one.capabilities,
      active: one.active,
      state: one.isDrained ? "drained" : one.restsUntil > performance.now() ? "resting" : "ready",
    }));
  }

  get limitations(): readonly string[] {
    return this.#pool.replicas.flatMap((one) => limitationsOf(one));
  }

  useVocabulary(vocabulary: Pick<Vocabulary, "bytes" | "offsets">): void {
    this.#lostIds = new LostIds(vocabulary);
  }

  tokenize(text: string, signal?: AbortSignal): Promise<readonly (readonly number[] | null)[]> {
    return Promise.all(
      this.#pool.replicas.map((one) =>
        one.capabilities.tokenizes ? one.tokenize(text, signal) : null,
      ),
    );
  }

  detokenize(ids: readonly number[], signal?: AbortSignal): Promise<readonly (string | null)[]> {
    return Promise.all(this.#pool.replicas.map((one) => one.detokenize(ids, signal)));
  }

  async promptLogprobs(
    ids: readonly number[],
    options: PromptLogprobsOptions = {},
  ): Promise<readonly (readonly TokenLogprob[])[]> {
    const { onProgress } = options;
    const signal = options.signal ?? new AbortController().signal;
    if (ids.length >= this.contextLength) {
      throw new ContextOverflowError(ids.length + 1, this.contextLength);
    }
    const top = Math.min(
      options.top ?? DEFAULT_TOP,
      ...this.#pool.replicas.map(({ protocol }) => protocol.mostLogprobs),
    );
    const retries = new Retries(this.#options.retry ?? {});
    const found: (readonly TokenLogprob[])[] = [];
    while (found.length < ids.length) {
      signal.throwIfAborted();
      const replica = this.#chosen(ids);
      this.#pool.begin(replica);
      try {
        const whole = await wholePromptLogprobs(replica, ids, top, signal);
        if (whole !== null) found.splice(0, found.length, ...whole);
        while (found.length < ids.length) {
          const prefix = ids.slice(0, found.length + 1);
          found.push(await likeliestBehind(replica, prefix, top, signal));
          retries.progress();
          onProgress?.(found.length);
        }
        this.#pool.succeeded(replica);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof PassingFailure)) throw error;
        this.#pool.failed(replica, error.retryAfterMs ?? 0);
        await retries.failed(error, false, signal);
      } finally {
        this.#pool.end(replica);
      }
    }
    onProgress?.(ids.length);
    return found;
  }

  /** @throws RemoteEngineError where all servers are drained */
  #chosen(tokens: readonly number[]): Replica {
    const replica = this.#pool.choose(tokens, null, new Set());
    if (replica !== null) return replica;
    throw new RemoteEngineError(
      "CHORALE_ENGINE_UNREACHABLE",
      "Every server of the engine is drained; accepted: one that takes requests.",
    );
  }

  async drain(name: string): Promise<void> {
    const replica = this.#pool.replicas.find((one) => one.name === name);
    if (replica === undefined) {
      const names = this.#pool.replicas.map((one) => one.name).join(", ");
      throw new InvalidRequestError(`Cannot drain ${name}; accepted: ${names}.`);
    }
    replica.isDrained = true;
    if (replica.active === 0) return;
    await new Promise<void>((resolve) => {
      replica.onIdle = resolve;
    });
  }

  async createSession(): Promise<Session> {
    if (this.#isClosed) throw new InvalidRequestError("The engine is closed.");
    const { contextLength, vocabSize } = this;
    const session = new RemoteSession({
      pool: this.#pool,
      vocabSize,
      contextLength,
      lostIds: this.#lostIds,
      retry: this.#options.retry ?? {},
      cacheKey: randomUUID(),
      onClose: (one) => this.#sessions.delete(one),
      onNote: this.#options.onNote ?? (() => {}),
    });
    this.#sessions.add(session);
    return session;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#sessions].map((session) => session.close()));
    this.#sessions.clear();
    for (const { client } of this.#pool.replicas) client.close();
  }
}

function limitationsOf({ name, protocol, capabilities }: Replica): readonly string[] {
  const { exactStreams, logprobs, allowedIds, grammars, seed } = capabilities;
  const who = `${protocol.title} at ${name}`;
  return [
    ...(exactStreams ? [] : [`${who} streams no ids: answers come in blocks of 16 tokens.`]),
    ...(allowedIds || logprobs
      ? []
      : [
          `${who} tells no probabilities and takes no allowed ids: formats are checked afterwards alone.`,
        ]),
    ...(logprobs ? [] : [`${who} tells no probabilities by ids: chorale decide cannot use it.`]),
    ...(grammars === null && protocol.grammars !== null
      ? [`${who} keeps no grammars of whole answers: formats cost further requests.`]
      : []),
    ...(seed === "none" ? [`${who} samples without a seed.`] : []),
  ];
}

function noAddress(): RemoteEngineError {
  return new RemoteEngineError(
    "CHORALE_ENGINE_ADDRESS",
    "No address of an engine is given; accepted: one or more.",
  );
}
