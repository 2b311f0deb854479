/** `chorale serve`, `ps` and `stop` as real processes. */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ChoraleOptions, chorale, type Ran } from "./chorale.ts";

let root = "";

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "chorale-serve-"));
});
afterAll(() => rmSync(root, { recursive: true }));

function options(home: string, more: Partial<ChoraleOptions> = {}): ChoraleOptions {
  const { env, ...rest } = more;
  return {
    home: join(root, home),
    ...rest,
    env: { XDG_RUNTIME_DIR: "", HOME: root, OLLAMA_MODELS: join(root, "none"), ...env },
  };
}

type Serving = { readonly url: string; readonly child: ChildProcess; readonly ended: Promise<Ran> };

/** Resolves when the server says where it is. */
async function serving(home: string, args: readonly string[] = []): Promise<Serving> {
  const ready = Promise.withResolvers<{ url: string; child: ChildProcess }>();
  let said = "";
  const ended = chorale(
    ["serve", "--listen", "127.0.0.1:0", ...args],
    options(home, {
      whileRunning: (child) => {
        child.stderr?.on("data", (text: string) => {
          said += text;
          const [, url] = /serving .* at (http:\S+) \(Ollama\)/.exec(said) ?? [];
          if (url !== undefined) ready.resolve({ url, child });
        });
      },
    }),
  );
  void ended.then(({ stderr }) => ready.reject(new Error(`ended: ${stderr}`)));
  return { ...(await ready.promise), ended };
}

test("answers with the embedded model, is listed, gives back memory, and is stopped", async () => {
  const { url, ended } = await serving("stopped");
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({
      model: "chorale-demo",
      messages: [{ role: "user", content: "What can you do?" }],
      temperature: 0,
    }),
  });
  expect(await answer.json()).toMatchObject({
    choices: [{ finish_reason: "stop", message: { content: expect.stringContaining("help") } }],
  });
  const listed = await chorale(["ps", "--json"], options("stopped"));
  expect(JSON.parse(listed.stdout)).toMatchObject({
    url,
    loaded: [{ name: "chorale-demo", context_length: 4096 }],
  });
  expect((await chorale(["stop", "chorale-demo"], options("stopped"))).code).toBe(0);
  const empty = await chorale(["ps"], options("stopped"));
  expect(empty.stdout).toContain("no model in memory");
  expect((await chorale(["stop"], options("stopped"))).code).toBe(0);
  expect((await ended).code).toBe(0);
  const none = await chorale(["ps"], options("stopped"));
  expect([none.stdout, none.stderr]).toEqual(["", "chorale: no server of this user is running\n"]);
  expect((await chorale(["stop"], options("stopped"))).code).toBe(2);
});

test("ends with the status of SIGTERM, and its answer is whole", async () => {
  const { url, child, ended } = await serving("terminated");
  const asked = fetch(`${url}/api/chat`, {
    method: "POST",
    body: JSON.stringify({
      model: "chorale-demo",
      messages: [{ role: "user", content: "What can you do?" }],
    }),
  });
  const response = await asked;
  child.kill("SIGTERM");
  const lines = (await response.text()).trimEnd().split("\n");
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ done: true });
  expect((await ended).code).toBe(143);
});

test("ends by itself where no request comes", async () => {
  const { ended } = await serving("idle", ["--idle", "500ms"]);
  expect((await ended).code).toBe(0);
});

test.each([
  ["other machines without a key", ["--listen", "0.0.0.0:0"], /--allow-anyone/],
  ["an address that is none", ["--listen", "ftp://x"], /--listen is "ftp:\/\/x"/],
  ["a time that is none", ["--idle", "soon"], /--idle is "soon"/],
  ["a file of keys that is not there", ["--api-key-file", "/nonexistent/keys"], /no such file/],
])("refuses %s", async (_, args, message) => {
  const ran = await chorale(["serve", ...args], options("refused"));
  expect(ran.code).toBe(2);
  expect(ran.stderr).toMatch(message);
});

test("says that a port is taken", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as { port: number };
  const ran = await chorale(["serve", "--listen", `127.0.0.1:${port}`], options("taken"));
  expect(ran.code).toBe(2);
  expect(ran.stderr).toMatch(/another program listens there/);
  other.close();
});
