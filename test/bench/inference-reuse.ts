/**
 * What is gained by not computing tokens again, in a process of its own: `node inference-reuse.ts
 * SETTINGS` (JSON) prints what it measured as JSON.
 *
 * `prefix`: the time from the process's start to the first token behind a long shared prefix, which lies
 * in the folder `store` if an earlier process has put it there. `turn`: a second turn on a long session.
 */
import { openModel } from "../../inference/index.ts";
import { randomIds } from "./random-ids.ts";

export type ReuseSettings = {
  readonly model: string | undefined;
  readonly threads: number | undefined;
  readonly seed: number;
  readonly kind: "prefix" | "turn";
  /** Length of the prefix, or of the first turn. */
  readonly tokens: number;
  readonly store: string | undefined;
};

export type Reuse = {
  /** From the start of the process, or of the second turn. */
  readonly first_token_s: number;
  readonly reused: number;
  readonly computed: number;
  /** Of a second turn: the first one's time to its first token. */
  readonly first_turn_s?: number;
};

/** Tokens behind the prefix or of the second turn. */
const NEW_TOKENS = 32;

async function measure(settings: ReuseSettings): Promise<Reuse> {
  const { model, threads, seed, kind, tokens, store } = settings;
  let startedAt = Date.now() - process.uptime() * 1000;
  const prefixCache = store === undefined ? undefined : { path: store, maxBytes: 8 * 2 ** 30 };
  const { engine } = await openModel(model, { threads, prefixCache });
  const ids = randomIds(tokens + NEW_TOKENS, engine.vocabSize, seed);
  const session = await engine.createSession();
  const firstToken = async (): Promise<void> => {
    const sampling = { temperature: 0, topP: 1, seed: 0 };
    const options = { maxTokens: 1, stopIds: new Set<number>(), sampling, speculation: false };
    for await (const _ of session.generate(options));
  };
  let first_turn_s: number | undefined;
  if (kind === "turn") {
    startedAt = Date.now();
    await session.sync(ids.slice(0, tokens));
    await firstToken();
    first_turn_s = (Date.now() - startedAt) / 1000;
    startedAt = Date.now();
  }
  const known = kind === "turn" ? session.tokens : ids.slice(0, tokens);
  const prompt = [...known, ...ids.slice(tokens)];
  const sharedPrefix = kind === "prefix" ? tokens : undefined;
  const { reused, computed } = await session.sync(prompt, { sharedPrefix });
  await firstToken();
  const first_token_s = (Date.now() - startedAt) / 1000;
  await session.close();
  await engine.close();
  return { first_token_s, reused, computed, ...(first_turn_s !== undefined && { first_turn_s }) };
}

console.log(JSON.stringify(await measure(JSON.parse(process.argv[2] ?? "{}"))));
