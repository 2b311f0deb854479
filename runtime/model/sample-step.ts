/**
 * One step of a model over a token engine: prompt ids in, parsed messages out. Tokens go through the
 * streaming parser one by one, and what it recognises is told while it is written.
 */
import { createHash } from "node:crypto";
import { HarmonyParser, type Tokenizer } from "../../harmony/index.ts";
import type { Session, TokenEngine } from "../../inference/index.ts";
import { endsStep } from "../calls/message-kind.ts";
import type { StepFinish } from "../context.ts";
import { forcedCallHeader } from "./forced-call.ts";
import type { ModelEvent, ModelRequest, ModelStep } from "./language-model.ts";
import { MessageReader } from "./message-reader.ts";
import { ReasoningBudget } from "./reasoning-budget.ts";
import { RepetitionDetector } from "./repetition.ts";
import { sampleableIds, structuralIds } from "./sampleable-ids.ts";
import { turnMatcher } from "./turn-matcher.ts";

/** A shorter prompt is read before a person would look for progress. */
const MIN_TOLD_TOKENS = 1024;

export type StepOptions = {
  readonly session: Session;
  readonly engine: TokenEngine;
  readonly tokenizer: Tokenizer;
  readonly vocabulary: string;
  readonly request: ModelRequest;
  /** Everything that the model reads, `prefill` included. */
  readonly prompt: readonly number[];
  /** What `prompt` ends with beyond `<|start|>assistant`: the beginning of the message. */
  readonly prefill: readonly number[];
  /** Leading tokens that other threads with the same tools begin with as well. */
  readonly openingTokens: number;
  readonly maxTokens: number;
  /** Tokens that the context holds beyond the prompt. */
  readonly room: number;
  readonly onEvent: (event: ModelEvent) => void | Promise<void>;
};

/** Samples one step; see `LanguageModel.sample`. */
export async function sampleStep(options: StepOptions): Promise<ModelStep> {
  const { session, tokenizer, request, prompt, prefill, maxTokens, onEvent } = options;
  const { signal, settings, tools } = request;
  const startedAt = performance.now();
  let syncedAt: number | null = null;
  let firstTokenAt: number | null = null;
  let cachedTokens = 0;
  const ids: number[] = [];
  let sampledTokens = 0;
  const parser = new HarmonyParser({ tokenizer, role: "assistant", knownTools: tools.names });
  const reader = new MessageReader(parser, onEvent);
  let listenerFailure: unknown;
  const tell = (event: ModelEvent): void => {
    Promise.resolve(onEvent(event)).catch((failure: unknown) => {
      listenerFailure ??= failure;
    });
  };
  const read = async (id: number): Promise<void> => {
    ids.push(id);
    await reader.push(id);
  };

  const run = async (): Promise<StepFinish> => {
    const { reused } = await session.sync(prompt, {
      signal,
      sharedPrefix: options.openingTokens,
      onProgress: ({ done, total }) => {
        if (done < total && total >= MIN_TOLD_TOKENS) tell({ type: "prefill", done, total });
      },
    });
    cachedTokens = reused;
    syncedAt = performance.now();
    const { maxReasoningTokens } = request;
    const matcher = turnMatcher(options.engine, tokenizer, tools, settings, request.toolChoice);
    const readAll = async (given: readonly number[]): Promise<void> => {
      for (const id of given) {
        matcher?.accept(id);
        await read(id);
      }
    };
    /** Continues with ids that the model did not choose. Without room for them, sampling says so. */
    const force = async (given: readonly number[]): Promise<boolean> => {
      if (session.tokens.length + given.length >= options.engine.contextLength) return false;
      await session.sync([...session.tokens, ...given], { signal });
      await readAll(given);
      return true;
    };
    /** A limit has come: an answer that is not complete is closed where that is wanted and possible. */
    const cutOff = async (reason: "stop" | "length" | "context"): Promise<StepFinish> => {
      const ending =
        reason === "length" && settings.onLimit === "close" && matcher?.isInAnswer === true
          ? matcher.body?.shortestEnding()
          : null;
      if (ending === null || ending === undefined) return finishOf(reason, options);
      const isClosed = await force([...idsOfBytes(tokenizer, ending), tokenizer.special.return]);
      return isClosed ? "stop" : finishOf(reason, options);
    };
    await readAll(prefill);
    let callHeader = forcedCallHeader(tokenizer, request.toolChoice, tools);
    const budget = new ReasoningBudget(tokenizer, maxReasoningTokens);
    const repetition = new RepetitionDetector();
    for (;;) {
      const left = maxTokens - sampledTokens;
      if (left <= 0) return await cutOff("length");
      const generated = session.generate({
        maxTokens: left,
        stopIds: stopIdsOf(tokenizer),
        sampling: { unpenalisedIds: structuralIds(tokenizer), ...settings.sampling },
        signal,
        matcher,
        sampleableIds: sampleableIds(tokenizer, options.engine.vocabSize),
      });
      let isCircling = false;
      let interruption: "reasoning" | "call" | "pause" | null = null;
      const shouldPause = (): boolean =>
        request.shouldPause({ tokens: sampledTokens, reasoningTokens: budget.used });
      try {
        while (interruption === null) {
          const next = await generated.next();
          if (next.done) return await cutOff(next.value);
          sampledTokens++;
          firstTokenAt ??= performance.now();
          if (reader.isReasoning) {
            budget.take();
            isCircling = repetition.take(next.value);
          } else repetition.reset();
          await read(next.value);
          const { lastEnded } = reader;
          if (callHeader !== null && lastEnded !== null && !lastEnded.recipient) {
            interruption = "call";
          } else if (lastEnded !== null && endsStep(lastEnded)) return "stop";
          else if (reader.isReasoning && budget.isUsedUp) interruption = "reasoning";
          else if (reader.isReasoning && isCircling) return "circling";
          else if (reader.isReasoning && shouldPause()) interruption = "pause";
        }
      } finally {
        await generated.return("stop");
      }
      if (interruption === "pause") {
        if (await force([tokenizer.special.end])) return "paused";
        continue;
      }
      if (interruption === "reasoning") {
        const forcedIds = budget.close();
        if (!(await force(forcedIds))) continue;
        await onEvent({ type: "reasoning_limited", limit: maxReasoningTokens ?? 0, forcedIds });
        repetition.reset();
      }
      // Its analysis was ended for it, or it ended by itself: the call that is demanded comes next.
      if (callHeader !== null) {
        await force([tokenizer.special.start, ...tokenizer.encode("assistant"), ...callHeader]);
        callHeader = null;
      }
    }
  };

  let finish: StepFinish;
  let error: unknown;
  try {
    finish = await run();
    signal.throwIfAborted();
    if (listenerFailure !== undefined) throw listenerFailure;
  } catch (thrown) {
    error = thrown;
    finish = isAbort(thrown, signal) ? "cancelled" : "failed";
  }
  try {
    await reader.finish(tokenizer.special.endOfText === ids.at(-1) && finish === "stop");
  } catch (thrown) {
    error ??= thrown;
    if (finish !== "cancelled") finish = "failed";
  }
  if (finish === "stop" && reader.hasCall) finish = "call";
  const endedAt = performance.now();
  return {
    ids,
    prefill: prefill.length,
    vocabulary: options.vocabulary,
    promptHash: hashOf(prompt),
    issues: parser.issues,
    finish,
    usage: {
      inputTokens: prompt.length,
      cachedTokens,
      outputTokens: sampledTokens,
      reasoningTokens: reader.reasoningTokens,
    },
    timing: {
      prefillMs: (syncedAt ?? endedAt) - startedAt,
      decodeMs: syncedAt === null ? 0 : endedAt - syncedAt,
      firstTokenMs: firstTokenAt === null ? null : firstTokenAt - startedAt,
    },
    ...(error !== undefined && { error }),
  };
}

function hashOf(ids: readonly number[]): string {
  return createHash("sha256").update(Uint32Array.from(ids)).digest("hex").slice(0, 16);
}

/** Whether a thrown value is the abort itself, and not a failure that happened to come during one. */
function isAbort(thrown: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  return thrown === signal.reason || (thrown instanceof Error && thrown.name === "AbortError");
}

/** The limit is the room in the context wherever that is less than what may be sampled. */
function finishOf(
  reason: "stop" | "length" | "context",
  { maxTokens, room }: StepOptions,
): StepFinish {
  return reason === "length" && maxTokens >= room ? "context" : reason;
}

/** The ids of bytes that may begin inside of a character. */
function idsOfBytes(tokenizer: Tokenizer, bytes: Uint8Array): readonly number[] {
  let from = 0;
  while (from < bytes.length && ((bytes[from] as number) & 0xc0) === 0x80) from++;
  const { bytes: all, offsets } = tokenizer.ordinaryTokens;
  const idOf = (byte: number): number => {
    for (let id = 0; id + 1 < offsets.length; id++) {
      const start = offsets[id] as number;
      if ((offsets[id + 1] as number) - start === 1 && all[start] === byte) return id;
    }
    throw new Error(`The vocabulary has no token for the byte ${byte}.`);
  };
  const rest = new TextDecoder().decode(bytes.subarray(from));
  return [...Array.from(bytes.subarray(0, from), idOf), ...tokenizer.encode(rest)];
}

/** Not `<|end|>`: it ends a message, and the model goes on behind it. */
function stopIdsOf({ special }: Tokenizer): ReadonlySet<number> {
  const ids = [special.call, special.return];
  return new Set(special.endOfText === null ? ids : [...ids, special.endOfText]);
}
