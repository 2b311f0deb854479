/** Ollama's `/api/chat`. It has no token ids and no calls by id; reasoning is `thinking`. */
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
  textIn,
} from "./protocol.ts";

export class OllamaChat implements ChatProtocol {
  readonly path = "/api/chat";
  readonly framing = "lines";

  body(request: ChatRequest): object {
    const { model, functions, choice, settings, maxTokens, schema, reasons } = request;
    const { sampling } = settings;
    return {
      model,
      messages: messagesOf(request),
      ...(functions.length > 0 &&
        choice !== "none" && {
          tools: functions.map((one) => ({ type: "function", function: one })),
        }),
      // Of some models it counts from the first token, so that no call could be made.
      ...(schema !== null && functions.length === 0 && { format: schema.schema }),
      ...(reasons && { think: settings.effort }),
      options: {
        temperature: sampling.temperature,
        top_p: sampling.topP,
        seed: sampling.seed,
        ...(maxTokens !== null && { num_predict: maxTokens }),
      },
      stream: true,
    };
  }

  reader(): ChatReader {
    let calls = 0;
    return {
      read(piece: ChatFields): readonly ChatDelta[] {
        if (piece["error"] != null) {
          throw new ModelError(`The server ended its answer: ${errorText(piece["error"])}.`);
        }
        const deltas: ChatDelta[] = [];
        const message = fieldsOf(piece["message"]);
        const thought = textIn(message["thinking"]);
        if (thought !== "") deltas.push({ type: "reasoning", text: thought });
        const text = textIn(message["content"]);
        if (text !== "") deltas.push({ type: "text", text });
        for (const one of listIn(message["tool_calls"])) {
          const called = fieldsOf(fieldsOf(one)["function"]);
          deltas.push({
            type: "call",
            key: String(calls++),
            name: textIn(called["name"]),
            arguments: JSON.stringify(called["arguments"] ?? {}),
          });
        }
        if (piece["done"] === true) {
          deltas.push({
            type: "usage",
            inputTokens: countIn(piece["prompt_eval_count"]),
            cachedTokens: 0,
            outputTokens: countIn(piece["eval_count"]),
            reasoningTokens: 0,
          });
          const isCut = piece["done_reason"] === "length";
          deltas.push({ type: "end", reason: isCut ? "length" : "stop" });
        }
        return deltas;
      },
    };
  }
}

function messagesOf({ entries }: ChatRequest): readonly object[] {
  return entries.map((entry) => {
    switch (entry.type) {
      case "tool":
        return { role: "tool", tool_name: entry.name, content: entry.text };
      case "assistant": {
        const { reasoning, text, call } = entry;
        return {
          role: "assistant",
          content: text ?? "",
          ...(reasoning !== null && { thinking: reasoning }),
          ...(call !== null && {
            tool_calls: [{ function: { name: call.name, arguments: objectOf(call.arguments) } }],
          }),
        };
      }
      default:
        return { role: entry.type, content: entry.text };
    }
  });
}

/** Ollama takes objects only. */
function objectOf(text: string): object {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return { input: text };
  }
}
