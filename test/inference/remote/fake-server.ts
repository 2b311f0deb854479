/**
 * Servers on loopback that speak as vLLM, SGLang and llama-server do, over a model whose next token follows from all
 * tokens before it: a token that is lost, doubled or moved changes everything behind it.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { nextId, STOP_ID, TEXTS, VOCAB_SIZE } from "./fake-model.ts";
import { type Asked, type Kind, llamaProgress, SPEAKERS } from "./fake-speakers.ts";
import type { GrammarKeeper, KeptAnswer } from "./kept-grammar.ts";

/** What goes wrong with a request; its tokens are counted from 0. */
export type Fault =
  | { readonly type: "status"; readonly status: number; readonly headers?: Record<string, string> }
  | { readonly type: "cut"; readonly after: number }
  | { readonly type: "silent"; readonly after: number }
  | { readonly type: "error"; readonly after: number }
  | { readonly type: "strange"; readonly after: number }
  | { readonly type: "redirect"; readonly to: string };

export type FakeServerOptions = {
  readonly kind: Kind;
  /** Numbers between 0 and 1, by which pieces are cut. Default: each event in one piece. */
  readonly random?: (() => number) | undefined;
  /** @param request how many came before */
  readonly fault?: ((request: number) => Fault | undefined) | undefined;
  /** Whether it tells probabilities. Default true. */
  readonly logprobs?: boolean;
  readonly allowedIds?: boolean;
  /** Keeps the grammars of requests. Default: they are ignored. */
  readonly keeper?: GrammarKeeper;
  /** What is done with grammars behind the probes of connecting. Default: they are kept. */
  readonly laterGrammars?: "ignored" | "refused" | "broken";
  readonly apiKey?: string;
  /** Waited for before each token. */
  readonly beforeToken?: (count: number) => Promise<void>;
  readonly contextLength?: number;
  /** Whether it closes a connection, unannounced, when a second request comes on it. */
  readonly closesKept?: boolean;
  /** Only so many of the latest requests are kept. Default: all. */
  readonly keeps?: number;
};

export type FakeServer = AsyncDisposable & {
  readonly url: string;
  readonly address: string;
  readonly server: Server;
  /** Of requests for tokens behind the probes of connecting. */
  readonly requests: readonly Asked[];
  /** How many requests for tokens came. */
  readonly count: () => number;
  /** Connections that the client closed while an answer was written. */
  readonly cancelled: () => number;
  /** Ends with all its connections. */
  die(): void;
};

const PROBE = "1,2,3";

export async function fakeServer(options: FakeServerOptions): Promise<FakeServer> {
  const { kind, apiKey } = options;
  const requests: Asked[] = [];
  let cancelled = 0;
  let count = 0;
  const server = createServer((request, response) => {
    void handle(request, response).catch((error: unknown) => {
      if (!response.destroyed) response.destroy(error as Error);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const scheme = kind.split("-")[0];

  const used = new WeakSet<object>();
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (options.closesKept && used.has(request.socket)) {
      request.socket.destroy();
      return;
    }
    used.add(request.socket);
    if (apiKey !== undefined && request.headers.authorization !== `Bearer ${apiKey}`) {
      sendJson(response, 401, { error: { message: `wrong key ${request.headers.authorization}` } });
      return;
    }
    const body = await bodyOf(request);
    switch (request.url) {
      case "/v1/models":
        sendJson(response, 200, modelList(options));
        return;
      case "/props":
        sendJson(response, kind === "llama" ? 200 : 404, {
          default_generation_settings: { n_ctx: options.contextLength ?? 4096 },
        });
        return;
      case "/tokenize":
        sendJson(response, 200, {
          tokens: [...Buffer.from(String(body["prompt"] ?? body["content"]))],
        });
        return;
      case "/detokenize": {
        const ids = body["tokens"] as readonly number[];
        const text = Buffer.concat(ids.map((id) => TEXTS[id] ?? new Uint8Array())).toString("utf8");
        const name = kind === "llama" ? "content" : kind.startsWith("vllm") ? "prompt" : "text";
        sendJson(response, 200, { [name]: text });
        return;
      }
      case PATHS[kind]:
        break;
      default:
        // An older vLLM ignores `return_token_ids`.
        if (kind === "vllm-tokens" && request.url === "/v1/completions") {
          const told = { choices: [{ text: "ab", finish_reason: "length" }] };
          if (body["stream"] === true) response.end(`data: ${JSON.stringify(told)}\n\n`);
          else sendJson(response, 200, { ...told, usage: { prompt_tokens: 3 } });
          return;
        }
        sendJson(response, 404, { detail: "Not Found" });
        return;
    }
    const asked = askedOf(kind, body);
    const isProbe = asked.prompt.join() === PROBE;
    if (!isProbe) {
      count++;
      requests.push(asked);
      if (requests.length > (options.keeps ?? Number.POSITIVE_INFINITY)) requests.shift();
    }
    if (asked.allowed !== undefined && options.allowedIds === false) {
      sendJson(response, 400, { error: { message: "allowed_token_ids is not known" } });
      return;
    }
    const fault = isProbe ? undefined : options.fault?.(count - 1);
    if (fault?.type === "status") {
      sendJson(response, fault.status, { error: { message: "not now" } }, fault.headers);
      return;
    }
    if (fault?.type === "redirect") {
      response.writeHead(307, { location: fault.to }).end();
      return;
    }
    const later = isProbe ? undefined : options.laterGrammars;
    const kept = later === "ignored" ? null : ((await options.keeper?.begin(asked.fields)) ?? null);
    if (kept !== null && later !== undefined) {
      const status = later === "refused" ? 400 : 500;
      sendJson(response, status, { error: { message: "failed to parse grammar" } });
      return;
    }
    response.on("close", () => {
      if (!response.writableFinished) cancelled++;
    });
    const events = answer(asked, fault, kept);
    if (!asked.isStream) {
      let last: unknown;
      for await (const event of events) {
        if (event === "cut") {
          response.destroy();
          return;
        }
        last = event;
      }
      sendJson(response, 200, last);
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    for await (const event of events) {
      if (event === "cut") {
        response.destroy();
        return;
      }
      if (!(await writePieces(response, `data: ${JSON.stringify(event)}\n\n`, options.random)))
        return;
    }
    if (kind !== "llama") await writePieces(response, "data: [DONE]\n\n", options.random);
    response.end();
  }

  async function* answer(
    asked: Asked,
    fault: Fault | undefined,
    kept: KeptAnswer | null,
  ): AsyncGenerator<object | "cut", void, void> {
    const speaker = SPEAKERS[kind](asked, options.logprobs ?? true);
    if (kind === "llama" && asked.isStream && asked.fields["return_progress"] === true) {
      yield llamaProgress(asked.prompt.length);
    }
    const timeline = [...asked.prompt];
    for (let count = 0; ; count++) {
      await options.beforeToken?.(count);
      if (fault !== undefined && "after" in fault && count === fault.after) {
        if (fault.type === "silent") await new Promise(() => {});
        if (fault.type === "error") yield { error: { message: "CUDA error", code: 500 } };
        if (fault.type === "strange") timeline.push(VOCAB_SIZE + 7);
        if (fault.type !== "strange") {
          yield "cut";
          return;
        }
      } else timeline.push(await sampled(timeline, asked.allowed, kept));
      const id = timeline.at(-1) as number;
      if (id < VOCAB_SIZE) kept?.accept(id);
      const isStop = id === STOP_ID && (asked.stopIds.includes(id) || kind === "llama");
      const isLast = isStop || count + 1 >= asked.maxTokens;
      const finish = isStop ? "stop" : isLast ? "length" : null;
      yield* speaker(id, timeline.slice(asked.prompt.length), finish);
      if (isLast) return;
    }
  }

  return {
    url,
    address: `${scheme}://127.0.0.1:${port}`,
    server,
    requests,
    count: () => count,
    cancelled: () => cancelled,
    die,
    [Symbol.asyncDispose]: async () => die(),
  };

  function die(): void {
    server.close();
    server.closeAllConnections();
  }
}

/** The model's choice, or the likeliest of the ids that a grammar allows. */
async function sampled(
  timeline: readonly number[],
  allowed: readonly number[] | undefined,
  kept: KeptAnswer | null,
): Promise<number> {
  const free = nextId(timeline, allowed);
  const ofGrammar = kept === null ? null : await kept.allowed();
  return ofGrammar === null || ofGrammar.includes(free) ? free : nextId(timeline, ofGrammar);
}

const PATHS: Readonly<Record<Kind, string>> = {
  vllm: "/v1/completions",
  "vllm-tokens": "/inference/v1/generate",
  sglang: "/generate",
  "sglang-incremental": "/generate",
  llama: "/completion",
};

function askedOf(kind: Kind, fields: Record<string, unknown>): Asked {
  const sampling = (fields["sampling_params"] ?? fields) as Record<string, unknown>;
  const list = (value: unknown): readonly number[] => (value ?? []) as readonly number[];
  const top = fields["n_probs"] ?? fields["top_logprobs_num"] ?? sampling["logprobs"] ?? null;
  return {
    prompt: list(fields["prompt"] ?? fields["token_ids"] ?? fields["input_ids"]),
    maxTokens: Number(
      sampling["max_tokens"] ?? sampling["max_new_tokens"] ?? sampling["n_predict"],
    ),
    stopIds: kind === "llama" ? [STOP_ID] : list(sampling["stop_token_ids"]),
    isStream: fields["stream"] === true,
    top: top === null ? null : Number(top),
    allowed: sampling["allowed_token_ids"] as readonly number[] | undefined,
    hasGrammar: ["grammar", "structured_outputs", "ebnf", "structural_tag"].some(
      (name) => name in fields || name in sampling,
    ),
    fields,
  };
}

function modelList({ kind, contextLength = 4096 }: FakeServerOptions): object {
  const owner = kind.startsWith("vllm")
    ? "vllm"
    : kind.startsWith("sglang")
      ? "sglang"
      : "llamacpp";
  const more =
    owner === "llamacpp" ? { meta: { n_vocab: VOCAB_SIZE } } : { max_model_len: contextLength };
  return { object: "list", data: [{ id: "gpt-oss", object: "model", owned_by: owner, ...more }] };
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}

function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(value));
}

/** @returns false when the client has gone */
async function writePieces(
  response: ServerResponse,
  text: string,
  random: (() => number) | undefined,
): Promise<boolean> {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; ) {
    const length = random === undefined ? bytes.length : 1 + Math.floor(random() * 120);
    if (response.destroyed) return false;
    const isTaken = response.write(bytes.subarray(from, from + length));
    if (!isTaken && !response.destroyed) {
      await Promise.race([once(response, "drain"), once(response, "close")]);
    }
    if (random !== undefined) await turn();
    from += length;
  }
  return !response.destroyed;
}
