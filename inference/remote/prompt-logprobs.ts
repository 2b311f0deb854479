/**
 * What a server thinks comes behind each id of a prompt: with one request where its protocol has one for that, and
 * otherwise by a token behind each prefix, which a server with a cache of prompts computes as fast as it decodes.
 */
import type { TokenLogprob } from "../engine.ts";
import { RemoteEngineError } from "../errors.ts";
import { isFields, type TokenRequest } from "./protocol.ts";
import { firstLogprobs, type Replica, wholeTokens } from "./replica.ts";

export type PromptLogprobsOptions = {
  /** How many of the likeliest ids are told behind each; a server may tell fewer. Default 20. */
  readonly top?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @param done  ids of the prompt behind which the likeliest are known */
  readonly onProgress?: ((done: number) => void) | undefined;
};

export const DEFAULT_TOP = 20;

/** @returns null where the server has no such request, or answers it in another shape */
export async function wholePromptLogprobs(
  { client, protocol, model }: Replica,
  ids: readonly number[],
  top: number,
  signal: AbortSignal | undefined,
): Promise<readonly (readonly TokenLogprob[])[] | null> {
  const { promptLogprobs: asks, path } = protocol;
  if (asks === undefined) return null;
  const body = asks.body(model, ids, top);
  let answer: unknown;
  try {
    answer = await client.json({ method: "POST", path, body, signal });
  } catch (error) {
    if (error instanceof RemoteEngineError && error.code === "CHORALE_ENGINE_REFUSED") return null;
    throw error;
  }
  const one = Array.isArray(answer) && answer.length === 1 ? answer[0] : answer;
  const found = isFields(one) ? asks.read(one) : null;
  return found?.length === ids.length && found.every(({ length }) => length > 0) ? found : null;
}

/**
 * Prompts up to this length are computed anew each: llama-server (0.5.0) may take the first id's keys and values from
 * another prompt, for prompts that are no longer than the model's attention window (128 in gpt-oss).
 */
const LEAST_CACHED = 256;

/**
 * What comes behind a prefix, by a token of which only the probabilities are wanted.
 * @throws RemoteEngineError for a server that tells no probabilities, or fails; PassingFailure; the signal's reason
 */
export async function likeliestBehind(
  replica: Replica,
  prefix: readonly number[],
  top: number,
  signal: AbortSignal,
): Promise<readonly TokenLogprob[]> {
  const request: Omit<TokenRequest, "model" | "isStream"> = {
    prompt: prefix,
    maxTokens: 1,
    stopIds: [],
    sampling: { temperature: 0, topP: 1, seed: 0 },
    topLogprobs: top,
    allowedIds: null,
    grammar: null,
    cacheKey: null,
    usesCache: prefix.length > LEAST_CACHED,
  };
  const tokens = await wholeTokens(replica.answer(request, true, signal));
  const found = firstLogprobs(tokens)?.top ?? [];
  if (found.length > 0) return found;
  throw new RemoteEngineError(
    "CHORALE_ENGINE_CONSTRAINT",
    `${replica.name} cannot tell what comes behind a prompt: it tells no probabilities by ids.`,
  );
}
