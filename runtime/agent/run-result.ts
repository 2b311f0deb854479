/** What a run comes to. */
import type { Message } from "../../harmony/index.ts";
import type { PendingCall, RunStatus, Timing, Usage } from "../events.ts";
import type { Thread } from "../thread/thread.ts";

export type RunResult = {
  readonly status: RunStatus;
  /** The accepted answer; null when there is none. */
  readonly output: string | null;
  /** The answer parsed, where a JSON Schema is given. */
  readonly value?: unknown;
  /** Why there is no answer. */
  readonly error?: Error;
  /** With `pending`: the calls that wait for the caller. */
  readonly pendingCalls: readonly PendingCall[];
  /** The conversation without system and developer message. */
  readonly messages: readonly Message[];
  /** Cumulative over the thread. */
  readonly usage: Usage;
  readonly timing: Timing;
  readonly thread: Thread;
};
