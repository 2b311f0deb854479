/** Requests of every API, changed at random: whatever comes, the server answers, and none of its code fails. */
import { Agent, request as httpRequest } from "node:http";
import { gzipSync } from "node:zlib";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { HarmonyModel } from "../../runtime/index.ts";
import { DEFAULTS } from "../../runtime/server/configuration.ts";
import { findByName } from "../../runtime/server/models/model-source.ts";
import { type RunningServer, startServer } from "../../runtime/server/server.ts";
import { Random } from "../eval/random.ts";
import { FACTS } from "../runtime/server/serve.ts";
import { EndlessEngine } from "./endless-engine.ts";
import { liveHeap } from "./live-heap.ts";

const tokenizer = loadO200kHarmony();
const REPLIES = [
  "<|channel|>analysis<|message|>Easy.<|end|><|start|>assistant<|channel|>final<|message|>Fine.<|return|>",
  '<|channel|>final<|message|>{"a":1}<|return|>',
  '<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city":"Oslo"}<|call|>',
  "<|channel|>commentary to=functions.nothing <|constrain|>json<|message|>{<|call|>",
].map((text) => tokenizer.encodeWithSpecials(text));

const model = "gpt-oss:20b";
const parameters = {
  type: "object",
  properties: { city: { type: "string", enum: ["Oslo", "Rome"] }, days: { type: "integer" } },
  required: ["city"],
};
const tool = { type: "function", function: { name: "get_weather", description: "x", parameters } };
const call = { id: "call_1", type: "function", function: { name: "get_weather", arguments: "{}" } };
const messages = [
  { role: "system", content: "Be brief." },
  { role: "user", content: [{ type: "text", text: "Hi" }] },
  { role: "assistant", content: "", reasoning: "x", tool_calls: [call] },
  { role: "tool", tool_call_id: "call_1", content: "7" },
  { role: "user", content: "And now?" },
];

type Seed = readonly [method: string, path: string, body: unknown];

const SEEDS: readonly Seed[] = [
  [
    "POST",
    "/api/chat",
    {
      model,
      messages,
      tools: [tool],
      options: { num_predict: 9, stop: ["x"] },
      think: "low",
      keep_alive: "5m",
    },
  ],
  ["POST", "/api/chat", { model, messages, stream: false, format: parameters }],
  [
    "POST",
    "/api/generate",
    { model, prompt: "Hi", system: "x", context: [1, 2, 3], options: { seed: 1 } },
  ],
  ["POST", "/api/generate", { model, prompt: "Hi", raw: true, stream: false }],
  ["POST", "/api/show", { model }],
  ["POST", "/api/pull", { name: model, stream: true }],
  ["POST", "/api/copy", { source: model, destination: "mine" }],
  ["DELETE", "/api/delete", { model: "mine" }],
  ["POST", "/api/embed", { model, input: "x" }],
  ["GET", "/api/tags", null],
  ["GET", "/api/ps", null],
  [
    "POST",
    "/v1/chat/completions",
    {
      model,
      messages,
      tools: [tool],
      tool_choice: "auto",
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0.5,
      max_completion_tokens: 20,
      stop: ["y"],
    },
  ],
  [
    "POST",
    "/v1/chat/completions",
    {
      model,
      messages,
      response_format: { type: "json_schema", json_schema: { name: "x", schema: parameters } },
    },
  ],
  [
    "POST",
    "/v1/completions",
    {
      model,
      prompt: [1, 2, 3],
      max_tokens: 5,
      logprobs: 2,
      return_token_ids: true,
      stop_token_ids: [200_002],
    },
  ],
  [
    "POST",
    "/inference/v1/generate",
    { model, token_ids: [1, 2, 3], sampling_params: { max_tokens: 3 } },
  ],
  ["POST", "/tokenize", { model, prompt: "Hi" }],
  ["POST", "/detokenize", { model, tokens: [1, 2, 3] }],
  ["GET", "/v1/models/gpt-oss:20b", null],
  [
    "POST",
    "/v1/responses",
    {
      model,
      stream: true,
      input: [
        { type: "message", role: "user", content: [{ type: "input_text", text: "Hi" }] },
        { type: "reasoning", content: [{ type: "reasoning_text", text: "x" }], summary: [] },
        { type: "function_call", call_id: "c", name: "get_weather", arguments: "{}" },
        { type: "function_call_output", call_id: "c", output: "7" },
      ],
      tools: [
        { type: "function", name: "get_weather", parameters },
        {
          type: "custom",
          name: "apply_patch",
          format: { type: "grammar", syntax: "lark", definition: "start: /x+/" },
        },
        { type: "namespace", name: "ns", tools: [{ type: "function", name: "f", parameters }] },
      ],
      text: { format: { type: "json_schema", name: "x", schema: parameters } },
      reasoning: { effort: "low", summary: "auto" },
      include: ["reasoning.encrypted_content"],
      max_output_tokens: 20,
    },
  ],
  ["POST", "/v1/responses", { model, input: "Hi", store: true, previous_response_id: null }],
  ["GET", "/v1/responses/resp_1", null],
  [
    "POST",
    "/v1/messages?beta=true",
    {
      model,
      max_tokens: 20,
      stream: true,
      system: [{ type: "text", text: "x" }],
      messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
      tools: [{ name: "get_weather", input_schema: parameters }],
    },
  ],
  ["POST", "/v1/messages/count_tokens", { model, messages: [{ role: "user", content: "Hi" }] }],
];

export type MutatedReport = {
  readonly requests: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Requests whose connection was closed instead of answered: a part of them was no HTTP. */
  readonly closed: number;
  readonly problems: readonly string[];
  /** Resident, and live objects alone. Responses are kept in memory here. */
  readonly rss_mb: { readonly early: number; readonly last: number };
  readonly heap_mb: { readonly early: number; readonly last: number };
};

/** Requests on the way at the same time. */
const TOGETHER = 16;
/** An answer that does not end is one that nobody gets. */
const PATIENCE_MS = 60_000;

export async function mutatedRequests(options: {
  readonly count: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
}): Promise<MutatedReport> {
  const { count, seed, onProgress } = options;
  const problems: string[] = [];
  const says = new Random(seed, "replies");
  const engine = new EndlessEngine(() => says.pick(REPLIES));
  const server = await startServer({
    configuration: { ...DEFAULTS, port: 0, slots: 8 },
    source: {
      list: async () => [FACTS],
      find: async (name) => findByName([FACTS], name),
      defaultContext: () => 8192,
      open: async () => new HarmonyModel({ engine, tokenizer }),
    },
    note: (sentence) => {
      if (/ failed: /.test(sentence)) problems.push(sentence.slice(0, 600));
    },
  });
  const statuses = new Map<string, number>();
  let closed = 0;
  let begun = 0;
  let done = 0;
  let early = { heap: 0, rss: 0 };
  const agent = new Agent({ keepAlive: true, maxSockets: TOGETHER });
  const work = async (): Promise<void> => {
    while (begun < count) {
      const number = begun++;
      const random = new Random(seed, `request ${number}`);
      const status = await send(server, agent, random, (problem) =>
        problems.push(`request ${number}: ${problem}`),
      );
      if (status === null) closed++;
      else statuses.set(String(status), (statuses.get(String(status)) ?? 0) + 1);
      done++;
      if (done === Math.min(5000, Math.ceil(count / 2))) {
        early = { heap: liveHeap(), rss: process.memoryUsage.rss() };
      }
      onProgress?.(done);
    }
  };
  try {
    await Promise.all(Array.from({ length: TOGETHER }, work));
    const alive = await fetch(`${server.url}/health`);
    if (alive.status !== 200) problems.push(`health says ${alive.status} at the end`);
    const { running, waiting } = server.context.admission;
    if (running + waiting > 0) problems.push(`${running} run and ${waiting} wait at the end`);
  } finally {
    agent.destroy();
    await server.close();
  }
  return {
    requests: count,
    statuses: Object.fromEntries([...statuses].sort()),
    closed,
    problems,
    rss_mb: { early: mb(early.rss), last: mb(process.memoryUsage.rss()) },
    heap_mb: { early: mb(early.heap), last: mb(liveHeap()) },
  };
}

const mb = (bytes: number): number => Math.round(bytes / 1e6);

/** @returns null where the connection was closed */
function send(
  server: RunningServer,
  agent: Agent,
  random: Random,
  onProblem: (problem: string) => void,
): Promise<number | null> {
  const [method, path, seedBody] = random.pick(SEEDS);
  const body = seedBody === null ? null : mutatedBody(structuredClone(seedBody), random);
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (random.chance(0.1)) Object.assign(headers, random.pick(ODD_HEADERS));
  let bytes = body === null ? undefined : Buffer.from(body);
  if (bytes !== undefined && random.chance(0.03)) {
    headers["content-encoding"] = random.pick(["gzip", "br", "zstd", "deflate", "x"]);
    if (random.chance(0.5)) bytes = gzipSync(bytes);
  }
  const what = `${method} ${path} ${body?.slice(0, 300)}`;
  return new Promise((resolve) => {
    const asked = httpRequest(
      {
        agent,
        host: "127.0.0.1",
        port: server.port,
        method: random.chance(0.02)
          ? random.pick(["PUT", "PATCH", "OPTIONS", "GET", "HEAD"])
          : method,
        path: random.chance(0.03) ? random.pick(ODD_PATHS) : path,
        headers,
        timeout: PATIENCE_MS,
      },
      (answer) => {
        answer.resume();
        answer.on("end", () => resolve(answer.statusCode ?? 0));
        answer.on("error", () => resolve(null));
        answer.on("close", () => resolve(null));
        // Some do not read to the end.
        if (random.chance(0.03)) answer.destroy();
      },
    );
    asked.on("timeout", () => {
      onProblem(`no end of the answer to ${what}`);
      asked.destroy();
    });
    asked.on("error", () => resolve(null));
    asked.on("close", () => resolve(null));
    asked.end(bytes);
    if (random.chance(0.02)) setTimeout(() => asked.destroy(), random.int(0, 5));
  });
}

const ODD_HEADERS: readonly Record<string, string>[] = [
  { "content-type": "text/plain" },
  { origin: "https://evil.example" },
  { origin: "http://localhost:1" },
  { host: "evil.example" },
  { authorization: "Bearer " },
  { authorization: `Bearer ${"x".repeat(4000)}` },
  { "x-request-id": "a b c" },
  { "session-id": "s".repeat(1000) },
  { "accept-encoding": "gzip" },
  { expect: "100-continue" },
];

const ODD_PATHS: readonly string[] = [
  "/",
  "/api/",
  "/v1/models/%2e%2e%2f",
  "/v1/models/%ff",
  "/v1/responses/__proto__",
  "/api/blobs/sha256:../../etc",
  "//",
  "/v1/chat/completions?x=%00",
  `/${"a".repeat(4000)}`,
];

const ODD_VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 1e308, -1e308, 2 ** 31, 2 ** 53, "", "x", "\u0000", "\ud800"],
  ...["__proto__", "constructor", "<|start|>system<|message|>", "{}", "-1m", "x".repeat(10_000)],
  ...[
    [],
    {},
    [[]],
    { type: null },
    { type: "object", $ref: "#" },
    { $ref: "https://evil.example" },
  ],
  { type: "string", pattern: "(a+)+$" },
  { type: "array", minItems: 1e9, items: { type: "array", minItems: 1e9 } },
  { allOf: Array.from({ length: 30 }, () => ({ anyOf: [{}, {}] })) },
  Array.from({ length: 200 }, () => "x"),
];

function mutatedBody(body: unknown, random: Random): string {
  let value = body;
  const changes = random.int(0, 3);
  for (let change = 0; change < changes; change++) value = mutated(value, random, 0);
  const text = JSON.stringify(value) ?? "";
  if (!random.chance(0.1)) return text;
  // No JSON any more.
  const at = random.int(0, text.length);
  switch (random.int(0, 3)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return (
        text.slice(0, at) +
        random.pick(['"', "{", "[", "\\", "\u0000", ",", "1e999"]) +
        text.slice(at)
      );
    case 2:
      return text.replace(/"model"/, '"__proto__"');
    default:
      return `${"[".repeat(random.int(1, 2000))}${text}`;
  }
}

/** The value with one part of it changed. */
function mutated(value: unknown, random: Random, depth: number): unknown {
  const isLeaf = typeof value !== "object" || value === null;
  if (isLeaf || (depth > 0 && random.chance(0.15))) return random.pick(ODD_VALUES);
  if (Array.isArray(value)) {
    const list: unknown[] = [...value];
    if (list.length === 0 || random.chance(0.1)) return [...list, random.pick(ODD_VALUES)];
    const at = random.int(0, list.length - 1);
    if (random.chance(0.15)) list.splice(at, 1);
    else if (random.chance(0.1)) list.splice(at, 0, list[at]);
    else list[at] = mutated(list[at], random, depth + 1);
    return list;
  }
  const entries = Object.entries(value);
  if (entries.length === 0 || random.chance(0.1)) {
    const name = random.pick(["__proto__", "model", "stream", "tools", "type", "n", "x"]);
    return Object.fromEntries([...entries, [name, random.pick(ODD_VALUES)]]);
  }
  const at = random.int(0, entries.length - 1);
  if (random.chance(0.1)) entries.splice(at, 1);
  else {
    const [name, held] = entries[at] as [string, unknown];
    entries[at] = [name, mutated(held, random, depth + 1)];
  }
  return Object.fromEntries(entries);
}
