/**
 * What a thread does next. A pure function of the state, which is a pure function of the log: no clock,
 * no I/O, no randomness. A run that was stopped anywhere goes on from here.
 */
import { nearestNames } from "../../tools/index.ts";
import { RunError } from "../errors.ts";
import type { CallResult, Problem } from "../thread/entry.ts";
import type { OpenCall, ThreadState, TurnState } from "../thread/state.ts";

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
  | { readonly type: "record"; readonly record: Omit<Problem, "itemId"> | CallResult }
  /** Check the answer, and end the turn with it. */
  | { readonly type: "finish"; readonly text: string }
  | { readonly type: "fail"; readonly error: RunError };

export function step(state: ThreadState): Step {
  const { turn } = state;
  if (turn === null) return { type: "idle" };
  const client: OpenCall[] = [];
  for (const call of turn.calls) {
    const next = callStep(call, turn);
    if (next === null) client.push(call);
    else return next;
  }
  if (client.length > 0) return { type: "return_calls", calls: client };
  switch (turn.outcome) {
    case "cut_off":
      return { type: "fail", error: cutOff(turn) };
    case "broken_call":
      return { type: "record", record: brokenCall(turn) };
    case "answer":
      return { type: "finish", text: turn.answer ?? "" };
    default:
      return nextSample(turn);
  }
}

/** @returns null for a call that the caller of the run executes */
function callStep(call: OpenCall, turn: TurnState): Step | null {
  switch (call.progress) {
    case "new":
      return newCall(call, turn);
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

function newCall(call: OpenCall, turn: TurnState): Step | null {
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
/** A model that made the same call with the same result so often is made to answer. */
const MAX_SAME_CALLS = 5;
/** More tools than these are not listed to a model that named a wrong one. */
const MAX_LISTED_TOOLS = 20;

function availableTools(turn: TurnState, addressed?: string): string {
  const names = turn.settings.tools.map(({ recipient }) => recipient);
  if (names.length === 0) return "No tools are available; answer without.";
  if (names.length <= MAX_LISTED_TOOLS) return `Available tools: ${names.join(", ")}.`;
  const near = addressed === undefined ? [] : nearestNames(addressed, names);
  return near.length === 0
    ? `${names.length} tools are available; they are listed in the developer message.`
    : `${names.length} tools are available; the nearest names are: ${near.join(", ")}.`;
}

function nextSample(turn: TurnState): Step {
  const { settings, steps, sampledTokens, retries } = turn;
  if (retries > settings.maxRetries) return { type: "fail", error: unusable(turn) };
  if (steps >= settings.maxSteps) return { type: "fail", error: outOfSteps(turn) };
  if (settings.maxTokens !== null && sampledTokens >= settings.maxTokens) {
    return { type: "fail", error: tokenLimit(settings.maxTokens) };
  }
  // A call of the last step would have no reader: with the header of an answer, what is known is told.
  const isLast = steps + 1 === settings.maxSteps && turn.hasResults;
  const mayCall = settings.tools.length > 0 && settings.toolChoice !== "none";
  const isStuck =
    turn.idleSteps >= (mayCall ? 2 : 1) || (turn.lastCall?.times ?? 0) >= MAX_SAME_CALLS;
  return { type: "sample", prefill: isLast || isStuck ? "final" : null };
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

function outOfSteps(turn: TurnState): RunError {
  const { maxSteps } = turn.settings;
  const steps = `${maxSteps} step${maxSteps === 1 ? "" : "s"}`;
  if (turn.wasDenied) {
    return new RunError(
      "CHORALE_APPROVAL_DENIED",
      `A call needed an approval and did not get it, and the model had no answer without it in ${steps}.`,
      { facts: { maxSteps } },
    );
  }
  return new RunError(
    "CHORALE_STEP_LIMIT",
    `The model was given ${steps} and still wanted to call a tool.`,
    { option: "maxSteps", facts: { maxSteps } },
  );
}

function tokenLimit(maxTokens: number): RunError {
  return new RunError(
    "CHORALE_TOKEN_LIMIT",
    `The model generated ${maxTokens} token${maxTokens === 1 ? "" : "s"} without finishing its answer.`,
    { option: "maxTokens", facts: { maxTokens } },
  );
}

function cutOff({ settings, cutOffBy }: TurnState): RunError {
  if (cutOffBy === "length" && settings.maxTokens !== null) return tokenLimit(settings.maxTokens);
  return new RunError(
    "CHORALE_CONTEXT_FULL",
    "The context is full while the model was writing. Nothing was cut; ask for less at once, or use a " +
      "model with a larger context.",
    { option: "contextLength" },
  );
}
