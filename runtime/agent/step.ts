/**
 * What a thread does next. A pure function of the state, which is a pure function of the log: no clock,
 * no I/O, no randomness. A run that was stopped anywhere goes on from here.
 */
import { nearestNames } from "../../tools/index.ts";
import { TOOL_SEARCH } from "../calls/tool-search.ts";
import type { BudgetName } from "../context.ts";
import { RunError } from "../errors.ts";
import type { Budget, CallResult, CutBack, Problem } from "../thread/entry.ts";
import type { OpenCall, ThreadState, TurnState } from "../thread/state.ts";
import { budgetError, budgetRecord, limitOf, nearBudget } from "./budgets.ts";
import { cutBack } from "./cut-back.ts";

export type Step =
  /** No turn is open: the thread waits for input. */
  | { readonly type: "idle" }
  | {
      readonly type: "sample";
      /** `final`: the message begins with the header of an answer. */
      readonly prefill: "final" | null;
    }
  /** Execute a call, or ask first whether it may run. */
  | { readonly type: "execute"; readonly call: OpenCall }
  /** A person has to decide about a call. */
  | { readonly type: "ask"; readonly call: OpenCall }
  /** The process ended while the call was executed. */
  | { readonly type: "recover"; readonly call: OpenCall }
  /** Calls that the caller of the run executes. */
  | { readonly type: "return_calls"; readonly calls: readonly OpenCall[] }
  /** A record that follows from the state alone. */
  | {
      readonly type: "record";
      readonly record: Omit<Problem, "itemId"> | CallResult | Budget | CutBack;
    }
  /** Check the answer, and end the turn with it. */
  | { readonly type: "finish"; readonly text: string }
  | { readonly type: "fail"; readonly error: RunError };

export function step(state: ThreadState): Step {
  const { turn } = state;
  if (turn === null) return { type: "idle" };
  const next = nextStep(state, turn);
  // An answer that went back because of its citations is better than none.
  const { citationRepairs, lastAnswer, calls } = turn;
  const hasFormer = citationRepairs > 0 && lastAnswer !== null && calls.length === 0;
  return next.type === "fail" && hasFormer ? { type: "finish", text: lastAnswer } : next;
}

/**
 * Whether an answer may go back because of its citations: once, and where a step can follow.
 * @param steps that the turn has with the one of the answer
 */
export function canReturnCitations(
  { settings, citationRepairs }: TurnState,
  steps: number,
): boolean {
  return settings.verifyCitations === true && citationRepairs === 0 && steps < settings.maxSteps;
}

function nextStep(state: ThreadState, turn: TurnState): Step {
  // The clock of the run said so, and its entry is the record of it.
  if (turn.budgets.seconds?.state === "used_up") {
    return { type: "fail", error: budgetError("seconds", turn) };
  }
  const client: OpenCall[] = [];
  for (const call of turn.calls) {
    const next = callStep(call, turn, client.length);
    if (next === null) client.push(call);
    else return next;
  }
  if (client.length > 0) return { type: "return_calls", calls: client };
  switch (turn.outcome) {
    case "cut_off":
      return cutOff(turn);
    case "broken_call":
      return { type: "record", record: brokenCall(turn) };
    case "answer":
      return { type: "finish", text: turn.answer ?? "" };
    default:
      return nextSample(state, turn);
  }
}

/**
 * @param returned calls before this one that the caller of the run executes
 * @returns null for a call that the caller of the run executes
 */
function callStep(call: OpenCall, turn: TurnState, returned: number): Step | null {
  switch (call.progress) {
    case "new":
      return newCall(call, turn, returned);
    case "asked":
      return { type: "ask", call };
    case "allowed":
      return { type: "execute", call };
    case "denied":
      return closed(call, "denied", deniedText(call));
    case "started":
      return { type: "recover", call };
  }
}

function newCall(call: OpenCall, turn: TurnState, returned: number): Step | null {
  if (!call.isInTranscript) {
    return closed(call, "not_executed", "Not executed: the call was cut off.");
  }
  if (turn.steps >= turn.settings.maxSteps) {
    return closed(
      call,
      "not_executed",
      "Not executed: this was the last step, so its result would not be read.",
    );
  }
  if (call.call.execution === "unknown") {
    const problem = `There is no tool ${JSON.stringify(call.call.addressed)}.`;
    const advice = availableTools(turn, call.call.addressed);
    return closed(call, "not_executed", `${problem} ${advice}`, problem);
  }
  // JSON says itself whether it is complete, a program does not: half of one may do half the damage.
  if (call.isUnterminated && call.call.isRaw) {
    const problem = `The call of ${call.call.recipient} has no end, so it was not executed.`;
    return closed(call, "not_executed", `${problem} Send it again, whole.`, problem);
  }
  const maxToolCalls = limitOf("tool_calls", turn.settings);
  if (maxToolCalls !== null && turn.use.toolCalls + returned >= maxToolCalls) {
    return closed(
      call,
      "not_executed",
      `Not executed: no tool call is left for this turn (it had ${maxToolCalls}). Answer with what you have.`,
    );
  }
  return call.call.execution === "client" ? null : { type: "execute", call };
}

function closed(
  { callId }: OpenCall,
  status: CallResult["status"],
  text: string,
  unusable?: string,
): Step {
  return {
    type: "record",
    record: {
      type: "result",
      callId,
      status,
      text,
      issues: [],
      durationMs: 0,
      ...(unusable !== undefined && { unusable }),
    },
  };
}

function deniedText({ call, reason }: OpenCall): string {
  const why = reason === undefined ? "" : ` ${reason}`;
  return (
    `${call.recipient} was not run: the call was not allowed.${why} Do not call it again in the same ` +
    "way; go on without it, or say that it is needed."
  );
}

function brokenCall(turn: TurnState): Omit<Problem, "itemId"> {
  const body = turn.brokenCall.trim();
  const shown = body.length > MAX_QUOTED_BODY ? `${body.slice(0, MAX_QUOTED_BODY)} …` : body;
  const what =
    body === ""
      ? "The last call was incomplete"
      : `The last call named no tool as its recipient (its body was: ${shown})`;
  return {
    type: "problem",
    code: "incomplete_tool_call",
    message: "It began a tool call and did not write it.",
    feedback: {
      role: "tool",
      name: "functions",
      recipient: "assistant",
      channel: "commentary",
      content: [
        {
          type: "text",
          text: `${what} and was not executed. ${availableTools(turn)} Send the whole call, or answer on the final channel.`,
        },
      ],
    },
    counts: "retry",
  };
}

/** Characters of a broken call that the model reads again. */
const MAX_QUOTED_BODY = 400;
/** More tools than these are not listed to a model that named a wrong one. */
const MAX_LISTED_TOOLS = 20;

function availableTools(turn: TurnState, addressed?: string): string {
  const names = turn.settings.tools.map(({ recipient }) => recipient);
  if (names.length === 0) return "No tools are available; answer without.";
  if (names.length <= MAX_LISTED_TOOLS) return `Available tools: ${names.join(", ")}.`;
  const near = addressed === undefined ? [] : nearestNames(addressed, names);
  const isDeferred = (turn.settings.deferredTools ?? []).length > 0;
  const where = isDeferred
    ? `${TOOL_SEARCH} finds them`
    : "they are listed in the developer message";
  return near.length === 0
    ? `${names.length} tools are available; ${where}.`
    : `${names.length} tools are available; the nearest names are: ${near.join(", ")}.`;
}

function nextSample(state: ThreadState, turn: TurnState): Step {
  const { settings, steps, use, retries } = turn;
  if (retries > settings.maxRetries) return { type: "fail", error: unusable(turn) };
  if (steps >= settings.maxSteps) {
    return turn.wasDenied ? { type: "fail", error: denied(turn) } : usedUp("steps", turn);
  }
  if (settings.maxTokens !== null && use.tokens >= settings.maxTokens) {
    return usedUp("tokens", turn);
  }
  const loop = cutBack(state, turn);
  if (loop !== null) return loop;
  const limited = withoutReasoning(turn) ?? withoutCalls(turn);
  if (limited !== null) return limited;
  const near = nearBudget(turn);
  if (near !== null) return { type: "record", record: near };
  // A call of the last step would have no reader: with the header of an answer, what is known is told.
  const isLast = steps + 1 === settings.maxSteps && turn.hasResults;
  const mayCall = settings.tools.length > 0 && settings.toolChoice !== "none";
  const isStuck = turn.idleSteps >= (mayCall ? 2 : 1);
  const wasRefused = turn.lastOutcome === "calls" && stepsSinceUsedUp("tool_calls", turn) === 1;
  return { type: "sample", prefill: isLast || isStuck || wasRefused ? "final" : null };
}

/** Records once that a budget is used up, then ends the turn. */
function usedUp(name: BudgetName, turn: TurnState): Step {
  return turn.budgets[name]?.state === "used_up"
    ? { type: "fail", error: budgetError(name, turn) }
    : { type: "record", record: budgetRecord(name, turn, "used_up") };
}

/** Steps of the turn since a budget was recorded as used up; null where it was not. */
function stepsSinceUsedUp(name: BudgetName, { budgets, steps }: TurnState): number | null {
  const told = budgets[name];
  return told?.state === "used_up" ? steps - told.steps : null;
}

/** The model goes on without reasoning; where it then comes to nothing, the turn ends. */
function withoutReasoning(turn: TurnState): Step | null {
  const limit = limitOf("reasoning_tokens", turn.settings);
  if (limit === null || limit === 0 || turn.use.reasoningTokens < limit) return null;
  const isRecorded = turn.budgets.reasoning_tokens?.state === "used_up";
  return isRecorded && turn.lastOutcome !== "no_answer" ? null : usedUp("reasoning_tokens", turn);
}

/** The model is told to answer, and made to where it calls all the same; then the turn ends. */
function withoutCalls(turn: TurnState): Step | null {
  const limit = limitOf("tool_calls", turn.settings);
  if (limit === null || turn.use.toolCalls < limit || turn.steps === 0) return null;
  const since = stepsSinceUsedUp("tool_calls", turn);
  const isOver = since !== null && since >= 2 && turn.lastOutcome === "calls";
  return since === null || isOver ? usedUp("tool_calls", turn) : null;
}

function unusable(turn: TurnState): RunError {
  const { maxRetries } = turn.settings;
  return new RunError(
    "CHORALE_HARMONY_UNUSABLE",
    `The model's output stayed unusable after ${maxRetries} retr${maxRetries === 1 ? "y" : "ies"}: ` +
      turn.lastUnusable,
    { option: "maxRetries", facts: { maxRetries } },
  );
}

function denied({ settings: { maxSteps } }: TurnState): RunError {
  return new RunError(
    "CHORALE_APPROVAL_DENIED",
    "A call needed an approval and did not get it, and the model had no answer without it in " +
      `${maxSteps} step${maxSteps === 1 ? "" : "s"}.`,
    { facts: { maxSteps } },
  );
}

function cutOff(turn: TurnState): Step {
  const { cutOffBy, settings } = turn;
  if (cutOffBy === "length" && settings.maxTokens !== null) return usedUp("tokens", turn);
  if (cutOffBy !== null && cutOffBy !== "length" && cutOffBy !== "context") {
    return usedUp(cutOffBy, turn);
  }
  const error = new RunError(
    "CHORALE_CONTEXT_FULL",
    "The context is full while the model was writing. Nothing was cut; ask for less at once, or use a " +
      "model with a larger context.",
    { option: "contextLength" },
  );
  return { type: "fail", error };
}
