/**
 * Generations over two servers that fail at random, in pieces cut at random: each has to come to exactly the tokens of
 * the model, and end.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { openRemoteEngine } from "../../inference/remote/remote-engine.ts";
import { randomNumbers } from "../fixtures/random-numbers.ts";
import { expectedIds, STOP_ID, VOCAB_SIZE, vocabulary } from "../inference/remote/fake-model.ts";
import { type FakeServer, type Fault, fakeServer } from "../inference/remote/fake-server.ts";
import type { Kind } from "../inference/remote/fake-speakers.ts";
import { liveHeap } from "./live-heap.ts";

export type RemoteStressOptions = {
  /** Generations of each kind of server. */
  readonly requests: number;
  /** At once. */
  readonly parallel: number;
  /** Part of the requests that fail, 0 … 1. */
  readonly faults: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
};

export type RemoteStressReport = {
  readonly generations: number;
  readonly tokens: number;
  /** Requests that the servers got, of which so many were made to fail. */
  readonly requests: number;
  readonly failed: number;
  /** Prompts whose tokens were not those of the model, or that did not end. */
  readonly problems: readonly string[];
  /** MiB of reachable objects after the first tenth, and at the end. */
  readonly heap_mb: { readonly early: number; readonly late: number };
  readonly tokens_per_second: number;
};

const KINDS: readonly Kind[] = ["vllm", "vllm-tokens", "sglang", "sglang-incremental", "llama"];
const MAX_TOKENS = 40;
/** A generation that takes longer hangs. */
const HANGS_MS = 60_000;

export async function stressRemote(options: RemoteStressOptions): Promise<RemoteStressReport> {
  const { requests: wanted, parallel, faults, seed, onProgress = () => {} } = options;
  const random = randomNumbers(seed);
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
    for (let count = 0; count < 2; count++)
      servers.push(await fakeServer({ kind, random, fault, keeps: 1 }));
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
        if (done === Math.ceil((wanted * KINDS.length) / 10)) early = liveHeap();
        onProgress(done);
      }
    };
    await Promise.all(Array.from({ length: parallel }, work));
    asked += servers.reduce((sum, { count }) => sum + count(), 0);
    await engine.close();
    for (const server of servers) server.die();
  }
  const mib = (bytes: number): number => Number((bytes / 2 ** 20).toFixed(1));
  return {
    generations: done,
    tokens,
    requests: asked,
    failed,
    problems: problems.slice(0, 20),
    heap_mb: { early: mib(early), late: mib(liveHeap()) },
    tokens_per_second: Math.round(tokens / ((performance.now() - startedAt) / 1000)),
  };
}

const STREAM_TOKENS = 20_000;

/**
 * Of a token of one stream beyond reading the bytes of that stream.
 * @returns microseconds: the median of several rounds, in each of which the same stream is read in both ways
 */
export async function remoteOverhead(): Promise<number> {
  const event = (id: number, finish: string | null): string =>
    `data: ${JSON.stringify({
      id: "cmpl-1",
      object: "text_completion",
      choices: [{ index: 0, text: "a", logprobs: null, finish_reason: finish, token_ids: [id] }],
    })}\n\n`;
  const stream = Array.from({ length: STREAM_TOKENS }, (_, at) => {
    return event(at % 256, at === STREAM_TOKENS - 1 ? "length" : null);
  }).join("");
  const server = createServer((request, response) => {
    if (request.method === "GET") {
      response.end(JSON.stringify({ data: [{ id: "m", owned_by: "vllm", max_model_len: 1e6 }] }));
      return;
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { max_tokens: most } = JSON.parse(Buffer.concat(chunks).toString()) as {
        max_tokens?: number;
      };
      if (most === STREAM_TOKENS) response.end(stream);
      else {
        const usage = { prompt_tokens: 3 };
        response.end(`data: ${JSON.stringify({ choices: [], usage })}\n\n${event(1, "length")}`);
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const engine = await openRemoteEngine([url], { vocabSize: VOCAB_SIZE });
  const rounds: number[] = [];
  for (let round = 0; round < 7; round++) {
    const rawAt = performance.now();
    const body = JSON.stringify({ max_tokens: STREAM_TOKENS });
    const raw = await fetch(`${url}/v1/completions`, { method: "POST", body });
    for await (const _ of raw.body ?? []);
    const engineAt = performance.now();
    const session = await engine.createSession();
    await session.sync([1]);
    let count = 0;
    const sampling = { temperature: 0, topP: 1, seed: 0 };
    for await (const _ of session.generate({
      maxTokens: STREAM_TOKENS,
      stopIds: new Set(),
      sampling,
    })) {
      count++;
    }
    await session.close();
    if (count !== STREAM_TOKENS) throw new Error(`${count} tokens came`);
    rounds.push(((performance.now() - engineAt - (engineAt - rawAt)) / STREAM_TOKENS) * 1000);
  }
  await engine.close();
  server.close();
  server.closeAllConnections();
  return Number((rounds.sort((a, b) => a - b)[3] ?? 0).toFixed(1));
}
