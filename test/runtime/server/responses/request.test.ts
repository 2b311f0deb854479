/** What the body of a request means, and what is said of one that means nothing. */
import { describe, expect, test } from "vitest";
import {
  conversationOf,
  type ItemSource,
  readItems,
} from "../../../../runtime/server/responses/input-items.ts";
import { readRequest } from "../../../../runtime/server/responses/request.ts";
import type { StoredItem } from "../../../../runtime/server/responses/response-store.ts";
import type { ConversationItem } from "../../../../runtime/server/turn/items.ts";

const nothingKept: ItemSource = { item: () => null, openSeal: () => null };

const kept = (...items: readonly StoredItem[]): ItemSource => ({
  item: (id) => items.find((item) => item.id === id) ?? null,
  openSeal: (content) => (content.startsWith("sealed ") ? content.slice(7) : null),
});

const read = (
  input: string | readonly object[],
  source: ItemSource = nothingKept,
): readonly ConversationItem[] => conversationOf(readItems(input, source).items, source);

describe("an input", () => {
  test("is a text, or messages of every spelling", () => {
    expect(read("Hi")).toEqual([{ type: "user", text: "Hi" }]);
    expect(
      read([
        { role: "system", content: "Be brief." },
        { type: "message", role: "developer", content: [{ type: "input_text", text: "a" }] },
        { role: "user", content: [{ type: "input_text", text: "b" }, { text: "c" }] },
        {
          type: "message",
          id: "msg_1",
          status: "completed",
          role: "assistant",
          phase: "commentary",
          content: [{ type: "output_text", text: "d", annotations: [], logprobs: [] }],
        },
        { role: "assistant", content: [{ type: "refusal", refusal: "No." }] },
      ]),
    ).toEqual([
      { type: "system", text: "Be brief." },
      { type: "developer", text: "a" },
      { type: "user", text: "b\nc" },
      { type: "assistant", text: "d", phase: "commentary" },
      { type: "assistant", text: "No.", phase: null },
    ]);
  });

  test("brings calls and their results, of functions, custom and namespace tools", () => {
    expect(
      read([
        { type: "function_call", call_id: "c1", name: "f", arguments: "{}", status: "completed" },
        { type: "function_call_output", call_id: "c1", output: "one", status: "completed" },
        { type: "function_call", call_id: "c2", namespace: "n", name: "f", arguments: "{}" },
        {
          type: "function_call_output",
          call_id: "c2",
          output: [
            { type: "input_text", text: "two" },
            { type: "input_image", image_url: "x" },
          ],
        },
        { type: "custom_tool_call", call_id: "c3", name: "apply_patch", input: "*** Begin" },
        { type: "custom_tool_call_output", call_id: "c3", output: "three" },
      ]),
    ).toEqual([
      { type: "call", callId: "c1", name: "f", namespace: null, arguments: "{}" },
      { type: "result", callId: "c1", text: "one" },
      { type: "call", callId: "c2", name: "f", namespace: "n", arguments: "{}" },
      {
        type: "result",
        callId: "c2",
        text: "two\n[The result has a part of the type input_image, which cannot be shown to you.]",
      },
      { type: "call", callId: "c3", name: "apply_patch", namespace: null, arguments: "*** Begin" },
      { type: "result", callId: "c3", text: "three" },
    ]);
  });

  test("brings the trace in whatever form it comes", () => {
    const content = [{ type: "reasoning_text", text: "kept" }];
    const item: StoredItem = { id: "rs_1", item: { type: "reasoning", id: "rs_1", content } };
    const thoughts = read(
      [
        { type: "reasoning", content: [{ type: "reasoning_text", text: "itself" }], summary: [] },
        { type: "reasoning", encrypted_content: "sealed trace", summary: [] },
        { type: "reasoning", id: "rs_1", encrypted_content: null, summary: [] },
        { type: "reasoning", summary: [{ type: "summary_text", text: "mirrored" }] },
        { type: "item_reference", id: "rs_1" },
        { id: "rs_1" },
        // One that is gone is done without.
        { type: "item_reference", id: "rs_2" },
        { type: "reasoning", encrypted_content: "of another server", summary: [] },
      ],
      kept(item),
    );
    expect(thoughts.map((one) => "text" in one && one.text)).toEqual([
      ...["itself", "trace", "kept", "mirrored", "kept", "kept", ""],
    ]);
  });

  test("brings what was carried out here with its result, which only the server has", () => {
    const call = { tool: "browser.search", arguments: '{"query":"Oslo"}', result: "…" };
    const sent = { type: "web_search_call", id: "ws_1", status: "completed", action: {} };
    const item: StoredItem = { id: "ws_1", item: sent, hidden: JSON.stringify(call) };
    expect(read([sent], kept(item))).toEqual([
      {
        type: "call",
        callId: "ws_1",
        name: "browser.search",
        isServerTool: true,
        arguments: call.arguments,
      },
      { type: "result", callId: "ws_1", text: "…" },
    ]);
    expect(read([sent])).toEqual([]);
  });

  test("brings a summary that was made here in the place of a conversation", () => {
    const item = { type: "compaction", encrypted_content: "sealed It was about Oslo." };
    expect(read([item], kept())).toEqual([
      { type: "user", text: "What was said before, in short:\n\nIt was about Oslo." },
    ]);
    expect(() => read([{ ...item, encrypted_content: "other" }], kept())).toThrow(
      /not made by this/,
    );
  });

  test("leaves out what it does not know, and says so", () => {
    const { items, skipped } = readItems(
      [
        { type: "local_shell_call", id: "x", action: { command: ["ls"] }, output: { a: 1 } },
        { type: "__proto__", id: "y" },
        { role: "user", content: "Hi" },
      ],
      nothingKept,
    );
    expect(items).toHaveLength(1);
    expect(skipped).toEqual(["local_shell_call", "__proto__"]);
  });

  test.each<[string, object, string]>([
    ["an image", { role: "user", content: [{ type: "input_image" }] }, "input[0].content[0].type"],
    ["a role that is none", { role: "critic", content: "Hi" }, "input[0].role"],
    [
      "a call without arguments",
      { type: "function_call", call_id: "c", name: "f" },
      "input[0].arguments",
    ],
    ["a result without its call", { type: "function_call_output", output: "" }, "input[0].call_id"],
    ["an item without a type", { call_id: "c" }, "input[0].type"],
    ["a reference to nothing", { type: "item_reference", id: "msg_9" }, "input[0].id"],
  ])("refuses %s, naming the field", (_, item, param) => {
    expect(() => read([item])).toThrow(expect.objectContaining({ param }));
  });

  test("keeps the ids of clients, and gives others", () => {
    const { items } = readItems([{ id: "msg_a", role: "user", content: "Hi" }], nothingKept);
    expect(items[0]).toMatchObject({ id: "msg_a", item: { id: "msg_a", type: "message" } });
    expect(readItems("Hi", nothingKept).items[0]?.id).toMatch(/^msg_\w{20,}$/);
  });
});

describe("a request", () => {
  const body = { model: "gpt-oss:20b", input: "Hi" };

  test("has a default for everything, and repeats itself in the response", () => {
    const request = readRequest({ ...body, unknown_field: 1, text: {}, reasoning: null });
    expect(request).toMatchObject({
      isStreaming: false,
      isStored: true,
      effort: "medium",
      hasSummary: false,
      output: null,
      maxTokens: null,
      truncation: "disabled",
      sampling: {},
    });
    expect(request.echo).toMatchObject({
      store: true,
      tools: [],
      tool_choice: "auto",
      text: { format: { type: "text" } },
      reasoning: { effort: "medium", summary: null },
      metadata: {},
    });
    expect(request.toolChoice([])).toBe("auto");
  });

  test("declares tools of every kind", () => {
    const grammar = { type: "grammar", syntax: "lark", definition: "start: /a+/" };
    const request = readRequest({
      ...body,
      tools: [
        { type: "function", name: "f", parameters: { type: "object" }, strict: null },
        { type: "custom", name: "patch", description: "Patches.", format: grammar },
        { type: "custom", name: "say", format: { type: "text" } },
        {
          type: "custom",
          name: "id",
          format: { type: "grammar", syntax: "regex", definition: "a+" },
        },
        { type: "namespace", name: "n", description: "", tools: [{ type: "function", name: "g" }] },
        { type: "web_search_preview", external_web_access: false, search_context_size: "low" },
        { type: "code_interpreter", container: { type: "auto" } },
      ],
    });
    expect(request.tools.client).toMatchObject([
      { name: "f", namespace: null, strict: null },
      {
        name: "patch",
        isCustom: true,
        format: { type: "grammar", syntax: "lark", text: "start: /a+/" },
      },
      { name: "say", isCustom: true },
      { name: "id", format: { type: "regex", pattern: "a+" } },
      { name: "g", namespace: "n" },
    ]);
    expect(request.tools.client[2]).not.toHaveProperty("format");
    expect(request.tools.webSearch).toEqual({
      isLive: false,
      allowedDomains: [],
      contextSize: "low",
    });
    expect(request.tools.hasCodeInterpreter).toBe(true);
    expect(request.echo.tools[0]).toEqual({
      type: "function",
      name: "f",
      description: null,
      parameters: { type: "object" },
      strict: true,
    });
  });

  const tools = [
    { type: "function", name: "f" },
    { type: "custom", name: "patch" },
    { type: "namespace", name: "n", tools: [{ type: "function", name: "f" }] },
    { type: "web_search" },
  ];

  test.each<[unknown, unknown]>([
    ["none", "none"],
    ["required", "required"],
    [
      { type: "function", name: "f" },
      [
        ["f", null],
        ["f", "n"],
      ],
    ],
    [{ type: "function", name: "f", namespace: "n" }, [["f", "n"]]],
    [{ type: "custom", name: "patch" }, [["patch", null]]],
    [{ type: "web_search" }, [["browser.search", null]]],
    [
      { type: "allowed_tools", mode: "required", tools: [{ type: "custom", name: "patch" }] },
      [["patch", null]],
    ],
  ])("chooses tools: %j", (choice, wanted) => {
    const request = readRequest({ ...body, tools, tool_choice: choice });
    const found = request.toolChoice(["browser.search"]);
    expect(
      typeof found === "string"
        ? found
        : found.names.map(({ name, namespace }) => [name, namespace]),
    ).toEqual(wanted);
  });

  test("does without the choice of a tool that is not here", () => {
    const request = readRequest({ ...body, tools, tool_choice: { type: "web_search" } });
    expect(request.toolChoice([])).toBe("auto");
  });

  test.each<[string, object, string]>([
    ["no model", { model: null }, "model"],
    ["no input", { input: null }, "input"],
    ["a conversation", { conversation: "conv_1" }, "conversation"],
    ["a temperature that is none", { temperature: 3 }, "temperature"],
    ["a number that is a text", { max_output_tokens: "9" }, "max_output_tokens"],
    ["a tool of another kind", { tools: [{ type: "image_generation" }] }, "tools[0].type"],
    ["a tool without a name", { tools: [{ type: "function" }] }, "tools[0].name"],
    [
      "a grammar without a syntax",
      { tools: [{ type: "custom", name: "c", format: { type: "grammar", definition: "" } }] },
      "tools[0].format.syntax",
    ],
    [
      "a format without a schema",
      { text: { format: { type: "json_schema" } } },
      "text.format.schema",
    ],
    ["metadata that are no texts", { metadata: { k: 1 } }, "metadata.k"],
    ["a background that is not stored", { background: true, store: false }, "background"],
    [
      "files for the interpreter",
      { tools: [{ type: "code_interpreter", container: { file_ids: ["f"] } }] },
      "tools[0].container.file_ids",
    ],
  ])("is refused with %s, naming the field", (_, fields, param) => {
    expect(() => readRequest({ ...body, ...fields })).toThrow(expect.objectContaining({ param }));
  });

  test.each<[string, object]>([
    ["a tool that is not declared", { type: "function", name: "g" }],
    ["a function that is a custom tool", { type: "function", name: "patch" }],
    ["no tool at all", { type: "allowed_tools", tools: [] }],
  ])("is refused with the choice of %s", (_, choice) => {
    const request = readRequest({ ...body, tools, tool_choice: choice });
    expect(() => request.toolChoice([])).toThrow(/declares no|names no tool/);
  });
});
