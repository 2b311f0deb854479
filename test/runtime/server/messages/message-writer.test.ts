/** Anthropic's stream of a turn, and the message that it comes to. */
import { expect, test } from "vitest";
import { MessagesBody, turnRequest } from "../../../../runtime/server/messages/body.ts";
import { MessageWriter } from "../../../../runtime/server/messages/message-writer.ts";
import type { TurnEvent, TurnResult } from "../../../../runtime/server/turn/items.ts";
import { checkBody } from "../../../../runtime/server/wire/check.ts";

const CALL = {
  type: "call",
  id: "fc_1",
  callId: "call_1",
  name: "Bash",
  namespace: null,
  arguments: "",
} as const;
const EVENTS: readonly TurnEvent[] = [
  { type: "item.started", item: { type: "reasoning", id: "rs_1", text: "" } },
  { type: "item.delta", id: "rs_1", text: "I will " },
  { type: "item.delta", id: "rs_1", text: "run ls." },
  { type: "item.completed", item: { type: "reasoning", id: "rs_1", text: "I will run ls." } },
  { type: "item.started", item: CALL },
  { type: "item.delta", id: "fc_1", text: '{"command":' },
  { type: "item.delta", id: "fc_1", text: '"ls"}' },
  { type: "item.completed", item: { ...CALL, arguments: '{"command":"ls"}' } },
];
const RESULT: TurnResult = {
  finish: "calls",
  items: [],
  usage: { inputTokens: 100, cachedTokens: 64, outputTokens: 20, reasoningTokens: 8 },
  timing: { queueMs: 0, prefillMs: 0, decodeMs: 0, totalMs: 0, firstTokenMs: 0 },
  stopString: null,
  limit: null,
  error: null,
};

function play(hasThinking: boolean, result: TurnResult = RESULT) {
  const writer = new MessageWriter({ id: "msg_1", model: "gpt-oss:20b", hasThinking });
  const told = [
    ...writer.begin(100),
    ...EVENTS.flatMap((event) => writer.take(event)),
    ...writer.end(result),
  ];
  return { told, message: writer.message };
}

test("tells thoughts and calls as blocks", () => {
  const { told, message } = play(true);
  expect(
    told.map((event) => ("index" in event ? `${event.type} ${event.index}` : event.type)),
  ).toEqual([
    "message_start",
    "content_block_start 0",
    "content_block_delta 0",
    "content_block_delta 0",
    "content_block_stop 0",
    "content_block_start 1",
    "content_block_delta 1",
    "content_block_delta 1",
    "content_block_stop 1",
    "message_delta",
    "message_stop",
  ]);
  expect(told[5]).toMatchObject({
    content_block: { type: "tool_use", id: "call_1", name: "Bash", input: {} },
  });
  expect(message).toEqual({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "gpt-oss:20b",
    content: [
      { type: "thinking", thinking: "I will run ls.", signature: "" },
      { type: "tool_use", id: "call_1", name: "Bash", input: { command: "ls" } },
    ],
    stop_reason: "tool_use",
    stop_sequence: null,
    usage: {
      input_tokens: 36,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 64,
      output_tokens: 20,
    },
  });
});

test("keeps thoughts back where they were not asked for", () => {
  expect(play(false).message.content).toMatchObject([{ type: "tool_use" }]);
});

test.each<[Partial<TurnResult>, object]>([
  [{ finish: "stop" }, { stop_reason: "end_turn", stop_sequence: null }],
  [
    { finish: "stop", stopString: "END" },
    { stop_reason: "stop_sequence", stop_sequence: "END" },
  ],
  [{ finish: "length", limit: "max_tokens" }, { stop_reason: "max_tokens" }],
])("says why it stopped: %j", (result, wanted) => {
  expect(play(true, { ...RESULT, ...result }).message).toMatchObject(wanted);
});

test("reads a conversation of Claude Code", () => {
  const body = checkBody(MessagesBody, {
    model: "gpt-oss:20b",
    max_tokens: 100,
    system: [
      { type: "text", text: "x-anthropic-billing-header: cc_version=2.1.332.4a6;" },
      { type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } },
    ],
    messages: [
      { role: "user", content: [{ type: "text", text: "List the files." }] },
      { role: "system", content: "# Environment" },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "I will run ls.", signature: "" },
          { type: "tool_use", id: "call_1", name: "Bash", input: { command: "ls" } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "text", text: "Go on." },
          {
            type: "tool_result",
            tool_use_id: "call_1",
            is_error: true,
            content: [
              { type: "text", text: "no such file" },
              { type: "image", source: {} },
            ],
          },
        ],
      },
    ],
    tools: [
      { name: "Bash", description: "Runs.", input_schema: { type: "object" } },
      { type: "web_search_20250305", name: "web_search", max_uses: 5 },
    ],
    tool_choice: { type: "tool", name: "Bash" },
    thinking: { type: "disabled" },
    output_config: { format: { type: "json_schema", schema: { type: "object" } } },
    temperature: 0.5,
    stop_sequences: ["END"],
  });
  expect(turnRequest(body)).toEqual({
    items: [
      { type: "system", text: "Be brief." },
      { type: "user", text: "List the files." },
      { type: "system", text: "# Environment" },
      { type: "reasoning", text: "I will run ls." },
      { type: "call", callId: "call_1", name: "Bash", arguments: '{"command":"ls"}' },
      {
        type: "result",
        callId: "call_1",
        text: "The call failed: no such file\n\n[The result has a part of the type image, which cannot be shown to you.]",
      },
      { type: "user", text: "Go on." },
    ],
    clientTools: [
      { name: "Bash", description: "Runs.", parameters: { type: "object" }, strict: null },
    ],
    toolChoice: { mode: "required", names: [{ name: "Bash" }] },
    output: { jsonSchema: { type: "object" } },
    sampling: { temperature: 0.5 },
    stop: ["END"],
    maxTokens: 100,
    effort: "low",
  });
});

test.each<[string, unknown, string]>([
  [
    "an image",
    [{ role: "user", content: [{ type: "image", source: {} }] }],
    "messages[0].content[0]",
  ],
  [
    "a call without a name",
    [{ role: "assistant", content: [{ type: "tool_use", id: "c" }] }],
    "messages[0].content[0].name",
  ],
])("refuses %s, naming the place", (_, messages, param) => {
  const body = checkBody(MessagesBody, { model: "m", messages });
  expect(() => turnRequest(body)).toThrow(expect.objectContaining({ param }));
});
