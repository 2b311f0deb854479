/** OpenAI's chat completions, as many servers have them. Reasoning goes back in the field that it came in. */
import { ModelError } from "../../errors.ts";
import {
  type ChatDelta,
  type ChatFields,
  type ChatProtocol,
  type ChatReader,
  type ChatRequest,
  countIn,
  errorText,
  fieldsOf,
  listIn,
  samplingFields,
  textIn,
} from "./protocol.ts";

/** vLLM and OpenAI's own servers say `reasoning`; DeepSeek, llama-server and SGLang `reasoning_content`. */
const REASONING_FIELDS = ["reasoning", "reasoning_content"] as const;
type ReasoningField = (typeof REASONING_FIELDS)[number];

export class ChatCompletions implements ChatProtocol {
  readonly path = "/chat/completions";
  readonly framing = "events";
  /** As the server has it; null until it was seen. */
  #reasoningField: ReasoningField | null = null;

  body(request: ChatRequest): object {
    const { model, functions, choice, settings, maxTokens, schema, reasons } = request;
    return {
      model,
      messages: this.#messages(request),
      ...(functions.length > 0 && {
        tools: functions.map((one) => ({ type: "function", function: one })),
        tool_choice: typeof choice === "string" ? choice : { type: "function", function: choice },
        // One call ends a step; others would be left without a result.
        parallel_tool_calls: false,
      }),
      ...(schema !== null && {
        response_format: {
          type: "json_schema",
          json_schema: { name: "answer", schema: schema.schema },
        },
      }),
      ...samplingFields(settings),
      seed: settings.sampling.seed,
      ...(maxTokens !== null && { max_tokens: maxTokens }),
      ...(reasons && { reasoning_effort: settings.effort }),
      stream: true,
      stream_options: { include_usage: true },
    };
  }

  reader(): ChatReader {
    return { read: (piece) => this.#read(piece) };
  }

  #messages({ entries }: ChatRequest): readonly object[] {
    const field = this.#reasoningField;
    return entries.map((entry) => {
      switch (entry.type) {
        case "tool":
          return { role: "tool", tool_call_id: entry.id, content: entry.text };
        case "assistant": {
          const { reasoning, text, call } = entry;
          return {
            role: "assistant",
            content: text ?? (call === null ? "" : null),
            // A field that a server does not know may be an error.
            ...(reasoning !== null && field !== null && { [field]: reasoning }),
            ...(call !== null && {
              tool_calls: [
                {
                  id: call.id,
                  type: "function",
                  function: { name: call.name, arguments: call.arguments },
                },
              ],
            }),
          };
        }
        default:
          return { role: entry.type, content: entry.text };
      }
    });
  }

  #read(piece: ChatFields): readonly ChatDelta[] {
    if (piece["error"] != null) {
      throw new ModelError(`The server ended its answer: ${errorText(piece["error"])}.`);
    }
    const deltas: ChatDelta[] = [];
    const choice = fieldsOf(listIn(piece["choices"])[0]);
    const delta = fieldsOf(choice["delta"]);
    for (const field of REASONING_FIELDS) {
      const text = textIn(delta[field]);
      // A server that has both says the same in each.
      if (text === "" || (this.#reasoningField ?? field) !== field) continue;
      this.#reasoningField = field;
      deltas.push({ type: "reasoning", text });
    }
    const text = textIn(delta["content"]);
    if (text !== "") deltas.push({ type: "text", text });
    for (const one of listIn(delta["tool_calls"])) {
      const call = fieldsOf(one);
      const called = fieldsOf(call["function"]);
      const name = textIn(called["name"]);
      deltas.push({
        type: "call",
        key: String(countIn(call["index"])),
        ...(name !== "" && { name }),
        arguments: textIn(called["arguments"]),
      });
    }
    const usage = piece["usage"];
    if (usage != null) deltas.push(usageOf(fieldsOf(usage)));
    const finish = textIn(choice["finish_reason"]);
    if (finish !== "")
      deltas.push({ type: "end", reason: finish === "length" ? "length" : "stop" });
    return deltas;
  }
}

function usageOf(usage: ChatFields): ChatDelta {
  return {
    type: "usage",
    inputTokens: countIn(usage["prompt_tokens"]),
    cachedTokens: countIn(fieldsOf(usage["prompt_tokens_details"])["cached_tokens"]),
    outputTokens: countIn(usage["completion_tokens"]),
    reasoningTokens: countIn(fieldsOf(usage["completion_tokens_details"])["reasoning_tokens"]),
  };
}
