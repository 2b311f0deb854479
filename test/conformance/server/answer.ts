/**
 * What an answer says, apart from its dialect: the same reading for a recorded answer, of which the script of the model
 * is made, and for the answer of the server under test.
 */
import { isObject, type JsonObject, type RecordedEvent } from "./recording.ts";

export type AnswerItem =
  | { readonly type: "reasoning"; readonly text: string }
  | { readonly type: "message"; readonly text: string; readonly citations: number }
  | {
      readonly type: "call";
      readonly name: string;
      readonly namespace: string | null;
      /** JSON; of a custom tool the text as it is. */
      readonly arguments: string;
      readonly isCustom: boolean;
    }
  /** Carried out by the server. */
  | { readonly type: "search"; readonly action: unknown }
  | { readonly type: "code"; readonly code: string };

export type AnswerEnd = "stop" | "calls" | "length" | "failed" | "load" | "unload" | "none";

export type Answer = {
  readonly items: readonly AnswerItem[];
  readonly end: AnswerEnd;
  /** Ids that later requests may name, in the order in which they stand there. */
  readonly ids: readonly string[];
  /** What the client counts with; null: there is none. */
  readonly usage: unknown;
};

export type Dialect =
  | "responses"
  | "chat"
  | "completions"
  | "messages"
  | "ollama-chat"
  | "ollama-generate"
  | "other";

export function dialectOf(method: string, path: string): Dialect {
  if (method !== "POST") return "other";
  const [name = ""] = path.split("?");
  const known: Readonly<Record<string, Dialect>> = {
    "/v1/responses": "responses",
    "/v1/chat/completions": "chat",
    "/v1/completions": "completions",
    "/v1/messages": "messages",
    "/api/chat": "ollama-chat",
    "/api/generate": "ollama-generate",
  };
  return known[name] ?? "other";
}

/** An answer as it was sent: one value, events, or lines. */
export type Sent = {
  readonly body?: unknown;
  readonly events?: readonly RecordedEvent[];
  readonly lines?: readonly JsonObject[];
};

/** null: it is no answer of the dialect. */
export function readAnswer(dialect: Dialect, sent: Sent): Answer | null {
  switch (dialect) {
    case "responses":
      return responsesAnswer(sent);
    case "chat":
    case "completions":
      return chatAnswer(sent);
    case "messages":
      return messagesAnswer(sent);
    case "ollama-chat":
    case "ollama-generate":
      return ollamaAnswer(sent);
    case "other":
      return null;
  }
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const objects = (value: unknown): readonly JsonObject[] => list(value).filter(isObject);

function responsesAnswer({ body, events }: Sent): Answer | null {
  const data = (events ?? []).map((event) => event.data).filter(isObject);
  const last = data.findLast((event) => isObject(event["response"]));
  const response = events === undefined ? body : last?.["response"];
  if (!isObject(response) || !Array.isArray(response["output"])) return null;
  const isOver = events === undefined || last?.["type"] !== "response.in_progress";
  // A stream that failed has its items only in its events.
  const done = data.filter(({ type }) => type === "response.output_item.done");
  const cut = data
    .filter(({ type }) => type === "response.output_text.delta")
    .map(({ delta }) => text(delta))
    .join("");
  const output =
    response["status"] === "failed" && done.length === 0 && cut !== ""
      ? [{ type: "message", content: [{ type: "output_text", text: cut }] }]
      : objects(response["output"]);
  const items = output.flatMap(responsesItem);
  return {
    items,
    end: responsesEnd(response, items, isOver),
    ids: [
      text(response["id"]),
      ...objects(response["output"]).flatMap((item) => [text(item["id"]), text(item["call_id"])]),
    ],
    usage: response["usage"] ?? null,
  };
}

function responsesEnd(
  { status }: JsonObject,
  items: readonly AnswerItem[],
  isOver: boolean,
): AnswerEnd {
  if (!isOver) return "none";
  if (status === "failed") return "failed";
  if (status === "incomplete") return "length";
  return items.some(({ type }) => type === "call") ? "calls" : "stop";
}

function responsesItem(item: JsonObject): readonly AnswerItem[] {
  const parts = objects(item["content"]);
  const said = parts.map((part) => text(part["text"])).join("");
  switch (item["type"]) {
    case "reasoning":
      return [{ type: "reasoning", text: said }];
    case "message": {
      const citations = parts.flatMap((part) => list(part["annotations"])).length;
      return [{ type: "message", text: said, citations }];
    }
    case "function_call":
    case "custom_tool_call": {
      const isCustom = item["type"] === "custom_tool_call";
      return [
        {
          type: "call",
          name: text(item["name"]),
          namespace: typeof item["namespace"] === "string" ? item["namespace"] : null,
          arguments: text(item[isCustom ? "input" : "arguments"]),
          isCustom,
        },
      ];
    }
    case "web_search_call":
      return [{ type: "search", action: item["action"] }];
    case "code_interpreter_call":
      return [{ type: "code", code: text(item["code"]) }];
    default:
      return [];
  }
}

const THOUGHTS = ["reasoning", "reasoning_content", "thinking"] as const;
const thoughtOf = (message: JsonObject): string =>
  text(THOUGHTS.map((name) => message[name]).find((held) => typeof held === "string"));

/** Chunks of a stream are put together as clients do it; a body is a stream of one chunk. */
function chatAnswer({ body, events }: Sent): Answer | null {
  const chunks = (events ?? [{ data: body }]).map((event) => event.data).filter(isObject);
  if (chunks.length === 0) return null;
  let thought = "";
  let said = "";
  let finish: unknown = null;
  let usage: unknown = null;
  let hasFailed = false;
  const calls: { id: string; name: string; arguments: string }[] = [];
  for (const chunk of chunks) {
    if (isObject(chunk["error"])) hasFailed = true;
    usage = chunk["usage"] ?? usage;
    for (const choice of objects(chunk["choices"])) {
      finish = choice["finish_reason"] ?? finish;
      const message = isObject(choice["delta"]) ? choice["delta"] : choice["message"];
      said += text(choice["text"]);
      if (!isObject(message)) continue;
      thought += thoughtOf(message);
      said += text(message["content"]);
      for (const [at, call] of objects(message["tool_calls"]).entries()) {
        const index = typeof call["index"] === "number" ? call["index"] : at;
        const called = isObject(call["function"]) ? call["function"] : {};
        calls[index] ??= { id: "", name: "", arguments: "" };
        calls[index].id += text(call["id"]);
        calls[index].name += text(called["name"]);
        calls[index].arguments += text(called["arguments"]);
      }
    }
  }
  const ends: Readonly<Record<string, AnswerEnd>> = {
    stop: "stop",
    length: "length",
    tool_calls: "calls",
  };
  return {
    items: itemsOf(
      thought,
      said,
      calls.map(({ name, arguments: args }) => [name, args]),
    ),
    end: hasFailed ? "failed" : (ends[text(finish)] ?? "none"),
    ids: calls.map(({ id }) => id),
    usage,
  };
}

function itemsOf(
  thought: string,
  said: string,
  calls: readonly (readonly [name: string, args: string])[],
): readonly AnswerItem[] {
  return [
    ...(thought === "" ? [] : [{ type: "reasoning", text: thought } as const]),
    ...(said === "" ? [] : [{ type: "message", text: said, citations: 0 } as const]),
    ...calls.map(
      ([name, args]) =>
        ({ type: "call", name, namespace: null, arguments: args, isCustom: false }) as const,
    ),
  ];
}

function ollamaAnswer({ body, lines }: Sent): Answer | null {
  const parts = lines ?? (isObject(body) ? [body] : []);
  const last = parts.at(-1);
  if (last === undefined) return null;
  let thought = "";
  let said = "";
  const calls: JsonObject[] = [];
  for (const part of parts) {
    const message = isObject(part["message"]) ? part["message"] : part;
    thought += text(message["thinking"]);
    said += text(message["content"]) + text(part["response"]);
    calls.push(...objects(message["tool_calls"]));
  }
  const called = calls.map((call) => (isObject(call["function"]) ? call["function"] : {}));
  const reason = text(last["done_reason"]);
  const ends: Readonly<Record<string, AnswerEnd>> = {
    stop: calls.length > 0 ? "calls" : "stop",
    length: "length",
    load: "load",
    unload: "unload",
  };
  return {
    items: itemsOf(
      thought,
      said,
      // Arguments are an object here.
      called.map((call) => [text(call["name"]), JSON.stringify(call["arguments"])]),
    ),
    end: "error" in last ? "failed" : last["done"] === true ? (ends[reason] ?? "none") : "none",
    ids: calls.map((call) => text(call["id"])),
    usage: typeof last["eval_count"] === "number" ? last["eval_count"] : null,
  };
}

function messagesAnswer({ body, events }: Sent): Answer | null {
  if (events === undefined) {
    if (!isObject(body) || !Array.isArray(body["content"])) return null;
    const blocks = objects(body["content"]).map((block) => ({ block, json: "" }));
    return messagesResult(blocks, body["stop_reason"], body["usage"], body["id"]);
  }
  const blocks: { block: JsonObject; json: string }[] = [];
  let reason: unknown = null;
  let usage: unknown = null;
  let id: unknown = "";
  let hasFailed = false;
  for (const data of events.map((event) => event.data).filter(isObject)) {
    const delta = isObject(data["delta"]) ? data["delta"] : {};
    switch (data["type"]) {
      case "message_start":
        id = isObject(data["message"]) ? data["message"]["id"] : "";
        break;
      case "content_block_start":
        blocks.push({ block: data["content_block"] as JsonObject, json: "" });
        break;
      case "content_block_delta": {
        const open = blocks[data["index"] as number];
        if (open === undefined) return null;
        const { block } = open;
        open.json += text(delta["partial_json"]);
        open.block = {
          ...block,
          ...("thinking" in delta && {
            thinking: text(block["thinking"]) + text(delta["thinking"]),
          }),
          ...("text" in delta && { text: text(block["text"]) + text(delta["text"]) }),
        };
        break;
      }
      case "message_delta":
        reason = delta["stop_reason"];
        usage = data["usage"];
        break;
      case "error":
        hasFailed = true;
    }
  }
  const answer = messagesResult(blocks, reason, usage, id);
  return hasFailed ? { ...answer, end: "failed" } : answer;
}

function messagesResult(
  blocks: readonly { readonly block: JsonObject; readonly json: string }[],
  reason: unknown,
  usage: unknown,
  id: unknown,
): Answer {
  const ends: Readonly<Record<string, AnswerEnd>> = {
    end_turn: "stop",
    stop_sequence: "stop",
    max_tokens: "length",
    tool_use: "calls",
  };
  return {
    items: blocks.flatMap(({ block, json }): AnswerItem[] => {
      switch (block["type"]) {
        case "thinking":
          return [{ type: "reasoning", text: text(block["thinking"]) }];
        case "text":
          return [{ type: "message", text: text(block["text"]), citations: 0 }];
        case "tool_use": {
          const name = text(block["name"]);
          const args = json === "" ? JSON.stringify(block["input"]) : json;
          return [{ type: "call", name, namespace: null, arguments: args, isCustom: false }];
        }
        default:
          return [];
      }
    }),
    end: ends[text(reason)] ?? "none",
    ids: [text(id), ...blocks.map(({ block }) => text(block["id"]))],
    usage: usage ?? null,
  };
}
