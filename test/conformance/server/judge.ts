/**
 * Whether an answer has what the client of a recording needs: the status, what is said and called, in the same order,
 * and every key with a value of the same kind. Texts, ids, times and figures are the server's own.
 */
import { isDeepStrictEqual } from "node:util";
import { type ReceivedEvent, streamProblems } from "../../runtime/server/responses/stream-rules.ts";
import { type Answer, type AnswerItem, type Dialect, readAnswer } from "./answer.ts";
import {
  isObject,
  type JsonObject,
  type RecordedEvent,
  type RecordedResponse,
} from "./recording.ts";
import { shapeProblems } from "./shape.ts";

/** What the server under test has answered. */
export type Received = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; the text where it is none. */
  readonly body?: unknown;
  readonly events?: readonly RecordedEvent[];
  readonly lines?: readonly JsonObject[];
  /** Of a client that left: the server computes nothing for it any more. */
  readonly isFree?: boolean;
};

export type Judged = {
  readonly method: string;
  readonly path: string;
  readonly dialect: Dialect;
  readonly recorded: RecordedResponse;
  /** What the model was given to say; null: it was not to be asked. */
  readonly script: Answer | null;
  readonly received: Received;
};

/** @returns what a client would miss, one sentence each */
export function problemsOf(judged: Judged): readonly string[] {
  const { recorded, received } = judged;
  const status = recorded.status ?? 200;
  if (recorded.client_closed) {
    return received.isFree ? [] : ["the server goes on with an answer that nobody reads"];
  }
  if (isUnknownToRecorder(judged)) return answeredProblems(judged);
  if (status >= 400) return errorProblems(judged, status);
  if (received.status !== status) {
    return [`the status is ${received.status}, not ${status}: ${JSON.stringify(received.body)}`];
  }
  return [...formProblems(judged), ...contentProblems(judged), ...dialectProblems(judged)];
}

/** The recorder answered 404 for what it did not have; only the request matters then. */
function isUnknownToRecorder({ method, path, recorded }: Judged): boolean {
  if (recorded.status !== 404 || !isObject(recorded.body)) return false;
  const { error } = recorded.body;
  const [name = ""] = path.split("?");
  return isObject(error) && error["message"] === `not found: ${method} ${name}`;
}

/** Anything but a failure, or a path that is not known; what is an error has its form. */
function answeredProblems(judged: Judged): readonly string[] {
  const { received, path } = judged;
  if (received.status < 400) return [];
  if (received.status >= 500) return [`the server failed with ${received.status}`];
  const text = JSON.stringify(received.body);
  if (/nothing at|not found: [A-Z]/i.test(text)) return [`nothing answers ${path}: ${text}`];
  return errorForm(judged);
}

function errorProblems(judged: Judged, status: number): readonly string[] {
  const { received } = judged;
  // Not implemented, or not possible: the client is told in the same way.
  const isSame =
    received.status === status ||
    (status === 501 && received.status >= 400 && received.status < 500);
  return [
    ...(isSame ? [] : [`the status is ${received.status}, not ${status}`]),
    ...(status === 503 && !/^\d+$/.test(received.headers["retry-after"] ?? "")
      ? ["a 503 says in Retry-After when to come again"]
      : []),
    ...errorForm(judged),
  ];
}

/** Each API tells an error in its own form. */
function errorForm({ path, received: { body } }: Judged): readonly string[] {
  const error = isObject(body) ? body["error"] : undefined;
  if (path.startsWith("/api/")) {
    return typeof error === "string" ? [] : [`the error is no text: ${JSON.stringify(body)}`];
  }
  const wanted = path.startsWith("/v1/messages")
    ? { type: "error", error: { type: "", message: "" } }
    : { error: { message: "", type: "", param: null, code: null } };
  return shapeProblems(wanted, body);
}

/** Events, lines or one value, ended as the client expects. */
function formProblems({ dialect, recorded, received, path }: Judged): readonly string[] {
  const { events, lines } = received;
  const type = received.headers["content-type"] ?? "";
  if (recorded.events !== undefined) {
    if (events === undefined || !type.startsWith("text/event-stream")) {
      return [`the content type is ${type}, not text/event-stream`];
    }
    const endsDone = events.at(-1)?.data === "[DONE]";
    const wantsDone = dialect === "responses" || dialect === "chat" || dialect === "completions";
    return wantsDone && !endsDone ? ["the stream does not end with [DONE]"] : [];
  }
  if (recorded.lines !== undefined) {
    if (lines === undefined || !type.startsWith("application/x-ndjson")) {
      return [`the content type is ${type}, not application/x-ndjson`];
    }
    return [];
  }
  if (recorded.body !== undefined && typeof received.body === "string" && received.body !== "") {
    return [`the answer of ${path} is no JSON`];
  }
  return [];
}

function contentProblems(judged: Judged): readonly string[] {
  const { dialect, script, received } = judged;
  if (dialect === "other" || script === null) return [];
  const answer = readAnswer(dialect, received);
  if (answer === null) return ["the answer cannot be read"];
  const problems: string[] = [];
  // The model opens what it cites; the recorder had it cite what was only found.
  const isOpened = (item: AnswerItem): boolean =>
    item.type === "search" && isObject(item.action) && item.action["type"] === "open_page";
  const told = answer.items.filter((item) => !isOpened(item));
  const said = told.map(comparable);
  const wanted = script.items.map(comparable);
  if (!isDeepStrictEqual(said, wanted)) {
    problems.push(`it says ${JSON.stringify(said)}, not ${JSON.stringify(wanted)}`);
  }
  for (const [at, item] of script.items.entries()) {
    const other = told[at];
    const cites = item.type === "message" && item.citations > 0;
    if (cites && !(other?.type === "message" && other.citations > 0)) {
      problems.push("the answer has no citation");
    }
  }
  if (answer.end !== script.end) problems.push(`it ends with ${answer.end}, not ${script.end}`);
  if (script.usage !== null && answer.usage === null) problems.push("there is no usage");
  return problems;
}

/** Arguments as a value, since JSON is written in many ways; a text without the marks of its citations. */
function comparable(item: AnswerItem): unknown {
  if (item.type === "message") {
    const text = item.text.replace(/\s*(?:【[^】]*】|\(\[[^\]]*\]\([^)]*\)[^)]*\))/g, "");
    return { type: "message", text: item.citations > 0 ? text.trimEnd() : text };
  }
  if (item.type !== "call" || item.isCustom) return item;
  try {
    return { ...item, arguments: JSON.parse(item.arguments) as unknown };
  } catch {
    return item;
  }
}

function dialectProblems(judged: Judged): readonly string[] {
  const { dialect, recorded, received } = judged;
  switch (dialect) {
    case "responses":
      return responsesProblems(judged);
    case "chat":
    case "completions":
      return chatProblems(judged);
    case "messages":
      return messagesProblems(judged);
    case "ollama-chat":
    case "ollama-generate":
      return ollamaProblems(judged);
    case "other": {
      if (recorded.lines !== undefined) {
        return shapeProblems(recorded.lines.at(-1), received.lines?.at(-1), "the last line");
      }
      return shapeProblems(recorded.body, received.body);
    }
  }
}

function responsesProblems({ recorded, received, script }: Judged): readonly string[] {
  if (received.events === undefined) {
    return shapeProblems(withoutItems(recorded.body, script), received.body);
  }
  const named = received.events.filter(({ data }) => isObject(data)) as readonly {
    readonly event?: string;
    readonly data: ReceivedEvent;
  }[];
  const misnamed = named.find(({ event, data }) => event !== data.type);
  const terminal = (events: readonly RecordedEvent[] | undefined): unknown =>
    events?.map(({ data }) => data).findLast((data) => isObject(data) && "response" in data);
  return [
    ...(misnamed === undefined ? [] : [`the event ${misnamed.event} is of ${misnamed.data.type}`]),
    ...streamProblems(named.map(({ data }) => data)),
    ...orderProblems(recorded.events ?? [], received.events, responsesStep),
    ...(recorded.events === undefined
      ? []
      : shapeProblems(withoutItems(terminal(recorded.events), script), terminal(received.events))),
  ];
}

/** A stream that failed tells no items, since what was begun is not whole; the client has its deltas. */
function withoutItems(value: unknown, script: Answer | null): unknown {
  if (script?.end !== "failed" || !isObject(value)) return value;
  const { response } = value;
  if (!isObject(response)) return value;
  const { output, usage, ...rest } = response;
  return { ...value, response: rest };
}

/** One event as a step in the order of a stream; deltas in a row are one step. */
function responsesStep(data: JsonObject): string | null {
  const { type, item, part } = data;
  if (type === "keepalive") return null;
  const held = isObject(item) ? item : isObject(part) ? part : null;
  return held === null ? String(type) : `${String(type)} of ${String(held["type"])}`;
}

/** The recorded order has to be there; more may stand between. */
function orderProblems(
  recorded: readonly RecordedEvent[],
  received: readonly RecordedEvent[],
  step: (data: JsonObject) => string | null,
): readonly string[] {
  const wanted = steps(recorded, step);
  const got = steps(received, step);
  let at = 0;
  for (const name of wanted) {
    const found = got.indexOf(name, at);
    if (found < 0) return [`${name} does not come where it has to; the order is ${got.join(", ")}`];
    at = found + 1;
  }
  return [];
}

function steps(
  events: readonly RecordedEvent[],
  step: (data: JsonObject) => string | null,
): readonly string[] {
  const all = events.flatMap(({ data }) => (isObject(data) ? (step(data) ?? []) : []));
  return all.filter((name, at) => name !== all[at - 1]);
}

function chatProblems({ recorded, received }: Judged): readonly string[] {
  if (received.events === undefined) return shapeProblems(recorded.body, received.body);
  const chunks = (events: readonly RecordedEvent[] | undefined): readonly JsonObject[] =>
    (events ?? []).map(({ data }) => data).filter(isObject);
  const got = chunks(received.events).filter((chunk) => !("error" in chunk));
  const [firstWanted] = chunks(recorded.events);
  const [first] = got;
  const ids = new Set(got.map(({ id }) => id));
  return [
    ...orderProblems(recorded.events ?? [], received.events, chatStep),
    ...(ids.size > 1 ? ["the chunks have several ids"] : []),
    ...(firstWanted === undefined
      ? []
      : shapeProblems(withoutDelta(firstWanted), withoutDelta(first))),
    ...usageShape(chunks(recorded.events), got),
    ...(roleOf(first) === "assistant" ? [] : ["the first delta has no role"]),
  ];
}

/** What a delta holds is compared when all are put together. */
function withoutDelta(chunk: JsonObject | undefined): JsonObject | undefined {
  const choices = chunk?.["choices"];
  if (chunk === undefined || !Array.isArray(choices)) return chunk;
  return {
    ...chunk,
    choices: choices.map((choice: JsonObject) => ({ ...choice, delta: {} })),
  };
}

function usageShape(
  recorded: readonly JsonObject[],
  got: readonly JsonObject[],
): readonly string[] {
  const wanted = recorded.find(({ usage }) => isObject(usage));
  if (wanted === undefined) return [];
  return shapeProblems(
    wanted["usage"],
    got.find(({ usage }) => isObject(usage))?.["usage"],
    "usage",
  );
}

function roleOf(chunk: JsonObject | undefined): unknown {
  const [choice] = (chunk?.["choices"] ?? []) as readonly JsonObject[];
  return isObject(choice?.["delta"]) ? choice["delta"]["role"] : undefined;
}

function chatStep({ choices, usage, error }: JsonObject): string | null {
  if (error !== undefined) return "error";
  const [choice] = (choices ?? []) as readonly JsonObject[];
  if (choice === undefined) return isObject(usage) ? "usage" : null;
  if (choice["finish_reason"]) return `finish ${String(choice["finish_reason"])}`;
  const delta = isObject(choice["delta"]) ? choice["delta"] : {};
  if (delta["tool_calls"]) return "tool_calls";
  if (delta["reasoning"] || delta["reasoning_content"]) return "reasoning";
  return delta["content"] ? "content" : null;
}

function messagesProblems({ recorded, received }: Judged): readonly string[] {
  if (received.events === undefined) return shapeProblems(recorded.body, received.body);
  const misnamed = received.events.find(
    ({ event, data }) => isObject(data) && event !== data["type"],
  );
  return [
    ...(misnamed === undefined ? [] : [`the event ${misnamed.event} has another type`]),
    ...orderProblems(recorded.events ?? [], received.events, messagesStep),
    ...(recorded.events ?? []).flatMap(({ data }) => {
      if (!isObject(data)) return [];
      const like = received.events?.find((one) => isObject(one.data) && sameKind(data, one.data));
      return shapeProblems(data, like?.data, String(data["type"]));
    }),
  ];
}

function sameKind(one: JsonObject, other: JsonObject): boolean {
  return messagesStep(one) === messagesStep(other);
}

function messagesStep(data: JsonObject): string | null {
  const { type, content_block: block, delta } = data;
  if (type === "ping") return null;
  const held = isObject(block) ? block["type"] : isObject(delta) ? delta["type"] : undefined;
  // A signature ends a thought; where there is none, nothing is missing.
  if (held === "signature_delta") return null;
  return held === undefined ? String(type) : `${String(type)} of ${String(held)}`;
}

function ollamaProblems({ recorded, received, script }: Judged): readonly string[] {
  // The recorder said something also where nothing was asked: the model was only to be loaded or unloaded.
  const isLoad = script?.end === "load" || script?.end === "unload";
  if (isLoad) return shapeProblems({ model: "", created_at: "", done: true }, received.body);
  if (received.lines === undefined) return shapeProblems(recorded.body, received.body);
  const { lines } = received;
  const notOver = lines.slice(0, -1).find(({ done }) => done !== false);
  return [
    ...(notOver === undefined ? [] : ["a line before the last one says that it is the last"]),
    ...(lines.at(-1)?.["done"] === true ? [] : ["the last line has no done: true"]),
    ...shapeProblems(recorded.lines?.at(-1), lines.at(-1)),
    ...shapeProblems(recorded.lines?.[0], lines[0]),
  ];
}
