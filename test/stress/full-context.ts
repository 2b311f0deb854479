/**
 * A context that is filled to its last position, on a model so small that this takes but minutes: keys and
 * values at every position, the memory that was announced for them, and the end of it as an event. Filled
 * once by one thread in large steps and once by two in small ones, the model goes on in the same way.
 */
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import { openLocalEngine } from "../../inference/local/local-engine.ts";
import { Random } from "../eval/random.ts";
import { makeRandomModel, TINY } from "../fixtures/make-tiny-model.ts";

export type ContextOptions = {
  /** Tokens. */
  readonly context: number;
  readonly seed: number;
  /** Where the model lies while it is needed. */
  readonly folder: string;
  readonly onProgress?: (done: number) => void;
};

export type ContextReport = {
  readonly context: number;
  /** Of keys and values, as announced, and as held in the end. */
  readonly announced_mb: number;
  readonly held_mb: number;
  /** How the last generation ended. */
  readonly finish_reason: string;
  readonly generated: number;
  /** Whether both ways of filling gave the same ids. */
  readonly same: boolean;
  readonly fill_s: readonly number[];
};

/** So many tokens are generated, until there is no room for more. */
const GENERATED = 64;
const WAYS = [
  { threads: 1, prefillChunk: 128 },
  { threads: 2, prefillChunk: 48 },
] as const;

export async function stressContext(options: ContextOptions): Promise<ContextReport> {
  const { context, seed, folder } = options;
  const random = new Random(seed, "full context");
  // Of the last layer only what the last token sees is computed.
  const layers = ["sliding", "full", "sliding"] as const;
  const size = { ...TINY, layers, heads: 2, kvHeads: 1, originalContext: 4096 };
  makeRandomModel(folder, size, seed);
  const prompt = Array.from({ length: context - GENERATED }, () => random.int(0, size.vocab - 1));
  const found: { ids: number[]; reason: string; held: number; seconds: number }[] = [];
  let announced = 0;
  for (const way of WAYS) {
    const checkpoint = openCheckpoint(folder);
    const engine = await openLocalEngine(checkpoint, {
      ...way,
      contextLength: context,
      onMemory: ({ parts }) => {
        announced = parts.cache;
      },
    });
    checkpoint.close();
    const session = await engine.createSession();
    const startedAt = performance.now();
    await session.sync(prompt, { onProgress: ({ done }) => options.onProgress?.(done) });
    const seconds = (performance.now() - startedAt) / 1000;
    const sampling = { temperature: 1, topP: 1, seed };
    const wanted = { maxTokens: 2 * GENERATED, stopIds: new Set<number>(), sampling };
    const run = session.generate(wanted);
    const ids: number[] = [];
    let step = await run.next();
    for (; !step.done; step = await run.next()) ids.push(step.value);
    found.push({ ids, reason: step.value, held: session.cacheByteLength, seconds });
    await engine.close();
  }
  const [first, second] = found;
  return {
    context,
    announced_mb: rounded(announced / 1e6),
    held_mb: rounded((second?.held ?? 0) / 1e6),
    finish_reason: second?.reason ?? "",
    generated: first?.ids.length ?? 0,
    same: first?.ids.join() === second?.ids.join() && first?.reason === second?.reason,
    fill_s: found.map(({ seconds }) => rounded(seconds)),
  };
}

function rounded(value: number): number {
  return Number(value.toFixed(2));
}
