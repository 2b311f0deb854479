/**
 * The budgets of a turn: how much of each is used, when the model is told that one is near its end, and the
 * error once it is used up. Everything but time follows from the state alone; time enters as entries.
 */
import type { Message } from "../../harmony/index.ts";
import type { BudgetName, TurnSettings } from "../context.ts";
import { RunError, type RunErrorCode } from "../errors.ts";
import type { Budget } from "../thread/entry.ts";
import type { TurnState } from "../thread/state.ts";

/** The last part of a budget, in which the model is to conclude. */
const LAST_SHARE = 0.2;
/** A thought is interrupted for a warning only where at least so many tokens are left behind it. */
const MIN_TOKENS_LEFT = 32;

type Limit =
  | "maxTokens"
  | "maxReasoningTokens"
  | "maxSeconds"
  | "maxSteps"
  | "maxToolCalls"
  | "maxOutputBytes";

type Facts = {
  readonly option: Limit;
  readonly code: RunErrorCode;
  readonly used: (turn: TurnState) => number;
  readonly unit: (count: number) => string;
  /** The sentence about a budget that is used up. */
  readonly spent: (limit: number) => string;
};

const plural =
  (word: string) =>
  (count: number): string =>
    `${word}${count === 1 ? "" : "s"}`;

const BUDGETS: Readonly<Record<BudgetName, Facts>> = {
  tokens: {
    option: "maxTokens",
    code: "CHORALE_TOKEN_LIMIT",
    used: ({ use }) => use.tokens,
    unit: plural("token"),
    spent: (limit) =>
      `The model generated ${limit} ${plural("token")(limit)} without finishing its answer.`,
  },
  reasoning_tokens: {
    option: "maxReasoningTokens",
    code: "CHORALE_REASONING_LIMIT",
    used: ({ use }) => use.reasoningTokens,
    unit: (count) => `${plural("token")(count)} of reasoning`,
    spent: (limit) =>
      `The model used up its ${limit} ${plural("token")(limit)} of reasoning and had no answer without more.`,
  },
  seconds: {
    option: "maxSeconds",
    code: "CHORALE_TIME_LIMIT",
    used: ({ use }) => use.workedMs / 1000,
    unit: plural("second"),
    spent: (limit) => `The turn was not finished within ${limit} ${plural("second")(limit)}.`,
  },
  steps: {
    option: "maxSteps",
    code: "CHORALE_STEP_LIMIT",
    used: ({ steps }) => steps,
    unit: plural("step"),
    spent: (limit) =>
      `The model was given ${limit} ${plural("step")(limit)} and still wanted to call a tool.`,
  },
  tool_calls: {
    option: "maxToolCalls",
    code: "CHORALE_TOOL_CALL_LIMIT",
    used: ({ use }) => use.toolCalls,
    unit: plural("tool call"),
    spent: (limit) =>
      `The model was given ${limit} ${plural("tool call")(limit)} and still wanted to call a tool.`,
  },
  output_bytes: {
    option: "maxOutputBytes",
    code: "CHORALE_OUTPUT_LIMIT",
    used: ({ use }) => use.outputBytes,
    unit: plural("byte"),
    spent: (limit) =>
      `The model wrote more than ${limit} ${plural("byte")(limit)} of text to the user without finishing.`,
  },
};

/** @returns null where there is no limit */
export function limitOf(name: BudgetName, settings: TurnSettings): number | null {
  return settings[BUDGETS[name].option] ?? null;
}

/** From this use on a budget is near its end. */
function nearFrom(name: BudgetName, limit: number): number {
  // It can end within one message: the model is told at the beginning.
  if (name === "output_bytes") return 0;
  const isCount = name === "steps" || name === "tool_calls";
  return isCount
    ? limit - Math.max(1, Math.floor(limit * LAST_SHARE))
    : Math.ceil(limit * (1 - LAST_SHARE));
}

/** Whether a turn that has used so many seconds is to be told so. */
export function isTimeNear(usedSeconds: number, limit: number): boolean {
  return usedSeconds >= limit * (1 - LAST_SHARE);
}

/** The budgets that a state alone decides about, in the order in which the model is told. */
const TOLD: readonly BudgetName[] = [
  ...(["output_bytes", "reasoning_tokens", "tokens", "tool_calls", "steps"] as const),
];

/** What is to be recorded before the next step; null where there is nothing. */
export function nearBudget(turn: TurnState): Budget | null {
  for (const name of TOLD) {
    const limit = limitOf(name, turn.settings);
    if (limit === null || turn.budgets[name] !== undefined) continue;
    const used = BUDGETS[name].used(turn);
    const hasBegun = used > 0 || name === "output_bytes";
    if (hasBegun && used >= nearFrom(name, limit)) return budgetRecord(name, turn, "near");
  }
  return null;
}

/**
 * @param used  where the state does not know it: seconds
 */
export function budgetRecord(
  budget: BudgetName,
  turn: TurnState,
  state: Budget["state"],
  used: number = BUDGETS[budget].used(turn),
): Budget {
  const limit = limitOf(budget, turn.settings) ?? 0;
  const text = noteText(budget, limit, Math.max(0, limit - used), state);
  const rounded = Math.round(used * 100) / 100;
  return {
    type: "budget",
    budget,
    state,
    used: rounded,
    limit,
    note: text === null ? null : noteMessage(text),
  };
}

/** A word of the runtime to the model, with the authority of the developer. */
export function noteMessage(text: string): Message {
  return { role: "developer", content: [{ type: "text", text }] };
}

const TO_THE_END =
  "Come to an end now: make only calls that you cannot do without, and give your final answer.";

function noteText(
  name: BudgetName,
  limit: number,
  left: number,
  state: Budget["state"],
): string | null {
  const { unit } = BUDGETS[name];
  if (state === "used_up") {
    // Behind every other budget there is nothing more to read.
    if (name !== "tool_calls") return null;
    return (
      `No tool call is left for this turn (it had ${limit}), and no other will be executed. ` +
      "Give your final answer with what you have."
    );
  }
  if (name === "output_bytes") {
    return (
      `What you say to the user in this turn may have at most ${limit} ${unit(limit)} of UTF-8 in all, ` +
      "and is cut off behind that. Keep your final answer shorter."
    );
  }
  const shown = name === "seconds" ? Math.max(1, Math.floor(left)) : Math.floor(left);
  return `Left for this turn: ${shown} of ${limit} ${unit(limit)}. ${TO_THE_END}`;
}

export function budgetError(name: BudgetName, { settings }: TurnState): RunError {
  const { option, code, spent } = BUDGETS[name];
  const limit = limitOf(name, settings) ?? 0;
  return new RunError(code, spent(limit), { option, facts: { [option]: limit } });
}

/** What one step may use of the budgets that can be noticed in the middle of it. */
export type StepLimits = {
  /** Most tokens to sample. */
  readonly tokens: number | null;
  /** Most tokens of reasoning. */
  readonly reasoningTokens: number | null;
  /** Most bytes said to the user. */
  readonly outputBytes: number | null;
  /** Behind so many tokens, or tokens of reasoning, a thought is interrupted for a warning. */
  readonly pauseAt: { readonly tokens: number; readonly reasoningTokens: number };
};

export function stepLimits(turn: TurnState): StepLimits {
  const { use } = turn;
  const left = (name: BudgetName, used: number): number | null => {
    const limit = limitOf(name, turn.settings);
    return limit === null ? null : Math.max(0, limit - used);
  };
  const pauseAt = (name: BudgetName, used: number): number => {
    const limit = limitOf(name, turn.settings);
    if (limit === null || turn.budgets[name] !== undefined) return Number.POSITIVE_INFINITY;
    const near = nearFrom(name, limit);
    const isWorthwhile = limit - near >= MIN_TOKENS_LEFT && near > used;
    return isWorthwhile ? near - used : Number.POSITIVE_INFINITY;
  };
  return {
    tokens: left("tokens", use.tokens),
    reasoningTokens: left("reasoning_tokens", use.reasoningTokens),
    outputBytes: left("output_bytes", use.outputBytes),
    pauseAt: {
      tokens: pauseAt("tokens", use.tokens),
      reasoningTokens: pauseAt("reasoning_tokens", use.reasoningTokens),
    },
  };
}
