/** The body of `POST /v1/responses`, checked, with every default filled in. */
import type { ReasoningEffort } from "../../../harmony/index.ts";
import type { Sampling } from "../../../inference/index.ts";
import type { OutputOptions } from "../../index.ts";
import { invalidField } from "../errors.ts";
import type { TurnToolChoice } from "../turn/run-turn.ts";
import { checkBody } from "../wire/check.ts";
import { effortOf } from "../wire/effort.ts";
import { ResponsesBody } from "./body.ts";
import { type RequestTools, readToolChoice, readTools } from "./request-tools.ts";
import type { ResponseEcho } from "./wire.ts";

export type ResponsesRequest = {
  /** As it was sent. */
  readonly model: string;
  /** A text, or items that were not looked at yet. */
  readonly input: string | readonly object[];
  readonly instructions: string | null;
  readonly previousResponseId: string | null;
  readonly tools: RequestTools;
  /**
   * @param offered recipients of the tools of this server that were opened for the request
   * @throws ServerError for a tool that is not declared
   */
  readonly toolChoice: (offered: readonly string[]) => TurnToolChoice;
  readonly isStreaming: boolean;
  readonly isBackground: boolean;
  readonly isStored: boolean;
  /** What the answer must be; null: any text. */
  readonly output: OutputOptions | null;
  readonly effort: ReasoningEffort;
  /** The trace is asked for as its summary as well. */
  readonly hasSummary: boolean;
  readonly include: ReadonlySet<string>;
  readonly maxTokens: number | null;
  readonly maxToolCalls: number | null;
  readonly truncation: "auto" | "disabled";
  readonly sampling: Partial<Sampling>;
  readonly promptCacheKey: string | null;
  /** What the response repeats of the request. */
  readonly echo: ResponseEcho;
};

/** @throws ServerError that names the field */
export function readRequest(value: unknown): ResponsesRequest {
  const body = checkBody(ResponsesBody, value);
  for (const unsupported of ["conversation", "prompt"] as const) {
    if (body[unsupported] === null || body[unsupported] === undefined) continue;
    throw invalidField(
      unsupported,
      `'${unsupported}' is not kept here; use previous_response_id, or send the whole input.`,
    );
  }
  const tools = readTools(body.tools ?? []);
  const isStored = body.store ?? true;
  const isBackground = body.background ?? false;
  if (isBackground && !isStored) {
    throw invalidField(
      "background",
      "A response in the background has to be stored: store is false.",
    );
  }
  const summary = summaryOf(body);
  const request: Omit<ResponsesRequest, "echo"> = {
    model: body.model,
    input: inputOf(body),
    instructions: body.instructions ?? null,
    previousResponseId: body.previous_response_id ?? null,
    tools,
    toolChoice: (offered) => readToolChoice(body.tool_choice, tools, offered),
    isStreaming: body.stream ?? false,
    isBackground,
    isStored,
    output: outputOf(body),
    effort: effortOf(body.reasoning?.effort, "reasoning.effort") ?? "medium",
    hasSummary: summary !== null,
    include: new Set(body.include ?? []),
    maxTokens: body.max_output_tokens ?? null,
    maxToolCalls: body.max_tool_calls ?? null,
    truncation: body.truncation ?? "disabled",
    sampling: samplingOf(body),
    promptCacheKey: body.prompt_cache_key ?? null,
  };
  return { ...request, echo: echoOf(body, request) };
}

function inputOf({ input, previous_response_id }: ResponsesBody): ResponsesRequest["input"] {
  if (input !== null && input !== undefined) return input;
  // With an earlier response there may be nothing new to say.
  if (previous_response_id) return [];
  throw invalidField(
    "input",
    "The field input is missing; accepted: a string, or a list of items.",
  );
}

function summaryOf({ reasoning }: ResponsesBody): string | null {
  const summary = reasoning?.summary ?? reasoning?.generate_summary ?? null;
  return summary === "none" ? null : summary;
}

function samplingOf(body: ResponsesBody): Partial<Sampling> {
  const { temperature, top_p, presence_penalty, frequency_penalty, seed } = body;
  return {
    ...(typeof temperature === "number" && { temperature }),
    ...(typeof top_p === "number" && { topP: top_p }),
    ...(typeof presence_penalty === "number" && { presencePenalty: presence_penalty }),
    ...(typeof frequency_penalty === "number" && { frequencyPenalty: frequency_penalty }),
    // OpenAI's seeds are wider than the engine's.
    ...(typeof seed === "number" && { seed: seed % 2 ** 32 }),
  };
}

function outputOf({ text }: ResponsesBody): OutputOptions | null {
  const format = text?.format;
  switch (format?.type) {
    case "json_object":
      return { jsonSchema: { type: "object" } };
    case "json_schema":
      if (format.schema === null || format.schema === undefined) {
        throw invalidField("text.format.schema", "A format of the type json_schema has a schema.");
      }
      return { jsonSchema: format.schema };
    default:
      return null;
  }
}

function echoOf(body: ResponsesBody, request: Omit<ResponsesRequest, "echo">): ResponseEcho {
  const { sampling } = request;
  return {
    model: request.model,
    background: request.isBackground,
    previous_response_id: request.previousResponseId,
    instructions: request.instructions,
    tools: request.tools.echo,
    tool_choice: body.tool_choice ?? "auto",
    truncation: request.truncation,
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    text: {
      format: formatEcho(body.text?.format),
      verbosity: body.text?.verbosity ?? "medium",
    },
    top_p: sampling.topP ?? 1,
    presence_penalty: sampling.presencePenalty ?? 0,
    frequency_penalty: sampling.frequencyPenalty ?? 0,
    top_logprobs: body.top_logprobs ?? 0,
    temperature: sampling.temperature ?? 1,
    reasoning: { effort: body.reasoning?.effort ?? request.effort, summary: summaryOf(body) },
    user: body.user ?? null,
    max_output_tokens: request.maxTokens,
    max_tool_calls: request.maxToolCalls,
    store: request.isStored,
    service_tier: "default",
    metadata: body.metadata ?? {},
    safety_identifier: body.safety_identifier ?? null,
    prompt_cache_key: request.promptCacheKey,
  };
}

function formatEcho(format: NonNullable<ResponsesBody["text"]>["format"]): object {
  if (!format) return { type: "text" };
  if (format.type !== "json_schema") return format;
  const { name, description, strict } = format;
  return {
    ...format,
    name: name ?? "response",
    description: description ?? null,
    strict: strict ?? false,
  };
}
