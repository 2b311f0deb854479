/** `POST /v1/chat/completions`. */
import { answerOptions, type BegunTurn, beginTurn } from "../begin-turn.ts";
import type { ServerContext } from "../context.ts";
import { invalidField } from "../errors.ts";
import { jsonAnswer, sse, streamAnswer } from "../http/answer.ts";
import { readJson } from "../http/body.ts";
import { connectionSignal, type ServerEnv } from "../http/connection.ts";
import { errorBody, errorFacts } from "../http/dialect.ts";
import type { Context } from "../http/hono.ts";
import { cacheKeyOf } from "../http/session-key.ts";
import { newId } from "../ids.ts";
import type { OutputItem, TurnResult } from "../turn/items.ts";
import { type TurnRequest, turnResult } from "../turn/run-turn.ts";
import { clientToolsOf, itemsOf } from "../wire/chat.ts";
import { checkBody } from "../wire/check.ts";
import { effortOf } from "../wire/effort.ts";
import { completionUsage } from "./usage.ts";
import {
  chatBody,
  maxTokensOf,
  modelOf,
  responseFormat,
  samplingOf,
  stopOf,
  toolChoiceOf,
} from "./wire.ts";

export async function chatCompletions(
  context: ServerContext,
  c: Context<ServerEnv>,
): Promise<Response> {
  const signal = connectionSignal(c);
  const body = checkBody(chatBody, await readJson(c.req.raw, context.configuration.maxBodyBytes));
  const model = modelOf(body);
  if (body.messages.length === 0) throw invalidField("messages", "There are no messages.");
  if ((body.n ?? 1) !== 1) throw invalidField("n", "n is not 1; accepted: one answer.");
  const { choice, names } = toolChoiceOf(body.tool_choice);
  const tools = clientToolsOf(body.tools ?? []);
  const declared = new Set(tools.map(({ name }) => name));
  const unknown = names.find((name) => !declared.has(name));
  if (unknown !== undefined) {
    throw invalidField(
      "tool_choice",
      `The tool ${JSON.stringify(unknown)} is not among the tools.`,
    );
  }
  if (tools.length === 0 && choice === "required") {
    throw invalidField("tool_choice", "A call is required, and there are no tools.");
  }
  const effort = body.reasoning_effort ?? body.reasoning?.effort;
  const request: TurnRequest = {
    items: body.messages.flatMap(itemsOf),
    clientTools: tools,
    toolChoice: choice,
    output: responseFormat(body.response_format),
    effort: effortOf(effort, body.reasoning_effort ? "reasoning_effort" : "reasoning.effort"),
    sampling: samplingOf(body),
    stop: stopOf(body.stop),
    maxTokens: maxTokensOf(body),
    cacheKey: cacheKeyOf(c, body.prompt_cache_key),
    signal,
  };
  const answer: Answer = {
    id: newId("chatcmpl-"),
    created: Math.floor(context.clock.now() / 1000),
    model,
    showsReasoning: body.reasoning?.exclude !== true,
    includesUsage: body.stream_options?.include_usage === true,
  };
  const begun = beginTurn(context, { model }, request);
  if (body.stream !== true) {
    return jsonAnswer(
      begun.then(async ({ turn }) => completion(answer, await turnResult(turn))),
      { ...answerOptions(context), failure: (error) => errorBody("openai", errorFacts(error)) },
    );
  }
  return streamAnswer(
    begun.then((one) => chunks(answer, one)),
    {
      ...answerOptions(context),
      contentType: "text/event-stream",
      heartbeat: () => ": still at work\n\n",
      failure: (error) => sse(errorBody("openai", errorFacts(error))) + sse("[DONE]"),
    },
  );
}

type Answer = {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** As it was sent. */
  readonly model: string;
  readonly showsReasoning: boolean;
  readonly includesUsage: boolean;
};

async function* chunks(answer: Answer, { turn }: BegunTurn): AsyncGenerator<string, void, void> {
  const { includesUsage, showsReasoning } = answer;
  const items = new Map<string, { readonly type: OutputItem["type"]; readonly index: number }>();
  let calls = 0;
  yield sse(chunk(answer, { role: "assistant", content: "" }, null));
  for (;;) {
    const next = await turn.next();
    if (next.done) {
      const result = next.value;
      checkResult(result);
      yield sse(chunk(answer, {}, finishReason(result)));
      if (includesUsage) {
        yield sse({
          ...chunk(answer, {}, null),
          choices: [],
          usage: completionUsage(result.usage),
        });
      }
      yield sse("[DONE]");
      return;
    }
    const event = next.value;
    if (event.type === "item.started") {
      const { item } = event;
      const index = item.type === "call" ? calls++ : 0;
      items.set(item.id, { type: item.type, index });
      if (item.type === "call") {
        const call = { index, ...toolCall(item), function: { name: item.name, arguments: "" } };
        yield sse(chunk(answer, { tool_calls: [call] }, null));
      }
    }
    if (event.type !== "item.delta") continue;
    const item = items.get(event.id);
    const { text } = event;
    if (item?.type === "reasoning" && showsReasoning) {
      yield sse(chunk(answer, { reasoning: text }, null));
    } else if (item?.type === "message") {
      yield sse(chunk(answer, { content: text }, null));
    } else if (item?.type === "call") {
      const call = { index: item.index, function: { arguments: text } };
      yield sse(chunk(answer, { tool_calls: [call] }, null));
    }
  }
}

function chunk(
  { id, created, model, includesUsage }: Answer,
  delta: object,
  finish: string | null,
): object {
  return {
    id,
    object: "chat.completion.chunk",
    created,
    model,
    system_fingerprint: "fp_chorale",
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    ...(includesUsage && { usage: null }),
  };
}

function completion({ id, created, model, showsReasoning }: Answer, result: TurnResult): object {
  checkResult(result);
  const textOf = (type: "reasoning" | "message"): string =>
    result.items.map((item) => (item.type === type ? item.text : "")).join("");
  const calls = result.items.filter((item) => item.type === "call");
  const reasoning = textOf("reasoning");
  const content = textOf("message");
  return {
    id,
    object: "chat.completion",
    created,
    model,
    system_fingerprint: "fp_chorale",
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: content === "" && calls.length > 0 ? null : content,
          refusal: null,
          ...(reasoning !== "" && showsReasoning && { reasoning }),
          ...(calls.length > 0 && { tool_calls: calls.map(toolCall) }),
        },
        logprobs: null,
        finish_reason: finishReason(result),
      },
    ],
    usage: completionUsage(result.usage),
  };
}

function toolCall({
  callId,
  name,
  arguments: args,
}: Extract<OutputItem, { type: "call" }>): object {
  return { id: callId, type: "function", function: { name, arguments: args } };
}

function finishReason({ finish }: TurnResult): string {
  return finish === "calls" ? "tool_calls" : finish === "length" ? "length" : "stop";
}

/** @throws what the turn failed with */
function checkResult({ finish, error }: TurnResult): void {
  if (finish === "failed" || finish === "cancelled") throw error;
}
