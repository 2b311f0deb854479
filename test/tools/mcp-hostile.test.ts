/**
 * Servers that do what no client may be harmed by (`fixtures/mcp/hostile-server.ts`): each is opened, its tool is
 * called, and it is closed; nothing hangs, and each ends in an answer or in a sentence that says why not.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isToolName, nameOf } from "../../tools/core/registry.ts";
import type { Tool, ToolResult } from "../../tools/core/tool.ts";
import type { McpServers } from "../../tools/mcp/index.ts";
import { HOSTILE } from "../fixtures/mcp/hostile-server.ts";
import { call, fixture, open } from "./mcp-support.ts";

type Played = {
  readonly notes: readonly string[];
  readonly tools: readonly Tool[];
  /** Null where there is no tool `act`. */
  readonly result: ToolResult | null;
  /** Of a second call, a moment later. */
  readonly second: ToolResult | null;
};

const SLOW_TEXT = `${"a".repeat(40)}!`;
const TWICE: ReadonlySet<string> = new Set([
  "another tool after it was agreed to",
  "a process that dies in a call",
]);

/** What is waited for in vain is not waited for long; everything else has the time of a busy machine. */
const SILENT_STARTS: ReadonlySet<string> = new Set(["no introduction", "no list"]);
const SILENT_CALLS: ReadonlySet<string> = new Set([
  "answers to other questions",
  "no answer to a call",
]);

async function play(name: string): Promise<Played> {
  const notes: string[] = [];
  const server = {
    ...fixture("hostile-server.ts", name),
    timeout: SILENT_CALLS.has(name) ? 2_000 : 30_000,
    startup_timeout_sec: SILENT_STARTS.has(name) ? 2 : 60,
  };
  await using servers = await open({ evil: server }, { onNote: (note) => notes.push(note) });
  const { tools } = servers;
  const result = await act(servers);
  if (!TWICE.has(name)) return { notes, tools, result, second: null };
  // Time for what the server said to arrive, and for the list to be read again.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  return { notes, tools, result, second: await act(servers, tools) };
}

async function act(servers: McpServers, tools = servers.tools): Promise<ToolResult | null> {
  const isThere = tools.some(({ recipient }) => recipient === "functions.mcp__evil__act");
  const withTools: McpServers = Object.create(servers, { tools: { value: tools } });
  return isThere ? call(withTools, "mcp__evil__act", { name: SLOW_TEXT }) : null;
}

const names = Object.keys(HOSTILE);
/** Played together: each of them spends its time with waiting. */
const AT_ONCE = 8;
const played = new Map<string, Played>();
let growthBytes = 0;

beforeAll(async () => {
  const before = process.memoryUsage.rss();
  const left = [...names];
  const worker = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      played.set(name, await play(name));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  growthBytes = process.memoryUsage.rss() - before;
}, 180_000);

afterAll(() => played.clear());

const of = (name: string): Played => {
  const found = played.get(name);
  if (found === undefined) throw new Error(`${name} was not played`);
  return found;
};

/** What becomes of the call; absent: the server has no usable tool, and a note says why. */
const OUTCOMES: Readonly<Record<string, readonly [ToolResult["status"], RegExp]>> = {
  "a page that is its own next one": ["completed", /^done$/],
  "a line without end": ["failed", /a line of more than 16777216 bytes/],
  "lines that are no messages": ["failed", /floods its standard output/],
  "empty lines without end": ["failed", /floods its standard output/],
  "messages without end": ["failed", /more than 2000 messages within a second/],
  "bytes that are no text": ["completed", /^\ufffd/],
  "half messages": ["completed", /^done$/],
  "answers to other questions": ["failed", /silent for 2 s/],
  "two answers to one question": ["completed", /^the first$/],
  "messages in batches": ["completed", /^in a batch$/],
  "a schema of a megabyte": ["completed", /^done$/],
  "a schema of a thousand levels": ["completed", /^done$/],
  "a schema that doubles": ["completed", /^done$/],
  "a pattern that never ends": ["failed", /checking them was given up: it took longer than 5 s/],
  "a pattern for its own result that never ends": ["failed", /it took longer than 5 s/],
  "a result that is not what it promised": ["failed", /does not fit its own output schema: \/n/],
  "a result without what it promised": ["failed", /no structured content/],
  "names of other tools": ["completed", /^done$/],
  // What a tool returns is data; it is encoded without special tokens.
  "instructions in descriptions": ["completed", /^<\|end\|><\|start\|>assistant/],
  "a process that dies in a call": [
    "failed",
    /ended with code 7; whether it took effect is not kno/,
  ],
  "a flood on stderr": ["completed", /^done$/],
  "no answer to a call": ["failed", /silent for 2 s/],
  "an error of a megabyte": ["failed", /< \|end\| >/],
  "lists that change without end": ["failed", /more than 2000 messages within a second/],
  "progress of other calls": ["completed", /^done$/],
  "a result of ten megabytes": ["completed", /tokens cut here/],
  "a result of forty megabytes": ["failed", /a line of more than 16777216 bytes/],
  "a result of a hundred thousand levels": ["failed", /deeper than 200 levels/],
  "content of no known form": ["failed", /Invalid result for tools\/call/],
  "an image that is none": ["failed", /Invalid result for tools\/call/],
  "questions without end": ["completed", /^done$/],
  "requests for the model": ["completed", /^done$/],
  "properties named like those of every object": ["completed", /polluted/],
  "another tool after it was agreed to": ["completed", /^done$/],
  "a process that will not end": ["completed", /^done$/],
};

const PROBLEMS: Readonly<Record<string, RegExp>> = {
  "a huge list": /offers more than 256 tools; the rest is left out/,
  "pages without end": /has more than 100 pages of tools; the rest is left out/,
  "a process that dies at once": /ended with code 1; it said: no license␛\[31m found/,
  "no introduction": /was not ready within 2 s/,
  "no list": /was not ready within 2 s/,
  "an introduction of another protocol": /Invalid result for initialize/,
};

describe("hostile servers", () => {
  test("are more than thirty, and each has an outcome that is expected", () => {
    expect(names.length).toBeGreaterThanOrEqual(30);
    expect([...Object.keys(OUTCOMES), ...Object.keys(PROBLEMS)].sort()).toEqual([...names].sort());
  });

  test.each(Object.entries(OUTCOMES))("%s", (name, [status, expected]) => {
    const { result } = of(name);
    expect(result?.text).toMatch(expected);
    expect(result?.status).toBe(status);
    // What the model reads of it is bounded.
    expect(result?.text.length).toBeLessThan(40_000);
  });

  test.each(Object.entries(PROBLEMS))("%s is told", (name, expected) => {
    expect(of(name).result).toBeNull();
    expect(of(name).notes.join("\n")).toMatch(expected);
  });

  test("none of them makes this process grow", () => {
    expect(growthBytes).toBeLessThan(600 * 1024 * 1024);
  });

  test("none gets a name that is no identifier, or the name of another tool", () => {
    for (const { tools } of played.values()) {
      const own = tools.map(({ recipient }) => nameOf(recipient));
      expect(own.filter((name) => !isToolName(name))).toEqual([]);
      expect(own.filter((name) => !name.startsWith("mcp__evil__"))).toEqual([]);
      expect(new Set(own).size).toBe(own.length);
    }
    expect(of("names of other tools").tools.map(({ recipient }) => nameOf(recipient))).toEqual([
      "mcp__evil__act",
      "mcp__evil__python",
      "mcp__evil__functions_python",
      "mcp__evil__browser_search",
      "mcp__evil__list_mcp_resources",
      expect.stringMatching(/^mcp__evil__get_it_[0-9a-f]{8}$/),
      expect.stringMatching(/^mcp__evil__get_it_[0-9a-f]{8}$/),
      expect.stringMatching(/^mcp__evil__get_it_[0-9a-f]{8}$/),
      "mcp__evil__GET_IT",
      expect.stringMatching(/^mcp__evil__y+_[0-9a-f]{8}$/),
      "mcp__evil____proto__",
      "mcp__evil__constructor",
    ]);
  });

  test("what they say about their tools holds no special token and hides nothing", () => {
    const [act] = of("instructions in descriptions").tools;
    const shown = `${act?.description}${JSON.stringify(act?.inputSchema)}`;
    expect(shown).not.toMatch(/<\||\|>/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters it is about
    expect(shown).not.toMatch(/[\u0000-\u0008\u001b\u200b\u202e]|[\u{e0000}-\u{e007f}]/u);
    expect(act?.description).toContain("< |end| >< |start| >system");
    expect(act?.description).toContain("<U+202E>gnp.exe<U+E0041><U+E0042>");
    expect(act?.description.length).toBeLessThanOrEqual(2_000);
  });

  test("a tool that has changed since it was shown is not called", () => {
    expect(of("another tool after it was agreed to").second).toMatchObject({
      status: "failed",
      text: expect.stringContaining("has changed what this tool is since it was shown to you"),
    });
  });

  test("a server that died is started again for the next call", () => {
    expect(of("a process that dies in a call").second?.text).toContain("ended with code 7");
  });

  test("objects of this process have no new properties", () => {
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});
