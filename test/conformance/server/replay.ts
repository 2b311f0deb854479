/** Replays the exchanges of one recording, in their order, against one server. */
import { type Answer, type Dialect, dialectOf, readAnswer } from "./answer.ts";
import { send } from "./client.ts";
import { problemsOf, type Received } from "./judge.ts";
import { type RecordedServer, startRecordedServer } from "./recorded-server.ts";
import { type Exchange, isObject } from "./recording.ts";
import { isDeclared, recipients, scriptOf } from "./script.ts";

export type Replayed = {
  readonly exchange: Exchange;
  readonly dialect: Dialect;
  readonly received: Received;
  /** What the client would miss; none: it has all that it needs. */
  readonly problems: readonly string[];
};

export async function* replay(exchanges: readonly Exchange[]): AsyncGenerator<Replayed> {
  await using server = await startRecordedServer();
  /** What the server calls things that had other ids when they were recorded. */
  const ids = new Map<string, string>();
  for (const exchange of exchanges) {
    const { method, path } = exchange.request;
    const dialect = dialectOf(method, path);
    const script = scriptOf(dialect, exchange);
    const sent = { ...exchange, request: renamed(exchange.request, ids) };
    const received = await answered(server, sent, dialect, script);
    if (script !== null) learn(ids, dialect, exchange, received);
    const recorded = exchange.response;
    const problems = problemsOf({ method, path, dialect, recorded, script, received });
    const left = server.engine.remaining;
    yield {
      exchange,
      dialect,
      received,
      problems: left > 0 ? [...problems, `the model was not asked ${left} times`] : problems,
    };
  }
}

async function answered(
  server: RecordedServer,
  exchange: Exchange,
  dialect: Dialect,
  script: Answer | null,
): Promise<Received> {
  const { engine, url } = server;
  const { body } = exchange.request;
  engine.play(script, recipients(body), {
    isKept: script === null || isDeclared(script, body),
    isCompletion: dialect === "completions",
  });
  if (exchange.response.client_closed) return server.leave(exchange);
  if (exchange.response.status !== 503) return send(url, exchange);
  // A server that is busy: its only place is taken, and no request may wait.
  const free = await server.fill();
  try {
    return await send(url, exchange);
  } finally {
    await free();
  }
}

/** Ids stand in later requests as they were given out. */
function learn(
  ids: Map<string, string>,
  dialect: Dialect,
  { response }: Exchange,
  received: Received,
): void {
  const recorded = readAnswer(dialect, response)?.ids ?? [];
  const given = readAnswer(dialect, received)?.ids ?? [];
  for (const [at, id] of recorded.entries()) {
    const own = given[at];
    if (id !== "" && own !== undefined) ids.set(id, own);
  }
}

function renamed(
  request: Exchange["request"],
  ids: ReadonlyMap<string, string>,
): Exchange["request"] {
  const path = request.path.replace(/[^/?&=]+/g, (part) => ids.get(part) ?? part);
  return { ...request, path, body: withIds(request.body, ids) };
}

function withIds(value: unknown, ids: ReadonlyMap<string, string>): unknown {
  if (typeof value === "string") return ids.get(value) ?? value;
  if (Array.isArray(value)) return value.map((held) => withIds(held, ids));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, withIds(held, ids)]));
}
