/** The Responses API: responses are made, kept, read again, streamed on, stopped and deleted. */
import { answerOptions, beginTurn } from "../begin-turn.ts";
import type { ServerContext } from "../context.ts";
import { invalidField, ServerError } from "../errors.ts";
import { jsonAnswer, sse, streamAnswer } from "../http/answer.ts";
import { readJson } from "../http/body.ts";
import { connectionSignal, type ServerEnv } from "../http/connection.ts";
import { errorBody, errorFacts } from "../http/dialect.ts";
import type { Context, Hono } from "../http/hono.ts";
import { cacheKeyOf } from "../http/session-key.ts";
import { routesOf } from "../routes.ts";
import { countTokens } from "../turn/count-tokens.ts";
import { truncated } from "../turn/truncate.ts";
import { compact } from "./compact.ts";
import { type ListQuery, listed } from "./list.ts";
import type { LiveResponse } from "./live-response.ts";
import { type ResponsesRequest, readRequest } from "./request.ts";
import { type BeginTurn, ResponseRun, readConversation, turnRequest } from "./response-run.ts";
import type { ResponseEvent, ResponseObject } from "./wire.ts";

type Handle = (context: ServerContext, c: Context<ServerEnv>) => Response | Promise<Response>;

export function responsesRoutes(context: ServerContext): Hono<ServerEnv> {
  const by =
    (handle: Handle) =>
    (c: Context<ServerEnv>): Response | Promise<Response> =>
      handle(context, c);
  return routesOf([
    ["POST", "/v1/responses", by(create)],
    ["POST", "/v1/responses/input_tokens", by(inputTokens)],
    ["POST", "/v1/responses/compact", by(compactConversation)],
    ["GET", "/v1/responses/:id", by(retrieve)],
    ["DELETE", "/v1/responses/:id", by(remove)],
    ["GET", "/v1/responses/:id/input_items", by(inputItems)],
    ["POST", "/v1/responses/:id/cancel", by(cancel)],
  ]);
}

async function create(context: ServerContext, c: Context<ServerEnv>): Promise<Response> {
  const request = await requestOf(context, c);
  const run = new ResponseRun(context.responses, request);
  const signal = request.isBackground ? context.closing : connectionSignal(c);
  const begun = run.begin(
    turnBeginner(context, request),
    () => load(context, request, signal),
    signal,
  );
  if (request.isBackground) {
    await begun;
    void run.drain();
    return request.isStreaming ? streamOf(context, run.live, 0) : c.json(run.response);
  }
  if (!request.isStreaming) {
    return jsonAnswer(
      begun.then(() => whole(run)),
      { ...answerOptions(context), failure: (error) => errorBody("openai", errorFacts(error)) },
    );
  }
  return streamAnswer(
    begun.then(() => texts(run.events())),
    {
      ...answerOptions(context),
      contentType: "text/event-stream",
      heartbeat: () => textOf(run.keepalive()),
      failure: (error) => textOf(run.fail(error)) + DONE,
    },
  );
}

async function requestOf(
  { configuration }: ServerContext,
  c: Context<ServerEnv>,
): Promise<ResponsesRequest> {
  const request = readRequest(await readJson(c.req.raw, configuration.maxBodyBytes));
  return { ...request, promptCacheKey: cacheKeyOf(c, request.promptCacheKey) };
}

function turnBeginner(context: ServerContext, { model, truncation }: ResponsesRequest): BeginTurn {
  const begin: BeginTurn = async (request) => (await beginTurn(context, { model }, request)).turn;
  return (request) => (truncation === "auto" ? truncated(request, begin) : begin(request));
}

async function load(
  { models }: ServerContext,
  { model }: ResponsesRequest,
  signal: AbortSignal,
): Promise<void> {
  (await models.use(model, { signal })).release();
}

const DONE = sse("[DONE]");

function textOf(events: readonly ResponseEvent[]): string {
  return events.map((event) => sse(event, event.type)).join("");
}

async function* texts(
  events: AsyncGenerator<readonly ResponseEvent[], void, void>,
): AsyncGenerator<string, void, void> {
  for await (const batch of events) yield textOf(batch);
  yield DONE;
}

/** @throws what the response has failed with: without a stream there is a status for it */
async function whole(run: ResponseRun): Promise<ResponseObject> {
  await run.drain();
  if (run.failure !== null) throw run.failure;
  return run.response;
}

/** The events of a response from a number on, and those that follow while it is made. */
async function streamOf(
  context: ServerContext,
  source: LiveResponse | readonly ResponseEvent[],
  from: number,
): Promise<Response> {
  async function* pieces(): AsyncGenerator<string, void, void> {
    const events = "read" in source ? source.read(from) : source;
    for await (const event of events) yield textOf([event]);
    yield DONE;
  }
  return streamAnswer(Promise.resolve(pieces()), {
    ...answerOptions(context),
    contentType: "text/event-stream",
    // The numbers of the events are the same for all who read them.
    heartbeat: () => ": still at work\n\n",
    failure: (error) => sse(errorBody("openai", errorFacts(error)), "error") + DONE,
  });
}

async function retrieve(context: ServerContext, c: Context<ServerEnv>): Promise<Response> {
  const { store, live } = context.responses;
  const id = idOf(c);
  const current = live.get(id);
  if (c.req.query("stream") !== "true") {
    return c.json(current?.response ?? settled(store.get(id)?.response ?? notFound(id)));
  }
  const from = wholeNumber(c, "starting_after", -1) + 1;
  const events = current ?? store.events(id, from) ?? notFound(id);
  return streamOf(context, events, from);
}

/** A response in the background ends with its server. */
function settled(response: ResponseObject): ResponseObject {
  if (response.status !== "in_progress") return response;
  const message = "The server ended while it made this response.";
  return { ...response, status: "failed", error: { code: "server_error", message } };
}

async function remove(
  { responses: { store, live } }: ServerContext,
  c: Context<ServerEnv>,
): Promise<Response> {
  const id = idOf(c);
  const current = live.get(id);
  if (current !== undefined) {
    current.cancel();
    await current.ended();
  }
  if (!store.remove(id) && current === undefined) notFound(id);
  return c.json({ id, object: "response", deleted: true });
}

/** What has ended already stays as it is. */
async function cancel(
  { responses: { store, live } }: ServerContext,
  c: Context<ServerEnv>,
): Promise<Response> {
  const id = idOf(c);
  const current = live.get(id);
  if (current === undefined) return c.json(settled(store.get(id)?.response ?? notFound(id)));
  current.cancel();
  await current.ended();
  return c.json(current.response);
}

function inputItems({ responses: { store } }: ServerContext, c: Context<ServerEnv>): Response {
  const id = idOf(c);
  const stored = store.get(id) ?? notFound(id);
  const { previous_response_id: previous } = stored.response;
  const before = previous === null ? [] : (store.conversation(previous) ?? []);
  const items = [...before, ...stored.input];
  const order = c.req.query("order") ?? "desc";
  if (order !== "asc" && order !== "desc") {
    throw invalidField("order", `The order is ${order.slice(0, 20)}; accepted: asc, desc.`);
  }
  const query: ListQuery = {
    limit: wholeNumber(c, "limit", 20),
    order,
    after: c.req.query("after") ?? null,
  };
  const page = listed(items, query);
  return c.json({ ...page, data: page.data.map(({ item }) => item) });
}

async function inputTokens(context: ServerContext, c: Context<ServerEnv>): Promise<Response> {
  const request = await requestOf(context, c);
  const { items } = readConversation(context.responses, request);
  const signal = connectionSignal(c);
  const asked = { ...turnRequest(request, items, { tools: [] }), signal };
  const input_tokens = await countTokens(context, request.model, asked);
  return c.json({ object: "response.input_tokens", input_tokens });
}

async function compactConversation(
  context: ServerContext,
  c: Context<ServerEnv>,
): Promise<Response> {
  const request = await requestOf(context, c);
  const conversation = readConversation(context.responses, request);
  const signal = connectionSignal(c);
  const begin = turnBeginner(context, { ...request, truncation: "auto" });
  return jsonAnswer(compact(context.responses, request, conversation, begin, signal), {
    ...answerOptions(context),
    failure: (error) => errorBody("openai", errorFacts(error)),
  });
}

function idOf(c: Context<ServerEnv>): string {
  return c.req.param("id") ?? "";
}

function notFound(id: string): never {
  throw new ServerError(
    "CHORALE_NOT_FOUND",
    `Response with id '${id.slice(0, 100)}' not found: there was none, it was not stored, or it was let go.`,
    { status: 404 },
  );
}

/** A whole number of the query. */
function wholeNumber(c: Context<ServerEnv>, name: string, otherwise: number): number {
  const text = c.req.query(name);
  if (text === undefined) return otherwise;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw invalidField(name, `${name} is ${text.slice(0, 20)}; accepted: a whole number.`);
}
