/** What becomes of a model that goes in circles: its conversation is cut back, and it goes on with a hint. */
import { RunError } from "../errors.ts";
import type { CutBack } from "../thread/entry.ts";
import { type CallLoop, callLoop, withoutRepetition } from "../thread/loops.ts";
import type { ThreadState, TurnState } from "../thread/state.ts";
import { noteMessage } from "./budgets.ts";

/** A turn that goes in circles more often fails. */
const MAX_CUT_BACKS = 2;

/** @returns null where the model does not go in circles */
export function cutBack(
  state: ThreadState,
  turn: TurnState,
):
  | { readonly type: "record"; readonly record: CutBack }
  | { readonly type: "fail"; readonly error: RunError }
  | null {
  const record = circlingThought(state, turn) ?? repeatedCalls(turn);
  if (record === null) return null;
  return turn.cutBacks < MAX_CUT_BACKS
    ? { type: "record", record }
    : { type: "fail", error: loopError(record) };
}

function circlingThought(state: ThreadState, turn: TurnState): CutBack | null {
  if (turn.circlingThought === null) return null;
  const text = withoutRepetition(turn.circlingThought);
  return {
    type: "cut_back",
    reason: "circling_thought",
    // The thought itself is not among the messages: it had no end.
    keep: state.transcript.length,
    thought:
      text === ""
        ? null
        : { role: "assistant", channel: "analysis", content: [{ type: "text", text }] },
    hint: noteMessage(
      "Your reasoning went in circles and was cut back to where it began to repeat itself. Do not go " +
        "through it again: decide, call a tool that tells you something new, or give your final answer.",
    ),
  };
}

function repeatedCalls(turn: TurnState): CutBack | null {
  const loop = callLoop(turn.recentCalls);
  if (loop === null) return null;
  return {
    type: "cut_back",
    reason: "repeated_calls",
    keep: loop.keep,
    thought: null,
    hint: noteMessage(hintText(loop)),
  };
}

function hintText({ cycle, times }: CallLoop): string {
  const names = [...new Set(cycle.map(({ recipient }) => recipient))].join(", ");
  const what =
    cycle.length === 1
      ? `You called ${names} ${times} times with the same arguments, and the result was the same each time.`
      : `You made the same ${cycle.length} calls (${names}) ${times} times over, with the same results.`;
  return (
    `${what} All but the first are left out here. Do not repeat ${cycle.length === 1 ? "it" : "them"}: ` +
    "use what you know, do something else, or give your final answer."
  );
}

function loopError({ reason }: CutBack): RunError {
  const what =
    reason === "repeated_calls"
      ? "The model made the same calls with the same results again and again"
      : "The model's reasoning went in circles again and again";
  return new RunError(
    "CHORALE_LOOP",
    `${what}, also after it was cut back and told so ${MAX_CUT_BACKS} times.`,
    { facts: { reason, cutBacks: MAX_CUT_BACKS } },
  );
}
