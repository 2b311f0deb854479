/**
 * The entries of a thread's log. The log is the only state of a conversation: everything else (what the
 * model reads, events, usage, what to do next) is a function of it. Entries are JSON; `docs/thread-log.md`
 * describes them and `docs/thread-log.schema.json` is their schema.
 */
import type { Issue, Message } from "../../harmony/index.ts";
import type { ContentBlock } from "../../tools/index.ts";
import type {
  BudgetName,
  BudgetState,
  Notice,
  StepFinish,
  StepOutcome,
  StepTiming,
  StepUsage,
  TurnSettings,
  UnderstoodMessage,
} from "../context.ts";
import type { Timing } from "../events.ts";
import type { AnswerSubject } from "../policy/policy.ts";

/** Written into each log; a log of a higher version is refused, see `fold.ts`. */
export const THREAD_LOG_VERSION = 2;

/** The first entry of a log. */
export type ThreadStarted = {
  readonly type: "thread";
  readonly version: number;
  readonly threadId: string;
  /** The thread that this one continues, up to and including entry `seq` of it. */
  readonly parent?: { readonly threadId: string; readonly seq: number };
  /** Where the program was started that began it. */
  readonly folder?: string;
};

/** A turn begins: what the user (or the calling program) put in, and by which settings it runs. */
export type UserInput = {
  readonly type: "user";
  readonly model: string;
  readonly messages: readonly Message[];
  readonly settings: TurnSettings;
  /**
   * System and developer message, as the model reads them in this turn. Absent: those of the turn before;
   * unknown where no turn before has them.
   */
  readonly opening?: readonly Message[];
  /** What of the input is not the user's own words, by name: a file, what came on stdin. Absent: nothing. */
  readonly untrusted?: readonly string[];
  /** Which weights the model had, and how it multiplied. Absent where that is not known. */
  readonly fingerprint?: string;
  /** The version of Chorale. */
  readonly version?: string;
};

/** In the middle of a turn the user said something more; the model reads it in its next step. */
export type Steered = {
  readonly type: "steered";
  readonly messages: readonly Message[];
};

/** One step: what the model sampled, and what was understood of it. */
export type Sampled = {
  readonly type: "sampled";
  readonly messages: readonly UnderstoodMessage[];
  readonly notices: readonly Notice[];
  /** All ids of the step: what was put in front (`prefill` of them) and what was sampled. Empty where the model gives text. */
  readonly ids: readonly number[];
  readonly prefill: number;
  /** Which vocabulary the ids belong to; null without ids. */
  readonly vocabulary: string | null;
  /** SHA-256 of the ids that the model read, the first 16 hexadecimal digits: a replay can say whether it reads the same. */
  readonly promptHash?: string;
  /** Nothing deviates from the format, so the ids can be read again as they are. */
  readonly isClean: boolean;
  readonly outcome: StepOutcome;
  readonly finish: StepFinish;
  /** With the finish `budget`: which one. */
  readonly budget?: BudgetName;
  readonly usage: StepUsage;
  readonly timing: StepTiming;
  /** Most tokens that the context of the model holds. */
  readonly contextLength?: number;
};

/** A call is about to be executed. Written before the tool runs. */
export type CallStarted = {
  readonly type: "call";
  readonly callId: string;
  /** What the tool gets: the arguments after they were validated. */
  readonly input: unknown;
  /** The same for every attempt at this call. */
  readonly idempotencyKey: string;
  /** Executing it twice does no harm: the tool says that it only reads, or that it is idempotent. */
  readonly isRepeatable: boolean;
  /** The rule by which it may run without an answer. */
  readonly allowedBy?: string;
};

/** A call needs a person's agreement (`asked`), or got an answer. */
export type Approval = {
  readonly type: "approval";
  readonly callId: string;
  readonly decision: "asked" | "allowed" | "denied";
  /** Who decided: `caller`, `user`, `no_approver` (there was no one to ask), or the name of a rule. */
  readonly by: string;
  readonly reason?: string;
  /** The rule because of which a person was asked, or that denied the call. */
  readonly rule?: string;
  /** With `asked`: what the question is about, so that an answer to it holds for nothing else. */
  readonly subject?: AnswerSubject;
  /** With `asked`: what is other than in the definition that was trusted. */
  readonly change?: string;
  /** The answer holds for later calls: in this thread, or in all threads. */
  readonly remember?: "session" | "always";
  /** Which later calls: all of the tool, or those with the same arguments. Default: all. */
  readonly covers?: "tool" | "arguments";
};

export type CallStatus =
  | "completed"
  | "failed"
  /** The run was stopped while the tool worked. */
  | "cancelled"
  /** It was not allowed. */
  | "denied"
  /** Nothing was executed: the call was cut off, was the last step's, or names no tool. */
  | "not_executed"
  /** The process ended while the tool worked: it is not known what the call did. */
  | "unknown";

/** What came of a call. */
export type CallResult = {
  readonly type: "result";
  readonly callId: string;
  readonly status: CallStatus;
  /** What the model reads. */
  readonly text: string;
  /** The same for programs. JSON. */
  readonly data?: unknown;
  /** What the tool keeps of the call for its later calls in this thread. JSON; in no event. */
  readonly threadState?: unknown;
  /** The parts of the result as MCP has them, with those that the model cannot read. */
  readonly content?: readonly ContentBlock[];
  /** What was wrong with the arguments as the model wrote them. */
  readonly issues: readonly Issue[];
  readonly durationMs: number;
  /** Tools that were found: the message that declares them, which the model reads behind the result. */
  readonly declares?: { readonly recipients: readonly string[]; readonly message: Message };
  /** Why the call could not be used at all; it counts as a retry. */
  readonly unusable?: string;
};

/** Something went wrong that does not end the turn. */
export type Problem = {
  readonly type: "problem";
  readonly itemId: string;
  readonly code: string;
  readonly message: string;
  /** What the model reads about it. */
  readonly feedback: Message | null;
  /** Which allowance it uses up. */
  readonly counts: "retry" | "repair" | "citation";
};

/** A budget of the turn is near its end, or used up. */
export type Budget = {
  readonly type: "budget";
  readonly budget: BudgetName;
  readonly state: BudgetState;
  /** How much was used by then, in the unit of the budget. */
  readonly used: number;
  readonly limit: number;
  /** What the model reads about it, as long as the turn lasts. */
  readonly note: Message | null;
};

/**
 * The model went in circles: the conversation that it reads is cut back to before that, and it goes on with
 * a hint. What was cut stays in the log.
 */
export type CutBack = {
  readonly type: "cut_back";
  readonly reason: "repeated_calls" | "circling_thought";
  /** How many messages of the conversation stay, counted from its beginning. */
  readonly keep: number;
  /** What stays of a thought that is cut in the middle. */
  readonly thought: Message | null;
  /** What the model reads about it, as long as the turn lasts. */
  readonly hint: Message;
};

/**
 * What the model reads of the conversation is made shorter. What was said stays in the log.
 * `shortened`: results of tools, each with the text that stands in its place from now on.
 * `summary`: the first turns, in whose place stand a request for a summary and the summary.
 */
export type Compaction = {
  readonly type: "compaction";
  /** `near_limit`: the context was nearly full. `asked`: a person or program asked for it. */
  readonly reason: "near_limit" | "asked";
  /** Tokens of the prompt before and behind it. */
  readonly tokensBefore: number;
  readonly tokensAfter: number;
} & (
  | {
      readonly kind: "shortened";
      readonly results: readonly { readonly callId: string; readonly text: string }[];
    }
  | {
      readonly kind: "summary";
      /** Messages of the conversation that are replaced, counted from its beginning. */
      readonly messages: number;
      /** The entries of the turns that are replaced. */
      readonly range: { readonly fromSeq: number; readonly toSeq: number };
      /** What the model was asked. */
      readonly request: Message;
      readonly summary: string;
      /** The model that wrote it. */
      readonly model: string;
      readonly usage: StepUsage;
      readonly timing: StepTiming;
    }
);

/** An error as data. */
export type ErrorFacts = {
  readonly message: string;
  readonly code?: string;
};

/** A call that was denied by a rule, or because there was no one to ask. */
export type Denial = {
  readonly callId: string;
  /** The tool's own name. */
  readonly tool: string;
  readonly rule: string;
  readonly reason?: string;
};

export type TurnStatus = "completed" | "failed" | "cancelled";

/** The turn is over. */
export type Ended = {
  readonly type: "ended";
  readonly status: TurnStatus;
  /** The accepted answer; null when there is none. */
  readonly output: string | null;
  /** Without an answer: what was said to the user until then, as far as anything was. */
  readonly partial?: string;
  readonly error: ErrorFacts | null;
  /** Of a turn that was completed: the last call that was wanted, if it was denied and no person did that. */
  readonly denied?: Denial;
  /** Of the run that ended it. */
  readonly timing: Timing;
};

/** A person has named the thread, in the place of the title that is made from its first question. */
export type Titled = {
  readonly type: "titled";
  /** One line. */
  readonly title: string;
};

export type LogRecord =
  | ThreadStarted
  | UserInput
  | Steered
  | Sampled
  | CallStarted
  | Approval
  | CallResult
  | Problem
  | Budget
  | CutBack
  | Compaction
  | Titled
  | Ended;

/** A record with its place: `seq` counts from 0 in each thread, `at` is an ISO 8601 time in UTC. */
export type LogEntry = LogRecord & { readonly seq: number; readonly at: string };
