/** `chorale sessions` and the flags of `run` that go on with a conversation, as real commands. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { threadsPath } from "../../runtime/environment.ts";
import { SqliteThreadStore } from "../../runtime/index.ts";
import { logOfMessages } from "../../runtime/thread/import.ts";
import { type ChoraleOptions, chorale, eventsOf, type Ran } from "./chorale.ts";
import { inProcess } from "./in-process.ts";

const LIMIT = { timeout: 120_000 };
let root: string;
let home: string;

const user = (text: string) => ({ role: "user", content: [{ type: "text", text }] }) as const;
const answer = (text: string) =>
  ({ role: "assistant", channel: "final", content: [{ type: "text", text }] }) as const;

/** A conversation with a given id, as if it had been had in `folder`. */
async function keep(threadId: string, folder: string, ...texts: readonly string[]): Promise<void> {
  await using store = new SqliteThreadStore(threadsPath({ path: home }));
  const messages = texts.map((text, at) => (at % 2 === 0 ? user(text) : answer(text)));
  const [first, ...rest] = logOfMessages(messages, { folder });
  if (first?.type === "thread") await store.append(threadId, { ...first, threadId }, ...rest);
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "sessions-test-"));
  home = join(root, "home");
  mkdirSync(home);
  await keep("thread_aa11", join(root, "a"), "What is the capital of Peru?", "Lima.");
  await keep("thread_aa22", join(root, "a"), "Weather in Porto?", "Rain.", "And now?", "Sun.");
  await keep("thread_bb33", join(root, "b"), "\u001b]0;evil\u0007title", "done");
  for (const name of ["a", "b", "c"]) mkdirSync(join(root, name));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (args: readonly string[], options: Partial<ChoraleOptions> = {}): Promise<Ran> =>
  chorale(args, { home, ...options });
const envOf = (path: string): NodeJS.ProcessEnv => ({ ...process.env, CHORALE_HOME: path });
const say = (...args: readonly string[]): ReturnType<typeof inProcess> =>
  inProcess(["sessions", ...args], envOf(home));
const jsonOf = ({ stdout }: Pick<Ran, "stdout">): Record<string, unknown> => JSON.parse(stdout);

describe("sessions", () => {
  test("list shows ids, turns and titles, and no control characters", LIMIT, async () => {
    const { stdout, code } = await run(["sessions", "list"]);
    expect(code).toBe(0);
    expect(stdout.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, "TIME")).toBe(
      "bb33  TIME  1 turn   ␛]0;evil␇title\n" +
        "aa22  TIME  2 turns  Weather in Porto?\n" +
        "aa11  TIME  1 turn   What is the capital of Peru?\n",
    );
    const limited = await say("list", "--limit", "1");
    expect(limited.stderr).toBe("2 more; --limit 3 shows them.\n");
    const here = await run(["sessions", "list", "--here", "--json"], { cwd: join(root, "a") });
    expect(jsonOf(here)).toMatchObject({
      count: 2,
      threads: [
        { thread_id: "thread_aa22", turns: 2, is_open: false, folder: join(root, "a") },
        { thread_id: "thread_aa11" },
      ],
    });
  });

  test("search finds words anywhere in a conversation", LIMIT, async () => {
    const found = await say("search", "porto", "sun");
    expect(found.stdout).toMatch(/^aa22 .*Weather in Porto\?\n +\S/);
    expect(jsonOf(await say("search", "lima", "--json"))).toMatchObject({
      matches: [{ thread_id: "thread_aa11", excerpt: "What is the capital of Peru? Lima." }],
    });
    const none = await say("search", "nowhere");
    expect(none).toMatchObject({ code: 0, stdout: "" });
    expect(none.stderr).toContain("No conversation has nowhere");
    expect(await say("search", "!!")).toMatchObject({ code: 2, stdout: "" });
  });

  test("the beginning of an id is enough, unless several have it", LIMIT, async () => {
    const shown = await say("show", "aa1");
    expect(shown.stdout).toContain("> What is the capital of Peru?\n\nLima.\n");
    const ambiguous = await say("show", "aa");
    expect(ambiguous).toMatchObject({ code: 2, stdout: "" });
    expect(ambiguous.stderr).toMatch(/2 threads begin with aa: thread_aa22 \(Weather in Porto\?\)/);
    const missing = await say("show", "zz");
    expect(missing).toMatchObject({ code: 2, stdout: "" });
    expect(jsonOf(await say("show", "aa22", "--json"))).toMatchObject({
      thread_id: "thread_aa22",
      turns: [
        { status: "completed", messages: [{ role: "user" }, { text: "Rain." }] },
        { status: "completed", messages: [{ role: "user" }, { text: "Sun." }] },
      ],
    });
  });

  test("fork copies up to a turn, and rm removes all that are named or none", LIMIT, async () => {
    const fork = await run(["sessions", "fork", "aa22", "--turn", "1"], { cwd: join(root, "c") });
    expect(fork.stdout).toMatch(/^thread_[-0-9a-f]+\n$/);
    const id = fork.stdout.trim();
    const shown = jsonOf(await say("show", id, "--json"));
    expect(shown["turns"]).toHaveLength(1);
    expect(shown["folder"]).toBe(join(root, "c"));
    expect((await say("fork", "aa22", "--turn", "3")).stderr).toContain("has 2 finished turns");
    expect(await say("rm", id, "zz")).toMatchObject({ code: 2, stdout: "" });
    expect((await say("rm", id, id)).stdout).toBe(`Removed ${id} (Weather in Porto?).\n`);
    expect(await say("show", id)).toMatchObject({ code: 2 });
  });

  test("export and import give a conversation back, from every format", LIMIT, async () => {
    const files = ["talk.jsonl", "talk.md", "talk.harmony"].map((name) => join(root, name));
    for (const file of files) {
      const exported = await say("export", "aa22", "-o", file);
      expect(exported).toMatchObject({ code: 0, stdout: "" });
    }
    const [log = "", markdown = "", harmony = ""] = files;
    expect((await run(["sessions", "export", "aa22", "--format", "jsonl"])).stdout).toBe(
      readFileSync(log, "utf8"),
    );
    const again = await say("import", log);
    expect(again.stdout).toBe("thread_aa22\n");
    expect(again.stderr).toContain("in the store already");
    const other = join(root, "other-home");
    expect((await inProcess(["sessions", "import", log], envOf(other))).stdout).toBe(
      "thread_aa22\n",
    );
    expect(
      (await inProcess(["sessions", "export", "aa22", "--format", "jsonl"], envOf(other))).stdout,
    ).toBe(readFileSync(log, "utf8"));
    for (const file of [markdown, harmony]) {
      const stdin = readFileSync(file);
      const imported = await run(["sessions", "import", "--json", "-"], { home: other, stdin });
      const { thread_id, lost } = jsonOf(imported);
      expect(lost).not.toEqual([]);
      const back = await inProcess(["sessions", "show", String(thread_id), "--json"], envOf(other));
      expect(jsonOf(back)["turns"]).toMatchObject([
        { messages: [{ text: "Weather in Porto?" }, { text: "Rain." }] },
        { messages: [{ text: "And now?" }, { text: "Sun." }] },
      ]);
    }
  });

  test.each<[string, readonly string[], RegExp]>([
    [
      "a folder that is missing",
      ["export", "aa22", "-o", "/nope/x.md"],
      /there is no folder \/nope/,
    ],
    ["a folder as a file", ["export", "aa22", "-o", "/"], /is a folder/],
    ["ids of Markdown", ["export", "aa22", "--ids"], /--ids is for --format harmony/],
    [
      "a turn that is not there",
      ["export", "aa22", "--format", "harmony", "--turn", "9"],
      /no turn 9/,
    ],
    ["a file that is missing", ["import", "/nope.jsonl"], /there is no such file/],
    [
      "a text that is none of the formats",
      ["import", "package.json", "--format", "markdown"],
      /no conversation/,
    ],
    ["an unknown word", ["lst"], /list/],
  ])("%s is refused", LIMIT, async (_what, args, sentence) => {
    const ran = await say(...args);
    expect(ran.stderr).toMatch(sentence);
    expect(ran).toMatchObject({ code: 2, stdout: "" });
  });

  test("a disk that is full is said, and leaves no part", LIMIT, async () => {
    const { code, stderr } = await run(["sessions", "export", "aa22", "-o", "/dev/full"]);
    expect(stderr).toMatch(/--output \/dev\/full cannot be written: .*ENOSPC/);
    expect(code).toBe(1);
  });
});

describe("a run goes on", () => {
  test("with the last conversation of its folder, or one that is named", LIMIT, async () => {
    const flags = ["--json", "--temperature", "0", "--max-steps", "2"];
    const threadOf = (ran: Ran): unknown =>
      eventsOf(ran.stdout).find(({ type }) => type === "thread.started");
    const cwd = join(root, "a");
    const continued = await run(["run", "--continue", "Hi", ...flags], { cwd });
    expect(threadOf(continued)).toMatchObject({ thread_id: "thread_aa22" });
    const resumed = await run(["sessions", "resume", "aa1", "Hi", ...flags], { cwd });
    expect(threadOf(resumed)).toMatchObject({ thread_id: "thread_aa11" });
    const now = await run(["run", "-c", "Hi", ...flags], { cwd });
    expect(threadOf(now)).toMatchObject({ thread_id: "thread_aa11" });
    const shown = jsonOf(await run(["sessions", "show", "aa11", "--json"]));
    expect(shown["turns"]).toHaveLength(3);
  });

  test.each<[string, readonly string[], RegExp]>([
    ["where none began here", ["run", "-c", "Hi"], /No conversation began in .*\. The last one/],
    ["with an ambiguous id", ["run", "--resume", "aa", "Hi"], /2 threads begin with aa/],
    ["in two ways", ["run", "-c", "--resume", "aa1", "Hi"], /exclude each other/],
    ["and is not kept", ["run", "-c", "--ephemeral", "Hi"], /exclude each other/],
  ])("not %s", LIMIT, async (_what, args, sentence) => {
    const ran = await inProcess(args, envOf(home));
    expect(ran.stderr).toMatch(sentence);
    expect(ran.code).toBe(2);
  });
});

test("a file of conversations that is damaged is said", LIMIT, async () => {
  const damaged = join(root, "damaged");
  mkdirSync(damaged);
  writeFileSync(threadsPath({ path: damaged }), "no database ".repeat(500));
  const ran = await inProcess(["sessions", "list"], envOf(damaged));
  expect(ran.stderr).toMatch(/Cannot open the conversations in .*: file is not a database/);
  expect(ran).toMatchObject({ code: 1, stdout: "" });
});
