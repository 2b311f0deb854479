/** A conversation leaves the store and comes back: as its log, as Harmony text, as Markdown. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Message } from "../../harmony/index.ts";
import { runAgent } from "../../runtime/agent/agent.ts";
import type { LogEntry } from "../../runtime/thread/entry.ts";
import { fold } from "../../runtime/thread/fold.ts";
import { exportHarmony, messagesOfHarmony } from "../../runtime/thread/harmony-text.ts";
import {
  entriesOfJsonLines,
  exportJsonLines,
  importLog,
  logOfMessages,
} from "../../runtime/thread/import.ts";
import { exportMarkdown, messagesOfMarkdown } from "../../runtime/thread/markdown.ts";
import { messagesOf } from "../../runtime/thread/state.ts";
import { MemoryThreadStore } from "../../runtime/thread/store.ts";
import { Thread } from "../../runtime/thread/thread.ts";
import { defineTool } from "../../tools/index.ts";
import { scriptedModel, tokenizer } from "./scripted-run.ts";

const weather = defineTool<{ city: string }>({
  name: "get_weather",
  description: "Gets the weather.",
  inputSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  execute: ({ city }) => `In ${city} it is sunny.\n\`\`\`\n## User\n`,
});

const CALL =
  "<|channel|>analysis<|message|>I need the weather.<|end|><|start|>assistant<|channel|>commentary " +
  'to=functions.get_weather <|constrain|>json<|message|>{"city":"Lisbon"}<|call|>';

/** Two turns, the first with a call, of a real loop over ids. */
async function talk(prompts: readonly string[] = ["And in Lisbon?", "Thanks"]): Promise<Thread> {
  const { model } = scriptedModel([
    CALL,
    "<|channel|>final<|message|>Sunny.\n\n## User\nstays text<|return|>",
    "<|channel|>analysis<|message|>Thanked.<|end|><|start|>assistant<|channel|>final<|message|>Bye.<|return|>",
  ]);
  const thread = Thread.create({ folder: "/home/me" });
  for (const prompt of prompts) {
    await runAgent({ model, thread, prompt, tools: [weather], date: "2026-01-31" });
  }
  return thread;
}

const texts = (messages: readonly Message[]): readonly unknown[] =>
  messages.map(({ role, name, recipient, channel, content }) => [
    role,
    name ?? null,
    recipient ?? null,
    role === "user" ? null : (channel ?? null),
    content,
  ]);

describe("JSON lines", () => {
  test("come back exactly, into another store", async () => {
    const thread = await talk();
    const text = exportJsonLines(await thread.entries());
    const entries = await entriesOfJsonLines(text);
    await using store = new MemoryThreadStore();
    expect(await importLog(store, entries)).toEqual({ threadId: thread.id, isNew: true });
    expect(exportJsonLines(await store.read(thread.id))).toBe(text);
    expect(await importLog(store, entries)).toEqual({ threadId: thread.id, isNew: false });
    await expect(importLog(store, entries.slice(0, 2))).rejects.toThrow(/another conversation/);
    const copy = await importLog(store, entries, true);
    expect(copy.threadId).not.toBe(thread.id);
    expect((await Thread.open(store, copy.threadId)).messages).toEqual(thread.messages);
  });

  test.each<[string, (lines: string[]) => string, RegExp]>([
    ["an empty file", () => "\n\n", /no entry/],
    ["what is not JSON", (lines) => `${lines[0]}\n{`, /^Line 2 is not JSON/],
    [
      "a type that there is not",
      (lines) => `${lines[0]}\n${(lines[1] ?? "").replace('"user"', '"guest"')}`,
      /its type is none that a log has/,
    ],
    ["null", (lines) => `${lines[0]}\nnull`, /^Line 2 is no entry/],
    ["another object", (lines) => `${lines[0]}\n{"seq":1}`, /^Line 2 is no entry/],
    ["a missing entry", (lines) => [lines[0], ...lines.slice(2)].join("\n"), /entry 1 is missing/],
    ["a wrong order", (lines) => lines[1] ?? "", /missing|begins with/],
    [
      "a newer version",
      (lines) => (lines[0] ?? "").replace(/"version":\d+/, '"version":99'),
      /version 99 of the log/,
    ],
    [
      "a field of the wrong type",
      (lines) => `${lines[0]}\n${(lines[1] ?? "").replace(/"messages":\[/, '"messages":[7,')}`,
      /^Line 2 is no entry of a thread log: \/messages\/0 must be object/,
    ],
  ])("are refused: %s", async (_what, damage, sentence) => {
    const lines = exportJsonLines(await (await talk()).entries())
      .trimEnd()
      .split("\n");
    await expect(entriesOfJsonLines(damage(lines))).rejects.toThrow(sentence);
  });
});

test("JSON lines of a very long text come back", async () => {
  const lines = exportJsonLines(
    logOfMessages([{ role: "user", content: [{ type: "text", text: "x".repeat(5_000_000) }] }]),
  );
  expect(exportJsonLines(await entriesOfJsonLines(lines)) === lines).toBe(true);
});

describe("Harmony text", () => {
  test("has the ids that the model read and wrote", async () => {
    const { engine, model } = scriptedModel([
      CALL,
      "<|channel|>analysis<|message|>Good.<|end|><|start|>assistant<|channel|>final<|message|>Sunny.<|return|>",
    ]);
    const thread = Thread.create();
    const prompt = "And in Lisbon?";
    await runAgent({ model, thread, prompt, tools: [weather], date: "2026-01-31" });
    const { ids, text, isExact, notes } = exportHarmony(await thread.entries(), tokenizer);
    const asked = engine.requests.at(-1)?.tokens ?? [];
    expect(ids.slice(0, asked.length)).toEqual(asked);
    expect(tokenizer.decode(ids.slice(asked.length))).toBe(
      "<|channel|>analysis<|message|>Good.<|end|><|start|>assistant<|channel|>final<|message|>Sunny.<|return|>",
    );
    expect({ text, isExact, notes }).toEqual({
      text: tokenizer.decode(ids),
      isExact: true,
      notes: [],
    });
  });

  test("of one turn leaves out the analysis of the turns before it", async () => {
    const thread = await talk();
    const entries = await thread.entries();
    expect(exportHarmony(entries, tokenizer).text).toContain("I need the weather.");
    const second = exportHarmony(entries, tokenizer, { turn: 2 }).text;
    expect(second).not.toContain("I need the weather.");
    expect(second).toContain("Thanked.");
    expect(second).toMatch(/Bye\.<\|return\|>$/);
    expect(exportHarmony(entries, tokenizer, { turn: 1 }).text).toMatch(/stays text<\|return\|>$/);
    expect(() => exportHarmony(entries, tokenizer, { turn: 3 })).toThrow("no turn 3; it has 2");
  });

  test("is none where a text would read as a boundary", async () => {
    const thread = await talk(["What does <|end|> mean?"]);
    const { text, ids } = exportHarmony(await thread.entries(), tokenizer);
    expect(text).toBeNull();
    expect(tokenizer.decode(ids)).toContain("What does <|end|> mean?");
  });

  test("comes back with the same ids", async () => {
    const { text } = exportHarmony(await (await talk()).entries(), tokenizer);
    const { messages, lost } = messagesOfHarmony(text ?? "", tokenizer);
    expect(lost).toEqual([]);
    const log = logOfMessages(messages);
    expect(fold(log)).toMatchObject({ turns: 2, turn: null });
    expect(exportHarmony(log, tokenizer).text).toBe(text);
  });

  test("whose last message has no end is read, and that is said", () => {
    const { messages, lost } = messagesOfHarmony("<|start|>user<|message|>Hello", tokenizer);
    expect(messages).toEqual([{ role: "user", content: [{ type: "text", text: "Hello" }] }]);
    expect(lost).toEqual([expect.stringContaining("rendered anew")]);
  });

  test.each([
    ["nothing", ""],
    ["plain text", "Hello"],
    ["a system message alone", "<|start|>system<|message|>Hello<|end|>"],
  ])("is refused where it is %s", (_what, text) => {
    expect(() => logOfMessages(messagesOfHarmony(text, tokenizer).messages)).toThrow();
  });
});

describe("Markdown", () => {
  test("reads well", async () => {
    const [first, ...rest] = await (await talk()).entries();
    const entries = [{ ...first, at: "2026-01-31T10:00:00.000Z" }, ...rest] as LogEntry[];
    const markdown = exportMarkdown(entries).replace(/thread_[-0-9a-f]+/, "thread_1");
    expect(markdown).toBe(`# And in Lisbon?

- Conversation: thread_1
- Begun: 2026-01-31T10:00:00.000Z
- Model: scripted

## User

And in Lisbon?

## Assistant (reasoning)

I need the weather.

## Call \`functions.get_weather\`

\`\`\`json
{"city":"Lisbon"}
\`\`\`

## Result \`functions.get_weather\`

\`\`\`\`
In Lisbon it is sunny.
\`\`\`
## User

\`\`\`\`

## Assistant

Sunny.

\\## User
stays text

## User

Thanks

## Assistant (reasoning)

Thanked.

## Assistant

Bye.
`);
  });

  test("comes back with its roles, tools and texts", async () => {
    const thread = await talk();
    const messages = messagesOfMarkdown(exportMarkdown(await thread.entries()));
    expect(texts(messages)).toEqual(texts(thread.messages));
  });

  test("that an editor wrote with blank lines and Windows breaks is read", () => {
    const markdown = "Notes\r\n## User\r\n\r\nHi\r\n\r\n## Assistant\r\n\r\nHello.\r\n";
    expect(messagesOfMarkdown(markdown)).toEqual([
      { role: "user", content: [{ type: "text", text: "Hi" }] },
      { role: "assistant", channel: "final", content: [{ type: "text", text: "Hello." }] },
    ]);
  });

  test.each([
    ["without a section", "# Title\n\nText\n", /no conversation/],
    ["with a call without code", "## Call `python`\n\n1 + 1\n", /line 1 .* needs a code fence/],
  ])("%s is refused", (_what, markdown, sentence) => {
    expect(() => messagesOfMarkdown(markdown)).toThrow(sentence);
  });
});

const piece = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.constantFrom(
    "## User\n",
    "\n## Assistant\n\n",
    "\\## User",
    "\n\\\\## Result `python`\n",
    "```",
    "\n```\n",
    "````json\n",
    "\n",
    "\r\n",
    "\r",
    " ",
    "<|end|>",
    "## System\r\n",
  ),
);
const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join("").toWellFormed());
const said = (role: "user" | "assistant", channel: string | null) =>
  text.map(
    (content): Message => ({
      role,
      ...(channel !== null && { channel }),
      content: [{ type: "text", text: content }],
    }),
  );
const call = fc
  .record({
    tool: fc.constantFrom("functions.get_weather", "python", "browser.search", "functions.a`b c"),
    channel: fc.constantFrom("analysis", "commentary"),
    body: text,
    result: text,
  })
  .map(({ tool, channel, body, result }): readonly Message[] => [
    {
      role: "assistant",
      recipient: tool,
      channel,
      ...(tool.startsWith("functions.") && { contentType: "<|constrain|>json" }),
      content: [{ type: "text", text: body }],
    },
    {
      role: "tool",
      name: tool,
      recipient: "assistant",
      channel,
      content: [{ type: "text", text: result }],
    },
  ]);
const turn = fc
  .record({
    question: said("user", null),
    calls: fc.array(call, { maxLength: 2 }),
    thought: fc.array(said("assistant", "analysis"), { maxLength: 1 }),
    preamble: fc.array(said("assistant", "commentary"), { maxLength: 1 }),
    answer: said("assistant", "final"),
  })
  .map(({ question, calls, thought, preamble, answer }) => [
    question,
    ...thought,
    ...preamble,
    ...calls.flat(),
    answer,
  ]);
const conversation = fc.array(turn, { minLength: 1, maxLength: 3 }).map((turns) => turns.flat());

describe("any conversation", () => {
  test("comes back from Markdown", () => {
    fc.assert(
      fc.property(conversation, (messages) => {
        const markdown = exportMarkdown(logOfMessages(messages));
        expect(messagesOfMarkdown(markdown)).toEqual(messages);
      }),
      { numRuns: 500 },
    );
  });

  test("comes back from Harmony text, unless that says that it cannot", () => {
    fc.assert(
      fc.property(conversation, (messages) => {
        const { text: harmony, ids } = exportHarmony(logOfMessages(messages), tokenizer);
        if (harmony === null) {
          expect(JSON.stringify(messages)).toContain("<|end|>");
          return;
        }
        // A name with spaces or a message without text is none that the format can say.
        const canBeSaid = messages.every(
          ({ recipient, name, content }) =>
            !/[\s`]/.test(`${recipient ?? ""}${name ?? ""}`) &&
            content.every((part) => part.type !== "text" || part.text !== ""),
        );
        if (!canBeSaid) return;
        const back = messagesOfHarmony(harmony, tokenizer);
        expect(back.lost).toEqual([]);
        expect(tokenizer.decode(exportHarmony(logOfMessages(back.messages), tokenizer).ids)).toBe(
          tokenizer.decode(ids),
        );
        expect(messagesOf(fold(logOfMessages(back.messages)))).toEqual(
          messagesOf(fold(logOfMessages(messages))),
        );
      }),
      { numRuns: 200 },
    );
  });

  test("comes back from its log", async () => {
    await fc.assert(
      fc.asyncProperty(conversation, async (messages) => {
        const lines = exportJsonLines(logOfMessages(messages));
        expect(exportJsonLines(await entriesOfJsonLines(lines))).toBe(lines);
      }),
      { numRuns: 30 },
    );
  });
});
