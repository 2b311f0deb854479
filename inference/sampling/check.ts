import type { GenerateOptions, Sampling } from "../engine.ts";
import { InvalidRequestError } from "../errors.ts";
import { bitmaskWords, intersects } from "./token-bitmask.ts";

/** Most likeliest ids that are reported with each id. */
const MAX_TOP_LOGPROBS = 20;

/** @throws InvalidRequestError for a request that means nothing */
export function checkGeneration(options: GenerateOptions, vocabSize: number): void {
  const { sampling, maxTokens, sampleableIds, logprobs } = options;
  checkSampling(sampling);
  if (!isCount(maxTokens)) {
    throw new InvalidRequestError(
      `Cannot generate ${maxTokens} tokens; accepted: an integer from 0.`,
    );
  }
  const all = new Uint32Array(bitmaskWords(vocabSize)).fill(~0);
  if (sampleableIds !== undefined && !intersects(sampleableIds, all, vocabSize)) {
    throw new InvalidRequestError(
      `Cannot sample among none of the ids 0 … ${vocabSize - 1}; accepted: at least one of them.`,
    );
  }
  const top = logprobs?.top ?? 0;
  if (!(isCount(top) && top <= MAX_TOP_LOGPROBS)) {
    throw new InvalidRequestError(
      `Cannot report ${top} likeliest ids; accepted: an integer 0 … ${MAX_TOP_LOGPROBS}.`,
    );
  }
}

/** @throws InvalidRequestError for values that mean nothing */
function checkSampling(sampling: Sampling): void {
  const number = (what: string, value: number | undefined, accepted: string, ok: boolean): void => {
    if (value === undefined || ok) return;
    throw new InvalidRequestError(`Cannot sample with ${what} ${value}; accepted: ${accepted}.`);
  };
  const { temperature, topP, seed, topK = 0, minP = 0, penaltyWindow = 0 } = sampling;
  const { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 } = sampling;
  number("temperature", temperature, "0 (greedy) … 100", temperature >= 0 && temperature <= 100);
  number("top-p", topP, "above 0, up to 1", topP > 0 && topP <= 1);
  number("top-k", topK, "an integer from 0 (no limit)", isCount(topK));
  number("min-p", minP, "0 … 1", minP >= 0 && minP <= 1);
  const isRepetition = repetitionPenalty >= 0.01 && repetitionPenalty <= 100;
  number("repetition penalty", repetitionPenalty, "0.01 … 100, 1 being none", isRepetition);
  for (const [what, value] of [
    ["presence penalty", presencePenalty],
    ["frequency penalty", frequencyPenalty],
  ] as const) {
    number(what, value, "-100 … 100", value >= -100 && value <= 100);
  }
  number("penalty window", penaltyWindow, "an integer from 0", isCount(penaltyWindow));
  const isSeed = Number.isSafeInteger(seed) && seed >= 0;
  number("seed", seed, "an integer from 0 to 2^53 - 1", isSeed);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
