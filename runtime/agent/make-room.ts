/**
 * Keeps the prompt within the context of the model. Near its end old results of tools are shortened first; at the
 * beginning of a turn, where no call is on its way, turns that are over are summarised as well.
 */
import { truncateToTokens } from "../../tools/index.ts";
import type { Compaction } from "../thread/entry.ts";
import { apply } from "../thread/fold.ts";
import type { ThreadState } from "../thread/state.ts";
import { canSummarise, promptTokens, summarise, summaryTokens } from "./compact.ts";
import { type RunContext, record } from "./run-context.ts";

/** From this share of the context on there is something to be done. */
const NEAR = 0.75;
/** Down to this share. */
const TARGET = 0.5;
/** The latest results are left whole: the model is working with them. */
const KEPT_RESULTS = 2;
/** A result of more tokens than these is shortened, to the second number. */
const LONG_RESULT = 400;
const SHORTENED_RESULT = 200;

/** @returns whether something was made shorter */
export async function makeRoom(run: RunContext): Promise<boolean> {
  const { thread, model, time } = run;
  const { state } = thread;
  const { turn } = state;
  if (turn === null || turn.settings.compaction === false) return false;
  const { contextLength } = model;
  const tokensBefore = promptTokens(run, turn.settings, state);
  if (tokensBefore < contextLength * NEAR) return false;
  const results = longResults(run, state, tokensBefore - contextLength * TARGET);
  if (results.length > 0) {
    const entry: Compaction = {
      type: "compaction",
      kind: "shortened",
      reason: "near_limit",
      tokensBefore,
      tokensAfter: 0,
      results,
    };
    const tokensAfter = promptTokens(run, turn.settings, apply(state, entry));
    await record(run, { ...entry, tokensAfter });
    return true;
  }
  // In the middle of its calls the model would lose what it was about.
  if (turn.steps > 0) return false;
  const messages = finishedTurns(run, state, tokensBefore);
  if (messages === 0) return false;
  try {
    const context = { ...run, signal: time.signal };
    return (await summarise(context, turn.settings, messages, "near_limit")) !== null;
  } catch (error) {
    // The loop says so: the time of the turn is used up.
    if (time.isUsedUp && !run.signal.aborted) return true;
    throw error;
  }
}

/** Old results, the oldest first, until so many tokens are saved. */
function longResults(
  { model }: RunContext,
  { transcript }: ThreadState,
  wanted: number,
): readonly { readonly callId: string; readonly text: string }[] {
  const countTokens = (text: string): number => model.countTokens(text);
  const shortened: { callId: string; text: string }[] = [];
  let saved = 0;
  const results = transcript.flatMap(({ message, callId }) => {
    const [content] = message.content;
    const isResult = message.role === "tool" && callId !== undefined && content?.type === "text";
    return isResult ? [{ callId, text: content.text }] : [];
  });
  for (const { callId, text } of results.slice(0, -KEPT_RESULTS)) {
    if (saved >= wanted) break;
    const tokens = countTokens(text);
    if (tokens <= LONG_RESULT) continue;
    const short = truncateToTokens(text, SHORTENED_RESULT, countTokens).text;
    shortened.push({ callId, text: short });
    saved += tokens - countTokens(short);
  }
  return shortened;
}

/**
 * The fewest first messages that are to be summarised: whole turns that are over, no more than can be read at once.
 * @returns 0 where there are none
 */
function finishedTurns(run: RunContext, state: ThreadState, tokens: number): number {
  const { model, tools, thread } = run;
  const settings = thread.state.turn?.settings;
  if (settings === undefined) return 0;
  const [first, ...others] = state.turnStarts;
  // A summary alone is as short as it gets.
  const ends = others.map(({ at }) => at).slice(first?.isSummary ? 1 : 0);
  const without = model.promptTokens({ settings, tools, transcript: [] });
  const enough = ends.find((end) => {
    const transcript = state.transcript.slice(0, end);
    const replaced = model.promptTokens({ settings, tools, transcript }) - without;
    const left = tokens - replaced + summaryTokens(model.contextLength);
    return left <= model.contextLength * TARGET;
  });
  const wanted = enough ?? ends.at(-1) ?? 0;
  const canBeRead = (end: number): boolean => end <= wanted && canSummarise(run, settings, end);
  return ends.findLast(canBeRead) ?? 0;
}
