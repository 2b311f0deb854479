/** The state of a thread: what its log says, folded (see `fold.ts`). Never changed, only replaced. */
import type { IssueCode, Message } from "../../harmony/index.ts";
import type { JsonValue } from "../../tools/index.ts";
import type {
  BudgetName,
  BudgetState,
  ResolvedCall,
  StepOutcome,
  TranscriptMessage,
  TurnSettings,
} from "../context.ts";
import type { Usage } from "../events.ts";
import type { AnswerSubject, RememberedAnswer, Taint } from "../policy/policy.ts";
import type { Denial } from "./entry.ts";

/** What a person is asked about a call. */
export type Question = {
  readonly rule: string;
  readonly reason?: string;
  readonly change?: string;
  readonly subject?: AnswerSubject;
};

/** A call whose result is not in the log yet. */
export type OpenCall = {
  readonly callId: string;
  /** The body as the model wrote it. */
  readonly text: string;
  readonly channel: string | null;
  readonly call: ResolvedCall;
  /** No token of the model ended it: it may be the first half of what was meant. */
  readonly isUnterminated: boolean;
  readonly codes: readonly IssueCode[];
  readonly progress:
    | "new"
    /** A person was asked whether it may run. */
    | "asked"
    | "allowed"
    | "denied"
    /** It was started, and nothing more is known. */
    | "started";
  /** Why it was denied. */
  readonly reason?: string;
  /** Who denied it, or allowed it. */
  readonly decidedBy?: string;
  /** The rule that denied it, or because of which a person was asked. */
  readonly rule?: string;
  /** What a person was asked. */
  readonly question?: Question;
  readonly isRepeatable: boolean;
  /** The model will read it; its result then has to follow. */
  readonly isInTranscript: boolean;
};

/** A call with its result. */
export type MadeCall = {
  readonly recipient: string;
  readonly text: string;
  readonly result: string;
  /** Messages of the transcript before the step that made it. */
  readonly from: number;
};

/** What a turn has used of its budgets. */
export type TurnUse = {
  readonly tokens: number;
  readonly reasoningTokens: number;
  /** Calls that were executed. */
  readonly toolCalls: number;
  /** Bytes of UTF-8 said to the user. */
  readonly outputBytes: number;
  /** Time of the model and of tools in milliseconds, as far as entries tell it. */
  readonly workedMs: number;
};

/** What was recorded of a budget last, and the steps that the turn had by then. */
export type ToldBudget = { readonly state: BudgetState; readonly steps: number };

export type TurnState = {
  readonly settings: TurnSettings;
  readonly steps: number;
  readonly use: TurnUse;
  readonly budgets: Readonly<Partial<Record<BudgetName, ToldBudget>>>;
  /** Unusable steps in a row. */
  readonly retries: number;
  readonly lastUnusable: string;
  readonly repairs: number;
  /** How often an answer went back because of its citations. */
  readonly citationRepairs: number;
  /** Steps in a row that came to nothing. */
  readonly idleSteps: number;
  /** What the last step came to, until that was dealt with. */
  readonly outcome: StepOutcome | null;
  /** The same, also once that was dealt with. */
  readonly lastOutcome: StepOutcome | null;
  /** How the last step was cut off: by a limit on its tokens, the context, or a budget. */
  readonly cutOffBy: "length" | "context" | BudgetName | null;
  /** The answer of the last step. */
  readonly answer: string | null;
  /** The last answer of the turn, and what was said to the user before that. */
  readonly lastAnswer: string | null;
  readonly said: readonly string[];
  /** Text of the last step that was meant as a call and names no tool. */
  readonly brokenCall: string;
  /** Calls of the last step without a result. */
  readonly calls: readonly OpenCall[];
  /** The last call that could have run was not allowed. */
  readonly wasDenied: boolean;
  /** What denied the last call that could have run, if it was no person. */
  readonly denial: Denial | null;
  /** The latest calls, oldest first. */
  readonly recentCalls: readonly MadeCall[];
  /** Messages of the transcript before the last step. */
  readonly stepFrom: number;
  /** The thought of the last step, where that went round and was not cut back yet. */
  readonly circlingThought: string | null;
  /** How often the turn was cut back. */
  readonly cutBacks: number;
  /** A tool has run in this turn. */
  readonly hasResults: boolean;
};

/** Where a turn begins: messages of the transcript before it, and the place of its first entry. */
export type TurnStart = {
  readonly at: number;
  readonly seq: number;
  /** A summary of turns stands here. */
  readonly isSummary?: true;
};

export type ThreadState = {
  readonly threadId: string;
  /** Where it began; null where the log does not say. */
  readonly folder: string | null;
  /** System and developer message of the last turn; null where the log does not say. */
  readonly opening: readonly Message[] | null;
  /** Number of entries; the next one has this `seq`. */
  readonly length: number;
  /** Items so far; the next one has this number. */
  readonly items: number;
  readonly turns: number;
  /** The whole conversation, without system and developer message. */
  readonly transcript: readonly TranscriptMessage[];
  /** The turns in the transcript, oldest first; a summary counts as one. */
  readonly turnStarts: readonly TurnStart[];
  /** The turn that is not over. */
  readonly turn: TurnState | null;
  readonly usage: Usage;
  /** Text of strangers that the model has read; null: none. It stays for the whole thread. */
  readonly taint: Taint | null;
  /** Answers that hold for later calls of this thread. */
  readonly answers: readonly RememberedAnswer[];
  /** What calls left for later calls of their namespace, oldest first. */
  readonly toolStates: readonly ToolState[];
};

export type ToolState = { readonly recipient: string; readonly state: JsonValue };

/**
 * What calls of a tool's namespace left in the thread, oldest first.
 *
 * @param recipient of a tool, `browser.open`, or a namespace, `browser`; each function is a namespace of its own
 */
export function toolStatesOf({ toolStates }: ThreadState, recipient: string): readonly JsonValue[] {
  const wanted = stateNamespace(recipient);
  return toolStates.flatMap(({ recipient, state }) =>
    stateNamespace(recipient) === wanted ? [state] : [],
  );
}

function stateNamespace(recipient: string): string {
  return recipient.startsWith("functions.") ? recipient : (recipient.split(".")[0] ?? recipient);
}

/** The conversation as messages, without notes of the runtime. */
export function messagesOf(state: ThreadState): readonly Message[] {
  return state.transcript.flatMap(({ message, isNote }) => (isNote ? [] : [message]));
}

/** What was said to the user in a turn that has no accepted answer; null where nothing was. */
export function partialOutput({ lastAnswer, said }: TurnState): string | null {
  return lastAnswer ?? (said.length === 0 ? null : said.join("\n\n"));
}

/**
 * The conversation as the model reads it: the analysis of a turn is dropped once the turn has its answer,
 * as gpt-oss was trained.
 */
export function promptTranscript(state: ThreadState): readonly TranscriptMessage[] {
  const { transcript } = state;
  const lastAnswer = transcript.findLastIndex(
    ({ message }) => message.role === "assistant" && message.channel === "final",
  );
  return transcript.filter(({ message }, at) => at >= lastAnswer || message.channel !== "analysis");
}
