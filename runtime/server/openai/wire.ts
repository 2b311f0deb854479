/** The bodies of OpenAI's chat and text completions. */
import type { Sampling } from "../../../inference/index.ts";
import type { OutputOptions } from "../../index.ts";
import { invalidField } from "../errors.ts";
import type { TurnToolChoice } from "../turn/run-turn.ts";
import { type ChatMessage, type ChatTool, chatMessage, chatTool } from "../wire/chat.ts";
import type { Fields, Schema } from "../wire/check.ts";
import { count, MAX_STOPS, seed, within } from "../wire/numbers.ts";
import { JSON_OBJECT, schemaOutput } from "../wire/output.ts";
import {
  array,
  boolean,
  integer,
  maxLength,
  maxValue,
  minValue,
  nullish,
  number,
  object,
  pipe,
  string,
  union,
  unknown,
} from "../wire/valibot.ts";

type Sampled = Fields<{
  model: string;
  stream: boolean;
  stream_options: Fields<{ include_usage: boolean }>;
  max_tokens: number;
  temperature: number;
  top_p: number;
  top_k: number;
  min_p: number;
  repetition_penalty: number;
  presence_penalty: number;
  frequency_penalty: number;
  seed: number;
  stop: string | readonly string[];
  n: number;
  prompt_cache_key: string;
}>;

type ResponseFormat = { readonly type: string } & Fields<{
  json_schema: Fields<{ schema: unknown }>;
}>;

export type ChatBody = Sampled & { readonly messages: readonly ChatMessage[] } & Fields<{
    tools: readonly ChatTool[];
    tool_choice: unknown;
    max_completion_tokens: number;
    reasoning_effort: string;
    reasoning: Fields<{ effort: string; exclude: boolean }>;
    response_format: ResponseFormat;
  }>;

export type CompletionBody = Sampled & {
  readonly prompt: string | readonly number[] | readonly string[] | readonly (readonly number[])[];
} & Fields<{
    suffix: string;
    echo: boolean;
    logprobs: boolean | number;
    // vLLM's, for clients that render prompts themselves.
    return_token_ids: boolean;
    skip_special_tokens: boolean;
    stop_token_ids: readonly number[];
    allowed_token_ids: readonly number[];
    return_tokens_as_token_ids: boolean;
    ignore_eos: boolean;
  }>;

export type GenerateIdsBody = { readonly token_ids: readonly number[] } & Fields<{
  request_id: string;
  model: string;
  stream: boolean;
  cache_salt: string;
  sampling_params: Omit<Sampled, "model" | "stream"> &
    Fields<{ stop_token_ids: readonly number[]; ignore_eos: boolean; logprobs: number }>;
}>;

export type TokenizeBody = Fields<{
  model: string;
  prompt: string;
  content: string;
  add_special_tokens: boolean;
}>;

export type DetokenizeBody = { readonly tokens: readonly number[] } & Fields<{ model: string }>;

const sampling = {
  max_tokens: count(0),
  temperature: within(0, 100),
  top_p: within(0, 1),
  // Of vLLM and others.
  top_k: count(-1),
  min_p: within(0, 1),
  repetition_penalty: within(0.01, 100),
  presence_penalty: within(-100, 100),
  frequency_penalty: within(-100, 100),
  seed,
};

const sampled = {
  ...sampling,
  model: nullish(string()),
  stream: nullish(boolean()),
  stream_options: nullish(object({ include_usage: nullish(boolean()) })),
  stop: nullish(union([string(), pipe(array(string()), maxLength(MAX_STOPS))])),
  n: nullish(number()),
  prompt_cache_key: nullish(string()),
};

export const chatBody: Schema<ChatBody> = object({
  ...sampled,
  messages: array(chatMessage),
  tools: nullish(array(chatTool)),
  tool_choice: nullish(unknown()),
  max_completion_tokens: count(0),
  reasoning_effort: nullish(string()),
  reasoning: nullish(object({ effort: nullish(string()), exclude: nullish(boolean()) })),
  response_format: nullish(
    object({
      type: string(),
      json_schema: nullish(object({ schema: nullish(unknown()) })),
    }),
  ),
});

const ids = array(pipe(number(), integer(), minValue(0)));

export const completionBody: Schema<CompletionBody> = object({
  ...sampled,
  prompt: union([string(), ids, array(string()), array(ids)]),
  suffix: nullish(string()),
  echo: nullish(boolean()),
  logprobs: nullish(union([boolean(), pipe(number(), integer(), minValue(0), maxValue(20))])),
  return_token_ids: nullish(boolean()),
  skip_special_tokens: nullish(boolean()),
  stop_token_ids: nullish(ids),
  allowed_token_ids: nullish(ids),
  return_tokens_as_token_ids: nullish(boolean()),
  ignore_eos: nullish(boolean()),
});

export const generateIdsBody: Schema<GenerateIdsBody> = object({
  request_id: nullish(string()),
  model: nullish(string()),
  token_ids: ids,
  stream: nullish(boolean()),
  cache_salt: nullish(string()),
  sampling_params: nullish(
    object({
      ...sampling,
      stop_token_ids: nullish(ids),
      ignore_eos: nullish(boolean()),
      logprobs: nullish(pipe(number(), integer(), minValue(0), maxValue(20))),
    }),
  ),
});

export const tokenizeBody: Schema<TokenizeBody> = object({
  model: nullish(string()),
  prompt: nullish(string()),
  content: nullish(string()),
  add_special_tokens: nullish(boolean()),
});

export const detokenizeBody: Schema<DetokenizeBody> = object({
  model: nullish(string()),
  tokens: ids,
});

/** @throws ServerError where there is none */
export function modelOf({ model }: Fields<{ model: string }>): string {
  if (model) return model;
  throw invalidField("model", "you must provide a model parameter");
}

/** What is given; temperature and top_p are 1 else, as OpenAI has them. */
export function samplingOf(body: Sampled): Partial<Sampling> {
  const { temperature, top_p, top_k, seed: chosenSeed } = body;
  const given = {
    temperature: temperature ?? 1,
    topP: top_p ?? 1,
    topK: top_k === -1 ? 0 : top_k,
    minP: body.min_p,
    repetitionPenalty: body.repetition_penalty,
    presencePenalty: body.presence_penalty,
    frequencyPenalty: body.frequency_penalty,
    seed: typeof chosenSeed === "number" ? Math.abs(chosenSeed) % 2 ** 32 : null,
  };
  const found = Object.entries(given).filter(([, value]) => typeof value === "number");
  return Object.fromEntries(found) as Partial<Sampling>;
}

/** null: what the context holds. */
export function maxTokensOf(
  body: Fields<{ max_tokens: number; max_completion_tokens: number }>,
): number | null {
  return body.max_completion_tokens || body.max_tokens || null;
}

export function stopOf(stop: string | readonly string[] | null | undefined): readonly string[] {
  return typeof stop === "string" ? [stop] : (stop ?? []);
}

export function responseFormat(format: ResponseFormat | null | undefined): OutputOptions | null {
  switch (format?.type) {
    case undefined:
    case "text":
      return null;
    case "json_object":
      return JSON_OBJECT;
    case "json_schema":
      return schemaOutput(format?.json_schema?.schema ?? {}, "response_format.json_schema.schema");
    default:
      throw invalidField(
        "response_format.type",
        `response_format.type is ${JSON.stringify(format?.type.slice(0, 40))}; accepted: text, json_object, json_schema.`,
      );
  }
}

export type WireToolChoice = {
  readonly choice: TurnToolChoice;
  /** The tools that it names. */
  readonly names: readonly string[];
};

/** `auto`, `none`, `required`, a function, or the functions that are allowed. @throws ServerError */
export function toolChoiceOf(choice: unknown): WireToolChoice {
  if (choice === null || choice === undefined) return { choice: "auto", names: [] };
  if (choice === "auto" || choice === "none" || choice === "required") {
    return { choice, names: [] };
  }
  if (choice === "any") return { choice: "required", names: [] };
  const given = choice as {
    type?: unknown;
    function?: { name?: unknown };
    allowed_tools?: { mode?: unknown; tools?: unknown };
  };
  if (typeof choice === "object" && given.type === "function") {
    const name = given.function?.name;
    if (typeof name === "string") return chosen("required", [name]);
  }
  if (typeof choice === "object" && given.type === "allowed_tools") {
    const { mode, tools } = given.allowed_tools ?? {};
    const names = (Array.isArray(tools) ? tools : []).map(
      (tool: { function?: { name?: unknown } } | null) => tool?.function?.name,
    );
    if (names.length > 0 && names.every((name) => typeof name === "string")) {
      return chosen(mode === "required" ? "required" : "auto", names);
    }
  }
  throw invalidField(
    "tool_choice",
    'tool_choice cannot be read; accepted: "none", "auto", "required", {"type": "function", "function": {"name"}}, {"type": "allowed_tools", "allowed_tools": {"mode", "tools"}}.',
  );
}

function chosen(mode: "auto" | "required", names: readonly string[]): WireToolChoice {
  return { choice: { mode, names: names.map((name) => ({ name })) }, names };
}
