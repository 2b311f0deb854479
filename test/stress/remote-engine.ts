/**
 * Generations over two servers that fail at random, in pieces cut at random: each has to come to exactly the tokens of
 * the model, and end.
 */
import { openRemoteEngine } from "../../inference/remote/remote-engine.ts";
import {
  expectedIds,
  type FakeServer,
  type Fault,
  fakeServer,
  type Kind,
  STOP_ID,
  VOCAB_SIZE,
  vocabulary,
} from "../inference/remote/fake-server.ts";
import { numbers } from "../inference/remote/numbers.ts";

export type RemoteStressOptions = {
  /** Generations of each kind of server. */
  readonly requests: number;
  /** At once. */
  readonly parallel: number;
  /** Part of the requests that fail, 0 … 1. */
  readonly faults: number;
  readonly seed: number;
  readonly onProgress: (done: number) => void;
};

export type RemoteStressReport = {
  readonly generations: number;
  readonly tokens: number;
  /** Requests that the servers got, of which so many were made to fail. */
  readonly requests: number;
  readonly failed: number;
  /** Prompts whose tokens were not those of the model, or that did not end. */
  readonly problems: readonly string[];
  /** MiB after the first tenth, and at the end. */
  readonly rss_mb: { readonly early: number; readonly late: number };
  readonly tokens_per_second: number;
};

const KINDS: readonly Kind[] = ["vllm", "vllm-tokens", "sglang", "sglang-incremental", "llama"];
const MAX_TOKENS = 40;
/** A generation that takes longer hangs. */
const HANGS_MS = 60_000;

export async function stressRemote(options: RemoteStressOptions): Promise<RemoteStressReport> {
  const { requests: wanted, parallel, faults, seed, onProgress } = options;
  const random = numbers(seed);
  const problems: string[] = [];
  let tokens = 0;
  let failed = 0;
  let asked = 0;
  let done = 0;
  let early = 0;
  const startedAt = performance.now();
  const fault = (): Fault | undefined => {
    if (random() >= faults) return undefined;
    failed++;
    const after = Math.floor(random() * 8);
    const found: readonly Fault[] = [
      { type: "status", status: 503 },
      { type: "cut", after },
      { type: "error", after },
      { type: "strange", after },
    ];
    return found[Math.floor(random() * found.length)];
  };
  for (const kind of KINDS) {
    const servers: FakeServer[] = [];
    for (let count = 0; count < 2; count++) servers.push(await fakeServer({ kind, random, fault }));
    const engine = await openRemoteEngine(
      servers.map(({ address }) => address),
      { vocabSize: VOCAB_SIZE, retry: { firstMs: 1, mostInRow: 40 } },
    );
    engine.useVocabulary(vocabulary());
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < wanted) {
        const prompt = [next % 256, (next >> 8) % 256, Math.floor(random() * 256)];
        next++;
        const session = await engine.createSession();
        const timer = setTimeout(() => void session.close(), HANGS_MS);
        try {
          await session.sync(prompt);
          const ids: number[] = [];
          for await (const id of session.generate({
            maxTokens: MAX_TOKENS,
            stopIds: new Set([STOP_ID]),
            sampling: { temperature: 0, topP: 1, seed },
          })) {
            ids.push(id);
          }
          tokens += ids.length;
          if (ids.join() !== expectedIds(prompt, MAX_TOKENS).join()) {
            problems.push(`${kind} ${prompt.join()}: ${ids.join()}`);
          }
        } catch (error) {
          problems.push(`${kind} ${prompt.join()}: ${String(error)}`);
        } finally {
          clearTimeout(timer);
          await session.close();
        }
        done++;
        if (done === Math.ceil((wanted * KINDS.length) / 10)) early = process.memoryUsage.rss();
        onProgress(done);
      }
    };
    await Promise.all(Array.from({ length: parallel }, work));
    asked += servers.reduce((sum, { requests }) => sum + requests.length, 0);
    await engine.close();
    for (const server of servers) server.die();
  }
  const mib = (bytes: number): number => Math.round(bytes / 2 ** 20);
  return {
    generations: done,
    tokens,
    requests: asked,
    failed,
    problems: problems.slice(0, 20),
    rss_mb: { early: mib(early), late: mib(process.memoryUsage.rss()) },
    tokens_per_second: Math.round(tokens / ((performance.now() - startedAt) / 1000)),
  };
}
