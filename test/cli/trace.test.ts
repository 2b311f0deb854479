/** `chorale trace`, and what the page of `chorale serve` is given. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openPage, type PageArguments } from "../../runtime/cli/page-services.ts";
import { threadsPath } from "../../runtime/environment.ts";
import { SqliteThreadStore } from "../../runtime/index.ts";
import { logOfMessages } from "../../runtime/thread/import.ts";
import { inProcess } from "./in-process.ts";

const root = mkdtempSync(join(tmpdir(), "trace-test-"));
const env = { ...process.env, CHORALE_HOME: root };

beforeAll(async () => {
  await using store = new SqliteThreadStore(threadsPath({ path: root }));
  const text = (role: "user" | "assistant", said: string) =>
    ({ role, content: [{ type: "text", text: said }] }) as const;
  const [first, ...rest] = logOfMessages(
    [text("user", "<b>What</b> is it?"), { ...text("assistant", "It is."), channel: "final" }],
    {},
  );
  if (first?.type !== "thread") throw new Error("no log");
  await store.append("thread_cc44", { ...first, threadId: "thread_cc44" }, ...rest);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("a conversation becomes one file, or goes to stdout", async () => {
  const file = join(root, "trace.html");
  expect(await inProcess(["trace", "cc44", "-o", file], env)).toMatchObject({
    code: 0,
    stdout: "",
  });
  const html = readFileSync(file, "utf8");
  expect(html).toContain("&lt;b>What&lt;/b> is it?");
  expect(html).toContain("200007");
  const { stdout } = await inProcess(["trace", "cc44", "--no-tokens"], env);
  expect(stdout).toMatch(/^<!doctype html>/);
  expect(stdout).not.toContain("200007");
});

test("what cannot be traced or written is said before anything is written", async () => {
  const file = join(root, "none.html");
  const unknown = await inProcess(["trace", "ffff", "-o", file], env);
  expect(unknown).toMatchObject({ code: 2, stdout: "" });
  expect(unknown.stderr).toContain("There is no thread ffff");
  expect(existsSync(file)).toBe(false);
  const folder = await inProcess(["trace", "cc44", "-o", join(root, "no", "x.html")], env);
  expect(folder).toMatchObject({ code: 2 });
  expect(await inProcess(["trace"], env)).toMatchObject({ code: 2 });
});

const NOTHING: PageArguments = {
  docs: undefined,
  noPython: false,
  policy: undefined,
  tool: [],
  plugin: [],
  grant: [],
  mcp: [],
  noMcp: true,
  web: false,
  search: undefined,
  searxng: undefined,
  allowDomain: undefined,
  blockDomain: undefined,
  allowPrivateHost: undefined,
  offline: false,
  proxyResolves: false,
};

test("the page has the conversations of the state folder, and tools as the flags say", async () => {
  const home = { path: root, temporary: false, close: () => {} };
  writeFileSync(join(root, "note.md"), "A note.");
  const offered = async (args: Partial<PageArguments>): Promise<readonly string[]> => {
    await using page = await openPage({ ...NOTHING, ...args }, home, env, () => {});
    const [known] = await page.services.threads.list();
    expect(known?.threadId).toBe("thread_cc44");
    const tools = await page.services.openTools();
    const [one, other] = await Promise.all([tools.openConversation(), tools.openConversation()]);
    const names = tools.offered.map(({ recipient }) => recipient);
    expect(one.tools.map(({ recipient }) => recipient)).toEqual(names);
    // An interpreter belongs to one conversation, documents to all.
    for (const [at, tool] of one.tools.entries()) {
      expect(tool === other.tools[at]).toBe(tool.recipient !== "python");
    }
    await Promise.all([one.close(), other.close()]);
    return names;
  };
  expect(await offered({})).toEqual(["python"]);
  expect(await offered({ noPython: true, docs: root })).toEqual([
    "browser.search",
    "browser.open",
    "browser.find",
  ]);
});
