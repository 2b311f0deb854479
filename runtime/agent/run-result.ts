/** What a run comes to. */
import type { Message } from "../../harmony/index.ts";
import type { Annotation, DeniedCall, PendingCall, RunStatus, Timing, Usage } from "../events.ts";
import type { Thread } from "../thread/thread.ts";

/** @typeParam Value what a Standard Schema makes of the answer; else the parsed JSON */
export type RunResult<Value = unknown> = {
  readonly status: RunStatus;
  /** The accepted answer; null when there is none. */
  readonly output: string | null;
  /** What the citations of the answer cite, in order; see docs/citations.md. */
  readonly annotations: readonly Annotation[];
  /** Without an answer: what was said to the user until then, as far as anything was. */
  readonly partialOutput?: string;
  /** The answer parsed, where it has to be JSON. */
  readonly value?: Value;
  /** Why there is no answer. */
  readonly error?: Error;
  /** With `pending`: the calls that wait for the caller. */
  readonly pendingCalls: readonly PendingCall[];
  /**
   * With `completed`: a rule, or that there was no one to ask, kept the model from its last call; it answered
   * without.
   */
  readonly deniedCall?: DeniedCall;
  /** The conversation without system and developer message. */
  readonly messages: readonly Message[];
  /** Cumulative over the thread. */
  readonly usage: Usage;
  readonly timing: Timing;
  readonly thread: Thread;
};
