/**
 * Many conversations at once in one process, over two servers whose connections are cut at random: each has to say what
 * it says alone with the model here, turn by turn, and to count the same tokens.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import {
  HarmonyModel,
  type LanguageModel,
  loadModel,
  loadRemoteModel,
  RunError,
  runAgent,
  Thread,
} from "../../runtime/index.ts";
import { randomNumbers } from "../fixtures/random-numbers.ts";
import { serve } from "../runtime/server/serve.ts";
import { liveHeap } from "./live-heap.ts";

export type RemoteThreadsOptions = {
  /** Conversations, all at once. */
  readonly threads: number;
  readonly turns: number;
  /** Part of the connections that are cut, 0 … 1. */
  readonly cuts: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
};

export type RemoteThreadsReport = {
  readonly threads: number;
  readonly turns: number;
  readonly tokens: number;
  /** Most turns that ran at the same time. */
  readonly most_at_once: number;
  /** Connections that the servers got, of which so many were cut. */
  readonly connections: number;
  readonly cut: number;
  /** Turns that said something else, counted other tokens, or failed. */
  readonly problems: readonly string[];
  /** MiB of reachable objects after the first turn of all, and at the end. */
  readonly heap_mb: { readonly early: number; readonly late: number };
};

const GREEDY = { temperature: 0, topP: 1, seed: 0, topK: 0, minP: 0, repetitionPenalty: 1 };
const MAX_TOKENS = 120;
/** A turn that takes longer hangs. */
const HANGS_MS = 600_000;

type Turn = { readonly output: string | null; readonly tokens: number };

export async function stressRemoteThreads(
  options: RemoteThreadsOptions,
): Promise<RemoteThreadsReport> {
  const { threads, turns, cuts, seed, onProgress = () => {} } = options;
  const random = randomNumbers(seed);
  await using local = await loadModel();
  const servers = [await serveEmbedded(local), await serveEmbedded(local)];
  const proxies = await Promise.all(
    servers.map(({ url }) => cuttingProxy(Number(new URL(url).port), random)),
  );
  await using remote = await loadRemoteModel(
    proxies.map(({ port }) => `chorale://127.0.0.1:${port}`),
    { maxSessions: threads },
  );
  // What the servers can do is found out over whole connections.
  for (const proxy of proxies) proxy.cuts = cuts;
  const problems: string[] = [];
  const conversations = Array.from({ length: threads }, () => Thread.create());
  let tokens = 0;
  let early = 0;
  let running = 0;
  let most = 0;
  let done = 0;
  const said: Turn[][] = conversations.map(() => []);
  for (let turn = 0; turn < turns; turn++) {
    await Promise.all(
      conversations.map(async (thread, index) => {
        most = Math.max(most, ++running);
        try {
          said[index]?.push(await ask(remote, thread, prompt(index, turn)));
        } catch (error) {
          problems.push(`thread ${index}, turn ${turn}: ${String(error)}`);
        }
        running--;
        onProgress(++done);
      }),
    );
    if (turn === 0) early = liveHeap();
  }
  const late = liveHeap();
  for (const [index, told] of said.entries()) {
    const thread = Thread.create();
    for (const [turn, { output, tokens: count }] of told.entries()) {
      const alone = await ask(local, thread, prompt(index, turn));
      tokens += count;
      if (alone.output === output && alone.tokens === count) continue;
      problems.push(
        `thread ${index}, turn ${turn}: ${JSON.stringify(output)} with ${count} tokens, alone ` +
          `${JSON.stringify(alone.output)} with ${alone.tokens}`,
      );
    }
  }
  for (const proxy of proxies) proxy.close();
  for (const server of servers) await server[Symbol.asyncDispose]();
  const mib = (bytes: number): number => Number((bytes / 2 ** 20).toFixed(1));
  return {
    ...{ threads, turns: done, tokens, most_at_once: most },
    connections: proxies.reduce((sum, { connections }) => sum + connections, 0),
    cut: proxies.reduce((sum, { cut }) => sum + cut, 0),
    problems: problems.slice(0, 20),
    heap_mb: { early: mib(early), late: mib(late) },
  };
}

function prompt(thread: number, turn: number): string {
  return turn % 2 === 0
    ? `What is ${11 + thread} plus ${7 + turn}? Answer at once.`
    : `Write one sentence about the number ${100 + thread * 3 + turn}.`;
}

async function ask(model: LanguageModel, thread: Thread, text: string): Promise<Turn> {
  const { output, error, usage } = await runAgent({
    ...{ model, thread, prompt: text, sampling: GREEDY, maxTokens: MAX_TOKENS },
    signal: AbortSignal.timeout(HANGS_MS),
  });
  // A limit of tokens ends a turn the same way on both sides.
  const isLimit = RunError.isInstance(error) && error.code === "CHORALE_TOKEN_LIMIT";
  if (error !== undefined && !isLimit) throw error;
  return { output, tokens: usage.output_tokens };
}

/** Chorale's own server over a model that stays open. */
async function serveEmbedded({ engine, tokenizer, sampling }: HarmonyModel) {
  const shared = {
    ...{ name: engine.name, vocabSize: engine.vocabSize, contextLength: engine.contextLength },
    capabilities: engine.capabilities,
    createSession: () => engine.createSession(),
    close: async () => {},
  };
  const open = async () =>
    new HarmonyModel({ engine: shared, tokenizer, sampling, maxSessions: 8 });
  return serve([], { source: { open } });
}

type CuttingProxy = {
  readonly port: number;
  readonly connections: number;
  readonly cut: number;
  cuts: number;
  close(): void;
};

/** Passes bytes on, and cuts some of its connections behind so many bytes of the answers. */
async function cuttingProxy(target: number, random: () => number): Promise<CuttingProxy> {
  const open = new Set<Socket>();
  const proxy = { port: 0, connections: 0, cut: 0, cuts: 0, close: () => {} };
  const server: Server = createServer((client) => {
    const behind = connect(target, "127.0.0.1");
    proxy.connections++;
    const limit =
      random() < proxy.cuts ? Math.floor(random() * MOST_BYTES) : Number.POSITIVE_INFINITY;
    let passed = 0;
    for (const socket of [client, behind]) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        client.destroy();
        behind.destroy();
      });
    }
    behind.on("data", (chunk: Buffer) => {
      passed += chunk.length;
      if (passed > limit) {
        proxy.cut++;
        client.destroy();
      }
    });
    client.pipe(behind);
    behind.pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  proxy.port = (server.address() as AddressInfo).port;
  proxy.close = () => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  return proxy;
}

/** A token of an answer has some 300. */
const MOST_BYTES = 40_000;
