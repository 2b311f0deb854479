/**
 * One turn of any API: a neutral request in, its items while they are written out. Built on `Agent` and `Thread`;
 * the whole conversation comes with each request, so a thread lives as long as the turn.
 */
import type { ReasoningEffort } from "../../../harmony/index.ts";
import type { Sampling } from "../../../inference/index.ts";
import { type Tool, verifyTool } from "../../../tools/index.ts";
import { messageOf } from "../../errors.ts";
import {
  Agent,
  type AgentOptions,
  HarmonyModel,
  type LanguageModel,
  type OutputOptions,
  type RunEvent,
  type RunResult,
  sourcesOf,
  Thread,
  type ToolChoice,
} from "../../index.ts";
import type { Admission } from "../admission.ts";
import { invalidField, promptTooLong } from "../errors.ts";
import { Channel } from "./channel.ts";
import { type ClientTool, ClientTools } from "./client-tools.ts";
import { historyOf } from "./history.ts";
import type { ConversationItem, TurnEvent, TurnResult } from "./items.ts";
import type { ConversationHash, ReasoningMemory } from "./reasoning-memory.ts";
import { RequestModel } from "./request-model.ts";
import { TurnReader } from "./turn-reader.ts";

export type TurnRequest = {
  readonly items: readonly ConversationItem[];
  /** Calls of these are given back. */
  readonly clientTools?: readonly ClientTool[];
  /** Calls of these are carried out here; absent: none. */
  readonly serverTools?: readonly Tool[];
  /** By the names of the request. */
  readonly toolChoice?: TurnToolChoice;
  /** What the answer must be: a JSON Schema, a grammar … */
  readonly output?: OutputOptions | null;
  /** What is not given is the model's own; the seed is random. */
  readonly sampling?: Partial<Sampling>;
  /** What the answer begins with; it is not told again. */
  readonly answerPrefix?: string;
  /** Literal texts. */
  readonly stop?: readonly string[];
  /** Most tokens, reasoning included; null or absent: what the context holds. */
  readonly maxTokens?: number | null;
  /** Most calls, of the client's tools and of those here; null or absent: no limit. */
  readonly maxToolCalls?: number | null;
  /** Default medium. */
  readonly effort?: ReasoningEffort | null;
  /** Requests with the same text are likely to begin alike (`prompt_cache_key`, a header of the client). */
  readonly cacheKey?: string | null;
  /** What decides about calls that are carried out here; absent: what no tool wants to be asked for runs. */
  readonly policy?: AgentOptions["policy"];
  /** Ends the turn, also while it waits. */
  readonly signal: AbortSignal;
};

export type TurnToolChoice =
  | "auto"
  | "none"
  | "required"
  /** Only these may be called; `required`: one of them must be. */
  | {
      readonly mode: "auto" | "required";
      readonly names: readonly { readonly name: string; readonly namespace?: string | null }[];
    };

/** What turns of a server share. */
export type TurnContext = {
  readonly model: LanguageModel;
  readonly admission: Admission;
  readonly memory: ReasoningMemory;
  /** Called once, when nothing works for the turn any more, also where its reader has just gone; null: it threw. */
  readonly onEnd?: (result: TurnResult | null) => void;
};

/** Steps of a turn that calls only tools of the client: one, and what is tried again. */
const MAX_STEPS = 32;
/** How often the model may write arguments that are not valid. */
const MAX_ARGUMENT_REPAIRS = 2;

/**
 * Runs a turn. Nothing happens before the first `next`; the first event is `accepted`, once the prompt was checked
 * and has its place in the queue, so what throws before that can still be told by a status. A reader that is slow
 * holds the model back; `return` ends the turn.
 *
 * @returns the result; what goes wrong with the model or a limit behind the first event is in it
 * @throws before the first event: UsageError for what cannot be run, RunError for a prompt that does not fit, a
 *   ServerError where the queue is full, the signal's reason
 */
export async function* runTurn(
  context: TurnContext,
  request: TurnRequest,
): AsyncGenerator<TurnEvent, TurnResult, void> {
  const cancel = new AbortController();
  const signal = AbortSignal.any([request.signal, cancel.signal]);
  const channel = new Channel<TurnEvent>();
  // What is told behind this is not read: the model is not to wait for it.
  signal.addEventListener("abort", () => channel.close(), { once: true });
  const work = turn(context, request, signal, (event) => channel.push(event)).finally(() =>
    channel.end(),
  );
  work.then(
    (result) => context.onEnd?.(result),
    () => context.onEnd?.(null),
  );
  try {
    yield* channel;
    return await work;
  } finally {
    cancel.abort();
    await work.catch(() => {});
  }
}

/** Runs a turn to its end. */
export async function turnResult(
  turn: AsyncGenerator<TurnEvent, TurnResult, void>,
): Promise<TurnResult> {
  for (;;) {
    const next = await turn.next();
    if (next.done) return next.value;
  }
}

async function turn(
  { model, admission, memory }: TurnContext,
  request: TurnRequest,
  signal: AbortSignal,
  emit: (event: TurnEvent) => Promise<void>,
): Promise<TurnResult> {
  const { serverTools = [], output = null, maxTokens = null, toolChoice = "auto" } = request;
  const startedAt = performance.now();
  checkSize(request, model.contextLength);
  const tools = new ClientTools(
    request.clientTools ?? [],
    serverTools.map(({ recipient }) => recipient),
  );
  await Promise.all(tools.tools.map(verifyOnce));
  const history = historyOf(request.items, tools, memory);
  let isAccepted = false;
  const requestModel = new RequestModel({
    model,
    admission,
    maxTokens,
    affinity: request.cacheKey ?? null,
    answerPrefix: request.answerPrefix ?? "",
    onAccepted: async (inputTokens) => {
      if (isAccepted) return;
      isAccepted = true;
      await emit({ type: "accepted", inputTokens });
    },
  });
  // Where the engine keeps to a grammar, what it writes can be told while it is written.
  const isConstrained = model instanceof HarmonyModel && model.engine.capabilities.matchers;
  const agent = new Agent({
    model: requestModel,
    tools: [...serverTools, ...tools.tools],
    ...(output !== null && { output }),
    ...(request.policy && { policy: request.policy }),
    ...(history.instructions !== null && { instructions: history.instructions }),
    ...(request.effort && { effort: request.effort }),
    ...(typeof request.maxToolCalls === "number" && { maxToolCalls: request.maxToolCalls }),
    ...(request.sampling && { sampling: request.sampling }),
    toolChoice: choiceOf(toolChoice, tools, serverTools),
    toolTokenBudget: Number.POSITIVE_INFINITY,
    maxSteps: MAX_STEPS,
    maxRepairs: isConstrained ? 0 : 2,
    compaction: false,
  });
  const thread = Thread.create();
  const isBrowsing = serverTools.some(({ recipient }) => recipient.startsWith("browser."));
  const stop = new AbortController();
  const reader = new TurnReader({
    tools,
    serverTools: new Set(serverTools.map(({ recipient }) => recipient)),
    emit,
    answerPrefix: request.answerPrefix ?? "",
    stopStrings: request.stop ?? [],
    onStopString: () => stop.abort(),
    tellsCallsLive: isConstrained,
    tellsAnswerLive: isConstrained || output === null,
    // A text that programs read is not changed.
    sources: isBrowsing && output === null ? () => sourcesOf(thread.state) : null,
  });
  const runSignal = AbortSignal.any([signal, stop.signal]);
  const onEvent = (event: RunEvent): Promise<void> => reader.take(event);
  try {
    let run: RunResult = await agent.run(thread, history.messages, { signal: runSignal, onEvent })
      .result;
    for (let repairs = 0; run.status === "pending"; repairs++) {
      const refused = await reader.readCalls(run.pendingCalls, repairs < MAX_ARGUMENT_REPAIRS);
      if (refused.length === 0) break;
      for (const { callId, text } of refused) {
        await thread.appendResult(callId, { text, isError: true });
      }
      run = await agent.run(thread, undefined, { signal: runSignal, onEvent }).result;
    }
    if (!isAccepted && run.error !== undefined) throw signal.aborted ? signal.reason : run.error;
    await reader.finish(run.status === "completed");
    if (run.status === "pending") remember(memory, history.hash, reader, tools, run);
    return {
      ...ending(run, reader, requestModel, signal),
      items: reader.items,
      usage: reader.usage.total(run.usage),
      timing: {
        queueMs: requestModel.queueMs,
        prefillMs: run.timing.prefill_ms,
        decodeMs: run.timing.decode_ms,
        totalMs: performance.now() - startedAt,
        firstTokenMs: run.timing.first_token_ms,
      },
    };
  } finally {
    model.leave?.(thread.id, request.cacheKey ?? null);
  }
}

function ending(
  run: RunResult,
  reader: TurnReader,
  model: RequestModel,
  signal: AbortSignal,
): Pick<TurnResult, "finish" | "stopString" | "limit" | "error"> {
  const { stopString } = reader;
  const none = { stopString, limit: null, error: null };
  if (run.status === "pending") return { ...none, finish: "calls" };
  if (run.status === "completed") return { ...none, finish: "stop" };
  if (stopString !== null && !signal.aborted) return { ...none, finish: "stop" };
  if (run.status === "cancelled") return { ...none, finish: "cancelled", error: signal.reason };
  const code = run.error !== undefined && "code" in run.error ? run.error.code : null;
  if (model.hasReachedLimit) return { ...none, finish: "length", limit: "max_tokens" };
  if (code === "CHORALE_CONTEXT_FULL") return { ...none, finish: "length", limit: "context" };
  return { ...none, finish: "failed", error: run.error };
}

/** What stood before the calls, for clients that send their results without it. */
function remember(
  memory: ReasoningMemory,
  hash: ConversationHash,
  reader: TurnReader,
  tools: ClientTools,
  { messages, pendingCalls }: RunResult,
): void {
  const written = messages.filter(({ role, recipient }) => role === "assistant" && recipient);
  const calls = reader.items.filter((item) => item.type === "call");
  for (const [at, message] of written.slice(-pendingCalls.length).entries()) {
    const call = calls[at];
    if (call === undefined) continue;
    const recipient = tools.recipientOf(call.name, call.namespace);
    const place = hash.placeOf(recipient, call.arguments);
    memory.remember(call.callId, place, {
      reasoning: reader.reasoning,
      arguments: message.content.map((part) => (part.type === "text" ? part.text : "")).join(""),
      contentType: message.contentType ?? null,
    });
  }
}

/** No token of any vocabulary covers more characters: an absurd prompt needs no counting, which takes its time. */
const MAX_CHARACTERS_PER_TOKEN = 128;
/** More are nothing that a model could choose from. */
const MAX_TOOLS = 1024;

/** @throws ServerError */
function checkSize({ items, clientTools = [] }: TurnRequest, contextLength: number): void {
  if (clientTools.length > MAX_TOOLS) {
    throw invalidField(
      "tools",
      `There are ${clientTools.length} tools; accepted: at most ${MAX_TOOLS}.`,
    );
  }
  const characters = items.reduce((sum, item) => {
    return sum + (item.type === "call" ? item.arguments.length : item.text.length);
  }, 0);
  if (characters > contextLength * MAX_CHARACTERS_PER_TOKEN) {
    throw promptTooLong(characters, contextLength, "characters");
  }
}

/** Tools whose schema can be used. */
const verified = new WeakSet<Tool>();

/** @throws ServerError for a schema that cannot be compiled in time */
async function verifyOnce(tool: Tool): Promise<void> {
  if (verified.has(tool)) return;
  try {
    await verifyTool(tool);
  } catch (error) {
    throw invalidField("tools", `The tool ${tool.recipient}: ${messageOf(error)}`);
  }
  verified.add(tool);
}

function choiceOf(
  choice: TurnToolChoice,
  tools: ClientTools,
  serverTools: readonly Tool[],
): ToolChoice {
  const count = tools.tools.length + serverTools.length;
  if (choice === "auto" || choice === "none") return choice;
  if (choice === "required") return choice;
  const isServerTool = (name: string): boolean =>
    serverTools.some(({ recipient }) => recipient === name);
  const names = choice.names.map(({ name, namespace = null }) =>
    isServerTool(name) ? name : tools.recipientOf(name, namespace),
  );
  const [only] = names;
  if (count > 0 && names.length === 1 && only !== undefined && choice.mode === "required") {
    return { tool: only };
  }
  return { tools: names, mode: choice.mode };
}
