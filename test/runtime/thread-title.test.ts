/** The name that a person gives a conversation. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { replayThread } from "../../runtime/agent/replay/replay.ts";
import { entriesOfJsonLines, exportJsonLines, importLog } from "../../runtime/thread/import.ts";
import { SqliteThreadStore } from "../../runtime/thread/sqlite-store.ts";
import { MemoryThreadStore } from "../../runtime/thread/store.ts";
import { Thread } from "../../runtime/thread/thread.ts";
import { scriptedModel, scriptedRun } from "./scripted-run.ts";

const folder = mkdtempSync(join(tmpdir(), "thread-title-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const REPLY = "<|channel|>final<|message|>Fine.<|return|>";

describe.each([
  ["in memory", () => new MemoryThreadStore()],
  ["in a file", () => new SqliteThreadStore(join(folder, `${Math.random()}.sqlite`))],
])("%s", (_, open) => {
  test("stands in the listing, is found, and outlives turns, copies and exports", async () => {
    await using store = open();
    const thread = Thread.create({ store });
    await scriptedRun([REPLY], { thread, prompt: "First question" });
    await thread.rename("  A day \n in   Oslo ");
    expect((await store.list())[0]?.title).toBe("A day in Oslo");
    await scriptedRun([REPLY], { thread, prompt: "Second question" });
    expect((await store.list())[0]).toMatchObject({ title: "A day in Oslo", turns: 2 });
    expect(await store.search("oslo")).toMatchObject([{ thread: { threadId: thread.id } }]);
    const fork = await thread.fork();
    const copied = await importLog(
      store,
      await entriesOfJsonLines(exportJsonLines(await thread.entries())),
      true,
    );
    const titles = new Map((await store.list()).map(({ threadId, title }) => [threadId, title]));
    expect(titles.get(fork.id)).toBe("A day in Oslo");
    expect(titles.get(copied.threadId)).toBe("A day in Oslo");
    await thread.rename("Another");
    expect((await store.list())[0]?.title).toBe("Another");
  });
});

test("changes nothing of what the model reads, also in a turn that is open", async () => {
  const thread = Thread.create();
  await scriptedRun([REPLY], { thread, prompt: "Hi" });
  const entries = await thread.entries();
  const store = new MemoryThreadStore();
  await store.append(
    "thread_open",
    ...entries
      .slice(0, 2)
      .map((entry) => (entry.type === "thread" ? { ...entry, threadId: "thread_open" } : entry)),
  );
  const open = await Thread.open(store, "thread_open");
  await open.rename("Named meanwhile");
  const { prompts } = await scriptedRun([REPLY], { thread: open, prompt: undefined });
  const { prompts: plain } = await scriptedRun([REPLY], { prompt: "Hi" });
  expect(prompts).toEqual(plain);
  expect(open.state.turn).toBeNull();
  const { model } = scriptedModel([REPLY]);
  const report = await replayThread(await open.entries(), { model });
  expect(report.difference).toBeNull();
});

test.each(["", " \n ", "x".repeat(201)])("%j is no title", async (title) => {
  const thread = Thread.create();
  await scriptedRun([REPLY], { thread });
  await expect(thread.rename(title)).rejects.toThrow(/accepted: 1 to 200/);
});
