/** How one kind of server takes token ids and gives them: its request, and how its answer is read. */
import type { Sampling, TokenLogprob, TokenLogprobs } from "../engine.ts";
import type { GrammarNotation, ServerGrammar } from "./grammars/notation.ts";
import type { EngineClient } from "./http.ts";

export type TokenRequest = {
  /** As the server calls it; null where it has one model. */
  readonly model: string | null;
  readonly prompt: readonly number[];
  readonly maxTokens: number;
  readonly stopIds: readonly number[];
  readonly sampling: Sampling;
  /** How many of the likeliest ids are told beside each; null: none, and no probabilities. */
  readonly topLogprobs: number | null;
  /** The only ids that may come; null: all. */
  readonly allowedIds: readonly number[] | null;
  /** What the answer has to be; null: anything. */
  readonly grammar: ServerGrammar | null;
  /** Requests with the same text are likely to begin alike. */
  readonly cacheKey: string | null;
  /** false: the prompt is computed anew, where a server can be told so. Default: what it has of it is used. */
  readonly usesCache?: boolean;
  readonly isStream: boolean;
};

export type RemoteToken = {
  readonly id: number;
  readonly logprobs: TokenLogprobs | null;
};

export type AnswerEnd = {
  readonly reason: "stop" | "length";
  /** The stop id, where the server names it apart from the ids. */
  readonly stopId: number | null;
};

/** What one piece of an answer brings. */
export type AnswerPart = {
  /** Ids that the server sampled before `tokens`, and does not tell. */
  readonly lost: number;
  readonly tokens: readonly RemoteToken[];
  /** Text of the lost ids and of `tokens` together; null where it is not needed. */
  readonly text: string | null;
  readonly end: AnswerEnd | null;
};

/** Reads the pieces of one answer, in order. */
export interface AnswerReader {
  /**
   * Tokens of the prompt as the server counted them, or its ids; null where it has not said. By it is known that a
   * server takes ids as ids.
   */
  readonly promptTokens: number | null;
  /**
   * One event of a stream, or the whole answer.
   * @throws PassingFailure for an error within the answer; RemoteEngineError for another shape
   */
  read(piece: Fields): AnswerPart;
}

/** A JSON object of a server, of which nothing is known. */
export type Fields = { readonly [name: string]: unknown };

export type ProtocolName = "chorale" | "vllm" | "sglang" | "llama";

export interface Protocol {
  readonly name: ProtocolName;
  /** For people. */
  readonly title: string;
  /** Ports that its server listens at where nothing else is said. */
  readonly ports: readonly number[];
  /** Where requests go. */
  readonly path: string;
  /** Whether it takes the ids that may come (`allowedIds`). */
  readonly takesAllowedIds: boolean;
  /** How it wants a grammar to be written; null: it takes none. */
  readonly grammars: GrammarNotation | null;
  /** Most of the likeliest ids that it tells. */
  readonly mostLogprobs: number;
  /** Whether a seed counts. `position`: each place of the timeline draws its own number from it, as our engine does. */
  readonly seed: "none" | "request" | "position";
  body(request: TokenRequest): object;
  reader(client: EngineClient, isStream: boolean): AnswerReader;
  /** Body for `/tokenize`. */
  tokenizeBody(model: string | null, text: string): object;
  /** Probabilities behind each id of a prompt with one request to `path`; absent where the server has none for that. */
  readonly promptLogprobs?: PromptLogprobsRequest;
}

export type PromptLogprobsRequest = {
  /** @param top  how many of the likeliest ids are told behind each id */
  body(model: string | null, prompt: readonly number[], top: number): object;
  /** @returns the likeliest behind each id of the prompt, likeliest first; null for another shape */
  read(answer: Fields): readonly (readonly TokenLogprob[])[] | null;
};

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @returns null for what is no list of ids */
export function idsOf(value: unknown): readonly number[] | null {
  return Array.isArray(value) && value.every(isId) ? value : null;
}

export function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** @returns null unless both are numbers as they should be */
export function logprobOf(id: unknown, logprob: unknown): TokenLogprob | null {
  return isId(id) && typeof logprob === "number" ? { id, logprob } : null;
}

/** Likeliest first. */
export function sortedLogprobs(found: readonly (TokenLogprob | null)[]): readonly TokenLogprob[] {
  return found.filter((one) => one !== null).sort((a, b) => b.logprob - a.logprob);
}
