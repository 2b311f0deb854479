/**
 * vLLM, and Chorale's own server, which speaks as vLLM does: `/v1/completions` with ids in and out
 * (`return_token_ids`), or vLLM's endpoint of ids alone (`/inference/v1/generate`), which newer versions have.
 */
import type { Sampling, TokenLogprob, TokenLogprobs } from "../engine.ts";
import { type EngineClient, errorText, PassingFailure } from "./http.ts";
import {
  type AnswerEnd,
  type AnswerPart,
  type AnswerReader,
  type Fields,
  idsOf,
  isFields,
  isId,
  listOf,
  logprobOf,
  type Protocol,
  sortedLogprobs,
  type TokenRequest,
} from "./protocol.ts";

const common = {
  takesAllowedIds: true,
  grammars: "xgrammar",
  mostLogprobs: 20,
  reader: (client: EngineClient): AnswerReader => new CompletionReader(client),
  tokenizeBody: (model: string | null, prompt: string): object => ({
    ...(model !== null && { model }),
    prompt,
    add_special_tokens: false,
  }),
} as const;

export const vllm: Protocol = {
  ...common,
  name: "vllm",
  title: "vLLM",
  ports: [8000],
  path: "/v1/completions",
  seed: "request",
  body: completionBody,
  promptLogprobs: { body: promptLogprobsBody, read: promptLogprobs },
};

/** vLLM where its completions give no ids. */
const { promptLogprobs: _, ...vllmWithoutPrompts } = vllm;
export const vllmTokens: Protocol = {
  ...vllmWithoutPrompts,
  title: "vLLM (endpoint of ids)",
  path: "/inference/v1/generate",
  body: (request) => ({
    ...(request.model !== null && { model: request.model }),
    token_ids: request.prompt,
    stream: request.isStream,
    sampling_params: {
      ...samplingFields(request.sampling),
      max_tokens: request.maxTokens,
      stop_token_ids: request.stopIds,
      ...(request.topLogprobs !== null && { logprobs: request.topLogprobs }),
      ...(request.allowedIds !== null && { allowed_token_ids: request.allowedIds }),
      ...structuredOutputs(request),
    },
  }),
};

export const chorale: Protocol = {
  ...common,
  grammars: null,
  name: "chorale",
  title: "Chorale",
  ports: [11434],
  path: "/v1/completions",
  seed: "position",
  body: (request) => ({
    ...completionBody(request),
    ...(request.cacheKey !== null && { prompt_cache_key: request.cacheKey }),
  }),
};

function completionBody(request: TokenRequest): object {
  const { model, prompt, maxTokens, stopIds, sampling, topLogprobs, allowedIds } = request;
  return {
    ...(model !== null && { model }),
    prompt,
    max_tokens: maxTokens,
    ...samplingFields(sampling),
    stop_token_ids: stopIds,
    return_token_ids: true,
    // Without these the text would not have the special tokens; it is not read, but stop ids are part of it.
    skip_special_tokens: false,
    spaces_between_special_tokens: false,
    include_stop_str_in_output: true,
    add_special_tokens: false,
    ...(topLogprobs !== null && { logprobs: topLogprobs, return_tokens_as_token_ids: true }),
    ...(allowedIds !== null && { allowed_token_ids: allowedIds }),
    ...structuredOutputs(request),
    stream: request.isStream,
    ...(request.isStream && { stream_options: { include_usage: true } }),
  };
}

function promptLogprobsBody(model: string | null, prompt: readonly number[], top: number): object {
  return {
    ...(model !== null && { model }),
    prompt,
    max_tokens: 1,
    temperature: 0,
    prompt_logprobs: top,
    logprobs: top,
    return_tokens_as_token_ids: true,
    return_token_ids: true,
    add_special_tokens: false,
    stream: false,
  };
}

/**
 * `prompt_logprobs` has for each id of the prompt what was likely in its place, and null for the first: behind the last
 * id comes the token of the answer.
 */
function promptLogprobs({ choices }: Fields): readonly (readonly TokenLogprob[])[] | null {
  const [choice] = listOf(choices);
  if (!isFields(choice) || !Array.isArray(choice["prompt_logprobs"])) return null;
  const [, ...places] = choice["prompt_logprobs"] as readonly unknown[];
  const logprobs = isFields(choice["logprobs"]) ? choice["logprobs"] : {};
  const last = listOf(logprobs["top_logprobs"])[0];
  const prompt = places.map((place) =>
    Object.entries(isFields(place) ? place : {}).map(([id, told]) =>
      logprobOf(Number(id), isFields(told) ? told["logprob"] : told),
    ),
  );
  const answer = Object.entries(isFields(last) ? last : {}).map(([name, logprob]) =>
    logprobOf(idNamed(name), logprob),
  );
  return [...prompt, answer].map(sortedLogprobs);
}

function structuredOutputs({ grammar }: TokenRequest): object {
  switch (grammar?.type) {
    case "ebnf":
      return { structured_outputs: { grammar: grammar.text } };
    case "structural_tag":
      return { structured_outputs: { structural_tag: grammar.text } };
    default:
      return {};
  }
}

function samplingFields(sampling: Sampling): object {
  return {
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: sampling.topK || -1,
    min_p: sampling.minP ?? 0,
    repetition_penalty: sampling.repetitionPenalty ?? 1,
    presence_penalty: sampling.presencePenalty ?? 0,
    frequency_penalty: sampling.frequencyPenalty ?? 0,
    seed: sampling.seed,
  };
}

class CompletionReader implements AnswerReader {
  promptTokens: number | null = null;
  readonly #client: EngineClient;
  #lastId: number | null = null;

  constructor(client: EngineClient) {
    this.#client = client;
  }

  read(piece: Fields): AnswerPart {
    const { error, choices, usage } = piece;
    if (error !== undefined && error !== null) {
      throw new PassingFailure(
        `${this.#client.base.host} fails${errorText(JSON.stringify(piece))}`,
      );
    }
    if (isFields(usage) && isId(usage["prompt_tokens"])) {
      this.promptTokens = usage["prompt_tokens"];
    }
    const [choice] = listOf(choices);
    if (!isFields(choice)) return { lost: 0, tokens: [], text: null, end: null };
    const promptIds = idsOf(choice["prompt_token_ids"] ?? piece["prompt_token_ids"]);
    if (promptIds !== null) this.promptTokens = promptIds.length;
    const finish = choice["finish_reason"];
    const ids = idsOf(choice["token_ids"] ?? []);
    if (ids === null || (finish != null && typeof finish !== "string")) {
      throw this.#client.error(
        "CHORALE_ENGINE_PROTOCOL",
        "answers with a choice of another shape; accepted: token_ids, a list of integers",
      );
    }
    if (choice["token_ids"] == null && choice["text"]) {
      throw this.#client.error(
        "CHORALE_ENGINE_PROTOCOL",
        "gives text without token_ids; accepted: a server that knows return_token_ids",
      );
    }
    const logprobs = isFields(choice["logprobs"]) ? choice["logprobs"] : null;
    const tokens = ids.map((id, at) => ({ id, logprobs: logprobsAt(logprobs, at, id) }));
    this.#lastId = ids.at(-1) ?? this.#lastId;
    return { lost: 0, tokens, text: null, end: this.#end(finish, choice["stop_reason"]) };
  }

  #end(finish: string | null | undefined, stopReason: unknown): AnswerEnd | null {
    if (finish == null) return null;
    if (finish !== "stop" && finish !== "length") {
      // `abort`, `error`: the server gave it up.
      throw new PassingFailure(
        `${this.#client.base.host} ended the answer with ${finish.slice(0, 40)}`,
      );
    }
    const stopId = finish === "stop" && isId(stopReason) ? stopReason : null;
    return { reason: finish, stopId: stopId === this.#lastId ? null : stopId };
  }
}

/** @param logprobs OpenAI's lists, in which tokens are named by their ids: `token_id:200005` */
function logprobsAt(logprobs: Fields | null, at: number, id: number): TokenLogprobs | null {
  if (logprobs === null) return null;
  const logprob = listOf(logprobs["token_logprobs"])[at];
  const name = listOf(logprobs["tokens"])[at];
  if (typeof logprob !== "number" || idNamed(name) !== id) return null;
  const top = listOf(logprobs["top_logprobs"])[at];
  const found = Object.entries(isFields(top) ? top : {});
  return {
    id,
    logprob,
    top: sortedLogprobs(found.map(([key, value]) => logprobOf(idNamed(key), value))),
  };
}

function idNamed(name: unknown): number | null {
  const digits = typeof name === "string" ? /^token_id:(\d{1,9})$/.exec(name)?.[1] : undefined;
  return digits === undefined ? null : Number(digits);
}
