/** The bodies of Ollama's API. */
import type { ReasoningEffort } from "../../../harmony/index.ts";
import type { Sampling } from "../../../inference/index.ts";
import type { OutputOptions } from "../../index.ts";
import { keepAliveOf } from "../configuration.ts";
import { invalidField, ServerError } from "../errors.ts";
import { type ChatMessage, type ChatTool, chatMessage, chatTool } from "../wire/chat.ts";
import type { Fields, Schema } from "../wire/check.ts";
import { count, MAX_STOPS, seed, within } from "../wire/numbers.ts";
import { JSON_OBJECT, schemaOutput } from "../wire/output.ts";
import {
  array,
  boolean,
  integer,
  maxLength,
  minValue,
  nullish,
  number,
  object,
  pipe,
  string,
  union,
  unknown,
} from "../wire/valibot.ts";

export type OllamaOptions = Fields<{
  num_ctx: number;
  /** -1: no limit, -2: what the context holds. */
  num_predict: number;
  seed: number;
  temperature: number;
  top_k: number;
  top_p: number;
  min_p: number;
  repeat_penalty: number;
  repeat_last_n: number;
  presence_penalty: number;
  frequency_penalty: number;
  stop: string | readonly string[];
}>;

type Shared = Fields<{
  model: string;
  stream: boolean;
  keep_alive: string | number;
  format: unknown;
  options: OllamaOptions;
  think: boolean | string;
  truncate: boolean;
  top_logprobs: number;
}>;

export type ChatBody = Shared &
  Fields<{ messages: readonly ChatMessage[]; tools: readonly ChatTool[] }>;

export type GenerateBody = Shared &
  Fields<{
    prompt: string;
    suffix: string;
    system: string;
    template: string;
    context: readonly number[];
    raw: boolean;
    images: readonly unknown[];
  }>;

/** `name` is what older clients call the model. */
export type NamedBody = Fields<{
  model: string;
  name: string;
  stream: boolean;
  insecure: boolean;
}>;

export type CopyBody = Fields<{ source: string; destination: string }>;

const shared = {
  model: nullish(string()),
  stream: nullish(boolean()),
  keep_alive: nullish(union([string(), number()])),
  format: nullish(unknown()),
  options: nullish(
    object({
      num_ctx: count(0),
      num_predict: count(-2),
      seed,
      temperature: within(0, 100),
      top_k: count(-1),
      top_p: within(0, 1),
      min_p: within(0, 1),
      repeat_penalty: within(0.01, 100),
      repeat_last_n: count(-1),
      presence_penalty: within(-100, 100),
      frequency_penalty: within(-100, 100),
      stop: nullish(union([string(), pipe(array(string()), maxLength(MAX_STOPS))])),
    }),
  ),
  think: nullish(union([boolean(), string()])),
  truncate: nullish(boolean()),
  top_logprobs: nullish(number()),
};

export const chatBody: Schema<ChatBody> = object({
  ...shared,
  messages: nullish(array(chatMessage)),
  tools: nullish(array(chatTool)),
});

export const generateBody: Schema<GenerateBody> = object({
  ...shared,
  prompt: nullish(string()),
  suffix: nullish(string()),
  system: nullish(string()),
  template: nullish(string()),
  context: nullish(array(pipe(number(), integer(), minValue(0)))),
  raw: nullish(boolean()),
  images: nullish(array(unknown())),
});

export const namedBody: Schema<NamedBody> = object({
  model: nullish(string()),
  name: nullish(string()),
  stream: nullish(boolean()),
  insecure: nullish(boolean()),
});

export const copyBody: Schema<CopyBody> = object({
  source: nullish(string()),
  destination: nullish(string()),
});

/** @throws ServerError where there is none */
export function nameOf(body: {
  model?: string | null | undefined;
  name?: string | null | undefined;
}): string {
  const name = body.model || body.name;
  if (name) return name;
  throw new ServerError("CHORALE_REQUEST", "model is required", { param: "model" });
}

/** What is given; the rest is the model's own. */
export function samplingOf(options: OllamaOptions): Partial<Sampling> {
  const {
    temperature,
    top_p: topP,
    top_k: topK,
    min_p: minP,
    repeat_penalty: repetitionPenalty,
    repeat_last_n: window,
    presence_penalty: presencePenalty,
    frequency_penalty: frequencyPenalty,
    seed: chosenSeed,
  } = options;
  const given = {
    temperature,
    topP,
    minP,
    repetitionPenalty,
    presencePenalty,
    frequencyPenalty,
    topK: topK === -1 ? 0 : topK,
    // -1: the whole context.
    penaltyWindow: window === -1 ? 2 ** 31 - 1 : window,
    // A negative one means a random one.
    seed: typeof chosenSeed === "number" && chosenSeed >= 0 ? chosenSeed % 2 ** 32 : null,
  };
  const found = Object.entries(given).filter(([, value]) => typeof value === "number");
  return Object.fromEntries(found) as Partial<Sampling>;
}

/** null: no limit but the context. */
export function maxTokensOf({ num_predict: most }: OllamaOptions): number | null {
  return typeof most === "number" && most > 0 ? most : null;
}

/** gpt-oss always reasons: false is the least. */
export function effortOfThink(think: boolean | string | null | undefined): ReasoningEffort | null {
  switch (think) {
    case null:
    case undefined:
    case true:
      return null;
    case false:
    case "low":
      return "low";
    case "medium":
      return "medium";
    case "high":
    case "max":
      return "high";
    default:
      throw invalidField(
        "think",
        `invalid think value: ${JSON.stringify(think.slice(0, 40))} (must be "high", "medium", "low", "max", true, or false)`,
      );
  }
}

export function outputOf(format: unknown): OutputOptions | null {
  if (format === null || format === undefined || format === "") return null;
  if (format === "json") return JSON_OBJECT;
  if (typeof format === "string") {
    throw invalidField(
      "format",
      `invalid format: ${JSON.stringify(format.slice(0, 40))}; expected "json" or a valid JSON Schema object`,
    );
  }
  return schemaOutput(format, "format");
}

/** @returns milliseconds; null: not given */
export function keepAliveMs(value: string | number | null | undefined): number | null {
  if (value === null || value === undefined || value === "") return null;
  const ms = keepAliveOf(value);
  if (ms !== null) return ms;
  throw invalidField(
    "keep_alive",
    `keep_alive is ${JSON.stringify(value)}; accepted: seconds as a number, or a duration like "5m".`,
  );
}

export function checkLogprobs(top: number | null | undefined): void {
  if (typeof top === "number" && !(top >= 0 && top <= 20)) {
    throw invalidField("top_logprobs", "top_logprobs must be between 0 and 20");
  }
}
