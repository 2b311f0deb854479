/**
 * Tokens of a turn. A turn may take several steps of the model, with results of the server's own tools between them,
 * and each step reads the same prompt again; a token is counted once all the same, since clients take the sum for what
 * the conversation fills of the context.
 */
import type { RunEvent, Usage } from "../../index.ts";
import type { TurnUsage } from "./items.ts";

type Generation = Extract<RunEvent, { type: "generation.completed" }>;
type Step = Pick<Generation, "input_tokens" | "output_tokens" | "cached_input_tokens">;

export class UsageCount {
  readonly #steps: Step[] = [];

  add(generation: Generation): void {
    this.#steps.push(generation);
  }

  /** @param usage of the run, which has a step that was interrupted as well */
  total(usage: Usage): TurnUsage {
    const sum = (name: keyof Step): number =>
      this.#steps.reduce((total, step) => total + step[name], 0);
    const rest: Step = {
      input_tokens: usage.input_tokens - sum("input_tokens"),
      output_tokens: usage.output_tokens - sum("output_tokens"),
      cached_input_tokens: usage.cached_input_tokens - sum("cached_input_tokens"),
    };
    const steps = rest.input_tokens > 0 ? [...this.#steps, rest] : this.#steps;
    const first = steps[0];
    const last = steps.at(-1);
    const context = last === undefined ? 0 : last.input_tokens + last.output_tokens;
    const outputTokens = usage.output_tokens;
    const inputTokens = Math.max(0, context - outputTokens);
    return {
      inputTokens,
      // What later steps find in the cache was computed by the earlier ones.
      cachedTokens: Math.min(first?.cached_input_tokens ?? 0, inputTokens),
      outputTokens,
      reasoningTokens: usage.reasoning_output_tokens,
    };
  }
}
