/**
 * An agent: a model with tools and instructions. `agent.run(thread, "…")` runs one turn of a conversation
 * and can be read while it runs; `runAgent({ model, prompt })` is the one-line form.
 */
import type { Message } from "../../harmony/index.ts";
import type { Tool } from "../../tools/index.ts";
import type { ApprovalRule } from "../calls/approval.ts";
import type { DeclaredTools } from "../calls/declared-tools.ts";
import { withCleanNames } from "../calls/resolve.ts";
import type { TurnSettings } from "../context.ts";
import { codeOf, InterruptedError, isForeseen, messageOf, UsageError } from "../errors.ts";
import type { EventListener, RunEvent } from "../events.ts";
import { promptTooLong } from "../model/harmony-model.ts";
import type { LanguageModel } from "../model/language-model.ts";
import { openingMessages } from "../model/opening.ts";
import { inputMessages, invalid, type RunInput, type TurnOptions, textOf } from "../options.ts";
import type { Policy } from "../policy/policy.ts";
import { annotationsOf } from "../thread/annotate.ts";
import type { UserInput } from "../thread/entry.ts";
import { deniedCall, EventProjection, pendingCalls } from "../thread/projection.ts";
import { partialOutput, type ThreadState } from "../thread/state.ts";
import type { ThreadStore } from "../thread/store.ts";
import { Thread } from "../thread/thread.ts";
import { packageVersion } from "../version.ts";
import { AgentRun } from "./agent-run.ts";
import { type Compacted, compactThread } from "./compact.ts";
import { defaultToolTokenBudget, withDeferredTools } from "./defer-tools.ts";
import { createOutputValidator, descriptionOf, type OutputOptions } from "./output.ts";
import type { OutputValidator } from "./output-validator.ts";
import { RunClock } from "./run-clock.ts";
import { type RunContext, record } from "./run-context.ts";
import { runLoop } from "./run-loop.ts";
import type { RunResult } from "./run-result.ts";
import { activeTools, checkToolTokenBudget, resolveSettings } from "./settings.ts";
import { TimeBudget } from "./time-budget.ts";

/** @typeParam Value what a Standard Schema makes of the answer */
export type AgentOptions<Value = unknown> = TurnOptions & {
  readonly model: LanguageModel;
  /** What the model may call. The caller closes them; a stateful tool keeps its state between runs. */
  readonly tools?: readonly Tool[] | undefined;
  /**
   * What the answer must pass: a JSON Schema, an XSD, a Standard Schema (zod, valibot, ArkType), a list of
   * choices, a regular expression or a grammar. The model can write no other, as far as a grammar carries it
   * (`describeOutput`); an answer that does not pass goes back to the model.
   */
  readonly output?: OutputOptions<Value> | undefined;
  /**
   * Decides first about every call: it may run, has to be asked for, or must not run (`createPolicy`). Default:
   * what no tool wants to be asked for runs.
   */
  readonly policy?: Policy | undefined;
  /**
   * Decides about calls that need an approval. Default: they are denied, and the model is told.
   * `pause`: the run ends as `pending`.
   */
  readonly approve?: ApprovalRule | "pause" | undefined;
  /** Handed to the tools as `context.context`. */
  readonly context?: unknown;
  /** Asked behind each step; true ends the turn as completed, without an answer. */
  readonly stopWhen?: ((state: ThreadState) => boolean | Promise<boolean>) | undefined;
};

export type RunOverrides = TurnOptions &
  Pick<AgentOptions, "context" | "stopWhen" | "approve" | "policy"> & {
    /** What of the input is not the user's own words, by name: a file, what came on stdin. */
    readonly untrusted?: readonly string[] | undefined;
    /** Ends the run; a reason that is an `InterruptedError` says by what. */
    readonly signal?: AbortSignal | undefined;
    /** Gets every event; the run waits for its promise. */
    readonly onEvent?: EventListener | undefined;
    /**
     * Asked between two steps for what the user said meanwhile: the model reads it in the next step of the same
     * turn. null: nothing.
     */
    readonly steering?: (() => RunInput | null) | undefined;
  };

export class Agent<Value = unknown> {
  readonly options: AgentOptions<Value>;

  /** @throws UsageError, DuplicateToolError for options that cannot be run */
  constructor(options: AgentOptions<Value>) {
    if (typeof options.model?.sample !== "function") {
      throw invalid("model", options.model, "a language model, such as `await loadModel()` gives");
    }
    checkTools(options.tools ?? []);
    this.options = options;
    settingsFor(options, {}, null);
  }

  /** A new conversation, kept in `store` (default: in memory). */
  thread(store?: ThreadStore): Thread {
    return Thread.create({ store });
  }

  /**
   * Runs one turn of a conversation. The run begins at once.
   *
   * @param input what the user says; undefined goes on with a turn that is open: after results of
   *   client-side tools, an approval, or the end of the process in the middle of it
   */
  run(thread: Thread, input?: RunInput, overrides: RunOverrides = {}): AgentRun<Value> {
    return new AgentRun(thread, (emit) =>
      thread.exclusively(() => runTurn(this.options, overrides, thread, input, emit)),
    );
  }

  /**
   * Has the model summarise the conversation so far, so that later turns read the summary instead. The log
   * keeps what was said.
   * @returns null where there is nothing to summarise, or it would not be shorter
   * @throws UsageError while a turn is open; what the model or the store throws; the signal's reason
   */
  compact(
    thread: Thread,
    { signal, onEvent }: Pick<RunOverrides, "signal" | "onEvent"> = {},
  ): Promise<Compacted | null> {
    const { settings, tools } = settingsFor(this.options, {}, null);
    return thread.exclusively(() =>
      compactThread(
        {
          thread,
          model: this.options.model,
          tools,
          projection: new EventProjection(),
          emit: async (event) => onEvent?.(event),
          signal: signal ?? new AbortController().signal,
        },
        settings,
      ),
    );
  }
}

export type RunAgentOptions<Value = unknown> = AgentOptions<Value> &
  RunOverrides & {
    /** The user's text. */
    readonly prompt?: string | undefined;
    /** An earlier conversation, before `prompt` where both are given. */
    readonly messages?: Exclude<RunInput, string> | undefined;
    /** Default: a new one in memory. */
    readonly thread?: Thread | undefined;
  };

/**
 * Runs one prompt to its answer. What goes wrong with the model, its tools or a limit is in the result
 * (`status`, `error`) and in the events; only a bug is thrown, after its events.
 */
export async function runAgent<Value = unknown>(
  options: RunAgentOptions<Value>,
): Promise<RunResult<Value>> {
  const {
    prompt,
    messages,
    thread = Thread.create(),
    onEvent,
    signal,
    steering,
    untrusted,
    ...rest
  } = options;
  const input = promptOf(prompt, messages);
  return thread.exclusively(() =>
    runTurn(
      rest,
      { steering, untrusted },
      thread,
      input,
      async (event) => onEvent?.(event),
      signal,
    ),
  );
}

function promptOf(
  prompt: string | undefined,
  messages: Exclude<RunInput, string> | undefined,
): RunInput | undefined {
  if (messages === undefined) return prompt;
  return prompt === undefined ? messages : [...messages, { role: "user", content: prompt }];
}

async function runTurn<Value>(
  agent: AgentOptions<Value>,
  overrides: RunOverrides,
  thread: Thread,
  input: RunInput | undefined,
  tell: (event: RunEvent) => Promise<void>,
  signal: AbortSignal = overrides.signal ?? new AbortController().signal,
): Promise<RunResult<Value>> {
  const clock = new RunClock();
  const projection = new EventProjection();
  let hasListenerFailed = false;
  const emit = async (event: RunEvent): Promise<void> => {
    try {
      await overrides.onEvent?.(event);
      await tell(event);
    } catch (error) {
      hasListenerFailed = true;
      throw error;
    }
  };
  const outcome = (): Omit<RunResult, "status" | "output" | "value"> => ({
    annotations: [],
    pendingCalls: [],
    messages: thread.messages,
    usage: thread.state.usage,
    timing: clock.timing,
    thread,
  });
  /** The turn is this run's to end. */
  let hasBegun = false;
  let time: TimeBudget | null = null;
  try {
    const options = { ...agent, ...given(overrides) };
    const validator =
      options.output === undefined ? null : await createOutputValidator(options.output);
    if (options.constrainContent === "required" && validator !== null) checkCarried(validator);
    const { settings, tools } = settingsFor(agent, overrides, validator);
    const { approve = null } = options;
    const { turn: open } = thread.state;
    const { maxSeconds = null } = open?.settings ?? settings;
    time = new TimeBudget(signal, maxSeconds, open?.use.workedMs ?? 0);
    const run: RunContext = {
      thread,
      model: agent.model,
      tools,
      validator,
      policy: options.policy ?? null,
      approve: approve === "pause" ? () => "pause" : approve,
      steering: overrides.steering ?? (() => null),
      userContext: options.context,
      signal,
      time,
      projection,
      clock,
      emit,
    };
    const turn = turnToBegin(run, input, settings, overrides.untrusted ?? []);
    hasBegun = true;
    if (turn !== null) await record(run, turn);
    else for (const event of projection.resumed(thread.state, run.model.name)) await emit(event);
    const result = await runLoop(run, options.stopWhen ?? (() => false));
    if (result === "pending") {
      const pending = pendingCalls(thread.state);
      const { usage, timing } = outcome();
      await emit({
        type: "run.completed",
        status: "pending",
        output: null,
        pending_calls: pending,
        usage,
        timing,
      });
      return { ...outcome(), status: "pending", output: null, pendingCalls: pending };
    }
    const { text, ...parsed } = result.answer ?? { text: null };
    const denied = result.denied && { deniedCall: deniedCall(result.denied) };
    return {
      ...outcome(),
      status: "completed",
      output: text,
      annotations:
        text === null ? [] : annotationsOf(text, thread.state, settings.verifyCitations ?? false),
      ...parsed,
      ...denied,
    } as RunResult<Value>;
  } catch (thrown) {
    const isAbort = signal.aborted && (thrown === signal.reason || isAbortError(thrown));
    const error = isAbort ? interruption(signal.reason) : thrown;
    const status = isAbort ? "cancelled" : "failed";
    const partial = hasBegun ? partialOf(thread) : {};
    await end(
      { thread, projection, clock, hasBegun, tell: hasListenerFailed ? null : emit },
      status,
      error,
    );
    if (!isForeseen(error)) throw error;
    return { ...outcome(), status, output: null, ...partial, error: error as Error };
  } finally {
    time?.close();
  }
}

/** What was said to the user in the turn that is open. */
function partialOf({ state: { turn } }: Thread): { readonly partialOutput?: string } {
  const partial = turn && partialOutput(turn);
  return partial === null ? {} : { partialOutput: partial };
}

/**
 * The entry that opens the turn; null where the run goes on with the one that is open.
 * @throws UsageError, RunError for an input that cannot be answered; the signal's reason
 */
function turnToBegin(
  { thread, signal, model, tools }: RunContext,
  input: RunInput | undefined,
  settings: TurnSettings,
  untrusted: readonly string[],
): UserInput | null {
  const isOpen = thread.state.turn !== null;
  if (input === undefined) {
    if (isOpen) return null;
    throw new UsageError("There is nothing to answer; give a prompt or messages.", {
      option: "prompt",
    });
  }
  if (isOpen) {
    throw new UsageError(
      `The last turn of thread ${thread.id} is not over; run it on without a prompt first.`,
      { option: "prompt" },
    );
  }
  const messages = inputMessages(input).map(withCleanNames);
  checkLength(messages, model.contextLength);
  signal.throwIfAborted();
  const opening = openingMessages(settings, tools);
  const isSame = JSON.stringify(opening) === JSON.stringify(thread.state.opening);
  return {
    type: "user",
    model: model.name,
    messages,
    settings,
    ...(!isSame && { opening }),
    ...(untrusted.length > 0 && { untrusted }),
    ...(model.fingerprint !== undefined && { fingerprint: model.fingerprint }),
    version: packageVersion(),
  };
}

/** No token of any vocabulary covers more characters: an absurd prompt needs no counting. */
const MAX_CHARACTERS_PER_TOKEN = 128;

function checkLength(messages: readonly Message[], contextLength: number): void {
  const characters = messages.reduce((sum, message) => sum + textOf(message).length, 0);
  if (characters > contextLength * MAX_CHARACTERS_PER_TOKEN) {
    throw promptTooLong(`${characters} characters`, contextLength);
  }
}

type Ending = Pick<RunContext, "thread" | "projection" | "clock"> & {
  /** null: a listener has failed, and hears nothing more. */
  readonly tell: ((event: RunEvent) => Promise<void>) | null;
  /** The turn that is open is this run's. */
  readonly hasBegun: boolean;
};

/**
 * Ends a turn that came to no answer: every call that is open gets a result, so that the log and the
 * conversation are whole. Where the log cannot be written either, the error that came first is told.
 */
async function end(ending: Ending, status: "failed" | "cancelled", error: unknown): Promise<void> {
  const { thread, projection, clock } = ending;
  let { tell } = ending;
  const emit = async (event: RunEvent): Promise<void> => {
    await tell?.(event).catch(() => {
      tell = null;
    });
  };
  const facts = { message: messageOf(error), ...codeFacts(error) };
  const run = { thread, projection, emit } as RunContext;
  let isLogged = ending.hasBegun && thread.state.turn !== null;
  try {
    for (const call of isLogged ? (thread.state.turn?.calls ?? []) : []) {
      const isUnknown = call.progress === "started";
      await record(run, {
        type: "result",
        callId: call.callId,
        status: isUnknown ? "unknown" : status === "cancelled" ? "cancelled" : "not_executed",
        text: isUnknown
          ? `The run ended while this call was executed: ${facts.message}`
          : `Not executed: the run ended before. ${facts.message}`,
        issues: [],
        durationMs: 0,
      });
    }
    if (isLogged) {
      const { timing } = clock;
      const { partialOutput: partial } = partialOf(thread);
      await record(run, {
        type: "ended",
        status,
        output: null,
        ...(partial !== undefined && { partial }),
        error: facts,
        timing,
      });
    }
  } catch {
    isLogged = false;
  }
  if (isLogged) return;
  await emit({ type: "turn.failed", error: facts });
  const { usage } = thread.state;
  await emit({ type: "run.completed", status, output: null, usage, timing: clock.timing });
}

function codeFacts(error: unknown): { readonly code?: string } {
  const code = codeOf(error);
  return code === undefined ? {} : { code };
}

function settingsFor(
  agent: AgentOptions,
  overrides: RunOverrides,
  validator: OutputValidator | null,
): { readonly settings: TurnSettings; readonly tools: DeclaredTools } {
  const options = { ...agent, ...given(overrides) };
  const { model } = agent;
  const { toolTokenBudget = defaultToolTokenBudget(model.contextLength), toolChoice = "auto" } =
    options;
  checkToolTokenBudget(toolTokenBudget);
  const active = activeTools(agent.tools ?? [], options.activeTools);
  const { tools, deferredTools } = withDeferredTools(active, model, toolTokenBudget, toolChoice);
  const sampling = { ...agent.sampling, ...given(overrides.sampling ?? {}) };
  const output = validator?.format ?? null;
  const settings = resolveSettings({ ...options, sampling }, tools, output, model.sampling);
  return {
    settings: deferredTools.length === 0 ? settings : { ...settings, deferredTools },
    tools,
  };
}

/** Options that are given; undefined means not given. */
function given<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}

/** @throws UsageError naming what of the output no grammar carries */
function checkCarried({ format }: OutputValidator): void {
  const { checkedAfterwards } = descriptionOf(format);
  if (checkedAfterwards.length === 0) return;
  throw new UsageError(
    `The output cannot be enforced as a whole while the model writes: ${checkedAfterwards.join("; ")}. Accepted ` +
      "with constrainContent true, which checks that afterwards.",
    { option: "constrainContent" },
  );
}

function checkTools(tools: readonly Tool[]): void {
  if (!Array.isArray(tools)) throw invalid("tools", tools, "a list of tools");
  for (const tool of tools) {
    if (typeof tool?.recipient !== "string") {
      throw new UsageError(
        "The option tools holds something that is no tool; accepted: what defineTool returns, the " +
          "`tools` of createBrowserTools, of a plugin or of a tool module.",
        { option: "tools" },
      );
    }
  }
}

function isAbortError(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "AbortError";
}

function interruption(reason: unknown): InterruptedError {
  return reason instanceof InterruptedError ? reason : new InterruptedError("caller", reason);
}
