/** Titles, listings and search of the stores, and files that were written before there was an index. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { runAgent } from "../../runtime/agent/agent.ts";
import { ScriptedModel } from "../../runtime/model/scripted-model.ts";
import { findThread, lastThread, shortIds } from "../../runtime/thread/find.ts";
import { logOfMessages } from "../../runtime/thread/import.ts";
import { PostgresThreadStore } from "../../runtime/thread/postgres-store.ts";
import { excerptOf, positionOf, queryTerms } from "../../runtime/thread/search.ts";
import { SqliteThreadStore } from "../../runtime/thread/sqlite-store.ts";
import { MemoryThreadStore, type ThreadStore } from "../../runtime/thread/store.ts";
import { Thread } from "../../runtime/thread/thread.ts";
import { titleOf } from "../../runtime/thread/title.ts";
import { defineTool } from "../../tools/index.ts";
import { startPostgres } from "../postgres/start-postgres.ts";

const folder = mkdtempSync(join(tmpdir(), "thread-search-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newPath = (): string => join(folder, `${files++}`, "threads.sqlite");

const postgres = await startPostgres();
afterAll(() => postgres.stop());
const openPostgres = async (): Promise<ThreadStore> =>
  PostgresThreadStore.open(await postgres.newDatabase());

const user = (text: string) => ({ role: "user", content: [{ type: "text", text }] }) as const;

describe("a title", () => {
  test.each<[string, string | null]>([
    ["What is 2 + 3?", "What is 2 + 3?"],
    ["\n\n  Explain\tthis   code  \nmore", "Explain this code"],
    ["# Heading\ntext", "Heading"],
    ["<stdin>\nline one\n</stdin>", "line one"],
    ["  \n", null],
    [
      "Please summarise the following very long document about the history of bread in Portugal",
      "Please summarise the following very long document about…",
    ],
    ["東京の天気".repeat(20), `${"東京の天気".repeat(12).slice(0, 59)}…`],
    ["👩‍👩‍👧‍👦".repeat(80), `${"👩‍👩‍👧‍👦".repeat(59)}…`],
  ])("of %j", (text, title) => {
    expect(titleOf([user(text)])).toBe(title);
  });
});

async function talk(store: ThreadStore, threadId: string, prompt: string, answer: string) {
  const thread = Thread.create({ store, threadId, folder: `/home/${threadId[7] ?? ""}` });
  await runAgent({ model: new ScriptedModel([answer], { name: "m" }), thread, prompt });
  return thread;
}

describe.each<[string, () => ThreadStore | Promise<ThreadStore>]>([
  ["memory", () => new MemoryThreadStore()],
  ["SQLite", () => new SqliteThreadStore(newPath())],
  ["Postgres", openPostgres],
])("%s", (_name, open) => {
  test("lists what each thread is", async () => {
    await using store = await open();
    await talk(store, "thread_a1", "What is the capital of Peru?", "Lima.");
    const tool = defineTool({
      name: "stop",
      description: "Stops",
      inputSchema: { type: "object" },
      needsApproval: true,
      execute: () => "ok",
    });
    const model = new ScriptedModel([[{ text: "{}", recipient: "functions.stop" }]]);
    const thread = Thread.create({ store, threadId: "thread_b2" });
    const approve = "pause";
    await runAgent({ model, thread, prompt: "Stop", tools: [tool], approve });
    expect(await store.list()).toMatchObject([
      { threadId: "thread_b2", title: "Stop", folder: null, turns: 1, isOpen: true },
      {
        threadId: "thread_a1",
        title: "What is the capital of Peru?",
        folder: "/home/a",
        model: "m",
        turns: 1,
        isOpen: false,
        entries: 4,
      },
    ]);
  });

  test("finds the last thread of a folder, and threads by what their ids begin with", async () => {
    await using store = await open();
    await talk(store, "thread_a1", "One", "1");
    await talk(store, "thread_a2", "Two", "2");
    await talk(store, "thread_b1", "Three", "3");
    expect(await lastThread(store, "/home/a")).toMatchObject({ threadId: "thread_a2" });
    expect(await lastThread(store, "/home/z")).toBeUndefined();
    expect(await findThread(store, "b")).toMatchObject({ threadId: "thread_b1" });
    expect(await findThread(store, "thread_a1")).toMatchObject({ title: "One" });
    await expect(findThread(store, "a")).rejects.toThrow(
      "2 threads begin with a: thread_a2 (Two), thread_a1 (One). Give more of the id.",
    );
    for (const none of ["", "c", "%", "_", "thread_a11"]) {
      await expect(findThread(store, none)).rejects.toMatchObject({
        code: "CHORALE_THREAD_NOT_FOUND",
      });
    }
  });

  test("searches words, beginnings of words, phrases and languages without spaces", async () => {
    await using store = await open();
    await talk(
      store,
      "thread_p",
      "What is the capital of Peru?",
      "The capital is Lima, not Cusco.",
    );
    await talk(store, "thread_t", "東京の天気はどうですか", "晴れです。");
    await talk(store, "thread_g", "Wie groß ist Köln?", "Es hat über 1 Mio. Einwohner.");
    const find = async (query: string) =>
      (await store.search(query)).map(({ thread }) => thread.threadId);
    expect(await find("capital")).toEqual(["thread_p"]);
    expect(await find("CAPIT lima")).toEqual(["thread_p"]);
    expect(await find("peru cusco")).toEqual(["thread_p"]); // one in the question, one in the answer
    expect(await find('"capital is Lima"')).toEqual(["thread_p"]);
    expect(await find('"Lima is capital"')).toEqual([]);
    expect(await find("天気")).toEqual(["thread_t"]);
    expect(await find("気天")).toEqual([]);
    expect(await find("koln uber")).toEqual(["thread_g"]);
    expect(await find("capital nowhere")).toEqual([]);
    for (const odd of ["", "!!!", '"', "a' OR 1=1 --", "NEAR(", "text:x", "^", '"*"']) {
      expect(await find(odd)).toEqual([]);
    }
    const [match] = await store.search("cusco");
    expect(match).toMatchObject({ seq: 2, excerpt: "The capital is Lima, not Cusco." });
    expect(await store.search("is", 1)).toHaveLength(1);
    await store.remove("thread_p");
    expect(await find("capital")).toEqual([]);
    await talk(store, "thread_p", "capital again", "yes");
    expect(await find("capital")).toEqual(["thread_p"]);
  });

  test("takes several entries at once, all or none", async () => {
    await using store = await open();
    const log = logOfMessages([user("Hello")]);
    await store.append("thread_x", ...log.slice(0, 2));
    await expect(store.append("thread_x", ...log.slice(1))).rejects.toMatchObject({
      code: "CHORALE_THREAD_CONFLICT",
    });
    expect(await store.read("thread_x")).toHaveLength(2);
    expect(await store.list()).toMatchObject([{ entries: 2, isOpen: true }]);
    await store.append("thread_x", ...log.slice(2));
    expect(await store.list()).toMatchObject([{ entries: 3, isOpen: false }]);
  });
});

test("all stores find the same", async () => {
  await using database = await openPostgres();
  const words = fc.constantFrom(
    "Lisbon",
    "weather",
    "weatherman",
    "東京",
    "über",
    "x1",
    "a-b",
    "42",
  );
  const text = fc.array(words, { minLength: 1, maxLength: 6 }).map((list) => list.join(" "));
  const query = fc.array(
    fc.oneof(
      words,
      text.map((phrase) => `"${phrase}"`),
    ),
    { maxLength: 3 },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 5 }), query, async (questions, terms) => {
      await using memory = new MemoryThreadStore();
      await using sqlite = new SqliteThreadStore(newPath());
      for (const { threadId } of await database.list()) await database.remove(threadId);
      for (const question of questions) {
        const log = logOfMessages([user(question)]);
        const [first] = log;
        const id = first?.type === "thread" ? first.threadId : "";
        await memory.append(id, ...log);
        await sqlite.append(id, ...log);
        await database.append(id, ...log);
      }
      const found = async (store: ThreadStore) =>
        (await store.search(terms.join(" "))).map(({ thread }) => thread.threadId).sort();
      expect(await found(sqlite)).toEqual(await found(memory));
      expect(await found(database)).toEqual(await found(memory));
    }),
    { numRuns: 40 },
  );
});

describe("a file", () => {
  /** As Chorale wrote it before there was an index. */
  function oldFile(): string {
    const path = join(folder, `old-${files++}.sqlite`);
    const database = new DatabaseSync(path);
    database.exec(
      "CREATE TABLE entries (thread_id TEXT NOT NULL, seq INTEGER NOT NULL, at TEXT NOT NULL, entry TEXT NOT NULL, " +
        "PRIMARY KEY (thread_id, seq)) STRICT, WITHOUT ROWID;",
    );
    const insert = database.prepare("INSERT INTO entries VALUES (?, ?, ?, ?)");
    for (const entry of logOfMessages([user("What is the capital of Peru?")])) {
      insert.run("thread_old", entry.seq, entry.at, JSON.stringify(entry));
    }
    insert.run("thread_damaged", 0, "2026-01-01T00:00:00.000Z", "{ no JSON");
    database.close();
    return path;
  }

  test("without an index gets one, and a damaged entry does not hinder it", async () => {
    const path = oldFile();
    for (const _time of [1, 2]) {
      await using store = new SqliteThreadStore(path);
      expect((await store.list()).map(({ threadId, title }) => [threadId, title])).toEqual([
        ["thread_old", "What is the capital of Peru?"],
      ]);
      expect(await store.search("peru")).toMatchObject([{ thread: { threadId: "thread_old" } }]);
    }
  });

  test("of a newer version is refused in a sentence", () => {
    const path = oldFile();
    new SqliteThreadStore(path).close();
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 2");
    database.close();
    expect(() => new SqliteThreadStore(path)).toThrow(/of version 2, .* use a newer one/);
  });
});

test("short ids say which thread is meant", () => {
  const ids = ["thread_aaaaaaaa1", "thread_aaaaaaaa2", "thread_bbbbbbbbbb", "mine"];
  expect([...shortIds(ids).values()]).toEqual(["aaaaaaaa1", "aaaaaaaa2", "bbbbbbbb", "mine"]);
});

test("an excerpt is a piece around the word that was found, on one line", () => {
  const text = `${"word ".repeat(100)}\nthe needle\n${"word ".repeat(100)}`;
  const excerpt = excerptOf(text, ["needle"]);
  expect(excerpt).toMatch(/^….*the needle word.*…$/);
  expect(excerpt.length).toBeLessThan(140);
  expect(excerptOf("short", ["absent"])).toBe("short");
  expect(queryTerms('a "b c" !! "unclosed d')).toEqual(["a", "b c", "unclosed", "d"]);
  expect(positionOf("Größe über", "uber")).toBe(6);
});
