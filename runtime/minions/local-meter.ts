/** The local model, with what it read and wrote counted. */
import type { LanguageModel, ModelEvent, ModelRequest, ModelStep } from "../index.ts";

export class LocalMeter implements LanguageModel {
  readonly name: string;
  readonly contextLength: number;
  readonly sampling: LanguageModel["sampling"];
  readonly vocabulary: string | null;
  /** `cachedTokens` are those of the input that were not computed again. */
  readonly usage = { calls: 0, inputTokens: 0, cachedTokens: 0, outputTokens: 0, milliseconds: 0 };
  readonly #model: LanguageModel;

  constructor(model: LanguageModel) {
    this.#model = model;
    this.name = model.name;
    this.contextLength = model.contextLength;
    this.sampling = model.sampling;
    this.vocabulary = model.vocabulary;
  }

  async sample(
    request: ModelRequest,
    onEvent: (event: ModelEvent) => void | Promise<void>,
  ): Promise<ModelStep> {
    const startedAt = performance.now();
    const step = await this.#model.sample(request, onEvent);
    this.usage.calls++;
    this.usage.inputTokens += step.usage.inputTokens;
    this.usage.cachedTokens += step.usage.cachedTokens;
    this.usage.outputTokens += step.usage.outputTokens;
    this.usage.milliseconds += performance.now() - startedAt;
    return step;
  }

  promptTokens(request: Pick<ModelRequest, "settings" | "tools" | "transcript">): number {
    return this.#model.promptTokens(request);
  }

  countTokens(text: string): number {
    return this.#model.countTokens(text);
  }

  leave(threadId: string, affinity: string | null): void {
    this.#model.leave?.(threadId, affinity);
  }

  release(threadId: string): Promise<void> {
    return this.#model.release(threadId);
  }

  /** The model is its caller's. */
  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
