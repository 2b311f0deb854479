/** What the model has to say so that the server gives the recorded answer, or the one that the request asks for. */
import { ClientTools } from "../../../runtime/server/turn/client-tools.ts";
import { type Answer, type AnswerItem, type Dialect, readAnswer } from "./answer.ts";
import { type Exchange, isObject, type JsonObject } from "./recording.ts";

/** null: the model is not asked. */
export function scriptOf(dialect: Dialect, { request, response }: Exchange): Answer | null {
  // The recorder had none, and a server that has one asks the model for a summary.
  if (request.path === "/v1/responses/compact") return UNRECORDED;
  if (dialect === "other" || (response.status ?? 200) >= 400) return null;
  const body = isObject(request.body) ? request.body : {};
  const loads = loadAnswer(dialect, body);
  if (loads !== null) return loads;
  if (response.client_closed) return ENDLESS;
  const recorded = readAnswer(dialect, response) ?? UNRECORDED;
  const format = formatOf(body);
  return format === null ? recorded : { ...recorded, items: recorded.items.map(inFormat(format)) };
}

/** Where a recording says what the answer would be, but not how it reads. */
const UNRECORDED: Answer = {
  items: [
    { type: "reasoning", text: "Short." },
    { type: "message", text: "Hello!", citations: 0 },
  ],
  end: "stop",
  ids: [],
  usage: null,
};

/** For a client that leaves before its answer is over. */
const ENDLESS: Answer = {
  items: [{ type: "message", text: "word ".repeat(50_000), citations: 0 }],
  end: "stop",
  ids: [],
  usage: null,
};

/** Without anything to answer Ollama's API loads the model, or takes it out of memory. */
function loadAnswer(dialect: Dialect, body: JsonObject): Answer | null {
  // Codex has its model loaded by an empty input.
  const isWarmUp = dialect === "responses" && body["input"] === "";
  if (isWarmUp) return { items: [], end: "stop", ids: [], usage: null };
  const isEmpty =
    (dialect === "ollama-chat" &&
      Array.isArray(body["messages"]) &&
      body["messages"].length === 0) ||
    (dialect === "ollama-generate" && !body["prompt"]);
  if (!isEmpty) return null;
  const end = body["keep_alive"] === 0 ? "unload" : "load";
  return { items: [], end, ids: [], usage: null };
}

/** The JSON Schema that an answer has to pass; null: none. */
function formatOf(body: JsonObject): unknown {
  const given =
    body["format"] ??
    body["response_format"] ??
    (isObject(body["text"]) ? body["text"]["format"] : undefined);
  if (given === "json") return {};
  if (!isObject(given)) return null;
  switch (given["type"]) {
    case "text":
      return null;
    case "json_object":
      return {};
    case "json_schema": {
      const held = isObject(given["json_schema"]) ? given["json_schema"] : given;
      return held["schema"] ?? {};
    }
    default:
      return given;
  }
}

/** The recorder did not keep to every format: a server that does answers otherwise. */
function inFormat(schema: unknown): (item: AnswerItem) => AnswerItem {
  return (item) => {
    if (item.type !== "message" || isJson(item.text)) return item;
    return { ...item, text: JSON.stringify(exampleOf(schema)) };
  };
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}

/** A value of a plain schema. */
function exampleOf(schema: unknown): unknown {
  if (!isObject(schema)) return {};
  const { type, properties, required, enum: values } = schema;
  if (Array.isArray(values)) return values[0];
  switch (Array.isArray(type) ? type[0] : type) {
    case "string":
      return "x";
    case "integer":
    case "number":
      return 1;
    case "boolean":
      return true;
    case "array":
      return [];
    case "null":
      return null;
    default: {
      const held = isObject(properties) ? properties : {};
      const names = Array.isArray(required) ? required.map(String) : [];
      return Object.fromEntries(names.map((name) => [name, exampleOf(held[name])]));
    }
  }
}

/**
 * Whether a model that is kept to the schemas of a request can say an answer. The recorder made up arguments that
 * some tools do not declare.
 */
export function isDeclared({ items }: Answer, body: unknown): boolean {
  const tools = isObject(body) && Array.isArray(body["tools"]) ? body["tools"] : [];
  const schemas = new Map(tools.filter(isObject).flatMap(schemaOf));
  return items.every((item) => {
    const schema = item.type === "call" && !item.isCustom ? schemas.get(item.name) : undefined;
    if (item.type !== "call" || !isObject(schema?.["properties"])) return true;
    const declared = schema["properties"];
    try {
      return Object.keys(JSON.parse(item.arguments)).every((name) => name in declared);
    } catch {
      return false;
    }
  });
}

function schemaOf(tool: JsonObject): readonly (readonly [string, JsonObject])[] {
  const held = isObject(tool["function"]) ? tool["function"] : tool;
  const schema = held["parameters"] ?? held["input_schema"];
  return isObject(schema) ? [[String(held["name"]), schema]] : [];
}

/** What the model addresses for the tools that a request declares, in any dialect. */
export function recipients(body: unknown): (call: AnswerItem & { type: "call" }) => string {
  const declared = isObject(body) && Array.isArray(body["tools"]) ? body["tools"] : [];
  const tools = new ClientTools(declared.filter(isObject).flatMap((tool) => named(tool, null)));
  return ({ name, namespace }) => tools.recipientOf(name, namespace);
}

type Named = { readonly name: string; readonly namespace: string | null };

function named(tool: JsonObject, namespace: string | null): readonly Named[] {
  if (tool["type"] === "namespace" && Array.isArray(tool["tools"])) {
    return tool["tools"].filter(isObject).flatMap((inner) => named(inner, String(tool["name"])));
  }
  const held = isObject(tool["function"]) ? tool["function"] : tool;
  return typeof held["name"] === "string" ? [{ name: held["name"], namespace }] : [];
}
