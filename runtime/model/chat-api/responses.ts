/**
 * OpenAI's Responses API, without state at the server: reasoning comes as items, sealed where the server does not
 * show it, and goes back as the same items, in front of what it led to.
 */
import { ModelError } from "../../errors.ts";
import type { ChatEntry } from "./conversation.ts";
import {
  type ChatDelta,
  type ChatFields,
  type ChatOutcome,
  type ChatProtocol,
  type ChatReader,
  type ChatRequest,
  countIn,
  errorText,
  fieldsOf,
  samplingFields,
  textIn,
} from "./protocol.ts";

/** Answers and calls whose reasoning items are kept. */
const MAX_KEPT = 512;

export class Responses implements ChatProtocol {
  readonly path = "/responses";
  readonly framing = "events";
  /** Reasoning items by what they led to. */
  readonly #kept = new Map<string, readonly object[]>();

  body(request: ChatRequest): object {
    const { model, functions, choice, settings, maxTokens, schema, reasons, cacheKey } = request;
    return {
      model,
      input: request.entries.flatMap((entry) => this.#items(entry)),
      ...(functions.length > 0 && {
        tools: functions.map((one) => ({ type: "function", ...one, strict: false })),
        tool_choice: typeof choice === "string" ? choice : { type: "function", ...choice },
        parallel_tool_calls: false,
      }),
      ...(schema !== null && {
        text: {
          format: { type: "json_schema", name: "answer", schema: schema.schema, strict: false },
        },
      }),
      ...samplingFields(settings),
      ...(maxTokens !== null && { max_output_tokens: maxTokens }),
      ...(reasons && {
        reasoning: { effort: settings.effort, summary: "auto" },
        include: ["reasoning.encrypted_content"],
      }),
      prompt_cache_key: cacheKey,
      store: false,
      stream: true,
    };
  }

  reader(): ChatReader {
    const items: object[] = [];
    let shown: string | null = null;
    return {
      read: (piece) => {
        const type = textIn(piece["type"]);
        if (
          type === "response.reasoning_text.delta" ||
          type === "response.reasoning_summary_text.delta"
        ) {
          // Where both come, the summary says the same again.
          shown ??= type;
          return shown === type ? [{ type: "reasoning", text: textIn(piece["delta"]) }] : [];
        }
        if (type === "response.output_item.done") {
          const item = fieldsOf(piece["item"]);
          if (item["type"] === "reasoning") items.push(reasoningItem(item));
        }
        return deltasOf(type, piece);
      },
      ended: (outcome) => this.#keep(outcome, items),
    };
  }

  #items(entry: ChatEntry): readonly object[] {
    switch (entry.type) {
      case "tool":
        return [{ type: "function_call_output", call_id: entry.id, output: entry.text }];
      case "assistant": {
        const { reasoning, text, call } = entry;
        const kept = this.#kept.get(keyOf({ text, call }));
        const shown = reasoning === null ? [] : [{ type: "reasoning_text", text: reasoning }];
        const thought =
          kept ?? (shown.length > 0 ? [{ type: "reasoning", summary: [], content: shown }] : []);
        return [
          ...thought,
          ...(text === null ? [] : [{ type: "message", role: "assistant", content: text }]),
          ...(call === null
            ? []
            : [
                {
                  type: "function_call",
                  call_id: call.id,
                  name: call.name,
                  arguments: call.arguments,
                },
              ]),
        ];
      }
      default:
        return [
          {
            type: "message",
            role: entry.type === "system" ? "developer" : "user",
            content: entry.text,
          },
        ];
    }
  }

  #keep(outcome: ChatOutcome, items: readonly object[]): void {
    if (items.length === 0) return;
    const key = keyOf(outcome);
    this.#kept.delete(key);
    this.#kept.set(key, items);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }
}

function keyOf({ text, call }: ChatOutcome): string {
  return JSON.stringify(call === null ? [text] : [call.name, call.arguments]);
}

/** What a server takes back. */
function reasoningItem(item: ChatFields): object {
  const { id, summary = [], content, encrypted_content: sealed } = item;
  return {
    type: "reasoning",
    id,
    summary,
    ...(Array.isArray(content) && { content }),
    ...(sealed != null && { encrypted_content: sealed }),
  };
}

function deltasOf(type: string, piece: ChatFields): readonly ChatDelta[] {
  const key = String(countIn(piece["output_index"]));
  switch (type) {
    case "response.output_text.delta":
    case "response.refusal.delta":
      return [{ type: "text", text: textIn(piece["delta"]) }];
    case "response.output_item.added": {
      const item = fieldsOf(piece["item"]);
      if (item["type"] !== "function_call") return [];
      return [{ type: "call", key, name: textIn(item["name"]) }];
    }
    case "response.function_call_arguments.delta":
      return [{ type: "call", key, arguments: textIn(piece["delta"]) }];
    case "response.completed":
    case "response.incomplete":
      return endOf(fieldsOf(piece["response"]), type === "response.incomplete");
    case "response.failed":
    case "error": {
      const error = fieldsOf(piece["response"])["error"] ?? piece["error"] ?? piece["message"];
      throw new ModelError(`The server ended its answer: ${errorText(error)}.`);
    }
    default:
      return [];
  }
}

function endOf(response: ChatFields, isIncomplete: boolean): readonly ChatDelta[] {
  const usage = fieldsOf(response["usage"]);
  const reason = fieldsOf(response["incomplete_details"])["reason"];
  return [
    {
      type: "usage",
      inputTokens: countIn(usage["input_tokens"]),
      cachedTokens: countIn(fieldsOf(usage["input_tokens_details"])["cached_tokens"]),
      outputTokens: countIn(usage["output_tokens"]),
      reasoningTokens: countIn(fieldsOf(usage["output_tokens_details"])["reasoning_tokens"]),
    },
    {
      type: "end",
      reason: isIncomplete && reason === "max_output_tokens" ? "length" : "stop",
    },
  ];
}
