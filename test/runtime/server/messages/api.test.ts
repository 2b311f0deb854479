/** Anthropic's API over a real server on loopback. */
import { expect, test, vi } from "vitest";
import { ManualClock } from "../manual-clock.ts";
import { eventsOf, serve } from "../serve.ts";

const MODEL = "gpt-oss:20b";
const CALL =
  "<|channel|>analysis<|message|>I will run ls.<|end|><|start|>assistant<|channel|>commentary" +
  ' to=functions.Bash <|constrain|>json<|message|>{"command":"ls"}<|call|>';
const ANSWER =
  "<|channel|>analysis<|message|>Easy.<|end|><|start|>assistant<|channel|>final<|message|>There is one.<|return|>";
const TOOLS = [{ name: "Bash", description: "Runs.", input_schema: { type: "object" } }];
const ASK = { role: "user", content: "List the files." };

type Json = { readonly [key: string]: unknown };

test("a turn with a tool, whose thought is remembered where the client drops it", async () => {
  await using server = await serve([CALL, ANSWER]);
  const shared = { model: MODEL, max_tokens: 1000, tools: TOOLS };
  const first = await server.post("/v1/messages?beta=true", { ...shared, messages: [ASK] });
  const called = (await first.json()) as Json;
  expect(called).toMatchObject({
    type: "message",
    role: "assistant",
    stop_reason: "tool_use",
    content: [{ type: "tool_use", name: "Bash", input: { command: "ls" } }],
  });
  const [use] = called["content"] as Json[];
  const result = { type: "tool_result", tool_use_id: use?.["id"], content: "notes.md" };
  const messages = [
    ASK,
    { role: "assistant", content: called["content"] },
    { role: "user", content: [result] },
  ];
  const thinking = { type: "enabled", budget_tokens: 1024 };
  const second = await server.post("/v1/messages", { ...shared, messages, thinking, stream: true });
  const events = await eventsOf(second);
  expect(events.map(({ event }) => event).filter((name, at, all) => name !== all[at - 1])).toEqual([
    "message_start",
    ...["content_block_start", "content_block_delta", "content_block_stop"],
    ...["content_block_start", "content_block_delta", "content_block_stop"],
    ...["message_delta", "message_stop"],
  ]);
  expect(server.prompts()[1]).toContain("I will run ls.");
  expect(server.prompts()[1]).toContain("notes.md");
});

test("tokens are counted, and nothing is computed for that", async () => {
  await using server = await serve([ANSWER]);
  const body = { model: MODEL, messages: [ASK], tools: TOOLS };
  const counted = await server.post("/v1/messages/count_tokens", body);
  const { input_tokens } = (await counted.json()) as Json;
  expect(server.engine.requests).toHaveLength(0);
  const answer = await server.post("/v1/messages", { ...body, max_tokens: 100 });
  expect(((await answer.json()) as Json)["usage"]).toMatchObject({ input_tokens });
});

test.each<[string, Json, number, string]>([
  ["no such model", { model: "other", max_tokens: 9, messages: [ASK] }, 404, "not_found_error"],
  ["no limit", { model: MODEL, messages: [ASK] }, 400, "invalid_request_error"],
  ["no messages", { model: MODEL, max_tokens: 9, messages: [] }, 400, "invalid_request_error"],
  [
    "another role",
    { model: MODEL, max_tokens: 9, messages: [{ role: "x", content: "" }] },
    400,
    "invalid_request_error",
  ],
])("an error has Anthropic's form: %s", async (_, body, status, type) => {
  await using server = await serve([]);
  const response = await server.post("/v1/messages", body);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ type: "error", error: { type } });
});

test("what fails in the middle is told in the stream, and a silent model by pings", async () => {
  const clock = new ManualClock();
  const loading = Promise.withResolvers<void>();
  await using server = await serve([new Error("engine failed")], {
    clock,
    loading: loading.promise,
  });
  const body = { model: MODEL, max_tokens: 9, messages: [ASK], stream: true };
  const asking = server.post("/v1/messages", body);
  await vi.waitFor(() => expect(clock.waiting).toBeGreaterThan(0));
  clock.pass(10_000);
  const response = await asking;
  const reading = eventsOf(response);
  await vi.waitFor(() => expect(clock.waiting).toBeGreaterThan(1));
  clock.pass(10_000);
  loading.resolve();
  const events = await reading;
  expect(events.map(({ event }) => event)).toEqual(
    expect.arrayContaining(["ping", "message_start", "error"]),
  );
  expect(JSON.parse(events.at(-1)?.data ?? "")).toMatchObject({
    type: "error",
    error: { type: "api_error" },
  });
});
