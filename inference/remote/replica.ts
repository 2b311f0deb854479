/** One server that computes, as it was found when it was connected to. */
import type { TokenLogprobs } from "../engine.ts";
import { GrammarRecord } from "./grammars/grammar-record.ts";
import type { GrammarNotation } from "./grammars/notation.ts";
import { type EngineClient, type EngineRequest, PassingFailure } from "./http.ts";
import { eventData } from "./lines.ts";
import {
  type AnswerPart,
  type AnswerReader,
  type Fields,
  idsOf,
  isFields,
  isId,
  type Protocol,
  type RemoteToken,
  type TokenRequest,
} from "./protocol.ts";

/** What a server was seen to do. */
export type RemoteCapabilities = {
  /** It takes token ids, and counts as many as it was given. */
  readonly idsIn: boolean;
  readonly idsOut: boolean;
  /**
   * Streams tell each id, or that one is missing. Where they do not, answers are asked for in blocks that come whole.
   */
  readonly exactStreams: boolean;
  /** It tells probabilities by ids. */
  readonly logprobs: boolean;
  /** It takes the ids that may come. */
  readonly allowedIds: boolean;
  /** How it wants a grammar of an answer to be written, where it was seen to keep one. */
  readonly grammars: GrammarNotation | null;
  /** Whether a seed counts. `position`: each place of the timeline draws its own number from it. */
  readonly seed: "none" | "request" | "position";
  /** Requests may say which of them begin alike. */
  readonly cacheKey: boolean;
  /** It turns texts into ids. */
  readonly tokenizes: boolean;
};

export type ReplicaFacts = {
  readonly client: EngineClient;
  readonly protocol: Protocol;
  readonly model: string | null;
  /** Tokens; null where the server does not say. */
  readonly contextLength: number | null;
  /** Rows; null where the server does not say. */
  readonly vocabSize: number | null;
  readonly capabilities: RemoteCapabilities;
};

/** Tokens of an answer that comes whole, where streams are not exact. */
const BLOCK_TOKENS = 16;

export class Replica {
  readonly client: EngineClient;
  readonly protocol: Protocol;
  readonly model: string | null;
  readonly capabilities: RemoteCapabilities;
  readonly facts: ReplicaFacts;
  readonly grammarRecord: GrammarRecord = new GrammarRecord();
  /** Requests that run. */
  active = 0;
  /** Takes no new requests. */
  isDrained = false;
  /** Failures in a row. */
  failures = 0;
  /** Milliseconds of `performance.now()` until which it is asked only where no other is left. */
  restsUntil = 0;
  /** Settles when nothing runs; set by who waits for that. */
  onIdle: (() => void) | null = null;

  constructor(facts: ReplicaFacts) {
    this.facts = facts;
    this.client = facts.client;
    this.protocol = facts.protocol;
    this.model = facts.model;
    this.capabilities = facts.capabilities;
  }

  /** Host and path, without what may be a key. */
  get name(): string {
    return `${this.client.base.host}${this.client.base.pathname.replace(/\/$/, "")}`;
  }

  /**
   * The parts of an answer, as a stream where that is exact. Leaving the loop ends the computation at the server.
   * @param isWhole wants an answer that comes whole, and so tells all ids
   * @throws PassingFailure, RemoteEngineError; the signal's reason
   */
  async *answer(
    request: Omit<TokenRequest, "model" | "isStream">,
    isWhole: boolean,
    signal: AbortSignal,
  ): AsyncGenerator<AnswerPart, void, void> {
    const isStream = this.capabilities.exactStreams && !isWhole;
    const maxTokens =
      isStream || isWhole ? request.maxTokens : Math.min(BLOCK_TOKENS, request.maxTokens);
    yield* ask(
      this.client,
      this.protocol,
      { ...request, maxTokens, model: this.model, isStream },
      signal,
    );
  }

  /** @returns null where the server does not tokenise */
  async tokenize(text: string, signal?: AbortSignal): Promise<readonly number[] | null> {
    const { client, protocol, model } = this;
    return (await tokenize(client, protocol, model, text, signal))?.ids ?? null;
  }

  /** The text of ids. @returns null where the server does not tell */
  async detokenize(tokens: readonly number[], signal?: AbortSignal): Promise<string | null> {
    const { client, model } = this;
    const body = { ...(model !== null && { model }), tokens };
    const value = await optionalJson(client, { method: "POST", path: "/detokenize", body, signal });
    // As llama-server, vLLM and SGLang call it.
    const text = value?.["content"] ?? value?.["prompt"] ?? value?.["text"];
    return typeof text === "string" ? text : null;
  }
}

/** @throws as `Replica.answer` */
export async function* ask(
  client: EngineClient,
  protocol: Protocol,
  request: TokenRequest,
  signal: AbortSignal | undefined,
  reader: AnswerReader = protocol.reader(client, request.isStream),
): AsyncGenerator<AnswerPart, void, void> {
  const asked = {
    method: "POST",
    path: protocol.path,
    body: protocol.body(request),
    signal,
  } as const;
  if (!request.isStream) {
    const part = reader.read(objectOf(await client.json(asked), client));
    yield part;
    if (part.end === null) throw cutOff(client);
    return;
  }
  const answer = await client.expect(asked);
  let hasEnded = false;
  for await (const data of eventData(answer.chunks())) {
    if (data === "[DONE]") break;
    const part = reader.read(objectOf(parsed(data, client), client));
    hasEnded ||= part.end !== null;
    yield part;
  }
  if (!hasEnded) throw cutOff(client);
}

/** All tokens of a short answer that comes whole. @throws as `Replica.answer` */
export async function wholeTokens(
  parts: AsyncIterable<AnswerPart>,
): Promise<readonly RemoteToken[]> {
  const tokens: RemoteToken[] = [];
  for await (const part of parts) tokens.push(...part.tokens);
  return tokens;
}

/** Probabilities of the first token. */
export function firstLogprobs(tokens: readonly RemoteToken[]): TokenLogprobs | null {
  return tokens[0]?.logprobs ?? null;
}

/** @returns null where the server does not tokenise */
export async function tokenize(
  client: EngineClient,
  protocol: Protocol,
  model: string | null,
  text: string,
  signal?: AbortSignal,
): Promise<{ readonly ids: readonly number[]; readonly contextLength: number | null } | null> {
  const body = protocol.tokenizeBody(model, text);
  const value = await optionalJson(client, { method: "POST", path: "/tokenize", body, signal });
  const ids = idsOf(value?.["tokens"]);
  if (ids === null) return null;
  const longest = value?.["max_model_len"];
  return { ids, contextLength: isId(longest) && longest > 0 ? longest : null };
}

/** @returns null for another status than 200, and for what is no JSON object */
async function optionalJson(client: EngineClient, request: EngineRequest): Promise<Fields | null> {
  const answer = await client.send(request);
  if (answer.status !== 200) {
    answer.cancel();
    return null;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer.chunks()) {
    length += chunk.byteLength;
    if (length > MOST_OPTIONAL_BYTES) return null;
    chunks.push(chunk);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    return isFields(value) ? value : null;
  } catch {
    return null;
  }
}

/** Of an answer about some ids or a short text. */
const MOST_OPTIONAL_BYTES = 1 << 20;

function parsed(data: string, client: EngineClient): unknown {
  try {
    return JSON.parse(data);
  } catch {
    throw new PassingFailure(`${client.base.host} sends an event that is no JSON`);
  }
}

function objectOf(value: unknown, client: EngineClient): Fields {
  // SGLang answers a list of prompts with a list; a list of one is one.
  const one = Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (isFields(one)) return one;
  throw client.error("CHORALE_ENGINE_PROTOCOL", "answers with JSON that is no object");
}

function cutOff(client: EngineClient): PassingFailure {
  return new PassingFailure(`${client.base.host}: the answer was cut off`);
}
