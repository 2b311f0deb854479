/**
 * The model of one request. Each of its steps waits for a slot of the server. A limit of tokens is a limit and
 * nothing else: `maxTokens` of a turn would tell the model that its end is near, which a client of an API did not
 * ask for.
 */
import type { LanguageModel, ModelEvent, ModelRequest, ModelStep } from "../../index.ts";
import type { Admission } from "../admission.ts";
import { promptTooLong } from "../errors.ts";

export type RequestModelOptions = {
  readonly model: LanguageModel;
  readonly admission: Admission;
  /** Most tokens of all steps; null: what the context holds. */
  readonly maxTokens: number | null;
  readonly affinity: string | null;
  /** What the answer begins with. */
  readonly answerPrefix: string;
  /** Before each step, when the prompt was checked and has its place in the queue. */
  readonly onAccepted: (inputTokens: number) => Promise<void>;
};

export class RequestModel implements LanguageModel {
  readonly #options: RequestModelOptions;
  readonly #model: LanguageModel;
  #sampled = 0;
  #steps = 0;
  /** A step was ended by the limit of the request, not by the context. */
  hasReachedLimit = false;
  /** Milliseconds that steps have waited for a slot. */
  queueMs = 0;

  constructor(options: RequestModelOptions) {
    this.#options = options;
    this.#model = options.model;
  }

  get name(): string {
    return this.#model.name;
  }

  get contextLength(): number {
    return this.#model.contextLength;
  }

  get sampling(): LanguageModel["sampling"] {
    return this.#model.sampling;
  }

  get vocabulary(): string | null {
    return this.#model.vocabulary;
  }

  get fingerprint(): string | undefined {
    return this.#model.fingerprint;
  }

  async sample(
    request: ModelRequest,
    onEvent: (event: ModelEvent) => void | Promise<void>,
  ): Promise<ModelStep> {
    const { admission, maxTokens, affinity, answerPrefix, onAccepted } = this.#options;
    const inputTokens = this.promptTokens(request);
    if (inputTokens >= this.contextLength) throw promptTooLong(inputTokens, this.contextLength);
    const slot = admission.enter(request.signal);
    const enteredAt = performance.now();
    const waits = slot();
    let leave = (): void => {};
    try {
      await onAccepted(inputTokens);
      leave = await waits;
      this.queueMs += performance.now() - enteredAt;
      const left = maxTokens === null ? null : Math.max(0, maxTokens - this.#sampled);
      const step = await this.#model.sample(
        {
          ...request,
          maxTokens: smaller(request.maxTokens, left),
          ...(affinity !== null && { affinity }),
          ...(answerPrefix !== "" && this.#steps++ === 0 && { answerPrefix }),
        },
        onEvent,
      );
      this.#sampled += step.usage.outputTokens;
      const isUsedUp = maxTokens !== null && this.#sampled >= maxTokens;
      if (step.finish === "length" && isUsedUp) this.hasReachedLimit = true;
      return step;
    } catch (error) {
      // The step failed while it waited: the slot is free again.
      waits.then(
        (free) => free(),
        () => {},
      );
      throw error;
    } finally {
      leave();
    }
  }

  promptTokens(request: Pick<ModelRequest, "settings" | "tools" | "transcript">): number {
    return this.#model.promptTokens(request);
  }

  countTokens(text: string): number {
    return this.#model.countTokens(text);
  }

  release(threadId: string): Promise<void> {
    return this.#model.release(threadId);
  }

  /** The model outlives the request. */
  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

function smaller(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
