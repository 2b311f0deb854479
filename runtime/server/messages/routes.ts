/** Anthropic's `/v1/messages`: thin over the same turns. */
import { answerOptions, type BegunTurn, beginTurn } from "../begin-turn.ts";
import type { ServerContext } from "../context.ts";
import { invalidField } from "../errors.ts";
import { jsonAnswer, sse, streamAnswer } from "../http/answer.ts";
import { readJson } from "../http/body.ts";
import { connectionSignal, type ServerEnv } from "../http/connection.ts";
import { errorBody, errorFacts } from "../http/dialect.ts";
import type { Context, Hono } from "../http/hono.ts";
import { cacheKeyOf } from "../http/session-key.ts";
import { newId } from "../ids.ts";
import { routesOf } from "../routes.ts";
import { countTokens } from "../turn/count-tokens.ts";
import type { TurnRequest } from "../turn/run-turn.ts";
import { checkBody } from "../wire/check.ts";
import { hasThinking, MessagesBody, turnRequest } from "./body.ts";
import { MessageWriter } from "./message-writer.ts";
import type { MessagesEvent, WireMessage } from "./wire.ts";

export function messagesRoutes(context: ServerContext): Hono<ServerEnv> {
  return routesOf([
    ["POST", "/v1/messages", (c) => create(context, c)],
    ["POST", "/v1/messages/count_tokens", (c) => count(context, c)],
  ]);
}

async function create(context: ServerContext, c: Context<ServerEnv>): Promise<Response> {
  const { body, request } = await requestOf(context, c);
  if (typeof body.max_tokens !== "number") {
    throw invalidField("max_tokens", "max_tokens: Field required.");
  }
  const { model } = body;
  const writer = new MessageWriter({
    id: newId("msg_"),
    model,
    hasThinking: hasThinking(body),
  });
  const begun = beginTurn(context, { model }, request);
  if (body.stream !== true) {
    return jsonAnswer(
      begun.then((turn) => whole(writer, turn)),
      { ...answerOptions(context), failure: (error) => errorBody("anthropic", errorFacts(error)) },
    );
  }
  return streamAnswer(
    begun.then((turn) => texts(writer, turn)),
    {
      ...answerOptions(context),
      contentType: "text/event-stream",
      heartbeat: () => sse({ type: "ping" }, "ping"),
      failure: (error) => sse(errorBody("anthropic", errorFacts(error)), "error"),
    },
  );
}

async function requestOf(
  { configuration }: ServerContext,
  c: Context<ServerEnv>,
): Promise<{ readonly body: MessagesBody; readonly request: TurnRequest }> {
  const signal = connectionSignal(c);
  const body = checkBody(MessagesBody, await readJson(c.req.raw, configuration.maxBodyBytes));
  if (body.messages.length === 0) throw invalidField("messages", "messages: there are none.");
  return { body, request: { ...turnRequest(body), cacheKey: cacheKeyOf(c, null), signal } };
}

async function* texts(writer: MessageWriter, begun: BegunTurn): AsyncGenerator<string, void, void> {
  for await (const events of written(writer, begun)) {
    yield events.map((event) => sse(event, event.type)).join("");
  }
}

async function whole(writer: MessageWriter, begun: BegunTurn): Promise<WireMessage> {
  for await (const _ of written(writer, begun));
  return writer.message;
}

/** @throws what the turn failed with */
async function* written(
  writer: MessageWriter,
  { turn, inputTokens }: BegunTurn,
): AsyncGenerator<readonly MessagesEvent[], void, void> {
  try {
    yield writer.begin(inputTokens);
    for (let next = await turn.next(); ; next = await turn.next()) {
      if (next.done) {
        const { finish, error } = next.value;
        if (finish === "failed" || finish === "cancelled") throw error;
        yield writer.end(next.value);
        return;
      }
      const events = writer.take(next.value);
      if (events.length > 0) yield events;
    }
  } finally {
    // A client that stopped reading has cancelled the turn.
    await turn.return(undefined as never);
  }
}

async function count(context: ServerContext, c: Context<ServerEnv>): Promise<Response> {
  const { body, request } = await requestOf(context, c);
  return c.json({ input_tokens: await countTokens(context, body.model, request) });
}
