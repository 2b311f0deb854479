/**
 * How likely a model gives each of several answers, read from its own logits: the ids of each answer are put
 * behind the same prompt one by one, and the engine tells the probability of each.
 */
import type { Tokenizer } from "../../harmony/index.ts";
import type { Session, TokenMatcher } from "../../inference/index.ts";

export type ScoreOptions = {
  readonly session: Session;
  readonly tokenizer: Tokenizer;
  /** Ids that the engine has rows for. */
  readonly vocabSize: number;
  /** Up to where the answer begins. */
  readonly prompt: readonly number[];
  /** Leading tokens that other threads begin with as well. */
  readonly openingTokens: number;
  readonly answers: readonly string[];
  readonly signal: AbortSignal;
};

export type AnswerScores = {
  /**
   * Natural logarithm of the probability of each answer, its end included, as the tokenizer spells it.
   * Sampling options do not change it.
   */
  readonly logprobs: readonly number[];
  /** Leading tokens of the prompt whose keys and values were still in the KV cache. */
  readonly cachedTokens: number;
  /** Tokens of all answers that were computed. */
  readonly answerTokens: number;
};

/** @throws what `Session.sync` and `generate` throw; the signal's reason */
export async function scoreAnswers(options: ScoreOptions): Promise<AnswerScores> {
  const { session, tokenizer, vocabSize, prompt, signal } = options;
  const { reused } = await session.sync(prompt, { signal, sharedPrefix: options.openingTokens });
  const spelled = options.answers.map((text, at) => ({
    at,
    ids: [...tokenizer.encode(text), tokenizer.special.return],
  }));
  // In this order answers that begin alike follow each other, and what they share is computed once.
  spelled.sort((a, b) => compareIds(a.ids, b.ids));
  const logprobs: number[] = new Array(spelled.length);
  let before: { readonly ids: readonly number[]; readonly sums: readonly number[] } | null = null;
  let answerTokens = 0;
  for (const { at, ids } of spelled) {
    const shared = before === null ? 0 : commonLength(before.ids, ids);
    const sums: number[] = before === null ? [0] : before.sums.slice(0, shared + 1);
    if (shared < ids.length) {
      await session.sync([...prompt, ...ids.slice(0, shared)], { signal });
      const generated = session.generate({
        maxTokens: ids.length - shared,
        stopIds: new Set(),
        sampling: { temperature: 0, topP: 1, seed: 0 },
        signal,
        matcher: new FixedMatcher(ids.slice(shared), vocabSize),
        logprobs: {
          top: 0,
          onLogprobs: ({ logprob }) => sums.push((sums.at(-1) ?? 0) + logprob),
        },
      });
      for await (const _ of generated) answerTokens++;
      signal.throwIfAborted();
    }
    logprobs[at] = sums.at(-1) ?? 0;
    before = { ids, sums };
  }
  session.rewind(prompt.length);
  return { logprobs, cachedTokens: reused, answerTokens };
}

/** Allows one id after the other. */
class FixedMatcher implements TokenMatcher {
  readonly #ids: readonly number[];
  readonly #mask: Uint32Array;
  #count = 0;

  constructor(ids: readonly number[], vocabSize: number) {
    this.#ids = ids;
    this.#mask = new Uint32Array(Math.ceil(vocabSize / 32));
  }

  accept(_id: number): void {
    this.#count++;
  }

  rollback(count: number): void {
    this.#count -= count;
  }

  mask(): Uint32Array {
    this.#mask.fill(0);
    const id = this.#ids[this.#count];
    if (id !== undefined) this.#mask[id >>> 5] = 1 << (id & 31);
    return this.#mask;
  }
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

function compareIds(a: readonly number[], b: readonly number[]): number {
  const at = commonLength(a, b);
  return (a[at] ?? -1) - (b[at] ?? -1);
}
