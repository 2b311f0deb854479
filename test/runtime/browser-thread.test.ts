/** The pages that a conversation was shown lie in its log: a resumed or forked thread still has its cursors. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { replayThread } from "../../runtime/agent/replay/replay.ts";
import { annotationsOf } from "../../runtime/thread/annotate.ts";
import { forkAtStep } from "../../runtime/thread/edited-fork.ts";
import { toolStatesOf } from "../../runtime/thread/state.ts";
import { MemoryThreadStore } from "../../runtime/thread/store.ts";
import { Thread } from "../../runtime/thread/thread.ts";
import { type BrowserBackend, BrowserSession, createBrowserTools } from "../../tools/index.ts";
import { itemsOf, scriptedModel, scriptedRun } from "./scripted-run.ts";

const docs = fileURLToPath(new URL("../fixtures/docs", import.meta.url));
const call = (name: string, input: object): string =>
  `<|channel|>analysis to=browser.${name} code<|message|>${JSON.stringify(input)}<|call|>`;
const final = (text: string): string => `<|channel|>final<|message|>${text}<|return|>`;

/** One turn, with tools that know nothing of the turns before. */
async function turn(thread: Thread, replies: readonly string[], backend?: BrowserBackend) {
  const tools = await createBrowserTools(backend === undefined ? { docs } : { backend });
  try {
    return await scriptedRun(replies, { thread, tools: tools.tools });
  } finally {
    await tools.close();
  }
}

const sessionOf = (thread: Thread): BrowserSession =>
  BrowserSession.of(toolStatesOf(thread.state, "browser"));

test("a thread that is opened again goes on with its cursors", async () => {
  const store = new MemoryThreadStore();
  const thread = Thread.create({ store });
  await turn(thread, [
    call("search", { query: "opening hours" }),
    call("open", { id: 0 }),
    final("a"),
  ]);
  const before = thread.state.length;
  const resumed = await Thread.open(store, thread.id);
  const { events, prompts } = await turn(resumed, [
    call("find", { pattern: "winter", cursor: 1 }),
    call("open", { id: 0, cursor: 2 }),
    final("Open from 11【1†L6】."),
  ]);
  expect(prompts[1]).toContain("[2] Find results for text: `winter`");
  expect(prompts[2]).toContain("[3] Opening hours");
  const session = sessionOf(resumed);
  expect([0, 1, 2, 3].map((cursor) => session.page(cursor)?.kind)).toEqual([
    "search",
    "document",
    "find",
    "document",
  ]);
  const [cited] = annotationsOf("Open from 11【1†L6】.", resumed.state);
  expect(cited).toMatchObject({ url: "visit/opening-hours.html", lines: [{ first: 6, last: 6 }] });
  // What programs see has no page in it.
  const [found] = itemsOf(events).filter(({ type }) => type === "tool_call");
  expect(JSON.stringify(found)).toContain(String(session.page(2)?.sha256));
  expect(JSON.stringify(events)).not.toContain("threadState");
  // The same page is in the log once.
  const states = (await resumed.entries())
    .slice(before)
    .flatMap((entry) => (entry.type === "result" ? [entry.threadState] : []));
  expect(states.map((state) => "content" in (state as object))).toEqual([true, false]);
});

test("a fork has the cursors up to where it begins, and its own from there on", async () => {
  const thread = Thread.create();
  await turn(thread, [call("open", { id: "collection/lens.md" }), final("a")]);
  const middle = thread.state.length;
  await turn(thread, [call("open", { id: "visit/opening-hours.html" }), final("b")]);
  const fork = await thread.fork(middle);
  expect(sessionOf(fork).length).toBe(1);
  await turn(fork, [call("find", { pattern: "prisms" }), final("c")]);
  expect(sessionOf(fork).page(1)?.kind).toBe("find");
  expect(sessionOf(thread).page(1)?.kind).toBe("document");
});

test("a result that was edited keeps its page, on which later results build", async () => {
  const thread = Thread.create();
  await turn(thread, [
    call("open", { id: "collection/lens.md" }),
    call("open", { loc: 8 }),
    final("a"),
  ]);
  const entries = await thread.entries();
  const [first] = entries.flatMap((entry) => (entry.type === "result" ? [entry] : []));
  const edits = new Map([[String(first?.callId), "[0] something else"]]);
  const fork = await forkAtStep(new MemoryThreadStore(), entries, { step: 2, edits });
  expect(sessionOf(fork).page(1)?.title).toBe("The lens of the Skerry lighthouse");
});

test("a replay reads what was recorded: no tool runs, and nothing is asked", async () => {
  let asked = 0;
  const backend: BrowserBackend = {
    search: async () => [],
    open: async (url) => ({ url, title: "t", text: `visit ${++asked}`, links: [] }),
    close: async () => {},
  };
  const thread = Thread.create();
  const replies = [call("open", { id: "https://a.example/" }), final("Visit 1【0†L0】.")];
  await turn(thread, replies, backend);
  expect(asked).toBe(1);
  const { model } = scriptedModel(replies);
  const report = await replayThread(await thread.entries(), { model });
  expect(report.difference).toBeNull();
  expect(asked).toBe(1);
});

test("an old cursor shows what was read then, though the page has changed since", async () => {
  let version = 0;
  const backend: BrowserBackend = {
    search: async (query) => [{ url: "https://a.example/x", title: query, summary: "s" }],
    open: async (url) => ({ url, title: "t", text: `version ${++version}`, links: [] }),
    close: async () => {},
  };
  const store = new MemoryThreadStore();
  const thread = Thread.create({ store });
  const url = { id: "https://a.example/x" };
  await turn(thread, [call("open", url), call("open", url), final("a")], backend);
  const { prompts } = await turn(
    await Thread.open(store, thread.id),
    [call("open", { cursor: 0 }), final("b")],
    backend,
  );
  expect(prompts[1]).toMatch(/\[2\] t [^\n]*\n[^\n]*\n\nL0: version 1</);
});

test.each([
  ["analysis to=browser.search code", "analysis"],
  ["commentary to=browser.search <|constrain|>json", "commentary"],
  ["commentary to=functions.browser.search <|constrain|>json", "commentary"],
  ["analysis to=functions.browser.search code", "analysis"],
])("a call may come as %s, and gets its result on that channel", async (header, channel) => {
  const thread = Thread.create();
  const { prompts, result } = await turn(thread, [
    `<|channel|>${header}<|message|>{"query":"winter"}<|call|>`,
    final("done"),
  ]);
  expect(result.status).toBe("completed");
  expect(prompts[1]).toContain(
    `<|start|>browser.search to=assistant<|channel|>${channel}<|message|>[0] winter\n`,
  );
  expect(sessionOf(thread).page(0)?.kind).toBe("search");
});
