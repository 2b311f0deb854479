/** From log entries to state. Pure: folding a log twice gives the same state. */
import type { Message } from "../../harmony/index.ts";
import type { JsonValue } from "../../tools/index.ts";
import type { StepOutcome, TranscriptMessage } from "../context.ts";
import type { Usage } from "../events.ts";
import type { RememberedAnswer, Taint } from "../policy/policy.ts";
import type {
  Approval,
  CallResult,
  CallStarted,
  Denial,
  LogEntry,
  LogRecord,
  Problem,
  Sampled,
  Steered,
  ThreadStarted,
  UserInput,
} from "./entry.ts";
import { THREAD_LOG_VERSION } from "./entry.ts";
import { misplaced, ThreadLogError } from "./errors.ts";
import { budget, compaction, cutBack } from "./fold-context.ts";
import { REMEMBERED_CALLS } from "./loops.ts";
import type { OpenCall, ThreadState, TurnState } from "./state.ts";
import { isForUser, resultMessage, sampledTranscript } from "./transcript.ts";

const NO_USAGE: Usage = {
  input_tokens: 0,
  cached_input_tokens: 0,
  cache_write_input_tokens: 0,
  output_tokens: 0,
  reasoning_output_tokens: 0,
};

const EMPTY: ThreadState = {
  threadId: "",
  folder: null,
  opening: null,
  length: 0,
  items: 0,
  turns: 0,
  transcript: [],
  turnStarts: [],
  turn: null,
  usage: NO_USAGE,
  taint: null,
  answers: [],
  toolStates: [],
};

/** @throws ThreadLogError when the entries are no log: a gap, a wrong order, a newer version */
export function fold(entries: Iterable<LogEntry>): ThreadState {
  let state = EMPTY;
  for (const entry of entries) {
    if (entry.seq !== state.length) {
      throw new ThreadLogError(
        state.threadId,
        `entry ${state.length} is missing (found ${entry.seq})`,
      );
    }
    state = apply(state, entry);
  }
  return state;
}

/** The state of a log without entries. */
export const emptyState = (): ThreadState => EMPTY;

/** @throws ThreadLogError when the record cannot follow what the log holds already */
export function apply(state: ThreadState, record: LogRecord): ThreadState {
  const next = { ...state, length: state.length + 1 };
  if (record.type === "thread") return { ...next, ...started(state, record) };
  if (state.length === 0) throw misplaced(state, record, "a log begins with a thread entry");
  if (record.type === "user") return { ...next, ...userInput(state, record) };
  if (record.type === "compaction") return { ...next, ...compaction(state, record) };
  // A name may be given at any time; nothing of the conversation depends on it.
  if (record.type === "titled") return next;
  const { turn } = state;
  if (turn === null) throw misplaced(state, record, "no turn is open");
  switch (record.type) {
    case "steered":
      return { ...next, ...steered(state, turn, record) };
    case "sampled":
      return { ...next, ...sampled(state, turn, record) };
    case "call":
      return {
        ...next,
        turn: callStarted(state, turn, record),
      };
    case "approval":
      return { ...next, ...approval(state, turn, record) };
    case "result":
      return { ...next, ...result(state, turn, record) };
    case "problem":
      return { ...next, ...problem(state, turn, record) };
    case "budget":
      return { ...next, ...budget(state, turn, record) };
    case "cut_back":
      return { ...next, ...cutBack(state, turn, record) };
    case "ended":
      if (turn.calls.length > 0) throw misplaced(state, record, "a call has no result");
      return { ...next, turn: null };
    default:
      throw misplaced(state, record, "there is no such type");
  }
}

function started(state: ThreadState, record: ThreadStarted): Partial<ThreadState> {
  if (state.length > 0) throw misplaced(state, record, "the log has begun already");
  if (record.version > THREAD_LOG_VERSION) {
    throw new ThreadLogError(
      record.threadId,
      `it is written in version ${record.version} of the log, and this Chorale reads versions up to ` +
        `${THREAD_LOG_VERSION}; use a newer one`,
    );
  }
  return { threadId: record.threadId, folder: record.folder ?? null };
}

function userInput(state: ThreadState, record: UserInput): Partial<ThreadState> {
  if (state.turn !== null) throw misplaced(state, record, "the turn before it is not over");
  const [source] = record.untrusted ?? [];
  // Notes are of the turn that they came in.
  const earlier = state.transcript.filter(({ isNote }) => !isNote);
  return {
    taint: state.taint ?? (source === undefined ? null : { source, seq: state.length }),
    turns: state.turns + 1,
    opening: record.opening ?? state.opening,
    transcript: [...earlier, ...record.messages.map((message) => ({ message }))],
    turnStarts: [...state.turnStarts, { at: earlier.length, seq: state.length }],
    turn: {
      settings: record.settings,
      steps: 0,
      use: { tokens: 0, reasoningTokens: 0, toolCalls: 0, outputBytes: 0, workedMs: 0 },
      budgets: {},
      retries: 0,
      lastUnusable: "",
      repairs: 0,
      citationRepairs: 0,
      idleSteps: 0,
      outcome: null,
      lastOutcome: null,
      cutOffBy: null,
      answer: null,
      lastAnswer: null,
      said: [],
      brokenCall: "",
      calls: [],
      wasDenied: false,
      denial: null,
      recentCalls: [],
      stepFrom: 0,
      circlingThought: null,
      cutBacks: 0,
      hasResults: false,
    },
  };
}

/** The turn goes on with a sample, also where the last step was an answer. */
function steered(state: ThreadState, turn: TurnState, record: Steered): Partial<ThreadState> {
  if (turn.calls.length > 0) throw misplaced(state, record, "a call has no result");
  return {
    transcript: [...state.transcript, ...record.messages.map((message) => ({ message }))],
    turn: { ...turn, outcome: null, answer: null, idleSteps: 0, recentCalls: [] },
  };
}

function sampled(state: ThreadState, turn: TurnState, record: Sampled): Partial<ThreadState> {
  if (turn.calls.length > 0) throw misplaced(state, record, "a call has no result");
  const { inputTokens, cachedTokens, outputTokens, reasoningTokens } = record.usage;
  const { usage } = state;
  const transcript = sampledTranscript(record);
  const known = new Set(transcript.map(({ callId }) => callId));
  const { outcome, messages, timing } = record;
  const isIdle = outcome === "no_answer";
  const answer = messages.find(({ kind }) => kind === "answer")?.text ?? null;
  const said = messages.filter(({ kind, text }) => kind === "preamble" && text.trim() !== "");
  const { use } = turn;
  return {
    items: state.items + itemCount(record),
    transcript: [...state.transcript, ...transcript],
    usage: {
      input_tokens: usage.input_tokens + inputTokens,
      cached_input_tokens: usage.cached_input_tokens + cachedTokens,
      cache_write_input_tokens: usage.cache_write_input_tokens + inputTokens - cachedTokens,
      output_tokens: usage.output_tokens + outputTokens,
      reasoning_output_tokens: usage.reasoning_output_tokens + reasoningTokens,
    },
    turn: {
      ...turn,
      // The model goes on with the same step.
      steps: isUnfinished(outcome) ? turn.steps : turn.steps + 1,
      stepFrom: state.transcript.length,
      circlingThought: outcome === "circling" ? (messages.at(-1)?.text ?? "") : null,
      use: {
        ...use,
        tokens: use.tokens + outputTokens,
        reasoningTokens: use.reasoningTokens + reasoningTokens,
        outputBytes: use.outputBytes + outputBytes(messages),
        workedMs: use.workedMs + timing.prefillMs + timing.decodeMs,
      },
      retries: isIdle ? turn.retries + 1 : turn.retries,
      lastUnusable: isIdle ? "It ended its turn without an answer." : turn.lastUnusable,
      idleSteps: isIdle ? turn.idleSteps + 1 : 0,
      outcome: isIdle || outcome === "interrupted" || isUnfinished(outcome) ? null : outcome,
      lastOutcome: outcome,
      cutOffBy: cutOffBy(record),
      answer,
      lastAnswer: answer ?? turn.lastAnswer,
      said: [...turn.said, ...said.map(({ text }) => text)],
      brokenCall: messages.find(({ kind }) => kind === "broken_call")?.text ?? "",
      calls: messages.flatMap((message): OpenCall[] =>
        message.call === undefined || message.itemId === null
          ? []
          : [
              {
                callId: message.itemId,
                text: message.text,
                channel: message.channel,
                call: message.call,
                isUnterminated: message.terminator === null,
                codes: message.issues.map(({ code }) => code),
                progress: "new",
                isRepeatable: false,
                isInTranscript: known.has(message.itemId),
              },
            ],
      ),
    },
  };
}

function isUnfinished(outcome: StepOutcome): boolean {
  return outcome === "paused" || outcome === "circling";
}

function cutOffBy({ finish, budget }: Sampled): TurnState["cutOffBy"] {
  if (finish === "budget") return budget ?? null;
  return finish === "length" || finish === "context" ? finish : null;
}

/** Of what is said to the user: the answer and the commentary. */
function outputBytes(messages: Sampled["messages"]): number {
  return messages.reduce((sum, message) => {
    return isForUser(message) ? sum + Buffer.byteLength(message.text) : sum;
  }, 0);
}

function callStarted(state: ThreadState, turn: TurnState, record: CallStarted): TurnState {
  const { callId, isRepeatable } = record;
  const isAgain = turn.calls.some((call) => call.callId === callId && call.progress === "started");
  const { use } = turn;
  return {
    ...withCall(state, turn, callId, (call) => ({ ...call, progress: "started", isRepeatable })),
    use: isAgain ? use : { ...use, toolCalls: use.toolCalls + 1 },
  };
}

function approval(state: ThreadState, turn: TurnState, record: Approval): Partial<ThreadState> {
  const { decision, by, reason, rule } = record;
  if (decision === "asked") {
    const { subject, change } = record;
    const question = {
      rule: rule ?? by,
      ...(reason !== undefined && { reason }),
      ...(change !== undefined && { change }),
      ...(subject && { subject }),
    };
    return {
      turn: withCall(state, turn, record.callId, (call) => ({
        ...call,
        progress: "asked",
        rule: question.rule,
        question,
      })),
    };
  }
  const call = turn.calls.find(({ callId }) => callId === record.callId);
  const answer = rememberedAnswer(state, call, record);
  return {
    ...(answer !== null && { answers: [...state.answers, answer] }),
    turn: withCall(state, turn, record.callId, (open) => ({
      ...open,
      progress: decision,
      decidedBy: by,
      ...(reason !== undefined && { reason }),
      ...(rule !== undefined && { rule }),
    })),
  };
}

/** What an answer means for later calls; null: nothing. */
function rememberedAnswer(
  { taint }: ThreadState,
  call: OpenCall | undefined,
  { decision, remember, covers }: Approval,
): RememberedAnswer | null {
  const subject = call?.question?.subject;
  if (remember === undefined || subject === undefined) return null;
  const { tool, fingerprint, argumentsHash } = subject;
  return {
    decision: decision === "allowed" ? "allow" : "deny",
    scope: remember,
    tool,
    fingerprint,
    ...(covers === "arguments" && { argumentsHash }),
    isTainted: taint !== null,
  };
}

function result(state: ThreadState, turn: TurnState, record: CallResult): Partial<ThreadState> {
  const call = turn.calls.find(({ callId }) => callId === record.callId);
  if (call === undefined) {
    throw misplaced(state, record, `no call ${record.callId} waits for a result`);
  }
  const calls = turn.calls.filter((other) => other !== call);
  const { recipient } = call.call;
  const made = { recipient, text: call.text, result: record.text, from: turn.stepFrom };
  const { unusable, status, durationMs } = record;
  const { use } = turn;
  const isOfClient =
    call.call.execution === "client" && (status === "completed" || status === "failed");
  const { threadState: left } = record;
  return {
    taint: state.taint ?? taintOf(state, turn, call, record),
    ...(left !== undefined && {
      toolStates: [...state.toolStates, { recipient, state: left as JsonValue }],
    }),
    transcript: call.isInTranscript
      ? [
          ...state.transcript,
          { message: resultMessage(call, record.text), callId: call.callId },
          ...declaration(record),
        ]
      : state.transcript,
    turn: {
      ...turn,
      calls,
      use: {
        ...use,
        toolCalls: isOfClient ? use.toolCalls + 1 : use.toolCalls,
        workedMs: use.workedMs + durationMs,
      },
      recentCalls: [...turn.recentCalls, made].slice(-REMEMBERED_CALLS),
      outcome: calls.length === 0 && turn.outcome === "calls" ? null : turn.outcome,
      retries: unusable === undefined ? 0 : turn.retries + 1,
      lastUnusable: unusable ?? turn.lastUnusable,
      wasDenied: record.status === "denied" || (record.status === "not_executed" && turn.wasDenied),
      denial: denialBehind(turn, call, record),
      hasResults: true,
    },
  };
}

/** Who denies a call in the name of a person. */
const PERSONS: ReadonlySet<string> = new Set(["caller", "user"]);

function denialBehind(turn: TurnState, call: OpenCall, { status }: CallResult): Denial | null {
  if (status !== "denied") return status === "not_executed" ? turn.denial : null;
  const { callId, decidedBy = "caller", rule, reason } = call;
  if (PERSONS.has(decidedBy)) return null;
  return {
    callId,
    tool: call.call.tool,
    rule: rule ?? decidedBy,
    ...(reason !== undefined && { reason }),
  };
}

/** Whether a result brings text of strangers into the conversation. Also a failure: its words are the server's. */
function taintOf(
  state: ThreadState,
  { settings }: TurnState,
  { call, progress }: OpenCall,
  { status }: CallResult,
): Taint | null {
  const isExecuted = progress === "started" || call.execution === "client";
  if (!isExecuted || status === "unknown" || status === "denied") return null;
  const pin = settings.tools.find(({ recipient }) => recipient === call.recipient);
  return (pin?.isUntrusted ?? true) ? { source: call.tool, seq: state.length } : null;
}

function problem(state: ThreadState, turn: TurnState, record: Problem): Partial<ThreadState> {
  const feedback: readonly { readonly message: Message }[] =
    record.feedback === null ? [] : [{ message: record.feedback }];
  const isRetry = record.counts === "retry";
  return {
    items: state.items + 1,
    transcript: [...state.transcript, ...feedback],
    turn: {
      ...turn,
      outcome: null,
      retries: isRetry ? turn.retries + 1 : turn.retries,
      lastUnusable: isRetry ? record.message : turn.lastUnusable,
      repairs: record.counts === "repair" ? turn.repairs + 1 : turn.repairs,
      citationRepairs:
        record.counts === "citation" ? turn.citationRepairs + 1 : turn.citationRepairs,
    },
  };
}

function declaration({ declares }: CallResult): readonly TranscriptMessage[] {
  return declares === undefined
    ? []
    : [{ message: declares.message, declares: declares.recipients }];
}

/** Messages with content and notices are items. */
function itemCount({ messages, notices }: Sampled): number {
  return messages.filter(({ itemId }) => itemId !== null).length + notices.length;
}

function withCall(
  state: ThreadState,
  turn: TurnState,
  callId: string,
  change: (call: OpenCall) => OpenCall,
): TurnState {
  if (!turn.calls.some((call) => call.callId === callId)) {
    throw new ThreadLogError(
      state.threadId,
      `entry ${state.length} is about the call ${callId}, which does not wait for a result`,
    );
  }
  return {
    ...turn,
    calls: turn.calls.map((call) => (call.callId === callId ? change(call) : call)),
  };
}
