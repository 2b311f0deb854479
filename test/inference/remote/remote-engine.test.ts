/** Token engines behind URLs, against loopback servers that speak as vLLM, SGLang and llama-server do. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import type { GenerateOptions, TokenLogprobs, TokenMatcher } from "../../../inference/engine.ts";
import { RemoteEngineError } from "../../../inference/errors.ts";
import {
  openRemoteEngine,
  type RemoteEngine,
  type RemoteEngineOptions,
} from "../../../inference/remote/remote-engine.ts";
import { tokenBitmask } from "../../../inference/sampling/token-bitmask.ts";
import { randomNumbers } from "../../fixtures/random-numbers.ts";
import { stressRemote } from "../../stress/remote-engine.ts";
import { fuzzStreams } from "../../stress/remote-streams.ts";
import { expectedIds, likeliest, nextId, STOP_ID, VOCAB_SIZE, vocabulary } from "./fake-model.ts";
import { type FakeServer, type FakeServerOptions, type Fault, fakeServer } from "./fake-server.ts";
import type { Kind } from "./fake-speakers.ts";

const KINDS: readonly Kind[] = ["vllm", "vllm-tokens", "sglang", "sglang-incremental", "llama"];
const ONE_REQUEST: readonly Kind[] = ["vllm", "sglang", "sglang-incremental"];
const QUICK: RemoteEngineOptions = {
  vocabSize: VOCAB_SIZE,
  connectMs: 2000,
  idleMs: 2000,
  retry: { firstMs: 1 },
};
const GREEDY = { temperature: 0, topP: 1, seed: 1 };

async function generated(
  engine: RemoteEngine,
  prompt: readonly number[],
  options: Partial<GenerateOptions> = {},
): Promise<{ ids: number[]; finish: string; tokens: readonly number[] }> {
  const session = await engine.createSession();
  try {
    await session.sync(prompt);
    const ids: number[] = [];
    const run = session.generate({
      maxTokens: 40,
      stopIds: new Set([STOP_ID]),
      sampling: GREEDY,
      ...options,
    });
    for (;;) {
      const next = await run.next();
      if (next.done) return { ids, finish: next.value, tokens: [...session.tokens] };
      ids.push(next.value);
    }
  } finally {
    await session.close();
  }
}

async function open(
  servers: readonly FakeServer[],
  options: RemoteEngineOptions = {},
): Promise<RemoteEngine & AsyncDisposable> {
  const engine = await openRemoteEngine(
    servers.map(({ address }) => address),
    { ...QUICK, ...options },
  );
  return Object.assign(engine, { [Symbol.asyncDispose]: () => engine.close() });
}

describe.each(KINDS)("%s", (kind) => {
  it("says the model's tokens, whatever pieces they come in", async () => {
    const random = randomNumbers(7);
    await using server = await fakeServer({ kind, random });
    await using engine = await open([server]);
    engine.useVocabulary(vocabulary());
    for (let round = 0; round < 40; round++) {
      const prompt = Array.from({ length: 1 + Math.floor(random() * 9) }, () =>
        Math.floor(random() * 256),
      );
      const maxTokens = 1 + Math.floor(random() * 40);
      const { ids, finish, tokens } = await generated(engine, prompt, { maxTokens });
      expect(ids).toEqual(expectedIds(prompt, maxTokens));
      expect(tokens).toEqual([...prompt, ...ids]);
      expect(finish).toBe(ids.at(-1) === STOP_ID ? "stop" : "length");
    }
  });

  it("says what it found out about the server", async () => {
    await using server = await fakeServer({ kind, contextLength: 512 });
    await using engine = await open([server]);
    const [found] = engine.servers;
    expect(engine.contextLength).toBe(512);
    expect(found?.capabilities).toMatchObject({
      idsIn: true,
      idsOut: true,
      exactStreams: true,
      logprobs: true,
      allowedIds: kind.startsWith("vllm"),
      tokenizes: true,
    });
    expect(engine.capabilities.matchers).toBe(true);
    expect(await engine.tokenize("A🙂")).toEqual([[...Buffer.from("A🙂")]]);
    expect(await engine.detokenize([65, 256, 0x99, 0x82])).toEqual(["A🙂"]);
  });

  it("tells probabilities before each id", async () => {
    await using server = await fakeServer({ kind });
    await using engine = await open([server]);
    const told: TokenLogprobs[] = [];
    const { ids } = await generated(engine, [65, 66], {
      maxTokens: 12,
      logprobs: { top: 3, onLogprobs: (one) => told.push(one) },
    });
    expect(told.map(({ id }) => id)).toEqual(ids);
    expect(told.every(({ top }) => top.length === 3 && top[0]?.logprob === -0.5)).toBe(true);
  });

  it("tells what is likely behind each id of a prompt", async () => {
    await using server = await fakeServer({ kind });
    await using engine = await open([server]);
    const prompt = [65, 66, 256, 0x99, 67];
    const told = await engine.promptLogprobs(prompt, { top: 4 });
    expect(told).toEqual(
      prompt.map((_, at) =>
        likeliest(prompt.slice(0, at + 1), 4).map(([id, logprob]) => ({ id, logprob })),
      ),
    );
    // One request where the protocol has one for that.
    if (ONE_REQUEST.includes(kind)) expect(server.count()).toBe(1);
    else expect(server.count()).toBeGreaterThanOrEqual(prompt.length);
  });

  it("follows a matcher exactly", async () => {
    await using server = await fakeServer({ kind });
    await using engine = await open([server]);
    // Only even ids may come, so that about half of what the model says is not allowed.
    const even = Array.from({ length: VOCAB_SIZE / 2 }, (_, at) => at * 2);
    const accepted: number[] = [];
    const matcher: TokenMatcher = {
      accept: (id) => void accepted.push(id),
      rollback: () => {},
      mask: () => tokenBitmask(VOCAB_SIZE, even),
    };
    const { ids } = await generated(engine, [65, 66, 67], { maxTokens: 20, matcher });
    expect(ids).toEqual(accepted);
    expect(ids).toHaveLength(20);
    const timeline = [65, 66, 67];
    for (const id of ids) {
      const free = nextId(timeline);
      expect(id).toBe(free % 2 === 0 ? free : nextId(timeline, even));
      timeline.push(id);
    }
  });

  it("goes on elsewhere when a server dies, without losing or doubling a token", async () => {
    const random = randomNumbers(3);
    const fault = (): Fault | undefined => {
      const after = Math.floor(random() * 6);
      const types = ["cut", "error", "strange", "status"] as const;
      const type = types[Math.floor(random() * 6)];
      if (type === undefined) return undefined;
      return type === "status" ? { type, status: 503 } : { type, after };
    };
    await using first = await fakeServer({ kind, random, fault });
    await using second = await fakeServer({ kind, random, fault });
    await using engine = await open([first, second], { retry: { firstMs: 1, mostInRow: 40 } });
    engine.useVocabulary(vocabulary());
    for (let round = 0; round < 15; round++) {
      const prompt = [round, round + 1];
      const { ids } = await generated(engine, prompt);
      expect(ids).toEqual(expectedIds(prompt, 40));
    }
  });

  it("ends the computation at the server when the reader leaves", async () => {
    await using server = await fakeServer({
      kind,
      beforeToken: () => new Promise((resolve) => setTimeout(resolve, 2)),
    });
    await using engine = await open([server]);
    const session = await engine.createSession();
    await session.sync([1, 65]);
    const run = session.generate({
      maxTokens: 4000,
      stopIds: new Set([STOP_ID]),
      sampling: GREEDY,
    });
    await run.next();
    await run.return("stop");
    await expect.poll(() => server.cancelled(), { timeout: 4000 }).toBeGreaterThan(0);
  });
});

it("refuses to tell what is likely where the server tells no probabilities", async () => {
  for (const kind of KINDS) {
    await using server = await fakeServer({ kind, logprobs: false });
    await using engine = await open([server]);
    await expect(engine.promptLogprobs([65, 66])).rejects.toThrow(
      /it tells no probabilities by ids/,
    );
  }
});

it("reads streams that are cut anywhere", async () => {
  const report = await fuzzStreams({ count: 500, seed: 3 });
  expect(report).toMatchObject({ streams: 500, problems: [] });
  expect(report.left_out).toBeGreaterThan(0);
});

it("gives 64 readers at once, of streams cut at random, the tokens of the model", async () => {
  const report = await stressRemote({ requests: 64, parallel: 64, faults: 0.1, seed: 5 });
  expect(report).toMatchObject({ generations: 320, problems: [] });
  expect(report.failed).toBeGreaterThan(0);
});

it("asks anew where a server closed a connection that was kept", async () => {
  for (const kind of KINDS) {
    await using server = await fakeServer({ kind, closesKept: true });
    const notes: string[] = [];
    await using engine = await open([server], { onNote: (note) => notes.push(note) });
    engine.useVocabulary(vocabulary());
    for (let round = 0; round < 4; round++) {
      const { ids } = await generated(engine, [round, 70]);
      expect(ids).toEqual(expectedIds([round, 70], 40));
    }
    // It is no failure of the server.
    expect(notes.filter((note) => /hang up/.test(note))).toEqual([]);
  }
});

it("has llama-server compute short prompts anew whose probabilities are asked for", async () => {
  await using server = await fakeServer({ kind: "llama" });
  await using engine = await open([server]);
  await engine.promptLogprobs(Array.from({ length: 258 }, (_, at) => 65 + (at % 20)));
  const asked = server.requests.map(({ prompt, fields }) => [
    prompt.length,
    fields["cache_prompt"],
  ]);
  expect(asked).toContainEqual([256, false]);
  expect(asked).toContainEqual([257, true]);
  await generated(engine, [65, 66], { maxTokens: 1 });
  expect(server.requests.at(-1)?.fields["cache_prompt"]).toBe(true);
});

it("keeps exact tokens where a stream lost ids that no vocabulary tells", async () => {
  await using server = await fakeServer({ kind: "llama" });
  await using engine = await open([server]);
  for (let round = 0; round < 20; round++) {
    const { ids } = await generated(engine, [round]);
    expect(ids).toEqual(expectedIds([round], 40));
  }
  expect(server.requests.some(({ isStream }) => !isStream)).toBe(true);
});

it("finds lost ids in the vocabulary without asking again", async () => {
  await using server = await fakeServer({ kind: "llama" });
  await using engine = await open([server]);
  engine.useVocabulary(vocabulary());
  // é as two tokens of one byte each: the first is lost.
  const prompt = [0xc3];
  const { ids } = await generated(engine, prompt, { maxTokens: 8 });
  expect(ids).toEqual(expectedIds(prompt, 8));
});

describe("a server that fails", () => {
  const one = async (
    options: Partial<FakeServerOptions>,
    engineOptions: RemoteEngineOptions = {},
  ) => {
    const server = await fakeServer({ kind: "vllm", ...options });
    return { server, engine: await open([server], engineOptions) };
  };

  it("is given up after some tries, with what it said last", async () => {
    const { server, engine } = await one({ fault: () => ({ type: "status", status: 503 }) });
    await expect(generated(engine, [65])).rejects.toThrow(/failed 6 times in a row.*503: not now/);
    expect(server.requests).toHaveLength(6);
    server.die();
  });

  it("is not asked again for what it refuses", async () => {
    const { server, engine } = await one({ fault: () => ({ type: "status", status: 400 }) });
    const error = await generated(engine, [65]).catch((thrown: unknown) => thrown);
    expect(RemoteEngineError.isInstance(error) && error.code).toBe("CHORALE_ENGINE_REFUSED");
    expect(server.requests).toHaveLength(1);
    server.die();
  });

  it("is left when it falls silent", async () => {
    const { server, engine } = await one(
      { fault: (request) => (request === 0 ? { type: "silent", after: 2 } : undefined) },
      { idleMs: 150 },
    );
    const { ids } = await generated(engine, [65, 67], { maxTokens: 6 });
    expect(ids).toEqual(expectedIds([65, 67], 6));
    server.die();
  });

  it("is not waited for by a reader that is slow itself", async () => {
    const { server, engine } = await one({}, { idleMs: 60 });
    const session = await engine.createSession();
    await session.sync([65, 66]);
    const ids: number[] = [];
    for await (const id of session.generate({
      maxTokens: 3,
      stopIds: new Set([STOP_ID]),
      sampling: GREEDY,
    })) {
      ids.push(id);
      await new Promise((resolve) => setTimeout(resolve, 120));
    }
    expect(ids).toEqual(expectedIds([65, 66], 3));
    expect(server.requests).toHaveLength(1);
    server.die();
  });

  it("never gets a key through a redirect, and never tells it", async () => {
    let asked = 0;
    const other = createServer((_, response) => {
      asked++;
      response.end("{}");
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    const to = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
    const apiKey = "sk-secret-of-the-test";
    const { server, engine } = await one(
      { apiKey, fault: () => ({ type: "redirect", to }) },
      { apiKey },
    );
    await expect(generated(engine, [65])).rejects.toThrow(/redirect/);
    expect(asked).toBe(0);
    const denied = await openRemoteEngine([server.address], {
      ...QUICK,
      apiKey: `${apiKey}-no`,
    }).catch((error: unknown) => error);
    expect(RemoteEngineError.isInstance(denied) && denied.code).toBe("CHORALE_ENGINE_DENIED");
    expect(String(denied)).not.toContain(apiKey);
    other.close();
    server.die();
  });

  it("is not asked anything when its certificate is not one that is trusted", async () => {
    const pem = (name: string): string =>
      readFileSync(new URL(`../../fixtures/tls/${name}.pem`, import.meta.url), "utf8");
    let asked = 0;
    const other = createTlsServer({ key: pem("key"), cert: pem("cert") }, (_, response) => {
      asked++;
      response.end("{}");
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = `vllm+https://127.0.0.1:${(other.address() as AddressInfo).port}`;
    await expect(openRemoteEngine([address], { ...QUICK, apiKey: "sk-1" })).rejects.toThrow(
      /Cannot reach the engine .*(?:self.signed|certificate)/i,
    );
    expect(asked).toBe(0);
    other.close();
  });

  it("is told by its address when nothing listens there", async () => {
    const server = await fakeServer({ kind: "vllm" });
    server.die();
    await expect(openRemoteEngine([server.address], QUICK)).rejects.toThrow(
      /Cannot reach the engine vllm:\/\/127\.0\.0\.1:\d+ \(tried 127\.0\.0\.1:\d+\): .*ECONNREFUSED/,
    );
  });

  it("is closed with its session, and the abort is its reason", async () => {
    const { server, engine } = await one({ fault: () => ({ type: "silent", after: 1 }) });
    const abort = new AbortController();
    const running = generated(engine, [65], { signal: abort.signal });
    await expect.poll(() => server.requests.length).toBe(1);
    abort.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    await expect.poll(() => server.cancelled()).toBe(1);
    const again = generated(engine, [65, 66]);
    await expect.poll(() => server.requests.length).toBe(2);
    await engine.close();
    await expect(again).rejects.toThrow("The session was closed.");
    server.die();
  });
});

describe("several servers", () => {
  it("share timelines by how they begin, and none goes to one that is drained", async () => {
    await using first = await fakeServer({ kind: "vllm" });
    await using second = await fakeServer({ kind: "llama" });
    await using engine = await open([first, second]);
    for (let round = 0; round < 12; round++) {
      const before = [first.requests.length, second.requests.length];
      await generated(engine, [round, 65], { maxTokens: 2 });
      await generated(engine, [round, 65], { maxTokens: 2 });
      const came = [first.requests.length, second.requests.length].map(
        (count, at) => count - (before[at] ?? 0),
      );
      // Both to the same server.
      expect(came).toContain(0);
    }
    expect(first.requests.length).toBeGreaterThan(0);
    expect(second.requests.length).toBeGreaterThan(0);
    const [{ name } = { name: "" }] = engine.servers;
    await engine.drain(name);
    const drained = first.requests.length;
    for (let round = 0; round < 8; round++) await generated(engine, [round], { maxTokens: 2 });
    expect(first.requests).toHaveLength(drained);
  });

  it("are enough while one of them answers", async () => {
    await using server = await fakeServer({ kind: "sglang" });
    const dead = await fakeServer({ kind: "sglang" });
    dead.die();
    const notes: string[] = [];
    await using engine = await open([dead, server], { onNote: (note) => notes.push(note) });
    expect(engine.servers).toHaveLength(1);
    expect(notes[0]).toMatch(/Cannot reach the engine .* The engine goes on without it\./);
  });
});

it("says what a server cannot do", async () => {
  await using server = await fakeServer({ kind: "sglang", logprobs: false });
  const notes: string[] = [];
  await using engine = await open([server], { onNote: (note) => notes.push(note) });
  expect(engine.capabilities.matchers).toBe(false);
  expect(notes.join("\n")).toMatch(/formats are checked afterwards alone/);
});

it.each(["ftp://host", "vllm://user:key@host", "llama://host?other=1", "http://"])(
  "refuses the address %s without repeating a key",
  async (address) => {
    const error = await openRemoteEngine([address]).catch((thrown: unknown) => thrown);
    expect(RemoteEngineError.isInstance(error) && error.code).toBe("CHORALE_ENGINE_ADDRESS");
    expect(String(error)).not.toContain("key@");
  },
);
