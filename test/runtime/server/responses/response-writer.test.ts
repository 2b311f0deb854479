/** From the events of a turn to the events of a response, held against the rules of every stream. */
import { describe, expect, test } from "vitest";
import {
  type ResponseEnd,
  ResponseWriter,
  type ResponseWriterOptions,
} from "../../../../runtime/server/responses/response-writer.ts";
import type { ResponseEcho, ResponseEvent } from "../../../../runtime/server/responses/wire.ts";
import type { OutputItem, TurnEvent, TurnUsage } from "../../../../runtime/server/turn/items.ts";
import {
  judgedStream,
  type ReceivedEvent,
  responseProblems,
  streamProblems,
} from "./stream-rules.ts";

const ECHO: ResponseEcho = {
  model: "gpt-oss:20b",
  background: false,
  previous_response_id: null,
  instructions: null,
  tools: [],
  tool_choice: "auto",
  truncation: "disabled",
  parallel_tool_calls: true,
  text: { format: { type: "text" }, verbosity: "medium" },
  top_p: 1,
  presence_penalty: 0,
  frequency_penalty: 0,
  top_logprobs: 0,
  temperature: 1,
  reasoning: { effort: "medium", summary: null },
  user: null,
  max_output_tokens: null,
  max_tool_calls: null,
  store: true,
  service_tier: "default",
  metadata: {},
  safety_identifier: null,
  prompt_cache_key: null,
};
const USAGE: TurnUsage = {
  inputTokens: 90,
  cachedTokens: 64,
  outputTokens: 20,
  reasoningTokens: 8,
};

type Options = Partial<Omit<ResponseWriterOptions, "reasoning">> & {
  readonly reasoning?: Partial<ResponseWriterOptions["reasoning"]>;
};

const writerOf = ({ reasoning, ...options }: Options = {}): ResponseWriter =>
  new ResponseWriter({
    id: "resp_1",
    echo: ECHO,
    isCustom: (name) => name === "apply_patch",
    hasCodeOutputs: false,
    now: () => 1_764_000_000,
    ...options,
    reasoning: { hasSummary: false, names: "openai", seal: null, ...reasoning },
  });

function play(
  events: readonly TurnEvent[],
  end: ResponseEnd,
  options: Options = {},
): readonly ResponseEvent[] {
  const writer = writerOf(options);
  const told = [
    ...writer.begin(),
    ...events.flatMap((event) => writer.take(event)),
    ...writer.end(end, USAGE),
  ];
  const last = told.at(-1);
  expect(last !== undefined && "response" in last ? last.response : null).toEqual(writer.response);
  return told;
}

const problems = (events: readonly ResponseEvent[]): readonly string[] =>
  streamProblems(events as unknown as readonly ReceivedEvent[]);

/** An item that is begun, written in pieces, and completed. */
function written(item: OutputItem, ...pieces: readonly string[]): readonly TurnEvent[] {
  const text = pieces.join("");
  const isCall = item.type === "call";
  const empty = isCall ? { ...item, arguments: "" } : { ...item, text: "" };
  return [
    { type: "item.started", item: empty as OutputItem },
    ...pieces.map((piece) => ({ type: "item.delta", id: item.id, text: piece }) as const),
    {
      type: "item.completed",
      item: (isCall ? { ...item, arguments: text } : { ...item, text }) as OutputItem,
    },
  ];
}

const thought = written({ type: "reasoning", id: "rs_1", text: "" }, "I need ", "the weather.");
const answer = written(
  { type: "message", id: "msg_1", phase: "final_answer", text: "" },
  "It is ",
  "7 °C.",
);
const CALL = {
  type: "call",
  id: "fc_1",
  callId: "call_1",
  namespace: null,
  arguments: "",
} as const;
const call = written({ ...CALL, name: "get_weather" }, '{"city":', '"Oslo"}');

const types = (events: readonly ResponseEvent[]): readonly string[] =>
  events.map(({ type }) => type.replace(/^response\./, ""));

describe("a stream", () => {
  test("tells a thought and an answer in OpenAI's order", () => {
    const told = play([...thought, ...answer], { status: "completed" });
    expect(types(told)).toEqual([
      ...["created", "in_progress"],
      ...[
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "reasoning_text.delta",
      ],
      ...["reasoning_text.done", "content_part.done", "output_item.done"],
      ...["output_item.added", "content_part.added", "output_text.delta", "output_text.delta"],
      ...["output_text.done", "content_part.done", "output_item.done", "completed"],
    ]);
    expect(problems(told)).toEqual([]);
    expect(told.at(-1)).toMatchObject({
      response: {
        status: "completed",
        completed_at: 1_764_000_000,
        usage: {
          input_tokens: 90,
          input_tokens_details: { cached_tokens: 64 },
          output_tokens: 20,
          output_tokens_details: { reasoning_tokens: 8 },
          total_tokens: 110,
        },
        output: [
          {
            type: "reasoning",
            summary: [],
            content: [{ type: "reasoning_text", text: "I need the weather." }],
            encrypted_content: null,
          },
          { type: "message", phase: "final_answer", content: [{ text: "It is 7 °C." }] },
        ],
      },
    });
  });

  test("gives calls of functions, and of custom and namespace tools, as the client declared them", () => {
    const patch = written({ ...CALL, id: "fc_2", name: "apply_patch" }, "*** Begin Patch\n");
    const spaced = written({ ...CALL, id: "fc_3", name: "spawn", namespace: "agents" }, "{}");
    const told = play([...thought, ...call, ...patch, ...spaced], { status: "completed" });
    expect(problems(told)).toEqual([]);
    expect(told.at(-1)).toMatchObject({
      response: {
        output: [
          { type: "reasoning" },
          { type: "function_call", id: "fc_1", arguments: '{"city":"Oslo"}', call_id: "call_1" },
          {
            type: "custom_tool_call",
            id: "ctc_2",
            input: "*** Begin Patch\n",
            name: "apply_patch",
          },
          { type: "function_call", namespace: "agents", name: "spawn", arguments: "{}" },
        ],
      },
    });
  });

  test("mirrors the trace as its summary where that is asked for, and seals it", () => {
    const seal = (trace: string): string => `sealed ${trace}`;
    const told = play(thought, { status: "completed" }, { reasoning: { hasSummary: true, seal } });
    expect(problems(told)).toEqual([]);
    expect(types(told)).toContain("reasoning_summary_text.delta");
    expect(told.at(-1)).toMatchObject({
      response: {
        output: [
          {
            summary: [{ type: "summary_text", text: "I need the weather." }],
            encrypted_content: "sealed I need the weather.",
          },
        ],
      },
    });
  });

  test("has the names of Open Responses where the server is asked to use them", () => {
    const reasoning = { names: "open-responses" } as const;
    const told = play(thought, { status: "completed" }, { reasoning });
    expect(problems(told)).toEqual([]);
    expect(types(told)).toEqual(expect.arrayContaining(["reasoning.delta", "reasoning.done"]));
    expect(types(told)).not.toContain("reasoning_text.delta");
    expect(
      (told.at(-1) as { response?: { output: object[] } }).response?.output[0],
    ).not.toHaveProperty("encrypted_content");
    const error = { code: "server_error", message: "engine failed" };
    const failed = play(thought, { status: "failed", error }, { reasoning });
    expect(problems(failed)).toEqual([]);
    expect(failed.at(-2)).toMatchObject({
      type: "error",
      error: { type: "server_error", ...error },
    });
    expect(types(writerOf({ reasoning }).keepalive())).toEqual(["in_progress"]);
  });

  test("marks the item that a limit has cut off, and only that", () => {
    const end = { status: "incomplete", reason: "max_output_tokens" } as const;
    const told = play([...thought, ...answer.slice(0, -1)], end);
    expect(problems(told)).toEqual([]);
    expect(told.at(-1)).toMatchObject({
      type: "response.incomplete",
      response: {
        incomplete_details: { reason: "max_output_tokens" },
        output: [{ status: "completed" }, { status: "incomplete" }],
      },
    });
    // The same where the turn still completes what it has of the item.
    expect(play([...thought, ...answer], end).at(-1)).toMatchObject({
      response: { output: [{ status: "completed" }, { status: "incomplete" }] },
    });
  });

  test("ends with an error and response.failed where the model fails", () => {
    const error = { code: "server_error", message: "engine failed" };
    const told = play(answer.slice(0, 2), { status: "failed", error });
    expect(problems(told)).toEqual([]);
    expect(types(told).slice(-2)).toEqual(["error", "failed"]);
    expect(told.at(-2)).toMatchObject({ ...error, param: null });
    expect(told.at(-1)).toMatchObject({ response: { status: "failed", error } });
  });

  test("tells searches, pages and programs that were carried out here", () => {
    const TOOL = { type: "tool", callId: "call_9", result: null, status: "in_progress" } as const;
    const ran = (item: OutputItem & { type: "tool" }, result: object): readonly TurnEvent[] => [
      { type: "item.started", item },
      { type: "item.completed", item: { ...item, status: "completed", ...result } as OutputItem },
    ];
    const told = play(
      [
        ...ran(
          { ...TOOL, id: "ws_1", tool: "browser.search", arguments: '{"query":"Oslo"}' },
          { result: { text: "…" } },
        ),
        ...ran(
          { ...TOOL, id: "ws_2", tool: "browser.open", arguments: '{"id":3}' },
          { result: { text: "…", data: { url: "https://example.org/oslo" } } },
        ),
        ...ran(
          { ...TOOL, id: "ci_1", tool: "python", arguments: "print(1)" },
          { result: { text: "1\n" } },
        ),
        ...answer,
      ],
      { status: "completed" },
      { hasCodeOutputs: true },
    );
    expect(problems(told)).toEqual([]);
    expect(told.at(-1)).toMatchObject({
      response: {
        output: [
          {
            type: "web_search_call",
            status: "completed",
            action: { type: "search", query: "Oslo" },
          },
          { action: { type: "open_page", url: "https://example.org/oslo" } },
          {
            type: "code_interpreter_call",
            code: "print(1)",
            outputs: [{ type: "logs", logs: "1\n" }],
          },
          { type: "message" },
        ],
      },
    });
  });

  test("tells what an answer cites before its text is done", () => {
    const cited = { url: "https://example.org/", title: "Oslo", startIndex: 0, endIndex: 2 };
    const [begun, ...rest] = answer;
    const last = rest.at(-1);
    const item = last?.type === "item.completed" ? { ...last.item, citations: [cited] } : null;
    const events = [begun, ...rest.slice(0, -1), { type: "item.completed", item }];
    const told = play(events as readonly TurnEvent[], { status: "completed" });
    expect(problems(told)).toEqual([]);
    const { url, title } = cited;
    const annotation = { type: "url_citation", start_index: 0, end_index: 2, url, title };
    expect(told.find(({ type }) => type === "response.output_text.annotation.added")).toMatchObject(
      {
        annotation_index: 0,
        annotation,
      },
    );
    expect(told.at(-1)).toMatchObject({
      response: { output: [{ content: [{ annotations: [annotation] }] }] },
    });
  });

  test("says in numbered events that it is still at work", () => {
    const writer = writerOf();
    const told = [...writer.begin(), ...writer.keepalive(), ...writer.take(answer[0] as TurnEvent)];
    expect(told.map(({ sequence_number }) => sequence_number)).toEqual([0, 1, 2, 3, 4]);
    expect(told[2]).toEqual({ type: "keepalive", sequence_number: 2 });
  });
});

describe("the rules", () => {
  const good = play([...thought, ...call], { status: "completed" });
  type Change = (events: Record<string, unknown>[]) => unknown;

  test.each<[string, Change, RegExp]>([
    ["an event that is missing", (events) => events.splice(5, 1), /its number/],
    ["a number that is taken twice", (events) => (events[4]!["sequence_number"] = 3), /its number/],
    [
      "an event that is none",
      (events) => (events[4]!["type"] = "response.thought"),
      /no such event/,
    ],
    ["a key that is none", (events) => (events[4]!["extra"] = 1), /extra/],
    ["a key that is missing", (events) => delete events[4]!["delta"], /delta/],
    ["another delta", (events) => (events[4]!["delta"] = "I want "), /not what the deltas said/],
    ["no end", (events) => events.pop(), /no terminal event/],
    ["an end in the middle", (events) => events.push({ ...events[4]! }), /it follows/],
    [
      "an item that is not done",
      (events) => drop(events, "response.output_item.done"),
      /no output_item/,
    ],
    [
      "a part that is not done",
      (events) => drop(events, "response.content_part.done"),
      /not ended/,
    ],
    ["another item id", (events) => (events[4]!["item_id"] = "rs_2"), /the item is rs_1/],
    ["another index", (events) => (events[2]!["output_index"] = 1), /output_index/],
    ["no response.created", (events) => renumber(events.splice(0, 1) && events), /first event/],
    [
      "an object without a key",
      (events) => delete (events[0]!["response"] as Record<string, unknown>)["safety_identifier"],
      /safety_identifier/,
    ],
  ])("find %s", (_, change, problem) => {
    const events = structuredClone(good) as unknown as Record<string, unknown>[];
    change(events);
    expect(streamProblems(events as ReceivedEvent[]).join("\n")).toMatch(problem);
  });

  test("find nothing in a good stream, or the rest of one", () => {
    expect(problems(good)).toEqual([]);
    const rest = good.slice(9) as unknown as readonly ReceivedEvent[];
    expect(streamProblems(rest, { from: 9 })).toEqual([]);
    expect(responseProblems((good.at(-1) as { response?: unknown }).response)).toEqual([]);
  });
});

test("a stream that breaks a rule cannot be read to its end by a test", async () => {
  const told = play(thought, { status: "completed" });
  const lines = [...told.map((event) => JSON.stringify(event)), "[DONE]"];
  const stream = (data: readonly string[]): Response =>
    new Response(data.map((one) => `data: ${one}\n\n`).join(""), {
      headers: { "content-type": "text/event-stream" },
    });
  expect(await judgedStream("/v1/responses", stream(lines)).text()).toContain("[DONE]");
  const rest = judgedStream(
    "/v1/responses/resp_1?stream=true&starting_after=2",
    stream(lines.slice(3)),
  );
  expect(await rest.text()).toContain("[DONE]");
  await expect(judgedStream("/v1/responses", stream(lines.slice(1))).text()).rejects.toThrow(
    /its number is 1/,
  );
  await expect(judgedStream("/v1/responses", stream(lines.slice(0, -1))).text()).rejects.toThrow(
    /\[DONE\]/,
  );
  expect(await judgedStream("/v1/messages", stream(["{}"])).text()).toContain("{}");
});

function drop(events: Record<string, unknown>[], type: string): void {
  events.splice(
    events.findIndex((event) => event["type"] === type),
    1,
  );
  renumber(events);
}

function renumber(events: Record<string, unknown>[]): void {
  for (const [at, event] of events.entries()) event["sequence_number"] = at;
}
