/** Counts what a turn does while it does it: for the status line. */
import type { RunEvent, Usage } from "../../events.ts";

export type Phase =
  | { readonly type: "idle" }
  /** Something has begun of which nothing is known yet. */
  | { readonly type: "starting" }
  | { readonly type: "reading"; readonly done: number; readonly total: number }
  | { readonly type: "writing" }
  | { readonly type: "calling"; readonly tool: string }
  /** A person has to decide about a call. */
  | { readonly type: "asking" };

export class TurnMeter {
  phase: Phase = { type: "idle" };
  /** When the phase began, as `performance.now()` counts. */
  phaseSince = 0;
  turnSince = 0;
  usage: Usage | null = null;
  /** Tokens in use of the context, as far as they are known. */
  contextUsed = 0;
  /** Of the last step that sampled long enough to tell. */
  tokensPerSecond: number | null = null;
  #stepTokens = 0;
  #firstTokenAt = 0;

  get isIdle(): boolean {
    return this.phase.type === "idle";
  }

  begin(): void {
    this.turnSince = performance.now();
    this.#set({ type: "starting" });
  }

  end(): void {
    this.#set({ type: "idle" });
  }

  take(event: RunEvent): void {
    switch (event.type) {
      case "prefill.progress":
        if (this.phase.type === "reading") this.phase = reading(event);
        else this.#set(reading(event));
        break;
      case "item.started":
      case "item.delta":
        this.#token(event.type === "item.delta");
        break;
      case "item.updated":
        this.#set({
          type: "calling",
          tool: event.item.type === "tool_call" ? event.item.tool : "python",
        });
        break;
      case "approval.requested":
        this.#set({ type: "asking" });
        break;
      case "approval.resolved":
        this.#set({ type: "starting" });
        break;
      case "item.completed":
        if (this.phase.type === "calling") this.#set({ type: "starting" });
        break;
      case "generation.completed": {
        const { input_tokens, output_tokens, decode_ms } = event;
        this.contextUsed = input_tokens + output_tokens;
        if (decode_ms > 0 && output_tokens > 1) {
          this.tokensPerSecond = (output_tokens / decode_ms) * 1000;
        }
        this.#stepTokens = 0;
        break;
      }
      case "turn.completed":
        this.usage = event.usage;
        break;
      case "run.completed":
        this.usage = event.usage;
        break;
    }
  }

  /** Tokens in use of the context, those of the step that is being written included. */
  get contextNow(): number {
    return this.contextUsed + this.#stepTokens;
  }

  #token(counts: boolean): void {
    if (this.phase.type !== "writing") {
      this.#set({ type: "writing" });
      if (this.#stepTokens === 0) this.#firstTokenAt = performance.now();
    }
    if (!counts) return;
    this.#stepTokens++;
    const ms = performance.now() - this.#firstTokenAt;
    if (this.#stepTokens >= MIN_TOKENS && ms >= MIN_MS) {
      this.tokensPerSecond = ((this.#stepTokens - 1) / ms) * 1000;
    }
  }

  #set(phase: Phase): void {
    this.phase = phase;
    this.phaseSince = performance.now();
  }
}

/** Fewer tokens, or less time, say nothing about the speed. */
const MIN_TOKENS = 8;
const MIN_MS = 250;

function reading({ done, total }: { readonly done: number; readonly total: number }): Phase {
  return { type: "reading", done, total };
}
