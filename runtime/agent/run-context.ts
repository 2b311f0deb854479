/** What the parts of a run share. */

import type { ApprovalRule } from "../calls/approval.ts";
import type { DeclaredTools } from "../calls/declared-tools.ts";
import type { RunEvent } from "../events.ts";
import type { LanguageModel } from "../model/language-model.ts";
import type { RunInput } from "../options.ts";
import type { Policy } from "../policy/policy.ts";
import type { LogRecord } from "../thread/entry.ts";
import type { EventProjection } from "../thread/projection.ts";
import type { Thread } from "../thread/thread.ts";
import type { OutputValidator } from "./output-validator.ts";
import type { RunClock } from "./run-clock.ts";
import type { TimeBudget } from "./time-budget.ts";

export type RunContext = {
  readonly thread: Thread;
  readonly model: LanguageModel;
  readonly tools: DeclaredTools;
  readonly validator: OutputValidator | null;
  /** What may run, has to be asked for, or must not run; null: what no tool wants to be asked for runs. */
  readonly policy: Policy | null;
  /** Who decides about calls that need an approval; null: no one, such calls are denied. */
  readonly approve: ApprovalRule | null;
  /** What the user said meanwhile; asked between two steps. */
  readonly steering: () => RunInput | null;
  /** The caller's own value, handed to the tools. */
  readonly userContext: unknown;
  /** Ends the run. */
  readonly signal: AbortSignal;
  /** Its signal ends what the run is working at, also when the time is used up. */
  readonly time: TimeBudget;
  readonly projection: EventProjection;
  readonly clock: RunClock;
  /** Tells an event; resolves when every listener has taken it. */
  readonly emit: (event: RunEvent) => Promise<void>;
};

/** Appends a record to the log, then tells what follows from it. */
export async function record(
  run: Pick<RunContext, "thread" | "projection" | "emit">,
  entry: LogRecord,
): Promise<void> {
  await run.thread.append(entry);
  for (const event of run.projection.project(entry, run.thread.state)) await run.emit(event);
}
