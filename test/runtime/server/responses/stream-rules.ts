/**
 * What holds of every stream of `/v1/responses`, as a judge of the events that a test has received: the closed set
 * of events with exactly their keys, the numbers, and the life of each item. It shares no code with the server.
 * Sources: OpenAI's published events of streamed responses, and the rules of Open Responses.
 */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";

const count = z.number().int().nonnegative();
const text = z.string();
const id = z.string().min(1);
const itemStatus = z.enum(["in_progress", "completed", "incomplete"]);

const citation = z.strictObject({
  type: z.literal("url_citation"),
  start_index: count,
  end_index: count,
  url: text,
  title: text,
});
const outputText = z.strictObject({
  type: z.literal("output_text"),
  text,
  annotations: z.array(citation),
  logprobs: z.array(z.never()),
});
const reasoningText = z.strictObject({ type: z.literal("reasoning_text"), text });
const summaryText = z.strictObject({ type: z.literal("summary_text"), text });

const calledBy = { id, call_id: id, name: id, namespace: id.optional(), status: itemStatus };
const item = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("message"),
    id,
    status: itemStatus,
    role: z.literal("assistant"),
    content: z.array(outputText),
    phase: z.enum(["commentary", "final_answer"]),
  }),
  z.strictObject({
    type: z.literal("reasoning"),
    id,
    summary: z.array(summaryText),
    content: z.array(reasoningText),
    // OpenAI always, Open Responses only with a value: see the life of an item.
    encrypted_content: text.nullable().optional(),
    status: itemStatus,
  }),
  z.strictObject({ type: z.literal("function_call"), ...calledBy, arguments: text }),
  z.strictObject({ type: z.literal("custom_tool_call"), ...calledBy, input: text }),
  z.strictObject({
    type: z.literal("web_search_call"),
    id,
    status: z.enum(["in_progress", "searching", "completed", "failed"]),
    action: z.discriminatedUnion("type", [
      z.strictObject({ type: z.literal("search"), query: text }),
      z.strictObject({ type: z.literal("open_page"), url: text.nullable() }),
      z.strictObject({ type: z.literal("find_in_page"), url: text.nullable(), pattern: text }),
    ]),
  }),
  z.strictObject({
    type: z.literal("code_interpreter_call"),
    id,
    status: z.enum(["in_progress", "interpreting", "completed", "incomplete", "failed"]),
    code: text,
    container_id: id,
    outputs: z.array(z.strictObject({ type: z.literal("logs"), logs: text })).nullable(),
  }),
]);

const usage = z.strictObject({
  input_tokens: count,
  input_tokens_details: z.strictObject({ cached_tokens: count }),
  output_tokens: count,
  output_tokens_details: z.strictObject({ reasoning_tokens: count }),
  total_tokens: count,
});

/** Every key always. */
const responseObject = z.strictObject({
  id: z.string().regex(/^resp_/),
  object: z.literal("response"),
  created_at: count,
  completed_at: count.nullable(),
  status: z.enum(["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]),
  incomplete_details: z.strictObject({ reason: id }).nullable(),
  model: id,
  previous_response_id: id.nullable(),
  instructions: text.nullable(),
  output: z.array(item),
  error: z.strictObject({ code: id, message: text }).nullable(),
  tools: z.array(z.looseObject({ type: id })),
  tool_choice: z.union([z.enum(["auto", "none", "required"]), z.looseObject({ type: id })]),
  truncation: z.enum(["auto", "disabled"]),
  parallel_tool_calls: z.boolean(),
  text: z.strictObject({ format: z.looseObject({ type: id }), verbosity: id }),
  top_p: z.number(),
  presence_penalty: z.number(),
  frequency_penalty: z.number(),
  top_logprobs: count,
  temperature: z.number(),
  reasoning: z.strictObject({ effort: text, summary: text.nullable() }),
  user: text.nullable(),
  usage: usage.nullable(),
  max_output_tokens: count.nullable(),
  max_tool_calls: count.nullable(),
  store: z.boolean(),
  background: z.boolean(),
  service_tier: text,
  metadata: z.record(z.string(), z.string()),
  safety_identifier: text.nullable(),
  prompt_cache_key: text.nullable(),
});

/** @returns what is wrong with a response object, one sentence each */
export function responseProblems(value: unknown): readonly string[] {
  const { error, data } = responseObject.safeParse(value);
  const unsealed = data?.output.some(
    (one) => one.type === "reasoning" && !("encrypted_content" in one),
  );
  return [
    ...(error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`),
    ...(unsealed ? ["a reasoning item has no encrypted_content"] : []),
  ];
}

type Wire = z.infer<typeof responseObject>;
type WireItem = z.infer<typeof item>;

const event = (type: string, keys: z.ZodRawShape) =>
  z.strictObject({ type: z.literal(type), sequence_number: count, ...keys });
const ofItem = { output_index: count };
const inItem = { item_id: id, ...ofItem };
const inPart = { ...inItem, content_index: count };
const inSummary = { ...inItem, summary_index: count };
const part = z.discriminatedUnion("type", [outputText, reasoningText]);
const noLogprobs = z.array(z.never());

/** The closed set. */
const EVENTS = new Map(
  [
    ...["created", "in_progress", "queued", "completed", "incomplete", "failed"].map((name) =>
      event(`response.${name}`, { response: responseObject }),
    ),
    event("response.output_item.added", { ...ofItem, item }),
    event("response.output_item.done", { ...ofItem, item }),
    event("response.content_part.added", { ...inPart, part }),
    event("response.content_part.done", { ...inPart, part }),
    event("response.output_text.delta", { ...inPart, delta: text, logprobs: noLogprobs }),
    event("response.output_text.done", { ...inPart, text, logprobs: noLogprobs }),
    event("response.output_text.annotation.added", {
      ...inPart,
      annotation_index: count,
      annotation: citation,
    }),
    event("response.reasoning_text.delta", { ...inPart, delta: text }),
    event("response.reasoning_text.done", { ...inPart, text }),
    event("response.reasoning.delta", { ...inPart, delta: text }),
    event("response.reasoning.done", { ...inPart, text }),
    event("response.reasoning_summary_part.added", { ...inSummary, part: summaryText }),
    event("response.reasoning_summary_part.done", { ...inSummary, part: summaryText }),
    event("response.reasoning_summary_text.delta", { ...inSummary, delta: text }),
    event("response.reasoning_summary_text.done", { ...inSummary, text }),
    event("response.function_call_arguments.delta", { ...inItem, delta: text }),
    event("response.function_call_arguments.done", { ...inItem, name: id, arguments: text }),
    event("response.custom_tool_call_input.delta", { ...inItem, delta: text }),
    event("response.custom_tool_call_input.done", { ...inItem, input: text }),
    event("response.code_interpreter_call_code.delta", { ...inItem, delta: text }),
    event("response.code_interpreter_call_code.done", { ...inItem, code: text }),
    ...["in_progress", "searching", "completed"].map((name) =>
      event(`response.web_search_call.${name}`, inItem),
    ),
    ...["in_progress", "interpreting", "completed"].map((name) =>
      event(`response.code_interpreter_call.${name}`, inItem),
    ),
    event("error", { code: text.nullable(), message: text, param: text.nullable() }),
    event("keepalive", {}),
  ].map((schema) => [schema.shape.type.value, schema] as const),
);

/** Open Responses has the facts of an error in an object. */
const OPEN_ERROR = event("error", {
  error: z.strictObject({ type: id, code: text.nullable(), message: text, param: text.nullable() }),
});

const TERMINAL: Readonly<Record<string, readonly string[]>> = {
  "response.completed": ["completed"],
  "response.incomplete": ["incomplete", "cancelled"],
  "response.failed": ["failed"],
};

/** An event as a client reads it. */
export type ReceivedEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

type Life = {
  readonly type: string;
  readonly id: string;
  isDone: boolean;
  /** Parts by their index: what the deltas say, and whether each was ended. */
  readonly texts: Map<string, { text: string; isTextDone: boolean; isPartDone: boolean }>;
  annotations: unknown[];
  /** The text of a call. */
  called: string;
  isCallDone: boolean;
  readonly phases: string[];
};

export type StreamRuleOptions = {
  /** A stream that is read on from the middle: its first number. Default 0. */
  readonly from?: number;
};

/**
 * @param events the data of each event, without `[DONE]`
 * @returns what is against the rules, one sentence each
 */
export function streamProblems(
  events: readonly ReceivedEvent[],
  { from = 0 }: StreamRuleOptions = {},
): readonly string[] {
  const judge = new StreamJudge(from);
  for (const one of events) judge.take(one);
  return judge.end();
}

/**
 * The same answer, held against the rules while it is read: where it breaks one, reading it to its end fails. What is
 * no stream of the Responses API is given back as it is.
 * @param path of the request
 */
export function judgedStream(path: string, response: Response): Response {
  const { pathname, searchParams } = new URL(path, "http://localhost");
  const type = response.headers.get("content-type") ?? "";
  const isStream =
    /^\/v1\/responses(?:\/|$)/.test(pathname) && type.startsWith("text/event-stream");
  if (!isStream || response.body === null) return response;
  const after = searchParams.get("starting_after");
  const from = after === null ? 0 : Number(after) + 1;
  const decoder = new TextDecoder();
  let read = "";
  const judging = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, controller) {
      read += decoder.decode(bytes, { stream: true });
      controller.enqueue(bytes);
    },
    flush() {
      const data = [...read.matchAll(/^data: (.*)$/gm)].map((match) => match[1] ?? "");
      const events = data.filter((one) => one !== "[DONE]").map((one) => JSON.parse(one));
      const problems = [...streamProblems(events as readonly ReceivedEvent[], { from })];
      if (data.at(-1) !== "[DONE]") problems.push("the stream does not end with [DONE]");
      if (problems.length > 0) throw new Error(problems.join("\n"));
    },
  });
  return new Response(response.body.pipeThrough(judging), response);
}

class StreamJudge {
  readonly #problems: string[] = [];
  readonly #items: Life[] = [];
  readonly #from: number;
  #next: number;
  #begun: readonly string[] = [];
  #names: "openai" | "open-responses" | null = null;
  #terminal: string | null = null;
  #errors = 0;
  #responseId: unknown = null;

  constructor(from: number) {
    this.#from = from;
    this.#next = from;
  }

  take(received: ReceivedEvent): void {
    const at = `event ${this.#next} (${received.type})`;
    const isOpenError = received.type === "error" && "error" in received;
    const schema = isOpenError ? OPEN_ERROR : EVENTS.get(received.type);
    if (schema === undefined) {
      this.#problems.push(`${at}: no such event`);
      this.#next++;
      return;
    }
    const checked = schema.safeParse(received);
    if (!checked.success) {
      for (const { path, message } of checked.error.issues) {
        this.#problems.push(`${at}: ${path.join(".")}: ${message}`);
      }
    }
    if (received["sequence_number"] !== this.#next) {
      this.#problems.push(`${at}: its number is ${String(received["sequence_number"])}`);
    }
    if (this.#terminal !== null) this.#problems.push(`${at}: it follows ${this.#terminal}`);
    this.#next++;
    if (checked.success) this.#judge(received, at);
  }

  end(): readonly string[] {
    if (this.#terminal === null) this.#problems.push("the stream has no terminal event");
    return this.#problems;
  }

  #judge(received: ReceivedEvent, at: string): void {
    const problem = (text: string): void => {
      this.#problems.push(`${at}: ${text}`);
    };
    const { type } = received;
    if (this.#from === 0) this.#judgeBeginning(type, problem);
    if ("response" in received) this.#judgeSnapshot(received, problem);
    else if (type === "error") this.#errors++;
    else if (type === "response.output_item.added") this.#added(received, problem);
    else if ("output_index" in received) this.#inItem(received, problem);
  }

  #judgeBeginning(type: string, problem: (text: string) => void): void {
    const wanted = ["response.created", "response.queued", "response.in_progress"];
    if (this.#begun.length === 0 && type !== "response.created") {
      problem("the first event is response.created");
    }
    if (type === "response.created" && this.#begun.length > 0) problem("it was told before");
    if (wanted.includes(type)) this.#begun = [...this.#begun, type];
    else if (type !== "keepalive" && !this.#begun.includes("response.in_progress")) {
      if (!(type in TERMINAL) && type !== "error") problem("response.in_progress comes before it");
    }
  }

  #judgeSnapshot(received: ReceivedEvent, problem: (text: string) => void): void {
    const response = received["response"] as Wire;
    this.#responseId ??= response.id;
    if (response.id !== this.#responseId) problem("the response has another id");
    const statuses = TERMINAL[received.type];
    if (statuses === undefined) {
      if (response.usage !== null) problem("usage is null until the end");
      return;
    }
    this.#terminal = received.type;
    if (!statuses.includes(response.status)) problem(`the status is ${response.status}`);
    if (response.usage === null) problem("usage is missing");
    if ((response.status === "completed") !== (response.completed_at !== null)) {
      problem("completed_at belongs to a completed response");
    }
    if ((response.status === "incomplete") !== (response.incomplete_details !== null)) {
      problem("incomplete_details belongs to an incomplete response");
    }
    if ((response.status === "failed") !== (response.error !== null)) {
      problem("error belongs to a failed response");
    }
    if (response.status === "failed" && this.#errors !== 1) problem("one error event precedes it");
    if (response.status === "completed" || response.status === "incomplete") {
      for (const life of this.#items) {
        if (life !== undefined && !life.isDone) problem(`item ${life.id} has no output_item.done`);
      }
    }
    if (this.#from > 0) return;
    const ids = response.output.map((one) => one.id);
    if (
      !isDeepStrictEqual(
        ids,
        this.#items.map((one) => one.id),
      )
    ) {
      problem("the output has other items than the stream");
    }
  }

  #added(received: ReceivedEvent, problem: (text: string) => void): void {
    const index = received["output_index"] as number;
    const added = received["item"] as WireItem;
    if (this.#from === 0 && index !== this.#items.length) problem(`output_index is ${index}`);
    if (this.#items.some((life) => life?.id === added.id)) problem(`the id ${added.id} is taken`);
    if (added.status !== "in_progress") problem(`the item begins as ${added.status}`);
    if ("content" in added && added.content.length > 0) problem("the item begins with content");
    if ("arguments" in added && added.arguments !== "") problem("the item begins with arguments");
    if ("input" in added && added.input !== "") problem("the item begins with input");
    this.#items[index] = {
      type: added.type,
      id: added.id,
      isDone: false,
      texts: new Map(),
      annotations: [],
      called: "",
      isCallDone: false,
      phases: [],
    };
  }

  #inItem(received: ReceivedEvent, problem: (text: string) => void): void {
    const life = this.#items[received["output_index"] as number];
    if (life === undefined) {
      if (this.#from === 0) problem("no item has this output_index");
      return;
    }
    if (life.isDone) problem(`item ${life.id} is done already`);
    if ("item_id" in received && received["item_id"] !== life.id) {
      problem(`item_id is ${String(received["item_id"])}, the item is ${life.id}`);
    }
    const { type } = received;
    if (type === "response.output_item.done")
      this.#done(life, received["item"] as WireItem, problem);
    else if (type.startsWith("response.content_part.")) contentPart(life, received, problem);
    else if (type.startsWith("response.output_text.")) this.#text(life, received, problem);
    else if (type.startsWith("response.reasoning_summary_")) summary(life, received, problem);
    else if (type.startsWith("response.reasoning")) this.#trace(life, received, problem);
    else if (/_call\.\w+$/.test(type)) phase(life, received, problem);
    else callText(life, received, problem);
  }

  #text(life: Life, received: ReceivedEvent, problem: (text: string) => void): void {
    if (life.type !== "message") problem(`the item is a ${life.type}`);
    if (received.type === "response.output_text.annotation.added") {
      if (received["annotation_index"] !== life.annotations.length) problem("annotation_index");
      life.annotations = [...life.annotations, received["annotation"]];
      return;
    }
    deltaOrDone(life, received, `content ${String(received["content_index"])}`, problem);
  }

  #trace(life: Life, received: ReceivedEvent, problem: (text: string) => void): void {
    if (life.type !== "reasoning") problem(`the item is a ${life.type}`);
    const names = received.type.includes("reasoning_text") ? "openai" : "open-responses";
    this.#names ??= names;
    if (names !== this.#names) problem("the trace has two names");
    deltaOrDone(life, received, `content ${String(received["content_index"])}`, problem);
  }

  #done(life: Life, done: WireItem, problem: (text: string) => void): void {
    life.isDone = true;
    if (done.id !== life.id || done.type !== life.type) problem("the item is another one");
    if (done.status === "in_progress" || done.status === "searching") {
      problem(`the item ends as ${done.status}`);
    }
    if (done.status === "interpreting") problem("the item ends as interpreting");
    for (const [key, one] of life.texts) {
      if (!one.isTextDone || !one.isPartDone) problem(`${key} of ${life.id} was not ended`);
    }
    switch (done.type) {
      case "message":
      case "reasoning": {
        const told = done.content.map((one) => one.text);
        const parts = [...life.texts].filter(([key]) => key.startsWith("content "));
        if (
          !isDeepStrictEqual(
            told,
            parts.map(([, one]) => one.text),
          )
        ) {
          problem("the content is not what the deltas said");
        }
        if (done.type === "message") {
          const annotations = done.content.flatMap((one) => one.annotations);
          if (!isDeepStrictEqual(annotations, life.annotations)) problem("untold annotations");
        } else {
          const { encrypted_content: sealed } = done;
          if (this.#names === "openai" && sealed === undefined)
            problem("encrypted_content is missing");
          if (this.#names === "open-responses" && sealed === null)
            problem("encrypted_content is null");
          const summaries = [...life.texts].filter(([key]) => key.startsWith("summary "));
          const said = done.summary.map((one) => one.text);
          if (
            !isDeepStrictEqual(
              said,
              summaries.map(([, one]) => one.text),
            )
          ) {
            problem("the summary is not what the deltas said");
          }
        }
        break;
      }
      case "function_call":
        if (!life.isCallDone) problem("the arguments were not ended");
        if (done.arguments !== life.called) problem("the arguments are not what the deltas said");
        break;
      case "custom_tool_call":
        if (!life.isCallDone) problem("the input was not ended");
        if (done.input !== life.called) problem("the input is not what the deltas said");
        break;
      case "code_interpreter_call":
        if (!life.isCallDone) problem("the code was not ended");
        if (done.code !== life.called) problem("the code is not what the deltas said");
        if (done.status === "completed" && life.phases.at(-1) !== "completed") {
          problem("code_interpreter_call.completed is missing");
        }
        break;
      case "web_search_call":
        if (done.status === "completed" && life.phases.at(-1) !== "completed") {
          problem("web_search_call.completed is missing");
        }
        break;
    }
  }
}

function contentPart(life: Life, received: ReceivedEvent, problem: (text: string) => void): void {
  const key = `content ${String(received["content_index"])}`;
  const told = received["part"] as z.infer<typeof part>;
  const wanted = life.type === "message" ? "output_text" : "reasoning_text";
  if (told.type !== wanted) problem(`the part of a ${life.type} is ${told.type}`);
  if (received.type === "response.content_part.added") {
    if (received["content_index"] !== life.texts.size) problem("content_index");
    if (told.text !== "") problem("the part begins with text");
    life.texts.set(key, { text: "", isTextDone: false, isPartDone: false });
    return;
  }
  const open = life.texts.get(key);
  if (open === undefined) {
    problem("the part was not added");
    return;
  }
  if (!open.isTextDone) problem("its text was not ended");
  if (open.isPartDone) problem("the part is done already");
  open.isPartDone = true;
  if (told.text !== open.text) problem("the part is not what the deltas said");
}

function summary(life: Life, received: ReceivedEvent, problem: (text: string) => void): void {
  if (life.type !== "reasoning") problem(`the item is a ${life.type}`);
  const key = `summary ${String(received["summary_index"])}`;
  if (received.type === "response.reasoning_summary_part.added") {
    life.texts.set(key, { text: "", isTextDone: false, isPartDone: false });
    return;
  }
  if (received.type === "response.reasoning_summary_part.done") {
    const open = life.texts.get(key);
    if (open === undefined) {
      problem("the part was not added");
      return;
    }
    if (!open.isTextDone) problem("its text was not ended");
    open.isPartDone = true;
    return;
  }
  deltaOrDone(life, received, key, problem);
}

function deltaOrDone(
  life: Life,
  received: ReceivedEvent,
  key: string,
  problem: (text: string) => void,
): void {
  const open = life.texts.get(key);
  if (open === undefined) {
    problem("the part was not added");
    return;
  }
  if (open.isTextDone) problem("the text is done already");
  if ("delta" in received) {
    if (received["delta"] === "") problem("an empty delta");
    open.text += String(received["delta"]);
    return;
  }
  open.isTextDone = true;
  if (received["text"] !== open.text) problem("the text is not what the deltas said");
}

/** The steps of a call that the server carries out. */
function phase(life: Life, received: ReceivedEvent, problem: (text: string) => void): void {
  const [, kind, name] = /^response\.(\w+)\.(\w+)$/.exec(received.type) ?? [];
  if (kind !== life.type) problem(`the item is a ${life.type}`);
  const order = ["in_progress", "searching", "interpreting", "completed"];
  const last = order.indexOf(life.phases.at(-1) ?? "");
  if (order.indexOf(name ?? "") <= last) problem("it comes too late");
  life.phases.push(name ?? "");
}

const CALL_TEXTS: Readonly<Record<string, readonly [stem: string, key: string]>> = {
  function_call: ["response.function_call_arguments", "arguments"],
  custom_tool_call: ["response.custom_tool_call_input", "input"],
  code_interpreter_call: ["response.code_interpreter_call_code", "code"],
};

function callText(life: Life, received: ReceivedEvent, problem: (text: string) => void): void {
  const [stem = "", key = ""] = CALL_TEXTS[life.type] ?? [];
  if (stem === "" || !received.type.startsWith(stem)) {
    problem(`the item is a ${life.type}`);
    return;
  }
  if (life.isCallDone) problem("the text is done already");
  if ("delta" in received) {
    if (received["delta"] === "") problem("an empty delta");
    life.called += String(received["delta"]);
    return;
  }
  life.isCallDone = true;
  if (received[key] !== life.called) problem("the text is not what the deltas said");
}
