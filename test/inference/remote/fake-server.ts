/**
 * Servers on loopback that speak as vLLM, SGLang and llama-server do, over a model whose next token follows from all
 * tokens before it: a token that is lost, doubled or moved changes everything behind it.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { mixed } from "../../../inference/remote/pool.ts";
import type { GrammarKeeper, KeptAnswer } from "./kept-grammar.ts";

export const VOCAB_SIZE = 300;
export const STOP_ID = 299;
/** Without text, and no end. */
export const SPECIAL_ID = 298;

/**
 * Ids 0 … 255 are the bytes, then come two parts of characters and some words. Never twice the same bytes.
 */
const TEXTS = [
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  Uint8Array.of(0xf0, 0x9f),
  Uint8Array.of(0xe6, 0xbc),
  ...["the", " of", "and", "né", "漢字", "🙂", "<|"].map((word) => Buffer.from(word)),
];

/** As a tokenizer has them. */
export function vocabulary(): { readonly bytes: Uint8Array; readonly offsets: Uint32Array } {
  const offsets = new Uint32Array(TEXTS.length + 1);
  for (const [id, text] of TEXTS.entries()) offsets[id + 1] = (offsets[id] ?? 0) + text.length;
  return { bytes: Buffer.concat(TEXTS), offsets };
}

/** Scores of all ids behind a timeline; the highest is the model's choice. */
function scores(timeline: readonly number[]): number[] {
  const hash = timeline.reduce((sum, id) => mixed(sum ^ id), timeline.length);
  return Array.from({ length: VOCAB_SIZE }, (_, id) => mixed(hash ^ mixed(id)) / 2 ** 32);
}

/** Characters of several bytes come often, and mostly whole: those are what streams lose ids of. */
export function nextId(timeline: readonly number[], allowed?: readonly number[]): number {
  if (allowed !== undefined) {
    const all = scores(timeline);
    return allowed.reduce((best, id) => ((all[id] ?? 0) > (all[best] ?? 0) ? id : best));
  }
  const [last = 0, before = 0] = [timeline.at(-1), timeline.at(-2)];
  if (last === 256) return 0x99;
  if (last === 0x99 && before === 256) return 0x82;
  if (last === 257) return 0xa2;
  if (last === 0xc3) return 0xa9;
  const choice = timeline.reduce((sum, id) => mixed(sum ^ id), timeline.length) % 100;
  if (choice < 10) return 256;
  if (choice < 20) return 257;
  if (choice < 30) return 0xc3;
  if (choice < 40) return 258 + (choice % 7);
  if (choice === 40) return STOP_ID;
  if (choice === 41) return SPECIAL_ID;
  return 97 + (choice % 26);
}

/** What the model says behind a prompt. */
export function expectedIds(prompt: readonly number[], maxTokens: number): number[] {
  const timeline = [...prompt];
  while (timeline.length - prompt.length < maxTokens) {
    timeline.push(nextId(timeline));
    if (timeline.at(-1) === STOP_ID) break;
  }
  return timeline.slice(prompt.length);
}

export type Kind = "vllm" | "vllm-tokens" | "sglang" | "sglang-incremental" | "llama";

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

type Asked = {
  readonly prompt: readonly number[];
  readonly maxTokens: number;
  readonly stopIds: readonly number[];
  readonly isStream: boolean;
  readonly top: number | null;
  readonly allowed: readonly number[] | undefined;
  readonly hasGrammar: boolean;
  readonly fields: Record<string, unknown>;
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

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
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

type Finish = "stop" | "length" | null;
/** The events of one token, or where the answer is no stream the answer so far. */
type Speaker = (id: number, said: readonly number[], finish: Finish) => Iterable<object>;

const SPEAKERS: Readonly<Record<Kind, (asked: Asked, tells: boolean) => Speaker>> = {
  vllm: vllmSpeaker,
  "vllm-tokens": vllmSpeaker,
  sglang: (asked, tells) => sglangSpeaker(asked, tells, false),
  "sglang-incremental": (asked, tells) => sglangSpeaker(asked, tells, true),
  llama: llamaSpeaker,
};

function vllmSpeaker({ prompt, top, isStream }: Asked, tells: boolean): Speaker {
  const usage = { prompt_tokens: prompt.length };
  return function* (id, said, finish) {
    const ids = isStream ? [id] : said;
    const from = prompt.length + said.length - ids.length;
    const timeline = [...prompt, ...said];
    yield {
      choices: [
        {
          index: 0,
          text: "…",
          token_ids: ids,
          ...(said.length === 1 && isStream && { prompt_token_ids: prompt }),
          logprobs:
            top === null || !tells
              ? null
              : {
                  tokens: ids.map((one) => `token_id:${one}`),
                  token_logprobs: ids.map(() => -0.5),
                  top_logprobs: ids.map((_, at) =>
                    Object.fromEntries(
                      likeliest(timeline.slice(0, from + at), top).map(([one, logprob]) => [
                        `token_id:${one}`,
                        logprob,
                      ]),
                    ),
                  ),
                },
          finish_reason: finish,
          stop_reason: finish === "stop" ? id : null,
        },
      ],
      usage,
    };
    if (finish !== null && isStream) yield { choices: [], usage };
  };
}

function sglangSpeaker({ prompt, top }: Asked, tells: boolean, isIncremental: boolean): Speaker {
  return function* (id, said, finish) {
    yield {
      text: "…",
      output_ids: isIncremental ? [id] : said,
      meta_info: {
        prompt_tokens: prompt.length,
        completion_tokens: said.length,
        finish_reason:
          finish === null
            ? null
            : finish === "stop"
              ? { type: "stop", matched: id }
              : { type: "length", length: said.length },
        ...(top !== null &&
          tells && {
            output_token_logprobs: said.map((one) => [-0.5, one, null]),
            output_top_logprobs: said.map((_, at) =>
              likeliest([...prompt, ...said.slice(0, at)], top).map(([one, logprob]) => [
                logprob,
                one,
                null,
              ]),
            ),
          }),
      },
    };
  };
}

/** Text is held back until its characters are whole, and what is held back tells no ids. */
function llamaSpeaker({ prompt, top, isStream }: Asked, tells: boolean): Speaker {
  let held: Uint8Array = new Uint8Array();
  return function* (id, said, finish) {
    const probabilities = (at: number): object => ({
      id: said[at],
      logprob: -0.5,
      top_logprobs: likeliest([...prompt, ...said.slice(0, at)], top ?? 0).map(
        ([one, logprob]) => ({
          id: one,
          logprob,
        }),
      ),
    });
    const places = isStream ? [said.length - 1] : said.map((_, at) => at);
    const common = {
      tokens_predicted: said.length,
      tokens_evaluated: prompt.length,
      ...(top !== null && tells && { completion_probabilities: places.map(probabilities) }),
    };
    const ending = { stop: true, stop_type: finish === "stop" ? "eos" : "limit" };
    if (!isStream) {
      yield { content: "…", tokens: said, ...common, ...ending };
      return;
    }
    held = Buffer.concat([held, TEXTS[id] ?? new Uint8Array()]);
    if (!isCut(held)) {
      yield { content: Buffer.from(held).toString("utf8"), tokens: [id], stop: false, ...common };
      held = new Uint8Array();
    }
    if (finish !== null) yield { content: "", tokens: [], ...common, ...ending };
  };
}

/** Whether a text ends within a character. */
function isCut(bytes: Uint8Array): boolean {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back;
  }
  return false;
}

function likeliest(timeline: readonly number[], count: number): readonly [number, number][] {
  const chosen = nextId(timeline);
  const others = scores(timeline)
    .map((score, id): [number, number] => [id, Math.log(score) - 3])
    .filter(([id]) => id !== chosen)
    .sort((a, b) => b[1] - a[1]);
  return [[chosen, -0.5], ...others].slice(0, Math.max(1, count)) as [number, number][];
}

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
