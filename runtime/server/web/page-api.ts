/** What the page asks and does: conversations, runs, what the server has. */
import { totalmem } from "node:os";
import { loadO200kHarmony } from "../../../harmony/vocabulary/index.ts";
import { nameOf } from "../../../tools/index.ts";
import { codeOf, messageOf } from "../../errors.ts";
import {
  exportHarmony,
  exportJsonLines,
  exportMarkdown,
  fold,
  type LogEntry,
  Thread,
  type ThreadSummary,
} from "../../index.ts";
import { messageTokens, traceOf, turnsOfLog } from "../../tracing/index.ts";
import { packageVersion } from "../../version.ts";
import { answerOptions } from "../begin-turn.ts";
import type { ServerContext } from "../context.ts";
import { ServerError } from "../errors.ts";
import { streamAnswer } from "../http/answer.ts";
import { readJson } from "../http/body.ts";
import type { ServerEnv } from "../http/connection.ts";
import type { Context } from "../http/hono.ts";
import type { Route } from "../routes.ts";
import { checkBody, type Schema } from "../wire/check.ts";
import type { LiveRun } from "./live-run.ts";
import { pageFile } from "./page-file.ts";
import { checkPageRequest, PAGE_HEADERS } from "./page-guard.ts";
import type { PageRuns } from "./page-runs.ts";
import { decisionBody, forkBody, runBody, steerBody, titleBody } from "./wire.ts";

type Handler = (c: Context<ServerEnv>) => Promise<Response>;

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;
/** Statuses of what can go wrong with a conversation. */
const STATUSES: ReadonlyMap<string, number> = new Map([
  ["CHORALE_THREAD_NOT_FOUND", 404],
  ["CHORALE_THREAD_CONFLICT", 409],
  ["CHORALE_THREAD_FENCED", 409],
  ["CHORALE_THREAD_BUSY", 409],
  ["CHORALE_THREAD_LOG", 422],
  ["CHORALE_THREAD_EXPORT", 422],
  ["CHORALE_USAGE", 400],
]);

export function pageApi(context: ServerContext, runs: PageRuns): readonly Route[] {
  const { models, configuration } = context;
  const { threads, artifactFolder } = runs.services;
  const read = async (c: Context<ServerEnv>): Promise<readonly LogEntry[]> => {
    const id = parameter(c, "id");
    const entries = await threads.read(id);
    if (entries.length > 0) return entries;
    throw new ServerError("CHORALE_NOT_FOUND", `There is no conversation ${id.slice(0, 100)}.`, {
      status: 404,
    });
  };
  const body = async <T>(c: Context<ServerEnv>, schema: Schema<T>): Promise<T> =>
    checkBody(schema, await readJson(c.req.raw, configuration.maxBodyBytes));

  const state: Handler = async (c) => {
    const [list, { offered }] = await Promise.all([models.source.list(), runs.tools()]);
    const loaded = models.loaded.map(({ facts, contextLength, bytes, isBusy }) => ({
      name: facts.name,
      context_length: contextLength,
      bytes,
      is_busy: isBusy,
    }));
    return c.json({
      version: packageVersion(),
      models: list.map(({ name, contextLength, parameterSize, quantization }) => ({
        name,
        context_length: contextLength,
        parameters: parameterSize,
        quantization,
      })),
      loaded,
      memory: { used: process.memoryUsage.rss(), total: totalmem() },
      tools: offered.map((tool) => ({
        name: nameOf(tool.recipient),
        description: (tool.description ?? "").split("\n", 1)[0] ?? "",
      })),
    });
  };

  const list: Handler = async (c) => {
    const query = (c.req.query("query") ?? "").slice(0, 500);
    const limit = Math.min(MAX_LIMIT, Number(c.req.query("limit")) || DEFAULT_LIMIT);
    const found = /[\p{L}\p{N}]/u.test(query)
      ? (await threads.search(query, limit)).map(({ thread, excerpt }) => ({ thread, excerpt }))
      : (await threads.list({ limit })).map((thread) => ({ thread, excerpt: null }));
    return c.json({
      threads: found.map(({ thread, excerpt }) => ({ ...summaryOf(thread), excerpt })),
    });
  };

  const summaryOf = (thread: ThreadSummary): object => ({
    id: thread.threadId,
    title: thread.title,
    updated_at: thread.updatedAt,
    turns: thread.turns,
    model: thread.model,
    is_open: thread.isOpen,
    run: runs.ofThread(thread.threadId)?.id ?? null,
  });

  const show: Handler = async (c) => {
    const id = parameter(c, "id");
    const run = runs.ofThread(id);
    const all = run?.fromSeq === 0 ? await threads.read(id) : await read(c);
    // What the run tells is not told twice.
    const entries = run === null ? all : all.slice(0, run.fromSeq);
    const state = fold(entries);
    return c.json({
      id,
      parent: all[0]?.type === "thread" ? (all[0].parent?.threadId ?? null) : null,
      turns: turnsOfLog(entries),
      is_open: state.turn !== null,
      run: run === null ? null : { id: run.id, text: run.text },
    });
  };

  const fork: Handler = async (c) => {
    const { turn } = await body(c, forkBody);
    const thread = await Thread.open(threads, parameter(c, "id"));
    const ends = (await thread.entries()).filter(({ type }) => type === "ended");
    const last = turn == null ? undefined : ends[turn - 1];
    if (turn != null && last === undefined) {
      throw new ServerError(
        "CHORALE_REQUEST",
        `The field turn is ${turn}; accepted: 1 to ${ends.length}, the turns that are over.`,
        { param: "turn" },
      );
    }
    const copy = await thread.fork(last === undefined ? undefined : last.seq + 1);
    return c.json({ id: copy.id });
  };

  const exported: Handler = async (c) => {
    const entries = await read(c);
    const format = c.req.query("format") ?? "markdown";
    switch (format) {
      case "markdown":
        return plainText(exportMarkdown(entries));
      case "jsonl":
        return plainText(exportJsonLines(entries));
      case "harmony": {
        const { ids, text } = exportHarmony(entries, loadO200kHarmony());
        return plainText(text ?? JSON.stringify(ids));
      }
      default:
        throw new ServerError(
          "CHORALE_REQUEST",
          `The format is ${JSON.stringify(format.slice(0, 40))}; accepted: markdown, jsonl, harmony.`,
          { param: "format" },
        );
    }
  };

  const remove: Handler = async (c) => {
    const id = parameter(c, "id");
    await runs.leave(id);
    return c.json({ removed: await threads.remove(id) });
  };

  const rename: Handler = async (c) => {
    const { title } = await body(c, titleBody);
    const id = parameter(c, "id");
    // Its next entry would have the place of this one.
    if (runs.ofThread(id) !== null) {
      throw new ServerError(
        "CHORALE_REQUEST",
        "A run of this conversation is at work; name it behind that.",
        {
          status: 409,
        },
      );
    }
    await (await Thread.open(threads, id)).rename(title);
    return c.json({});
  };

  const trace: Handler = async (c) => c.json(traceOf(await read(c)));

  const tokens: Handler = async (c) => {
    const of = messageTokens(await read(c), loadO200kHarmony());
    const found = of(Number(parameter(c, "turn")), Number(parameter(c, "message")));
    if (found !== null) return c.json({ tokens: found });
    throw new ServerError("CHORALE_NOT_FOUND", "There is no such message.", { status: 404 });
  };

  const file: Handler = async (c) => {
    const index = Number(parameter(c, "index"));
    const { bytes } = await pageFile(await read(c), parameter(c, "call"), index, artifactFolder);
    return new Response(new Uint8Array(bytes), {
      headers: {
        "content-type": "application/octet-stream",
        "content-disposition": "attachment",
        "cache-control": "no-store",
      },
    });
  };

  const begin: Handler = async (c) => {
    const { model, thread, text, effort, tools, schema } = await body(c, runBody);
    const facts = await models.find(model);
    const run = await runs.begin({
      model: facts.name,
      thread: thread ?? null,
      text: text ?? null,
      effort: effort ?? null,
      tools: tools ?? null,
      schema: schema ?? null,
    });
    return c.json({ id: run.id, thread: run.threadId });
  };

  const events: Handler = async (c) => {
    const run = runs.get(parameter(c, "id"));
    const from = Math.max(0, Math.trunc(Number(c.req.query("from")) || 0));
    return streamAnswer(Promise.resolve(framesOf(run, from)), {
      ...answerOptions(context),
      contentType: "text/event-stream",
      heartbeat: () => ": heartbeat\n\n",
      failure: (error) => frame(-1, { type: "error", message: messageOf(error) }),
    });
  };

  const decide: Handler = async (c) => {
    const { call, decision, remember } = await body(c, decisionBody);
    runs.get(parameter(c, "id")).decide(call, {
      decision,
      by: "user",
      ...(remember != null && { remember }),
    });
    return c.json({});
  };

  const steer: Handler = async (c) => {
    const { text } = await body(c, steerBody);
    runs.get(parameter(c, "id")).steer(text);
    return c.json({});
  };

  const stop: Handler = async (c) => {
    runs.get(parameter(c, "id")).stop();
    return c.json({});
  };

  const api = (method: string, path: string, handler: Handler): Route => [
    method,
    `/page/api/${path}`,
    guarded(handler),
  ];
  return [
    api("GET", "state", state),
    api("GET", "threads", list),
    api("GET", "threads/:id", show),
    api("DELETE", "threads/:id", remove),
    api("POST", "threads/:id/fork", fork),
    api("POST", "threads/:id/title", rename),
    api("GET", "threads/:id/export", exported),
    api("GET", "threads/:id/trace", trace),
    api("GET", "threads/:id/tokens/:turn/:message", tokens),
    api("GET", "threads/:id/files/:call/:index", file),
    api("POST", "runs", begin),
    api("GET", "runs/:id/events", events),
    api("POST", "runs/:id/decision", decide),
    api("POST", "runs/:id/steer", steer),
    api("POST", "runs/:id/stop", stop),
  ];
}

function guarded(handler: Handler): Handler {
  return async (c) => {
    checkPageRequest(c);
    const response = await handler(c).catch((error: unknown) => {
      const status = STATUSES.get(codeOf(error) ?? "");
      if (error instanceof ServerError || status === undefined) throw error;
      throw new ServerError("CHORALE_REQUEST", messageOf(error), { status, cause: error });
    });
    for (const [name, value] of Object.entries(PAGE_HEADERS)) response.headers.set(name, value);
    if (!response.headers.has("cache-control")) response.headers.set("cache-control", "no-store");
    return response;
  };
}

async function* framesOf(run: LiveRun, from: number): AsyncGenerator<string, void, void> {
  for await (const [number, event] of run.read(from)) yield frame(number, event);
}

function frame(number: number, event: object): string {
  return `id: ${number}\ndata: ${JSON.stringify(event)}\n\n`;
}

function parameter(c: Context<ServerEnv>, name: string): string {
  return c.req.param(name) ?? "";
}

function plainText(text: string): Response {
  return new Response(text, { headers: { "content-type": "text/plain; charset=utf-8" } });
}
