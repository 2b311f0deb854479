/** Measures one run. */
import type { StepTiming } from "../context.ts";
import type { Timing } from "../events.ts";

export class RunClock {
  readonly #startedAt = performance.now();
  #firstTokenMs: number | null = null;
  #prefillMs = 0;
  #decodeMs = 0;
  #toolsMs = 0;
  #outputTokens = 0;

  /** @param startedAt when the step began, as `performance.now()` counts */
  stepEnded(startedAt: number, timing: StepTiming, outputTokens: number): void {
    if (timing.firstTokenMs !== null) {
      this.#firstTokenMs ??= startedAt - this.#startedAt + timing.firstTokenMs;
    }
    this.#prefillMs += timing.prefillMs;
    this.#decodeMs += timing.decodeMs;
    this.#outputTokens += outputTokens;
  }

  toolEnded(durationMs: number): void {
    this.#toolsMs += durationMs;
  }

  get timing(): Timing {
    const first = this.#firstTokenMs;
    return {
      total_ms: roundMs(performance.now() - this.#startedAt),
      first_token_ms: first === null ? null : roundMs(first),
      prefill_ms: roundMs(this.#prefillMs),
      decode_ms: roundMs(this.#decodeMs),
      tools_ms: roundMs(this.#toolsMs),
      decode_tokens_per_second:
        this.#outputTokens > 0 && this.#decodeMs > 0
          ? Math.round((this.#outputTokens / this.#decodeMs) * 10_000) / 10
          : null,
    };
  }
}

/** Two decimals: events are read by people as well. */
export function roundMs(ms: number): number {
  return Math.round(ms * 100) / 100;
}
