/**
 * One round of the peer, node-llama-cpp (llama.cpp as native code), on the same file with the same ids,
 * in a process of its own: `node peer-round.ts SETTINGS` (JSON) prints what it measured as JSON. The
 * package is no dependency: who wants to compare installs it (`npm install --no-save node-llama-cpp`).
 */
import type { Round, Settings } from "./inference-round.ts";
import { randomIds } from "./random-ids.ts";

const PACKAGE = "node-llama-cpp";
const SHORT_PROMPT = 16;

/** The part of its interface that is used. */
type Peer = {
  getLlama(options: object): Promise<{
    loadModel(options: object): Promise<{
      createContext(
        options: object,
      ): Promise<{ getSequence(): PeerSequence; dispose(): Promise<void> }>;
    }>;
  }>;
};
type PeerSequence = {
  evaluate(ids: readonly number[], options: object): AsyncIterable<number>;
};

async function round(settings: Settings & { readonly vocabSize: number }): Promise<Round> {
  const { model, prompt, generate, threads, seed, vocabSize } = settings;
  const startedAt = Date.now() - process.uptime() * 1000;
  const opening = performance.now();
  const peer = (await import(PACKAGE)) as Peer;
  const llama = await peer.getLlama({ gpu: false, build: "never", maxThreads: threads ?? 0 });
  const loaded = await llama.loadModel({ modelPath: model });
  const load_s = (performance.now() - opening) / 1000;
  const ids = randomIds(prompt + SHORT_PROMPT, vocabSize, seed);
  const contextSize = prompt + generate + SHORT_PROMPT;

  const take = async (sequence: PeerSequence, from: readonly number[], count: number) => {
    const times: number[] = [];
    for await (const _ of sequence.evaluate(from, { temperature: 0, yieldEogToken: true })) {
      times.push(performance.now());
      if (times.length === count) break;
    }
    return times;
  };
  const short = await loaded.createContext({ contextSize: 512, threads });
  await take(short.getSequence(), ids.slice(0, SHORT_PROMPT), 1);
  const first_token_s = (Date.now() - startedAt) / 1000;
  await short.dispose();

  const context = await loaded.createContext({ contextSize, threads, batchSize: 512 });
  const prefilling = performance.now();
  const times = await take(context.getSequence(), ids.slice(SHORT_PROMPT), generate + 1);
  const [first = 0] = times;
  const last = times.at(-1) ?? 0;
  return {
    load_s,
    prefill_tps: (prompt * 1000) / (first - prefilling),
    decode_tps: ((times.length - 1) * 1000) / (last - first),
    first_token_s,
    rss_mb: process.resourceUsage().maxRSS / 1024,
  };
}

/** @throws Error saying how to install the peer */
export function checkPeer(): void {
  try {
    import.meta.resolve(PACKAGE);
  } catch (cause) {
    throw new Error(
      `--peer compares with ${PACKAGE}, which is not installed. ` +
        `Install it beside Chorale: npm install --no-save ${PACKAGE}`,
      { cause },
    );
  }
}

if (process.argv[2] !== undefined && import.meta.filename === process.argv[1]) {
  console.log(JSON.stringify(await round(JSON.parse(process.argv[2]))));
  // Its thread pool keeps the process alive.
  process.exit(0);
}
