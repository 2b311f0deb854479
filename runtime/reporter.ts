/** What a run tells about itself: its events in order, and the sums that go into the last of them. */
import type { Sampling, TokenEngine } from "../inference/index.ts";
import { InterruptedError, messageOf } from "./errors.ts";
import type { EventListener, Item, RunEvent, RunStatus, Timing, Usage } from "./events.ts";
import { exitCodeOf } from "./exit-code-of.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";

/** Figures of one sampling of the model. */
export type GenerationFigures = {
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly resampledTokens: number;
  readonly reasoningTokens: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
};

export class Reporter {
  readonly #listener: EventListener;
  readonly #engine: TokenEngine | undefined;
  readonly #startedAt = performance.now();
  #items = 0;
  #firstTokenAt: number | null = null;
  #toolsMs = 0;
  #prefillMs = 0;
  #decodeMs = 0;
  #usage = {
    input_tokens: 0,
    cached_input_tokens: 0,
    cache_write_input_tokens: 0,
    output_tokens: 0,
    reasoning_output_tokens: 0,
  };

  /** @param engine is asked at the end what it cost to page experts */
  constructor(listener: EventListener = () => {}, engine?: TokenEngine) {
    this.#listener = listener;
    this.#engine = engine;
  }

  async started(threadId: string, model: string, sampling: Sampling): Promise<void> {
    const { temperature, topP, seed, topK, minP } = sampling;
    const { repetitionPenalty, presencePenalty, frequencyPenalty } = sampling;
    await this.emit({
      type: "thread.started",
      thread_id: threadId,
      model,
      sampling: {
        temperature,
        top_p: topP,
        seed,
        ...(topK && { top_k: topK }),
        ...(minP && { min_p: minP }),
        ...((repetitionPenalty ?? 1) !== 1 && { repetition_penalty: repetitionPenalty ?? 1 }),
        ...(presencePenalty && { presence_penalty: presencePenalty }),
        ...(frequencyPenalty && { frequency_penalty: frequencyPenalty }),
      },
    });
    await this.emit({ type: "turn.started" });
  }

  /** Resolves when the listener has taken the event. */
  async emit(event: RunEvent): Promise<void> {
    await this.#listener(event);
  }

  nextItemId(): string {
    return `item_${this.#items++}`;
  }

  /** Something went wrong that does not end the run. */
  async problem(code: string, message: string): Promise<void> {
    const item: Item = { id: this.nextItemId(), type: "error", code, message };
    await this.emit({ type: "item.completed", item });
  }

  tokenSampled(): void {
    this.#firstTokenAt ??= performance.now();
  }

  toolRan(durationMs: number): void {
    this.#toolsMs += durationMs;
  }

  /** Adds a sampling to the sums; one that was interrupted has no event. */
  count(figures: GenerationFigures): void {
    this.#usage.input_tokens += figures.inputTokens;
    this.#usage.cached_input_tokens += figures.cachedTokens;
    this.#usage.cache_write_input_tokens += figures.inputTokens - figures.cachedTokens;
    this.#usage.output_tokens += figures.outputTokens;
    this.#usage.reasoning_output_tokens += figures.reasoningTokens;
    this.#prefillMs += figures.prefillMs;
    this.#decodeMs += figures.decodeMs;
  }

  async generationCompleted(
    figures: GenerationFigures & {
      readonly finishReason: "stop" | "call" | "length" | "context";
    },
  ): Promise<void> {
    this.count(figures);
    await this.emit({
      type: "generation.completed",
      input_tokens: figures.inputTokens,
      cached_input_tokens: figures.cachedTokens,
      output_tokens: figures.outputTokens,
      resampled_tokens: figures.resampledTokens,
      finish_reason: figures.finishReason,
      prefill_ms: milliseconds(figures.prefillMs),
      decode_ms: milliseconds(figures.decodeMs),
    });
  }

  async completed(output: string): Promise<void> {
    await this.emit({ type: "turn.completed", usage: this.usage });
    await this.ended("completed", EXIT.ok, output);
  }

  async failed(error: unknown): Promise<void> {
    await this.emit({ type: "turn.failed", error: errorFacts(error) });
    await this.ended(statusOf(error), exitCodeOf(error), null);
  }

  /** The last event, whatever came before. */
  async ended(status: RunStatus, exitCode: ExitCode, output: string | null): Promise<void> {
    const experts = this.#engine?.statistics?.experts;
    await this.emit({
      type: "run.completed",
      status,
      exit_code: exitCode,
      output,
      usage: this.usage,
      timing: this.timing,
      ...(experts !== undefined && {
        experts: {
          resident: experts.resident,
          hits: experts.hits,
          misses: experts.misses,
          hit_rate: experts.hitRate,
          bytes_read: experts.bytesRead,
          read_ms: milliseconds(experts.readMs),
        },
      }),
    });
  }

  get usage(): Usage {
    return { ...this.#usage };
  }

  get timing(): Timing {
    const first = this.#firstTokenAt;
    const { output_tokens } = this.#usage;
    return {
      total_ms: milliseconds(performance.now() - this.#startedAt),
      first_token_ms: first === null ? null : milliseconds(first - this.#startedAt),
      prefill_ms: milliseconds(this.#prefillMs),
      decode_ms: milliseconds(this.#decodeMs),
      tools_ms: milliseconds(this.#toolsMs),
      decode_tokens_per_second:
        output_tokens > 0 && this.#decodeMs > 0
          ? Math.round((output_tokens / this.#decodeMs) * 10_000) / 10
          : null,
    };
  }
}

/** The events of a command that failed before there was a run: a wrong flag, a missing model. */
export async function reportUnstarted(error: unknown, listener: EventListener): Promise<void> {
  const reporter = new Reporter(listener);
  await reporter.emit({ type: "error", ...errorFacts(error) });
  await reporter.ended(statusOf(error), exitCodeOf(error), null);
}

/** How a run ended that ended with this error. */
export function statusOf(error: unknown): RunStatus {
  return error instanceof InterruptedError ? "cancelled" : "failed";
}

function errorFacts(error: unknown): { message: string; code?: string } {
  const message = messageOf(error);
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? { message, code } : { message };
}

/** Two decimals: events are read by people as well. */
function milliseconds(value: number): number {
  return Math.round(value * 100) / 100;
}
