/** Tokens of the prompt that a request would have; nothing is computed. */
import type { LanguageModel, ModelRequest, ModelStep } from "../../index.ts";
import { Admission } from "../admission.ts";
import type { ServerContext } from "../context.ts";
import { runTurn, type TurnRequest } from "./run-turn.ts";

/** @throws as `runTurn`, but for a prompt that is too long; what loading the model throws */
export async function countTokens(
  { models, memory }: Pick<ServerContext, "models" | "memory">,
  name: string,
  request: TurnRequest,
): Promise<number> {
  const lease = await models.use(name, { signal: request.signal });
  try {
    const turn = runTurn(
      {
        model: new CountingModel(lease.model),
        // The real queue is for requests that compute something.
        admission: new Admission({ slots: 1, maxQueue: 1 }),
        memory,
      },
      request,
    );
    const first = await turn.next();
    await turn.return(undefined as never);
    return !first.done && first.value.type === "accepted" ? first.value.inputTokens : 0;
  } finally {
    lease.release();
  }
}

/** Counts as the model does, and says nothing. */
class CountingModel implements LanguageModel {
  /** A prompt of any length can be counted. */
  readonly contextLength = Number.MAX_SAFE_INTEGER;
  readonly #model: LanguageModel;

  constructor(model: LanguageModel) {
    this.#model = model;
  }

  get name(): string {
    return this.#model.name;
  }

  get sampling(): LanguageModel["sampling"] {
    return this.#model.sampling;
  }

  get vocabulary(): string | null {
    return this.#model.vocabulary;
  }

  async sample(request: ModelRequest): Promise<ModelStep> {
    return {
      ids: [],
      prefill: 0,
      vocabulary: null,
      issues: [],
      finish: "cancelled",
      usage: {
        inputTokens: this.promptTokens(request),
        cachedTokens: 0,
        outputTokens: 0,
        reasoningTokens: 0,
      },
      timing: { prefillMs: 0, decodeMs: 0, firstTokenMs: null },
      error: request.signal.reason ?? new Error("Nothing is computed."),
    };
  }

  promptTokens(request: Pick<ModelRequest, "settings" | "tools" | "transcript">): number {
    return this.#model.promptTokens(request);
  }

  countTokens(text: string): number {
    return this.#model.countTokens(text);
  }

  async release(): Promise<void> {}

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
