/**
 * The events of `--json`: those of the run, with what only a command has. `run.completed` gets the exit
 * status, and what it cost to read experts from disk where the model does not fit into memory.
 */
import type { EngineStatistics } from "../../inference/index.ts";
import { codeOf, messageOf } from "../errors.ts";
import type { ExpertUsage, RunEvent } from "../events.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { Output } from "./output.ts";

type Completed = Extract<RunEvent, { type: "run.completed" }>;

export class JsonEvents {
  readonly #output: Output;
  #completed: Completed | null = null;

  constructor(output: Output) {
    this.#output = output;
  }

  /** The last event waits for `end`: only then the exit status is known. */
  take(event: RunEvent): void {
    if (event.type === "run.completed") this.#completed = event;
    else this.#output.jsonLine(event);
  }

  /** @param statistics what the engine tells about itself */
  end(exitCode: ExitCode, statistics: unknown): void {
    if (this.#completed === null) return;
    const { experts } = (statistics ?? {}) as Partial<EngineStatistics>;
    const completed: Completed = {
      ...this.#completed,
      exit_code: exitCode,
      ...(experts !== undefined && { experts: expertFacts(experts) }),
    };
    this.#output.jsonLine(completed);
  }
}

/** The events of a command that failed before there was a run: a wrong flag, a missing model. */
export function reportUnstarted(output: Output, error: unknown, exitCode: ExitCode): void {
  const code = codeOf(error);
  output.jsonLine({
    type: "error",
    message: messageOf(error),
    ...(code !== undefined && { code }),
  });
  output.jsonLine({
    type: "run.completed",
    status: code === "CHORALE_INTERRUPTED" ? "cancelled" : "failed",
    output: null,
    usage: {
      input_tokens: 0,
      cached_input_tokens: 0,
      cache_write_input_tokens: 0,
      output_tokens: 0,
      reasoning_output_tokens: 0,
    },
    timing: {
      total_ms: 0,
      first_token_ms: null,
      prefill_ms: 0,
      decode_ms: 0,
      tools_ms: 0,
      decode_tokens_per_second: null,
    },
    exit_code: exitCode,
  });
}

function expertFacts(experts: NonNullable<EngineStatistics["experts"]>): ExpertUsage {
  return {
    resident: experts.resident,
    hits: experts.hits,
    misses: experts.misses,
    hit_rate: experts.hitRate,
    bytes_read: experts.bytesRead,
    read_ms: Math.round(experts.readMs * 100) / 100,
  };
}
