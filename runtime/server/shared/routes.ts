/** A model of the server for commands of the same user: they render, run tools and keep the log themselves. */
import {
  DeclaredTools,
  type HarmonyModel,
  type ModelStep,
  type SampledCount,
} from "../../index.ts";
import { answerOptions } from "../begin-turn.ts";
import type { ServerContext } from "../context.ts";
import { ServerError } from "../errors.ts";
import { jsonAnswer, line, streamAnswer } from "../http/answer.ts";
import { readJson } from "../http/body.ts";
import { connectionSignal, isOverUnixSocket, type ServerEnv } from "../http/connection.ts";
import type { Context, Hono } from "../http/hono.ts";
import type { ModelLease } from "../models/served-models.ts";
import { routesOf } from "../routes.ts";
import { Channel } from "../turn/channel.ts";
import {
  PATHS,
  type SampleBody,
  type SampleLine,
  type ScoreBody,
  type SharedModelFacts,
  type TellBody,
  type ThreadsBody,
  wireError,
} from "./wire.ts";

/** A conversation that fills the largest context, with its ids. */
const MAX_BODY_BYTES = 256 << 20;

/** A step that runs. */
type Running = { shouldPause: boolean; readonly cancel: AbortController };

export function sharedRoutes(context: ServerContext): Hono<ServerEnv> {
  const running = new Map<string, Running>();
  const guarded =
    (handler: (c: Context<ServerEnv>) => Promise<Response>) =>
    async (c: Context<ServerEnv>): Promise<Response> => {
      if (!isOverUnixSocket(c)) {
        throw new ServerError(
          "CHORALE_FORBIDDEN",
          "This path is for commands of the server's own user; accepted: requests by its socket.",
          { status: 403 },
        );
      }
      return handler(c);
    };
  return routesOf([
    ["POST", PATHS.model, guarded((c) => describeModel(context, c))],
    ["POST", PATHS.sample, guarded((c) => sample(context, running, c))],
    ["POST", PATHS.tell, guarded((c) => tell(running, c))],
    ["POST", PATHS.score, guarded((c) => score(context, c))],
    ["POST", PATHS.threads, guarded((c) => threads(context, c))],
  ]);
}

async function bodyOf<T>(c: Context<ServerEnv>): Promise<T> {
  // The socket's other end is this program: its shape is the types'.
  return (await readJson(c.req.raw, MAX_BODY_BYTES)) as T;
}

async function describeModel(context: ServerContext, c: Context<ServerEnv>): Promise<Response> {
  const { model: name } = await bodyOf<{ readonly model: string }>(c);
  const signal = connectionSignal(c);
  const facts = async (): Promise<SharedModelFacts | { readonly error: object }> => {
    const lease = await context.models.use(name, { signal });
    try {
      const { model } = lease;
      return {
        name: model.name,
        contextLength: model.contextLength,
        vocabSize: model.engine.vocabSize,
        sampling: model.sampling,
        vocabulary: model.vocabulary,
        fingerprint: model.fingerprint ?? null,
      };
    } finally {
      lease.release();
    }
  };
  const failure = (error: unknown): object => ({ error: wireError(error) });
  return jsonAnswer(facts(), { ...answerOptions(context), failure });
}

async function sample(
  context: ServerContext,
  running: Map<string, Running>,
  c: Context<ServerEnv>,
): Promise<Response> {
  const body = await bodyOf<SampleBody>(c);
  const cancel = new AbortController();
  const signal = AbortSignal.any([connectionSignal(c), context.closing, cancel.signal]);
  const state: Running = { shouldPause: false, cancel };
  const lease = await context.models.use(body.model, { signal });
  running.set(body.id, state);
  const pieces = linesOf(context, lease, body, state, signal, () => running.delete(body.id));
  return streamAnswer(Promise.resolve(pieces), {
    ...answerOptions(context),
    contentType: "application/x-ndjson",
    heartbeat: () => line({}),
    failure: (error) => line({ error: wireError(error) }),
  });
}

async function* linesOf(
  { admission }: ServerContext,
  lease: ModelLease,
  body: SampleBody,
  state: Running,
  signal: AbortSignal,
  onEnd: () => void,
): AsyncGenerator<string, void, void> {
  const channel = new Channel<SampleLine>();
  // What is told behind this is not read: the model is not to wait for it.
  signal.addEventListener("abort", () => channel.close(), { once: true });
  const work = sampleInTurn(
    () => admission.enter(signal)(),
    lease.model,
    body,
    state,
    channel,
    signal,
  );
  work.catch(() => {});
  try {
    for await (const told of channel) yield line(told);
    const { error, ...step } = await work;
    yield line({ step: { ...step, ...(error !== undefined && { error: wireError(error) }) } });
  } finally {
    state.cancel.abort();
    await work.catch(() => {});
    lease.release();
    onEnd();
  }
}

async function sampleInTurn(
  enter: () => Promise<() => void>,
  model: HarmonyModel,
  { id: _, model: __, tools, ...request }: SampleBody,
  state: Running,
  channel: Channel<SampleLine>,
  signal: AbortSignal,
): Promise<ModelStep> {
  try {
    const leave = await enter();
    let sampled: SampledCount | null = null;
    try {
      return await model.sample(
        {
          ...request,
          tools: new DeclaredTools(tools),
          signal,
          shouldPause: (count) => {
            sampled = count;
            return state.shouldPause;
          },
        },
        (event) => channel.push({ event, sampled }),
      );
    } finally {
      leave();
    }
  } finally {
    channel.end();
  }
}

async function tell(
  running: ReadonlyMap<string, Running>,
  c: Context<ServerEnv>,
): Promise<Response> {
  const { id, what } = await bodyOf<TellBody>(c);
  const state = running.get(id);
  if (what === "pause" && state !== undefined) state.shouldPause = true;
  if (what === "cancel") state?.cancel.abort();
  return c.json({ told: state !== undefined });
}

async function score(context: ServerContext, c: Context<ServerEnv>): Promise<Response> {
  const { model: name, tools, ...request } = await bodyOf<ScoreBody>(c);
  const signal = AbortSignal.any([connectionSignal(c), context.closing]);
  const scored = async (): Promise<object> => {
    const lease = await context.models.use(name, { signal });
    try {
      const leave = await context.admission.enter(signal)();
      try {
        return await lease.model.score({ ...request, tools: new DeclaredTools(tools), signal });
      } finally {
        leave();
      }
    } finally {
      lease.release();
    }
  };
  const failure = (error: unknown): object => ({ error: wireError(error) });
  const value = scored().catch((error: unknown) => failure(error));
  return jsonAnswer(value, { ...answerOptions(context), failure });
}

async function threads(context: ServerContext, c: Context<ServerEnv>): Promise<Response> {
  const body = await bodyOf<ThreadsBody>(c);
  const lease = await context.models.use(body.model, { signal: connectionSignal(c) });
  try {
    if ("handOver" in body) lease.model.handOver(body.handOver.from, body.handOver.to);
    else lease.model.leave(body.leave, null);
  } finally {
    lease.release();
  }
  return c.json({});
}
