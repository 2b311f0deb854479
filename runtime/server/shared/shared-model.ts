/**
 * The model of a server of this user, as a command uses it: the weights and the KV cache are there, everything else
 * is here.
 */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import type { Tokenizer } from "../../../harmony/index.ts";
import type { Sampling, TokenEngine } from "../../../inference/index.ts";
import {
  HarmonyModel,
  type LanguageModel,
  type ModelEvent,
  type ModelRequest,
  type ModelStep,
  RunError,
  type ScoredAnswers,
  type ScoreRequest,
} from "../../index.ts";
import {
  errorOf,
  PATHS,
  type SampleBody,
  type SampleLine,
  type SharedModelFacts,
  type WireError,
  wireTool,
} from "./wire.ts";

export type SharedModelOptions = {
  readonly socketPath: string;
  /** As the server lists it. */
  readonly model: string;
  /** The model's own vocabulary. */
  readonly tokenizer: Tokenizer;
};

const MAX_ANSWER = 64 << 20;

export class SharedModel implements LanguageModel {
  readonly #options: SharedModelOptions;
  readonly #facts: SharedModelFacts;
  /** Renders and counts; samples nothing. */
  readonly #renderer: HarmonyModel;
  readonly #threads = new Set<string>();

  private constructor(options: SharedModelOptions, facts: SharedModelFacts) {
    this.#options = options;
    this.#facts = facts;
    this.#renderer = new HarmonyModel({
      engine: engineWithoutSessions(facts),
      tokenizer: options.tokenizer,
    });
  }

  /**
   * Waits until the server has the model in memory.
   * @throws RunError; what connecting throws
   */
  static async open(options: SharedModelOptions, signal?: AbortSignal): Promise<SharedModel> {
    const { socketPath, model } = options;
    const body = { model };
    const facts = (await askJson(socketPath, PATHS.model, body, signal)) as SharedModelFacts;
    const shared = new SharedModel(options, facts);
    if (shared.#renderer.vocabulary === facts.vocabulary) return shared;
    throw new RunError(
      "CHORALE_MODEL",
      `The server's ${facts.name} has another vocabulary than the files that it was started with have now.`,
    );
  }

  get name(): string {
    return this.#facts.name;
  }

  get contextLength(): number {
    return this.#facts.contextLength;
  }

  get sampling(): Partial<Sampling> {
    return this.#facts.sampling;
  }

  get vocabulary(): string {
    return this.#facts.vocabulary;
  }

  get fingerprint(): string | undefined {
    return this.#facts.fingerprint ?? undefined;
  }

  async sample(
    request: ModelRequest,
    onEvent: (event: ModelEvent) => void | Promise<void>,
  ): Promise<ModelStep> {
    const { tools, shouldPause, signal, ...plain } = request;
    const { model } = this.#options;
    const id = randomUUID();
    this.#threads.add(request.threadId);
    const body: SampleBody = {
      ...plain,
      id,
      model,
      tools: tools.list.map(({ tool }) => wireTool(tool)),
    };
    // The server ends the step, and says what it came to until then.
    const cancel = (): void => this.#tell(id, "cancel");
    if (signal.aborted) return unfinished(signal.reason, "cancelled");
    signal.addEventListener("abort", cancel, { once: true });
    let failure: { readonly error: unknown } | null = null;
    let isPausing = false;
    try {
      for await (const line of this.#lines(body)) {
        if ("error" in line && line.error !== undefined) throw errorOf(line.error);
        if ("step" in line && line.step !== undefined) {
          const { error, ...step } = line.step;
          if (failure !== null) return { ...step, finish: "failed", error: failure.error };
          if (step.finish === "cancelled") return { ...step, error: signal.reason };
          return { ...step, ...(error !== undefined && { error: errorOf(error) }) };
        }
        if (!("event" in line) || line.event === undefined || failure !== null) continue;
        try {
          await onEvent(line.event);
        } catch (error) {
          failure = { error };
          cancel();
        }
        if (!isPausing && line.sampled != null && shouldPause(line.sampled)) {
          isPausing = true;
          this.#tell(id, "pause");
        }
      }
      throw gone();
    } catch (error) {
      // What is wrong with the request is thrown before anything is computed.
      if (RunError.isInstance(error) && BEFORE_SAMPLING.has(error.code)) throw error;
      return unfinished(error, "failed");
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  async score(request: ScoreRequest): Promise<ScoredAnswers> {
    const { tools, signal, ...plain } = request;
    const { socketPath, model } = this.#options;
    this.#threads.add(request.threadId);
    const body = { ...plain, model, tools: tools.list.map(({ tool }) => wireTool(tool)) };
    return (await askJson(socketPath, PATHS.score, body, signal)) as ScoredAnswers;
  }

  promptTokens(request: Pick<ModelRequest, "settings" | "tools" | "transcript">): number {
    return this.#renderer.promptTokens(request);
  }

  countTokens(text: string): number {
    return this.#renderer.countTokens(text);
  }

  handOver(from: string, to: string): void {
    this.#threads.delete(from);
    this.#threads.add(to);
    this.#say({ handOver: { from, to } });
  }

  async release(threadId: string): Promise<void> {
    if (this.#threads.delete(threadId)) await this.#leave(threadId);
  }

  /** The server keeps what was computed, for conversations that begin alike. */
  async close(): Promise<void> {
    await Promise.all([...this.#threads].map((threadId) => this.#leave(threadId)));
    this.#threads.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #leave(threadId: string): Promise<void> {
    const { socketPath, model } = this.#options;
    // A server that is gone keeps nothing.
    await askJson(socketPath, PATHS.threads, { model, leave: threadId }).catch(() => {});
  }

  #say(what: object): void {
    const { socketPath, model } = this.#options;
    void askJson(socketPath, PATHS.threads, { model, ...what }).catch(() => {});
  }

  #tell(id: string, what: "pause" | "cancel"): void {
    void askJson(this.#options.socketPath, PATHS.tell, { id, what }).catch(() => {});
  }

  async *#lines(body: SampleBody): AsyncGenerator<SampleLine, void, void> {
    const answer = await post(this.#options.socketPath, PATHS.sample, body);
    if (answer.statusCode !== 200) throw await refusal(answer);
    const lines = createInterface({ input: answer, crlfDelay: Number.POSITIVE_INFINITY });
    try {
      for await (const line of lines) if (line !== "") yield JSON.parse(line) as SampleLine;
    } catch (error) {
      throw gone(error);
    } finally {
      answer.destroy();
    }
  }
}

/** Codes of what a request can be refused for. */
const BEFORE_SAMPLING: ReadonlySet<string> = new Set([
  "CHORALE_PROMPT_TOO_LONG",
  "CHORALE_CONTEXT_FULL",
  "CHORALE_USAGE",
]);

function gone(cause?: unknown): RunError {
  const why = cause instanceof Error ? ` (${cause.message})` : "";
  return new RunError(
    "CHORALE_MODEL",
    `The server that has the model does not answer any more${why}; start it again, or load the model here.`,
    { cause },
  );
}

function unfinished(error: unknown, finish: "failed" | "cancelled"): ModelStep {
  return {
    ids: [],
    prefill: 0,
    vocabulary: null,
    issues: [],
    finish,
    usage: { inputTokens: 0, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0 },
    timing: { prefillMs: 0, decodeMs: 0, firstTokenMs: null },
    error,
  };
}

function engineWithoutSessions({ name, vocabSize, contextLength }: SharedModelFacts): TokenEngine {
  return {
    name,
    vocabSize,
    contextLength,
    capabilities: { rewind: false, matchers: true },
    createSession: () => Promise.reject(new Error("the server samples")),
    close: async () => {},
  };
}

function post(
  socketPath: string,
  path: string,
  body: object,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    // A connection that was kept might be one to a server that has ended meanwhile.
    const options = { socketPath, method: "POST", path, headers, signal, agent: false } as const;
    // Not imported, since that takes time where there is no server.
    const asked = process.getBuiltinModule("node:http").request(options, resolve);
    asked.on("error", (error) => reject(signal?.aborted ? signal.reason : gone(error)));
    asked.end(JSON.stringify(body));
  });
}

/** @throws RunError for an answer that is an error */
async function askJson(
  socketPath: string,
  path: string,
  body: object,
  signal?: AbortSignal,
): Promise<unknown> {
  const answer = await post(socketPath, path, body, signal);
  if (answer.statusCode !== 200) throw await refusal(answer);
  const value = JSON.parse(await textOf(answer)) as { readonly error?: WireError };
  if (value.error !== undefined) throw errorOf(value.error);
  return value;
}

async function refusal(answer: IncomingMessage): Promise<RunError> {
  const text = await textOf(answer);
  let message = text.slice(0, 300);
  try {
    const { error } = JSON.parse(text) as { error?: string | { message?: string } };
    message = typeof error === "string" ? error : (error?.message ?? message);
  } catch {
    // What is no JSON is told as it is.
  }
  return new RunError("CHORALE_MODEL", `The server refused: ${message}`);
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > MAX_ANSWER)
      throw new RunError("CHORALE_MODEL", "The server's answer is too long.");
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}
