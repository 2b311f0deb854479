/** SGLang: `/generate` with `input_ids`. */
import type { TokenLogprob, TokenLogprobs } from "../engine.ts";
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
} from "./protocol.ts";

export const sglang: Protocol = {
  name: "sglang",
  title: "SGLang",
  ports: [30_000],
  path: "/generate",
  takesAllowedIds: false,
  grammars: "xgrammar",
  mostLogprobs: 4096,
  seed: "none",
  body: ({ prompt, maxTokens, stopIds, sampling, topLogprobs, grammar, isStream }) => ({
    input_ids: prompt,
    sampling_params: {
      max_new_tokens: maxTokens,
      temperature: sampling.temperature,
      top_p: sampling.topP,
      top_k: sampling.topK || -1,
      min_p: sampling.minP ?? 0,
      repetition_penalty: sampling.repetitionPenalty ?? 1,
      presence_penalty: sampling.presencePenalty ?? 0,
      frequency_penalty: sampling.frequencyPenalty ?? 0,
      stop_token_ids: stopIds,
      skip_special_tokens: false,
      spaces_between_special_tokens: false,
      no_stop_trim: true,
      ...(grammar?.type === "ebnf" && { ebnf: grammar.text }),
      ...(grammar?.type === "structural_tag" && { structural_tag: grammar.text }),
    },
    stream: isStream,
    ...(topLogprobs !== null && {
      return_logprob: true,
      logprob_start_len: -1,
      top_logprobs_num: topLogprobs,
    }),
  }),
  reader: (client) => new GenerateReader(client),
  tokenizeBody: (_, prompt) => ({ prompt, add_special_tokens: false }),
  promptLogprobs: {
    body: (_, prompt, top) => ({
      input_ids: prompt,
      sampling_params: { max_new_tokens: 1, temperature: 0 },
      return_logprob: true,
      logprob_start_len: 0,
      top_logprobs_num: top,
      stream: false,
    }),
    read: promptLogprobs,
  },
};

/** What was likely in the place of each id of the prompt, null for the first, then in that of the answer. */
function promptLogprobs({ meta_info: meta }: Fields): readonly (readonly TokenLogprob[])[] | null {
  if (!isFields(meta) || !Array.isArray(meta["input_top_logprobs"])) return null;
  const [, ...places] = meta["input_top_logprobs"] as readonly unknown[];
  const [last] = listOf(meta["output_top_logprobs"]);
  return [...places, last].map(likeliestOf);
}

/** @param told  lists of `[logprob, id, text]` */
function likeliestOf(told: unknown): readonly TokenLogprob[] {
  return sortedLogprobs(listOf(told).map((one) => logprobOf(listOf(one)[1], listOf(one)[0])));
}

class GenerateReader implements AnswerReader {
  promptTokens: number | null = null;
  readonly #client: EngineClient;
  #received = 0;
  #lastId: number | null = null;

  constructor(client: EngineClient) {
    this.#client = client;
  }

  read(piece: Fields): AnswerPart {
    const { error, output_ids: outputIds, meta_info: meta } = piece;
    if (error !== undefined && error !== null) {
      throw new PassingFailure(
        `${this.#client.base.host} fails${errorText(JSON.stringify(piece))}`,
      );
    }
    const told = idsOf(outputIds);
    if (told === null || !isFields(meta)) {
      throw this.#client.error(
        "CHORALE_ENGINE_PROTOCOL",
        "answers without output_ids and meta_info; accepted: the shape of SGLang's /generate",
      );
    }
    if (isId(meta["prompt_tokens"])) this.promptTokens = meta["prompt_tokens"];
    const total = isId(meta["completion_tokens"]) ? meta["completion_tokens"] : told.length;
    // All ids of the answer so far, or with the server's incremental mode those since the last piece.
    const isCumulative = told.length >= total;
    const fresh = isCumulative ? told.slice(this.#received) : told;
    // The last id of an answer may be left out of the count.
    const lost = isCumulative ? 0 : Math.max(0, total - this.#received - fresh.length);
    const first = this.#received + lost;
    const tokens = fresh.map((id, at) => ({
      id,
      logprobs: logprobsAt(meta, isCumulative ? first + at : at, first + at, id),
    }));
    this.#received += lost + fresh.length;
    this.#lastId = fresh.at(-1) ?? this.#lastId;
    return { lost, tokens, text: null, end: this.#end(meta["finish_reason"]) };
  }

  #end(finish: unknown): AnswerEnd | null {
    if (!isFields(finish)) return null;
    const { type, matched } = finish;
    if (type !== "stop" && type !== "length") {
      throw new PassingFailure(
        `${this.#client.base.host} ended the answer with ${String(type).slice(0, 40)}`,
      );
    }
    const stopId = type === "stop" && isId(matched) ? matched : null;
    return { reason: type, stopId: stopId === this.#lastId ? null : stopId };
  }
}

/** Lists of `[logprob, id, text]`, cumulative in most versions: the place is the one that names the id. */
function logprobsAt(meta: Fields, at: number, place: number, id: number): TokenLogprobs | null {
  const own = listOf(meta["output_token_logprobs"]);
  const top = listOf(meta["output_top_logprobs"]);
  for (const index of at === place ? [place] : [at, place]) {
    const [logprob, named] = listOf(own[index]);
    if (named !== id || typeof logprob !== "number") continue;
    return { id, logprob, top: likeliestOf(top[index]) };
  }
  return null;
}
