/**
 * The agent loop: while the state of the thread says that there is something to do, do it, and append what
 * came of it to the log. What to do is decided by `step`, a pure function; this file only does it.
 */
import { withCleanNames } from "../calls/resolve.ts";
import { InvalidOutputError } from "../errors.ts";
import { userMessage } from "../model/opening.ts";
import { inputMessages } from "../options.ts";
import { verifiedAnnotations } from "../thread/annotate.ts";
import type { Denial } from "../thread/entry.ts";
import type { ThreadState, TurnState } from "../thread/state.ts";
import { budgetRecord, limitOf } from "./budgets.ts";
import { askApproval, executeCall, recoverCall } from "./execute-call.ts";
import { makeRoom } from "./make-room.ts";
import type { Answer } from "./output-validator.ts";
import { type RunContext, record } from "./run-context.ts";
import { sample } from "./sample.ts";
import { canReturnCitations, type Step, step } from "./step.ts";

/** The loop came to its end, or to a point where only the caller can go on. */
export type LoopResult =
  | {
      readonly answer: Answer | null;
      /** What kept the model from its last call, if it was no person. */
      readonly denied?: Denial;
    }
  | "pending";

/**
 * @param stopWhen asked between two steps; true ends the turn without an answer
 * @throws what ends a turn without an answer: a limit, an abort, a failure
 */
export async function runLoop(
  run: RunContext,
  stopWhen: (state: ThreadState) => boolean | Promise<boolean>,
): Promise<LoopResult> {
  const { thread, signal } = run;
  for (;;) {
    signal.throwIfAborted();
    const next = withTime(run, step(thread.state));
    if (await steer(run, next)) continue;
    switch (next.type) {
      case "sample":
        if (thread.state.turn?.steps !== 0 && (await stopWhen(thread.state))) {
          return ended(run, null);
        }
        if (await makeRoom(run)) break;
        await sample(run, next.prefill);
        break;
      case "execute":
        await executeCall(run, next.call);
        break;
      case "ask":
        if (!(await askApproval(run, next.call))) return "pending";
        break;
      case "recover":
        if (!(await recoverCall(run, next.call))) return "pending";
        break;
      case "record":
        await record(
          run,
          next.record.type === "problem"
            ? { ...next.record, itemId: `item_${thread.state.items}` }
            : next.record,
        );
        break;
      case "finish": {
        const answer = await acceptedAnswer(run, next.text);
        if (answer !== null) return ended(run, answer);
        break;
      }
      case "return_calls":
        return "pending";
      case "fail":
        throw next.error;
      case "idle":
        return { answer: null };
    }
  }
}

/** The next step; where the time of the turn is near its end or used up, that is recorded first. */
function withTime({ time, thread }: RunContext, next: Step): Step {
  const { turn } = thread.state;
  if (turn === null || limitOf("seconds", turn.settings) === null) return next;
  const told = turn.budgets.seconds?.state;
  // What has an answer, or has failed already, is not stopped any more.
  const isOver = next.type === "finish" || next.type === "fail" || told === "used_up";
  if (!isOver && time.isUsedUp) {
    return { type: "record", record: budgetRecord("seconds", turn, "used_up", time.usedSeconds) };
  }
  if (next.type === "sample" && told === undefined && time.isNear) {
    return { type: "record", record: budgetRecord("seconds", turn, "near", time.usedSeconds) };
  }
  return next;
}

/**
 * Tells the model what the user said meanwhile, where a step can follow.
 * @returns whether there was anything
 */
async function steer(run: RunContext, next: Step): Promise<boolean> {
  const { turn } = run.thread.state;
  if (turn === null || turn.steps >= turn.settings.maxSteps) return false;
  if (next.type !== "sample" && next.type !== "finish") return false;
  const said = run.steering();
  if (said === null) return false;
  await record(run, { type: "steered", messages: inputMessages(said).map(withCleanNames) });
  return true;
}

/** @returns null when the answer went back to the model */
async function acceptedAnswer(run: RunContext, text: string): Promise<Answer | null> {
  const { validator, thread } = run;
  const { turn } = thread.state;
  if (turn !== null && (await hasReturnedCitations(run, turn, text))) return null;
  if (validator === null || turn === null) return { text };
  const validated = await validator.validate(text);
  if ("answer" in validated) return validated.answer;
  const { problems, feedback } = validated;
  const { maxRepairs, maxSteps } = turn.settings;
  if (turn.repairs >= maxRepairs || turn.steps >= maxSteps) {
    throw new InvalidOutputError(problems, turn.repairs);
  }
  await record(run, {
    type: "problem",
    itemId: `item_${thread.state.items}`,
    code: "invalid_output",
    message: problems.join("; "),
    feedback: userMessage(feedback),
    counts: "repair",
  });
  return null;
}

/** Sends an answer back, once, whose citations do not hold or do not say what it says. */
async function hasReturnedCitations(
  run: RunContext,
  turn: TurnState,
  text: string,
): Promise<boolean> {
  if (!canReturnCitations(turn, turn.steps)) return false;
  const { feedback, problems } = verifiedAnnotations(text, run.thread.state);
  if (feedback === null) return false;
  await record(run, {
    type: "problem",
    itemId: `item_${run.thread.state.items}`,
    code: "unsupported_citation",
    message: problems.join("; "),
    feedback: userMessage(feedback),
    counts: "citation",
  });
  return true;
}

async function ended(run: RunContext, answer: Answer | null): Promise<LoopResult> {
  const denial = run.thread.state.turn?.denial ?? null;
  await record(run, {
    type: "ended",
    status: "completed",
    output: answer?.text ?? null,
    error: null,
    ...(denial !== null && { denied: denial }),
    timing: run.clock.timing,
  });
  return denial === null ? { answer } : { answer, denied: denial };
}
