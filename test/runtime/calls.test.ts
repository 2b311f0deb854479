/**
 * Calls as models damage them, from the sampled text to the tool: what is executed, with what, what
 * the item says was wrong, and what the model is told when nothing could be.
 */
import { describe, expect, test } from "vitest";
import type { Item, RunEvent } from "../../runtime/events.ts";
import { defineTool, type Tool } from "../../tools/index.ts";
import { itemsOf, scriptedRun } from "./scripted-run.ts";

const executed: { tool: string; input: unknown }[] = [];
const tool = (name: string, properties: object, recipient?: string): Tool => {
  const made = defineTool({
    name,
    description: "",
    inputSchema: {
      type: "object",
      properties,
      required: Object.keys(properties),
      additionalProperties: false,
    },
    execute: (input) => {
      executed.push({ tool: recipient ?? name, input });
      return "done";
    },
  });
  return recipient === undefined ? made : { ...made, recipient };
};
const text = { type: "string" };
const tools: Tool[] = [
  tool("manage_cart", { item: text }),
  tool("shell", { command: text }),
  tool("list_files", { path: text, depth: { type: "integer" } }),
  tool("sum", { a: text }, "functions.math.sum"),
  tool("move_file", { from: text, to: text }),
  {
    ...tool("unused", {}),
    recipient: "python",
    inputSchema: null,
    execute: async (input) => {
      executed.push({ tool: "python", input });
      return "";
    },
  },
];

const FINAL = "<|channel|>final<|message|>Done.<|return|>";

/** The item of the only call, and what was executed. */
async function callOf(said: string): Promise<{ item: Item | undefined; told: string }> {
  executed.length = 0;
  const { events, prompts, result } = await scriptedRun([said, FINAL], { tools });
  expect(result.output).toBe("Done.");
  const item = itemsOf(events).find(
    ({ type }) => type === "tool_call" || type === "code_execution",
  );
  return { item, told: prompts[1]?.split("<|start|>").at(-2) ?? "" };
}

const ITEM = '{"item":"tea"}';
const to = (recipient: string, body: string, end = "<|call|>"): string =>
  `<|channel|>commentary to=${recipient} <|constrain|>json<|message|>${body}${end}`;

describe("what was meant is executed, and the item says what was wrong", () => {
  test.each([
    ["as declared", to("functions.manage_cart", ITEM), "manage_cart", undefined],
    [
      "a channel behind the name",
      to("manage_cart<|channel|>commentary", ITEM),
      "manage_cart",
      ["duplicate_channel"],
    ],
    [
      "the content type glued to it",
      `<|channel|>commentary to=functions.shelljson<|message|>{"command":"ls"}<|call|>`,
      "shell",
      ["glued_content_type"],
    ],
    [
      "another type glued to it",
      to("shellcode", '{"command":"ls"}'),
      "shell",
      ["glued_content_type"],
    ],
    [
      "on the analysis channel",
      `<|channel|>analysis to=functions.manage_cart code<|message|>\n${ITEM}<|call|>`,
      "manage_cart",
      undefined,
    ],
    [
      "on the final channel",
      `<|channel|>final to=functions.manage_cart<|message|>${ITEM}<|call|>`,
      "manage_cart",
      undefined,
    ],
    ["a builtin as a function", to("functions.python", "1+1"), "python", undefined],
    ["a program where JSON is declared", to("python", "1+1"), "python", undefined],
    ["without its namespace", to("manage_cart", ITEM), "manage_cart", undefined],
    [
      "by the name its author gave it",
      to("math.sum", '{"a":"1"}'),
      "functions.math.sum",
      undefined,
    ],
    [
      "by the name it is shown",
      to("functions.math_sum", '{"a":"1"}'),
      "functions.math.sum",
      undefined,
    ],
    [
      "text behind the arguments",
      to("shell", '{"command":"ls"}]'),
      "shell",
      ["trailing_text_after_json"],
    ],
    [
      "a result made up",
      to("shell", '{"command":"ls"}{"stdout":"a"}', "<|channel|>final<|message|>a<|return|>"),
      "shell",
      ["missing_end", "trailing_text_after_json"],
    ],
    ["arguments that are no JSON", to("shell", "ls -R\n"), "shell", ["args_not_json"]],
    [
      "the call described in itself",
      to("shell", '{"name":"shell","arguments":{"command":"ls"}}'),
      "shell",
      ["args_unwrapped"],
    ],
  ] as const)("%s", async (_what, said, name, issues) => {
    const { item } = await callOf(said);
    expect(executed.map((call) => call.tool)).toEqual([name]);
    expect(item).toMatchObject({ status: "completed" });
    expect(item && "issues" in item ? item.issues : undefined).toEqual(issues);
  });

  test.each([
    ["<|call|>", undefined],
    ["<|end|>", "end"],
    ["<|return|>", "return"],
  ])("a call that %s ends", async (end, endedBy) => {
    const { item } = await callOf(to("manage_cart", ITEM, end));
    expect(executed).toEqual([{ tool: "manage_cart", input: { item: "tea" } }]);
    expect(item).toHaveProperty("status", "completed");
    expect((item as { ended_by?: string }).ended_by).toBe(endedBy);
  });
});

describe("what may not be guessed goes back to the model", () => {
  test.each([
    ["an unknown tool", to("functions.move_files", "{}"), ["unknown_tool"], "Available tools: "],
    [
      "dots and debris",
      to("functions.move_file..commentary", '{"{"???"}'),
      ["unknown_tool"],
      "Available tools: ",
    ],
    [
      "a builtin that is not there",
      to("browser.search", '{"query":"x"}'),
      ["unknown_tool"],
      "There is no tool",
    ],
    ["cut off arguments", to("manage_cart", '{"item":"te'), ["incomplete_json"], "was not called"],
    ["several arguments as text", to("list_files", "src 2"), ["args_not_json"], "was not called"],
    [
      "another tool's description",
      to("shell", '{"name":"x","arguments":{"command":"ls"}}'),
      undefined,
      "was not called",
    ],
  ] as const)("%s", async (_what, said, issues, told) => {
    const call = await callOf(said);
    expect(executed).toEqual([]);
    expect(call.item).toMatchObject({ status: "failed" });
    expect(call.item && "issues" in call.item ? call.item.issues : undefined).toEqual(issues);
    expect(call.told).toContain(told);
  });

  test("a message to itself is no call", async () => {
    executed.length = 0;
    const said = to("assistant<|channel|>analysis", '{"command":"./test"}', "<|end|>");
    const { result, events } = await scriptedRun([`${said}<|start|>assistant${FINAL}`], { tools });
    expect(result.output).toBe("Done.");
    expect(executed).toEqual([]);
    expect(itemsOf(events)[0]).toMatchObject({
      type: "reasoning",
      issues: expect.arrayContaining(["self_recipient"]),
    });
  });

  test("names of an earlier conversation are cleaned before the model reads them", async () => {
    const content = [{ type: "text", text: "{}" }] as const;
    const history = [
      {
        role: "assistant",
        channel: "commentary",
        recipient: "functions.shell<|channel|>commentary",
        content,
      },
      {
        role: "tool",
        name: "functions.shell<|channel|>commentary",
        channel: "commentary",
        content,
      },
    ] as const;
    const { prompts } = await scriptedRun([FINAL], { tools, messages: history });
    expect(prompts[0]).toContain(
      "<|start|>assistant<|channel|>commentary to=functions.shell<|message|>",
    );
    expect(prompts[0]).toContain("<|start|>functions.shell<|channel|>commentary<|message|>{}");
  });
});

describe("after as many retries in a row as are allowed the run fails with 7", () => {
  const broken = {
    "an unknown tool": to("functions.nope", "{}"),
    "a call without a body": "<|channel|>commentary to=functions.shell<|call|>",
    "a turn without an answer": "<|channel|>analysis<|message|>Hm.<|end|><|return|>",
  };

  test.each(Object.entries(broken))("%s", async (_what, said) => {
    for (const maxRetries of [0, 2]) {
      const replies = Array<string>(maxRetries + 1).fill(said);
      const { result, exitCode, engine, events } = await scriptedRun(replies, {
        tools,
        maxRetries,
      });
      expect(exitCode).toBe(7);
      expect(result).toMatchObject({ status: "failed", output: null });
      expect(result.error).toMatchObject({
        code: "CHORALE_HARMONY_UNUSABLE",
        facts: { maxRetries },
      });
      expect(events.at(-1)).toMatchObject({ type: "run.completed", status: "failed" });
      expect(engine.remaining).toBe(0);
    }
  });

  test("a call that works is a new beginning", async () => {
    const [unknown] = Object.values(broken);
    const replies = [unknown ?? "", to("shell", '{"command":"ls"}'), unknown ?? "", FINAL];
    const { result } = await scriptedRun(replies, { tools, maxRetries: 1 });
    expect(result).toMatchObject({ status: "completed", output: "Done." });
  });
});

describe("the same call over and over", () => {
  const call = to("shell", '{"command":"ls"}');
  const other = to("shell", '{"command":"pwd"}');
  const cutBacks = (events: readonly RunEvent[]): RunEvent[] =>
    events.filter(({ type }) => type === "loop.cut_back");

  test("is cut back to the first at the third time, and the model goes on with a hint", async () => {
    const { result, prompts, events } = await scriptedRun([call, call, call, FINAL], { tools });
    expect(result).toMatchObject({ status: "completed", output: "Done." });
    expect(cutBacks(events)).toEqual([
      { type: "loop.cut_back", reason: "repeated_calls", kept_messages: 3 },
    ]);
    const [, second = "", , last = ""] = prompts;
    const kept = second.slice(0, -"<|start|>assistant".length);
    expect(
      last.startsWith(`${kept}<|start|>developer<|message|>You called functions.shell 3 times`),
    ).toBe(true);
    // The log has all of it.
    const calls = (await result.thread.entries()).filter(({ type }) => type === "call");
    expect(calls).toHaveLength(3);
  });

  test("in turns with another is a cycle as well", async () => {
    const { prompts, events } = await scriptedRun([...Array(3).fill([call, other]).flat(), FINAL], {
      tools,
    });
    expect(cutBacks(events)).toMatchObject([{ kept_messages: 5 }]);
    expect(prompts.at(-1)).toContain("the same 2 calls (functions.shell) 3 times over");
  });

  test("again and again ends the turn with a reason, never as completed", async () => {
    const { result, events } = await scriptedRun(Array(7).fill(call), { tools });
    expect(cutBacks(events)).toHaveLength(2);
    expect(result).toMatchObject({ status: "failed", error: { code: "CHORALE_LOOP" } });
    expect(result.error?.message).toContain("the same calls with the same results");
  });

  test("is another one where its result changes", async () => {
    let count = 0;
    const clock = defineTool({
      name: "clock",
      description: "",
      execute: () => `${count++}`,
    }) as Tool;
    const tick = to("clock", "{}");
    const { events } = await scriptedRun([...Array(8).fill(tick), FINAL], { tools: [clock] });
    expect(cutBacks(events)).toEqual([]);
  });
});
