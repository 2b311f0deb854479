/**
 * What a server thinks comes behind each id of a prompt: with one request where its protocol has one for that, and
 * otherwise by a token behind each prefix, which a server with a cache of prompts computes as fast as it decodes.
 */
import type { Session, TokenLogprob } from "../engine.ts";
import { RemoteEngineError } from "../errors.ts";
import { isFields } from "./protocol.ts";
import type { Replica } from "./replica.ts";

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
 * A token behind each prefix, of which only the probabilities are wanted.
 * @throws RemoteEngineError for a server that tells no probabilities, or fails; the signal's reason
 */
export async function promptLogprobsByTokens(
  session: Session,
  ids: readonly number[],
  top: number,
  { signal, onProgress }: PromptLogprobsOptions,
): Promise<readonly (readonly TokenLogprob[])[]> {
  const found: (readonly TokenLogprob[])[] = [];
  while (found.length < ids.length) {
    const before = found.length;
    await session.sync(ids.slice(0, before + 1), { signal });
    const generated = session.generate({
      maxTokens: 1,
      stopIds: new Set(),
      sampling: { temperature: 0, topP: 1, seed: 0 },
      signal,
      logprobs: { top, onLogprobs: (told) => found.push(told.top) },
    });
    for await (const _ of generated);
    if (found.length === before) {
      throw new RemoteEngineError(
        "CHORALE_ENGINE_CONSTRAINT",
        "Cannot tell what comes behind a prompt: the server tells no probabilities by ids.",
      );
    }
    onProgress?.(found.length);
  }
  return found;
}
