/** How much may still be sampled, and how long a tool's result may be. Nothing is ever cut in silence. */
import { ContextFullError, PromptTooLongError, TokenLimitError } from "./errors.ts";
import type { Generation } from "./generate.ts";
import type { Run } from "./prepare.ts";

/** A tool's result takes at most this share of the free context, so that the answer fits as well. */
const RESULT_SHARE = 0.5;
/** And never more: one page must not crowd out a long conversation. */
const MAX_RESULT_TOKENS = 16_384;
/** With less room than this a result says nothing. */
const MIN_RESULT_TOKENS = 32;

/** Most tokens of the next sampling. @throws PromptTooLongError, ContextFullError when there is no room */
export function roomToSample(run: Run, promptTokens: number, sampledTokens: number): number {
  const { contextLength } = run.options.engine;
  if (promptTokens >= contextLength) {
    throw run.transcript.answered
      ? new ContextFullError("before the model could go on", promptTokens, contextLength)
      : new PromptTooLongError(`${promptTokens} tokens`, contextLength);
  }
  return Math.min(contextLength - promptTokens, run.settings.maxTokens - sampledTokens);
}

/** @throws TokenLimitError, ContextFullError when the model was cut off: half an answer is none */
export function checkNotCutOff(run: Run, generation: Generation, sampledTokens: number): void {
  const { finishReason } = generation;
  if (finishReason === "stop" || finishReason === "call") return;
  const { maxTokens } = run.settings;
  if (sampledTokens >= maxTokens) throw new TokenLimitError(maxTokens);
  const { contextLength } = run.options.engine;
  throw new ContextFullError("while the model was writing", contextLength, contextLength);
}

/** Most tokens of the next tool result. @throws ContextFullError when there is no room for one */
export function roomForResult(run: Run): number {
  const { contextLength } = run.options.engine;
  const used = run.transcript.tokenCount;
  const limit = Math.min(MAX_RESULT_TOKENS, Math.floor((contextLength - used) * RESULT_SHARE));
  if (limit < MIN_RESULT_TOKENS) {
    throw new ContextFullError("before the tool's result could be read", used, contextLength);
  }
  return limit;
}
