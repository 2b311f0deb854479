/** What every store promises, and what the one in a file promises beyond it. */
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, test } from "vitest";
import { runAgent } from "../../runtime/agent/agent.ts";
import { ScriptedModel } from "../../runtime/model/scripted-model.ts";
import type { LogEntry } from "../../runtime/thread/entry.ts";
import { THREAD_LOG_VERSION } from "../../runtime/thread/entry.ts";
import { PostgresThreadStore } from "../../runtime/thread/postgres-store.ts";
import { SqliteThreadStore } from "../../runtime/thread/sqlite-store.ts";
import { MemoryThreadStore, type ThreadStore } from "../../runtime/thread/store.ts";
import { Thread } from "../../runtime/thread/thread.ts";
import { startPostgres } from "../postgres/start-postgres.ts";

const folder = mkdtempSync(join(tmpdir(), "thread-store-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newPath = (): string => join(folder, `${files++}`, "threads.sqlite");

const postgres = await startPostgres();
afterAll(() => postgres.stop());

const first = (threadId: string, seq = 0): LogEntry => ({
  type: "thread",
  version: THREAD_LOG_VERSION,
  threadId,
  seq,
  at: new Date().toISOString(),
});

describe.each<[string, () => ThreadStore | Promise<ThreadStore>]>([
  ["memory", () => new MemoryThreadStore()],
  ["SQLite", () => new SqliteThreadStore(newPath())],
  ["Postgres", async () => PostgresThreadStore.open(await postgres.newDatabase())],
])("%s", (_name, open) => {
  test("gives back what was appended, in order", async () => {
    await using store = await open();
    const thread = Thread.create({ store });
    await runAgent({
      model: new ScriptedModel(["Hello."]),
      thread,
      prompt: "Hi <|end|> \u2028 😀",
    });
    const entries = await store.read(thread.id);
    expect(entries.map(({ type, seq }) => [seq, type])).toEqual([
      [0, "thread"],
      [1, "user"],
      [2, "sampled"],
      [3, "ended"],
    ]);
    expect(await store.read(thread.id, 2)).toEqual(entries.slice(2));
    const again = await Thread.open(store, thread.id);
    expect(again.state).toEqual(thread.state);
    expect(again.messages[0]?.content).toEqual([{ type: "text", text: "Hi <|end|> \u2028 😀" }]);
  });

  test("refuses an entry whose place is taken", async () => {
    await using store = await open();
    await store.append("a", first("a"));
    await expect(store.append("a", first("a"))).rejects.toMatchObject({
      code: "CHORALE_THREAD_CONFLICT",
    });
    await store.append("b", first("b"));
  });

  test("lists threads, the one used last first, and removes them", async () => {
    await using store = await open();
    await store.append("a", { ...first("a"), at: "2026-01-01T00:00:00.000Z" });
    await store.append("b", { ...first("b"), at: "2026-01-02T00:00:00.000Z" });
    expect((await store.list()).map(({ threadId }) => threadId)).toEqual(["b", "a"]);
    expect(await store.list({ limit: 1 })).toMatchObject([{ threadId: "b", entries: 1 }]);
    expect(await store.remove("b")).toBe(true);
    expect(await store.remove("b")).toBe(false);
    expect(await store.read("b")).toEqual([]);
    await expect(Thread.open(store, "b")).rejects.toMatchObject({
      code: "CHORALE_THREAD_NOT_FOUND",
    });
  });
});

describe("a file", () => {
  test("is refused in a sentence where it cannot be used", () => {
    const garbage = join(folder, "garbage.sqlite");
    writeFileSync(garbage, "this is no database, but it is long enough to look at".repeat(100));
    expect(() => new SqliteThreadStore(garbage)).toThrow(
      /^Cannot open the conversations in .*garbage/,
    );
    writeFileSync(join(folder, "occupied"), "");
    expect(() => new SqliteThreadStore(join(folder, "occupied", "threads.sqlite"))).toThrow(
      /^Cannot open the conversations in /,
    );
  });

  test("of a newer version is not read", async () => {
    await using store = new SqliteThreadStore(newPath());
    await store.append("a", { ...first("a"), version: THREAD_LOG_VERSION + 1 } as LogEntry);
    await expect(Thread.open(store, "a")).rejects.toThrow(
      new RegExp(`version ${THREAD_LOG_VERSION + 1} .* use a newer one`),
    );
  });

  test("with a gap is no log", async () => {
    await using store = new SqliteThreadStore(newPath());
    await store.append("a", first("a"));
    await store.append("a", first("a", 2));
    await expect(Thread.open(store, "a")).rejects.toThrow("entry 1 is missing (found 2)");
  });

  test("that another process writes to is waited for, then that is said", {
    timeout: 30_000,
  }, async () => {
    const path = newPath();
    await using store = new SqliteThreadStore(path, { busyTimeoutMs: 300 });
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const started = performance.now();
    await expect(store.append("a", first("a"))).rejects.toThrow(
      /^Cannot write an entry of thread a to .*: database is locked/,
    );
    expect(performance.now() - started).toBeGreaterThan(250);
    other.exec("COMMIT");
    other.close();
    await store.append("a", first("a"));
  });

  test("takes the entries of several processes at once", { timeout: 60_000 }, async () => {
    const path = newPath();
    await using store = new SqliteThreadStore(path);
    const module = new URL("../../runtime/index.ts", import.meta.url).href;
    const program = `
      import { runAgent, ScriptedModel, SqliteThreadStore, Thread } from ${JSON.stringify(module)};
      await using store = new SqliteThreadStore(${JSON.stringify(path)});
      const thread = Thread.create({ store, threadId: process.argv[1] });
      for (let turn = 0; turn < 20; turn++) {
        await runAgent({ model: new ScriptedModel(["Hello."]), thread, prompt: "Hi" });
      }`;
    const names = ["one", "two", "three"];
    const codes = await Promise.all(
      names.map(
        (name) =>
          new Promise((done) => {
            const args = ["--input-type=module", "--eval", program, name];
            spawn(process.execPath, args, { stdio: "inherit" }).on("close", done);
          }),
      ),
    );
    expect(codes).toEqual([0, 0, 0]);
    for (const name of names) {
      const thread = await Thread.open(store, name);
      expect(thread.state).toMatchObject({ turns: 20, turn: null });
    }
  });

  test("two runs of one thread do not mix: the second is told", async () => {
    await using store = new SqliteThreadStore(newPath());
    const thread = Thread.create({ store });
    const model = new ScriptedModel(["One.", "Two.", "Three."]);
    await runAgent({ model, thread, prompt: "Hi" });
    const same = await Thread.open(store, thread.id);
    await runAgent({ model, thread, prompt: "Hi" });
    const late = await runAgent({ model, thread: same, prompt: "Hi" });
    expect(late).toMatchObject({ status: "failed", error: { code: "CHORALE_THREAD_CONFLICT" } });
    expect((await Thread.open(store, thread.id)).state.turns).toBe(2);
  });

  test.skipIf(process.getuid?.() === 0)("that cannot be written is said", () => {
    const readOnly = join(folder, "read-only");
    writeFileSync(readOnly, "");
    chmodSync(readOnly, 0o400);
    expect(() => new SqliteThreadStore(readOnly)).toThrow(/^Cannot open the conversations/);
  });
});
