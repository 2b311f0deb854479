/** Sampling behind given ids, without a format around it: for clients that render their prompts themselves. */
import type { Tokenizer } from "../../harmony/index.ts";
import {
  type Sampling,
  type Session,
  type TokenEngine,
  type TokenLogprobs,
  tokenBitmask,
} from "../../inference/index.ts";
import type { StepTiming } from "../context.ts";
import { sampleableIds } from "./sampleable-ids.ts";

export type CompletionRequest = {
  readonly threadId: string;
  readonly affinity?: string | null;
  readonly prompt: readonly number[];
  /** null: what the context holds. */
  readonly maxTokens: number | null;
  readonly stopIds: ReadonlySet<number>;
  /** The only ids that may be sampled; null: all that the vocabulary names. */
  readonly allowedIds: readonly number[] | null;
  readonly sampling: Sampling;
  /** How many of the likeliest ids are told beside each; null: none, and no probabilities. */
  readonly topLogprobs: number | null;
  readonly signal: AbortSignal;
};

export type SampledToken = {
  readonly id: number;
  readonly logprobs: TokenLogprobs | null;
};

export type Completion = {
  readonly ids: readonly number[];
  /** `cancelled`: the signal ended it. */
  readonly finish: "stop" | "length" | "context" | "cancelled";
  readonly cachedTokens: number;
  readonly timing: StepTiming;
};

/**
 * @param onToken the engine waits for its promise
 * @throws what `Session.sync` and `generate` throw, what `onToken` throws
 */
export async function complete(
  session: Session,
  engine: TokenEngine,
  tokenizer: Tokenizer,
  request: CompletionRequest,
  onToken: (token: SampledToken) => Promise<void>,
): Promise<Completion> {
  const { prompt, maxTokens, stopIds, sampling, topLogprobs, signal } = request;
  const startedAt = performance.now();
  const { reused } = await session.sync(prompt, { signal });
  const syncedAt = performance.now();
  let firstTokenAt: number | null = null;
  let logprobs: TokenLogprobs | null = null;
  const ids: number[] = [];
  const generated = session.generate({
    maxTokens: maxTokens ?? engine.contextLength,
    stopIds,
    sampling,
    signal,
    sampleableIds:
      request.allowedIds === null
        ? sampleableIds(tokenizer, engine.vocabSize)
        : tokenBitmask(engine.vocabSize, request.allowedIds),
    ...(topLogprobs !== null && {
      logprobs: {
        top: topLogprobs,
        onLogprobs: (told) => {
          logprobs = told;
        },
      },
    }),
  });
  let finish: Completion["finish"] = "cancelled";
  try {
    for (;;) {
      const next = await generated.next();
      if (next.done) {
        finish = next.value;
        break;
      }
      firstTokenAt ??= performance.now();
      ids.push(next.value);
      await onToken({ id: next.value, logprobs });
      if (signal.aborted) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await generated.return("stop");
  }
  return {
    ids,
    finish,
    cachedTokens: reused,
    timing: {
      prefillMs: syncedAt - startedAt,
      decodeMs: performance.now() - syncedAt,
      firstTokenMs: firstTokenAt === null ? null : firstTokenAt - startedAt,
    },
  };
}
