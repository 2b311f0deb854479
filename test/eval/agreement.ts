/**
 * Whether a server samples the same ids as the model here: every generation of a task is written down on both sides,
 * and where the first id differs, both are asked how likely they find the two.
 */
import type {
  GenerateOptions,
  RemoteEngine,
  Session,
  TokenEngine,
  TokenLogprob,
} from "../../inference/index.ts";
import { HarmonyModel, type RemoteModel } from "../../runtime/index.ts";

/** One call of `generate`. */
export type Generation = { readonly prompt: readonly number[]; readonly ids: number[] };

/** A model that writes its generations down, the last of them last. It does not close the engine of `model`. */
export function recorded(model: HarmonyModel, into: Generation[]): HarmonyModel {
  const { engine, tokenizer, sampling, fingerprint } = model;
  const { name, vocabSize, contextLength, capabilities } = engine;
  const recording: TokenEngine = {
    ...{ name, vocabSize, contextLength, capabilities },
    createSession: async () => recordedSession(await engine.createSession(), into),
    close: async () => {},
  };
  return new HarmonyModel({ engine: recording, tokenizer, sampling, fingerprint });
}

function recordedSession(session: Session, into: Generation[]): Session {
  return {
    get tokens() {
      return session.tokens;
    },
    sync: (tokens, options) => session.sync(tokens, options),
    rewind: (length) => session.rewind(length),
    close: () => session.close(),
    async *generate(options: GenerateOptions) {
      const generation: Generation = { prompt: [...session.tokens], ids: [] };
      into.push(generation);
      const run = session.generate(options);
      try {
        for (;;) {
          const next = await run.next();
          if (next.done) return next.value;
          generation.ids.push(next.value);
          yield next.value;
        }
      } finally {
        await run.return("length");
      }
    },
  };
}

export type Difference = {
  /** Ids before it. */
  readonly prefix: readonly number[];
  /** null: the generation has ended here. */
  readonly here: number | null;
  readonly there: number | null;
};

/** @returns null where all generations are the same */
export function firstDifference(
  here: readonly Generation[],
  there: readonly Generation[],
): Difference | null {
  for (let index = 0; index < Math.max(here.length, there.length); index++) {
    const one = idsOf(here[index]);
    const other = idsOf(there[index]);
    const place = one.findIndex((id, at) => id !== other[at]);
    const at = place < 0 ? one.length : place;
    if (at === one.length && at === other.length) continue;
    return { prefix: one.slice(0, at), here: one[at] ?? null, there: other[at] ?? null };
  }
  return null;
}

function idsOf(generation: Generation | undefined): readonly number[] {
  return generation === undefined ? [] : [...generation.prompt, ...generation.ids];
}

export type Explained = Difference & {
  /** Of the two ids: how much likelier each side finds its own, as a difference of logarithms; null: not told. */
  readonly gapHere: number | null;
  readonly gapThere: number | null;
};

/** Of the likeliest ids of a server: a constraint may have left out all that are likelier. */
const LIKELIEST = 4096;

/** Asks both sides about the place of a difference. */
export async function explain(
  { prefix, here, there }: Difference,
  local: HarmonyModel,
  remote: RemoteModel,
): Promise<Explained> {
  const ours: TokenLogprob[] = [];
  // Logits do for differences of logarithms.
  await local.engine.forEachLogits?.(prefix, (row, at) => {
    if (at + 1 < prefix.length) return;
    for (const [id, logprob] of row.entries()) ours.push({ id, logprob });
  });
  const theirs = await likeliestBehind(remote.engine, prefix);
  return {
    ...{ prefix, here, there },
    gapHere: gap(ours, here, there),
    gapThere: gap(theirs, there, here),
  };
}

async function likeliestBehind(
  engine: RemoteEngine,
  prefix: readonly number[],
): Promise<readonly TokenLogprob[]> {
  const session = await engine.createSession();
  let found: readonly TokenLogprob[] = [];
  try {
    await session.sync(prefix);
    const generated = session.generate({
      maxTokens: 1,
      stopIds: new Set(),
      sampling: { temperature: 0, topP: 1, seed: 0 },
      logprobs: { top: LIKELIEST, onLogprobs: ({ top }) => (found = top) },
    });
    for await (const _ of generated);
  } finally {
    await session.close();
  }
  return found;
}

function gap(
  told: readonly TokenLogprob[],
  own: number | null,
  other: number | null,
): number | null {
  const of = (wanted: number | null): number | undefined =>
    told.find(({ id }) => id === wanted)?.logprob;
  const [one, two] = [of(own), of(other)];
  return one === undefined || two === undefined ? null : one - two;
}
