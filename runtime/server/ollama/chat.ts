/** `POST /api/chat`: one conversation in, lines of NDJSON or one object out. */
import { answerOptions, type BegunTurn, beginTurn } from "../begin-turn.ts";
import type { ServerContext } from "../context.ts";
import { invalidField, ServerError } from "../errors.ts";
import { jsonAnswer, line, streamAnswer } from "../http/answer.ts";
import { readJson } from "../http/body.ts";
import { connectionSignal, type ServerEnv } from "../http/connection.ts";
import { errorBody, errorFacts } from "../http/dialect.ts";
import type { Context } from "../http/hono.ts";
import { cacheKeyOf } from "../http/session-key.ts";
import type { OutputItem, TurnResult } from "../turn/items.ts";
import { type TurnRequest, turnResult } from "../turn/run-turn.ts";
import { truncated } from "../turn/truncate.ts";
import { clientToolsOf, itemsOf } from "../wire/chat.ts";
import { checkBody } from "../wire/check.ts";
import { mayUnload } from "./manage.ts";
import {
  chatBody,
  checkLogprobs,
  effortOfThink,
  keepAliveMs,
  maxTokensOf,
  nameOf,
  outputOf,
  samplingOf,
} from "./wire.ts";

export async function chat(context: ServerContext, c: Context<ServerEnv>): Promise<Response> {
  const { configuration } = context;
  const signal = connectionSignal(c);
  const body = checkBody(chatBody, await readJson(c.req.raw, configuration.maxBodyBytes));
  const model = nameOf(body);
  const { messages, options, stream } = body;
  const given = options ?? {};
  checkLogprobs(body.top_logprobs);
  const keepAlive = keepAliveMs(body.keep_alive);
  const wish = {
    model,
    contextLength: given.num_ctx ?? null,
    keepAliveMs: mayUnload(context, c) ? keepAlive : null,
  };
  if (messages === null || messages === undefined || messages.length === 0) {
    const reason = await loadOrUnload(context, wish, signal);
    return c.json({
      model,
      created_at: timestamp(context),
      message: { role: "assistant", content: "" },
      done: true,
      done_reason: reason,
    });
  }
  for (const [at, { images }] of messages.entries()) {
    if (images && images.length > 0) {
      throw invalidField(`messages[${at}].images`, `"${model}" does not support images`);
    }
  }
  const items = messages.flatMap(itemsOf);
  const last = messages.at(-1);
  // An answer that has begun already: the model goes on with it.
  const isPrefill = last?.role === "assistant" && !last.tool_calls?.length;
  const answerPrefix = isPrefill && typeof last.content === "string" ? last.content : "";
  const request: TurnRequest = {
    items: answerPrefix === "" ? items : items.slice(0, -1),
    ...(answerPrefix !== "" && { answerPrefix }),
    clientTools: clientToolsOf(body.tools ?? []),
    output: outputOf(body.format),
    effort: effortOfThink(body.think),
    sampling: samplingOf(given),
    stop: typeof given.stop === "string" ? [given.stop] : (given.stop ?? []),
    maxTokens: maxTokensOf(given),
    cacheKey: cacheKeyOf(c, null),
    signal,
  };
  const began =
    body.truncate === false
      ? beginTurn(context, wish, request)
      : truncated(request, (shorter) => beginTurn(context, wish, shorter));
  const startedAt = context.clock.now();
  const shape: Shape = {
    model,
    timestamp: () => timestamp(context),
    piece: (message) => ({ message: { role: "assistant", content: "", ...message } }),
    startedAt,
    now: () => context.clock.now(),
  };
  if (stream === false) {
    return jsonAnswer(
      began.then(async (begun) => whole(shape, begun, await turnResult(begun.turn))),
      { ...answerOptions(context), failure: (error) => errorBody("ollama", errorFacts(error)) },
    );
  }
  return streamAnswer(
    began.then((begun) => lines(shape, begun)),
    {
      ...answerOptions(context),
      contentType: "application/x-ndjson",
      heartbeat: () => line(pieceOf(shape, {})),
      failure: (error) => line(errorBody("ollama", errorFacts(error))),
    },
  );
}

/** How the answers of one endpoint look. */
export type Shape = {
  /** As it was sent. */
  readonly model: string;
  readonly timestamp: () => string;
  /** The part of a line that holds the text. */
  readonly piece: (said: Said) => object;
  readonly startedAt: number;
  readonly now: () => number;
  /** What the last line has beside its figures. */
  readonly ending?: (result: TurnResult) => object;
};

export type Said = {
  readonly content?: string;
  readonly thinking?: string;
  readonly tool_calls?: readonly object[];
};

export function pieceOf({ model, timestamp, piece }: Shape, said: Said): object {
  return { model, created_at: timestamp(), ...piece(said), done: false };
}

/** The answer line by line; the last one has `done: true`. */
export async function* lines(shape: Shape, begun: BegunTurn): AsyncGenerator<string, void, void> {
  const { turn } = begun;
  const kinds = new Map<string, OutputItem["type"]>();
  let calls = 0;
  for (;;) {
    const next = await turn.next();
    if (next.done) {
      checkResult(next.value);
      yield line(lastLine(shape, begun, next.value, {}));
      return;
    }
    const event = next.value;
    if (event.type === "item.started") kinds.set(event.item.id, event.item.type);
    if (event.type === "item.delta") {
      const kind = kinds.get(event.id);
      if (kind === "reasoning") yield line(pieceOf(shape, { thinking: event.text }));
      else if (kind === "message") yield line(pieceOf(shape, { content: event.text }));
    }
    if (event.type === "item.completed" && event.item.type === "call") {
      yield line(pieceOf(shape, { tool_calls: [callOf(event.item, calls++)] }));
    }
  }
}

/** The whole answer as one object. */
export function whole(shape: Shape, begun: BegunTurn, result: TurnResult): object {
  checkResult(result);
  const textOf = (type: "reasoning" | "message"): string =>
    result.items.map((item) => (item.type === type ? item.text : "")).join("");
  const calls = result.items.filter((item) => item.type === "call");
  const thinking = textOf("reasoning");
  return lastLine(shape, begun, result, {
    content: textOf("message"),
    ...(thinking !== "" && { thinking }),
    ...(calls.length > 0 && { tool_calls: calls.map(callOf) }),
  });
}

/** @throws what the turn failed with */
function checkResult({ finish, error }: TurnResult): void {
  if (finish === "failed" || finish === "cancelled") throw error;
}

const NS_PER_MS = 1e6;

function lastLine(shape: Shape, { loadMs }: BegunTurn, result: TurnResult, said: Said): object {
  const { usage, timing, finish } = result;
  const ns = (ms: number): number => Math.round(ms * NS_PER_MS);
  return {
    ...pieceOf(shape, said),
    done: true,
    done_reason: finish === "length" ? "length" : "stop",
    ...shape.ending?.(result),
    total_duration: ns(shape.now() - shape.startedAt),
    load_duration: ns(loadMs),
    prompt_eval_count: usage.inputTokens,
    prompt_eval_duration: ns(timing.prefillMs),
    eval_count: usage.outputTokens,
    eval_duration: ns(timing.decodeMs),
  };
}

/** @throws ServerError for arguments that stayed broken */
function callOf(item: Extract<OutputItem, { type: "call" }>, index: number): object {
  let args: unknown;
  try {
    args = JSON.parse(item.arguments);
  } catch (cause) {
    throw new ServerError(
      "CHORALE_REQUEST",
      `error parsing tool call: the arguments of ${item.name} are no JSON`,
      { status: 500, cause },
    );
  }
  return { id: item.callId, function: { index, name: item.name, arguments: args } };
}

/** What a request without a prompt is for. */
export async function loadOrUnload(
  { models }: ServerContext,
  wish: {
    readonly model: string;
    readonly contextLength: number | null;
    readonly keepAliveMs: number | null;
  },
  signal: AbortSignal,
): Promise<"load" | "unload"> {
  if (wish.keepAliveMs === 0) {
    await models.unload(wish.model);
    return "unload";
  }
  const lease = await models.use(wish.model, { ...wish, signal });
  lease.release();
  return "load";
}

export function timestamp({ clock }: ServerContext): string {
  return new Date(clock.now()).toISOString();
}
