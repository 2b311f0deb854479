/** A completion: text or ids behind a prompt that the client has rendered itself. */
import { randomInt, randomUUID } from "node:crypto";
import type { Tokenizer } from "../../harmony/index.ts";
import type { Sampling, TokenLogprobs } from "../../inference/index.ts";
import type { Completion, HarmonyModel } from "../index.ts";
import type { BegunTurn, ModelWish } from "./begin-turn.ts";
import type { ServerContext } from "./context.ts";
import { invalidField, promptTooLong } from "./errors.ts";
import { newId } from "./ids.ts";
import { Channel } from "./turn/channel.ts";
import type { OutputItem, TurnEvent, TurnResult } from "./turn/items.ts";
import { StopStrings } from "./turn/stop-strings.ts";

export type CompletionOptions = {
  /** A text in which special tokens count as such, or ids. */
  readonly prompt: string | readonly number[];
  readonly maxTokens: number | null;
  readonly sampling: Partial<Sampling>;
  readonly stop?: readonly string[];
  /** Beside those that end a message of the model. */
  readonly stopIds?: readonly number[];
  /** The only ids that may be sampled; null: all. */
  readonly allowedIds?: readonly number[] | null;
  /** The tokens that end a message of the model do not end the completion. */
  readonly ignoresEnd?: boolean;
  /** Whether special tokens are part of the text. */
  readonly showsSpecial?: boolean;
  readonly topLogprobs?: number | null;
  readonly cacheKey?: string | null;
  /** Gets each token before the text that it completes. */
  readonly onToken?: (id: number, logprobs: TokenLogprobs | null) => void;
  readonly signal: AbortSignal;
};

export type BegunCompletion = BegunTurn & {
  readonly promptIds: readonly number[];
  readonly tokenizer: Tokenizer;
  /** The stop id that came; null: none did. */
  readonly stopId: () => number | null;
};

/** As `beginTurn`: the text comes as one message. */
export async function beginCompletion(
  context: ServerContext,
  { model: name, contextLength = null, keepAliveMs = null }: ModelWish,
  options: CompletionOptions,
): Promise<BegunCompletion> {
  const { models, admission, metrics } = context;
  const cancel = new AbortController();
  const signal = AbortSignal.any([options.signal, context.closing, cancel.signal]);
  const lease = await models.use(name, { contextLength, keepAliveMs, signal });
  const { model } = lease;
  let waits: Promise<() => void>;
  let promptIds: readonly number[];
  try {
    promptIds = idsOf(options.prompt, model);
    if (promptIds.length >= model.contextLength) {
      throw promptTooLong(promptIds.length, model.contextLength);
    }
    waits = admission.enter(signal)();
  } catch (error) {
    lease.release();
    throw error;
  }
  const channel = new Channel<TurnEvent>();
  // What is told behind this is not read: the model is not to wait for it.
  signal.addEventListener("abort", () => channel.close(), { once: true });
  const run: CompletionRun = { ...options, model, signal, promptIds, cancel };
  const stopIds = stopIdsOf(model.tokenizer, options);
  let lastId: number | null = null;
  const work = (async (): Promise<TurnResult> => {
    const startedAt = performance.now();
    await channel.push({ type: "accepted", inputTokens: promptIds.length });
    const leave = await waits;
    try {
      const queueMs = performance.now() - startedAt;
      const result = await complete(run, stopIds, (event) => channel.push(event));
      lastId = result.lastId;
      const { timing } = result;
      return { ...result, timing: { ...timing, queueMs, totalMs: performance.now() - startedAt } };
    } finally {
      leave();
    }
  })().finally(() => channel.end());
  work.then(
    (result) => {
      lease.release();
      metrics.turnEnded(result);
    },
    () => lease.release(),
  );
  async function* events(): AsyncGenerator<TurnEvent, TurnResult, void> {
    try {
      yield* channel;
      return await work;
    } finally {
      cancel.abort();
      await work.catch(() => {});
    }
  }
  const turn = events();
  // Begun at once, so that it gives back what it holds however it is left.
  await turn.next();
  return {
    facts: lease.facts,
    loadMs: lease.loadMs,
    inputTokens: promptIds.length,
    turn,
    promptIds,
    tokenizer: model.tokenizer,
    stopId: () => (lastId !== null && stopIds.has(lastId) ? lastId : null),
  };
}

type CompletionRun = CompletionOptions & {
  readonly model: HarmonyModel;
  readonly promptIds: readonly number[];
  readonly cancel: AbortController;
};

async function complete(
  run: CompletionRun,
  stopIds: ReadonlySet<number>,
  emit: (event: TurnEvent) => Promise<void>,
): Promise<TurnResult & { readonly lastId: number | null }> {
  const { model, promptIds, maxTokens, sampling, signal, showsSpecial = false } = run;
  const { tokenizer } = model;
  const stopStrings = new StopStrings(run.stop ?? []);
  const stop = new AbortController();
  const decoder = new TextDecoder();
  const begun: OutputItem = { type: "message", id: newId("msg_"), phase: "final_answer", text: "" };
  let text = "";
  const say = async (piece: string): Promise<void> => {
    text += piece;
    if (piece !== "") await emit({ type: "item.delta", id: begun.id, text: piece });
  };
  await emit({ type: "item.started", item: begun });
  const threadId = randomUUID();
  const room = model.contextLength - promptIds.length;
  let completion: Completion;
  try {
    completion = await model.complete(
      {
        threadId,
        affinity: run.cacheKey ?? null,
        prompt: promptIds,
        maxTokens: Math.min(room, maxTokens ?? room),
        stopIds,
        allowedIds: run.allowedIds ?? null,
        sampling: {
          temperature: 1,
          topP: 1,
          seed: randomInt(2 ** 32),
          ...model.sampling,
          ...sampling,
        },
        topLogprobs: run.topLogprobs ?? null,
        signal: AbortSignal.any([signal, stop.signal]),
      },
      async ({ id, logprobs }) => {
        run.onToken?.(id, logprobs);
        if (tokenizer.isSpecial(id) && !showsSpecial) return;
        await say(stopStrings.push(decoder.decode(tokenizer.tokenBytes(id), { stream: true })));
        if (stopStrings.found !== null) stop.abort();
      },
    );
  } finally {
    model.leave(threadId, run.cacheKey ?? null);
  }
  await say(stopStrings.push(decoder.decode()) + stopStrings.flush());
  const item = { ...begun, text };
  await emit({ type: "item.completed", item });
  const { finish, ids, cachedTokens, timing } = completion;
  const isStopped = finish === "stop" || (stopStrings.found !== null && !signal.aborted);
  const isCancelled = finish === "cancelled" && !isStopped;
  return {
    finish: isStopped ? "stop" : isCancelled ? "cancelled" : "length",
    items: [item],
    usage: {
      inputTokens: promptIds.length,
      cachedTokens,
      outputTokens: ids.length,
      reasoningTokens: 0,
    },
    timing: { ...timing, queueMs: 0, totalMs: 0 },
    stopString: stopStrings.found,
    limit: isStopped || isCancelled ? null : ids.length >= room ? "context" : "max_tokens",
    error: isCancelled ? signal.reason : null,
    lastId: ids.at(-1) ?? null,
  };
}

function stopIdsOf(
  { special }: Tokenizer,
  { stopIds = [], ignoresEnd = false }: CompletionOptions,
): ReadonlySet<number> {
  const ends = ignoresEnd ? [] : [special.return, special.call, special.endOfText];
  return new Set([...stopIds, ...ends.filter((id) => id !== null)]);
}

function idsOf(prompt: string | readonly number[], model: HarmonyModel): readonly number[] {
  if (typeof prompt === "string") {
    const ids = model.tokenizer.encodeWithSpecials(prompt);
    if (ids.length > 0) return ids;
    throw invalidField("prompt", "The prompt is empty.");
  }
  if (prompt.length === 0) throw invalidField("prompt", "The prompt is empty.");
  const { vocabSize } = model.engine;
  const wrong = prompt.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
  if (wrong === undefined) return prompt;
  throw invalidField(
    "prompt",
    `The prompt has the id ${wrong}; accepted: whole numbers from 0 to ${vocabSize - 1}.`,
  );
}
