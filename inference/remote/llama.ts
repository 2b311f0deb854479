/**
 * llama-server: `/completion` with ids. Its streams leave out the ids of a character that is not whole yet: the
 * count of tokens (`tokens_predicted`) tells that some are missing. It has no stop ids of a request; what ends a
 * message of gpt-oss ends its answers by itself, and any other is ended here.
 */
import type { TokenLogprobs } from "../engine.ts";
import type { ServerGrammar } from "./grammars/notation.ts";
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

export const llama: Protocol = {
  name: "llama",
  title: "llama-server",
  // Since version 0.7 it listens at the second.
  ports: [8080, 9931],
  path: "/completion",
  takesAllowedIds: false,
  grammars: "gbnf",
  // As many as the vocabulary has.
  mostLogprobs: 1 << 20,
  seed: "request",
  body: ({ prompt, maxTokens, sampling, topLogprobs, grammar, usesCache = true, isStream }) => ({
    prompt,
    n_predict: maxTokens,
    temperature: sampling.temperature,
    top_k: sampling.topK ?? 0,
    top_p: sampling.topP,
    min_p: sampling.minP ?? 0,
    repeat_penalty: sampling.repetitionPenalty ?? 1,
    repeat_last_n: sampling.penaltyWindow ?? 64,
    presence_penalty: sampling.presencePenalty ?? 0,
    frequency_penalty: sampling.frequencyPenalty ?? 0,
    // The server may have been started with others.
    dynatemp_range: 0,
    typical_p: 1,
    top_n_sigma: -1,
    xtc_probability: 0,
    dry_multiplier: 0,
    mirostat: 0,
    seed: sampling.seed,
    cache_prompt: usesCache,
    return_tokens: true,
    // Pieces that tell how far the prompt is read: a long one is not silence.
    return_progress: isStream,
    stream: isStream,
    // 0 tells none; the id's own probability comes with the first.
    ...(topLogprobs !== null && { n_probs: Math.max(1, topLogprobs) }),
    ...(grammar?.type === "gbnf" && grammarFields(grammar)),
  }),
  reader: (client, isStream) => new CompletionReader(client, isStream),
  tokenizeBody: (_, content) => ({ content, add_special: false, parse_special: false }),
};

/** `common_grammar_trigger_type` of llama.cpp: a regular expression. */
const PATTERN = 2;

function grammarFields({ text, triggers }: Extract<ServerGrammar, { type: "gbnf" }>): object {
  return {
    grammar: text,
    ...(triggers !== null && {
      grammar_lazy: true,
      grammar_triggers: [{ type: PATTERN, value: triggers.join("|") }],
    }),
  };
}

class CompletionReader implements AnswerReader {
  promptTokens: number | null = null;
  readonly #client: EngineClient;
  readonly #isStream: boolean;
  #received = 0;

  constructor(client: EngineClient, isStream: boolean) {
    this.#client = client;
    this.#isStream = isStream;
  }

  read(piece: Fields): AnswerPart {
    const { error, tokens: told = [], content, stop } = piece;
    if (error !== undefined && error !== null) {
      throw new PassingFailure(
        `${this.#client.base.host} fails${errorText(JSON.stringify(piece))}`,
      );
    }
    const predicted = piece["tokens_predicted"];
    const isProgress = isFields(piece["prompt_progress"]);
    // A piece that tells how far the prompt is read has the id 0 in the place of none.
    const ids = isProgress ? [] : idsOf(told);
    if (ids === null || (!isId(predicted) && !isProgress)) {
      throw this.#client.error(
        "CHORALE_ENGINE_PROTOCOL",
        "answers without tokens and tokens_predicted; accepted: the shape of llama-server's /completion",
      );
    }
    if (isId(piece["tokens_evaluated"])) this.promptTokens = piece["tokens_evaluated"];
    // An older server says nothing of the kind; the count within the last piece is of the whole answer.
    const total = isId(predicted) ? predicted : 0;
    const lost = Math.max(0, total - this.#received - ids.length);
    this.#received += lost + ids.length;
    const probabilities = listOf(piece["completion_probabilities"]);
    const tokens = ids.map((id, at) => ({ id, logprobs: logprobsOf(probabilities[at], id) }));
    const text = this.#isStream && typeof content === "string" ? content : null;
    return { lost, tokens, text, end: stop === true ? this.#end(piece["stop_type"]) : null };
  }

  #end(type: unknown): AnswerEnd {
    return { reason: type === "limit" ? "length" : "stop", stopId: null };
  }
}

function logprobsOf(told: unknown, id: number): TokenLogprobs | null {
  if (!isFields(told)) return null;
  const own = logprobOf(told["id"], told["logprob"]);
  if (own === null || own.id !== id) return null;
  const top = listOf(told["top_logprobs"]).map((one) =>
    isFields(one) ? logprobOf(one["id"], one["logprob"]) : null,
  );
  return { ...own, top: sortedLogprobs(top) };
}
