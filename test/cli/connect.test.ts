/** `chorale connect`: which server, what is printed, and what is written beside what is there. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { load as loadYaml } from "js-yaml";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CLIENTS } from "../../runtime/cli/connect/clients.ts";
import { type PlannedFile, planFiles, writeFiles } from "../../runtime/cli/connect/write-setup.ts";
import { announce, makeSocketPath } from "../../runtime/server/discovery.ts";
import { serve } from "../runtime/server/serve.ts";
import { launcher } from "./chorale.ts";
import { inProcess } from "./in-process.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "connect-test-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const MODEL = "gpt-oss:20b";
const NOWHERE = ["--url", "127.0.0.1:9", "--model", MODEL];

const connect = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  inProcess(["connect", ...args], {
    HOME: home,
    CHORALE_HOME: join(home, "state"),
    XDG_RUNTIME_DIR: join(home, "run"),
    ...env,
  });
const jsonOf = (text: string) => JSON.parse(text) as Record<string, never>;
const fileText = (...path: string[]): string => readFileSync(join(home, ...path), "utf8");
function put(path: string, text: string): string {
  const whole = join(home, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, text);
  return whole;
}

describe("which server", () => {
  test("the one that this user runs, with its model and the context that it gives", async () => {
    const env = { XDG_RUNTIME_DIR: join(home, "run") };
    expect(await connect(["pi", "--json"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("No server of this user is running"),
    });
    const socketPath = makeSocketPath(env);
    await using server = await serve([], { socketPath });
    const { url } = server;
    announce({
      pid: process.pid,
      version: "1",
      url,
      socketPath,
      models: [{ given: null, name: "chorale-demo" }],
      startedAt: "",
    });
    const { stdout, code } = await connect(["pi", "--json"]);
    expect(code).toBe(0);
    expect(jsonOf(stdout)).toMatchObject({
      client: "pi",
      url,
      model: MODEL,
      context_length: 16_384,
      needs_key: false,
      written: [],
    });
  });

  test("a server with a key: files name the variable, and no file has the key", async () => {
    await using server = await serve([], { keys: ["the-secret"] });
    const env = { CHORALE_API_KEY: "the-secret" };
    for (const client of Object.keys(CLIENTS)) {
      const { stdout, code } = await connect([client, "--url", server.url, "--json"], env);
      expect(code).toBe(0);
      expect(jsonOf(stdout)).toMatchObject({ model: MODEL, needs_key: true });
      expect(stdout).toContain("CHORALE_API_KEY");
      expect(stdout).not.toContain("the-secret");
    }
    expect(await connect(["pi", "--url", server.url])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--model NAME"),
    });
  });

  test.each([
    ["0.0.0.0:1234", "http://127.0.0.1:1234"],
    ["http://[::]:1234/", "http://[::1]:1234"],
    ["https://box.example/models/v1", "https://box.example/models"],
  ])("%s is reached at %s", async (given, url) => {
    const { stdout } = await connect(["pi", "--model", "m", "--json", "--url", given]);
    expect(jsonOf(stdout)).toMatchObject({ url });
  });

  test.each([["ftp://a"], ["http://user:key@a"], ["http://"], ["http://a?b"]])(
    "%s is no address",
    async (given) => {
      expect(await connect(["pi", "--model", "m", "--url", given])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("accepted: http://HOST:PORT"),
      });
    },
  );

  test("a client that is not known", async () => {
    expect(await connect(["emacs", ...NOWHERE])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("accepted: codex, open-webui, continue"),
    });
  });
});

describe("what is printed", () => {
  test.each(Object.keys(CLIENTS))("%s: address, model, and how it is started", async (client) => {
    const { stdout, code } = await connect([client, ...NOWHERE]);
    expect(code).toBe(0);
    expect(stdout).toContain("http://127.0.0.1:9");
    expect(stdout).toContain("\nStart\n");
    expect(existsSync(join(home, ".codex"))).toBe(false);
  });

  test("a client whose instructions fill the context is told of", async () => {
    const { stderr } = await connect(["claude", ...NOWHERE]);
    expect(stderr).toContain("fills 10800 of the 16384 tokens of context");
  });
});

describe("what is written", () => {
  test("a file of its own, again without a question, but not over another's", async () => {
    expect((await connect(["continue", ...NOWHERE, "--write"])).code).toBe(0);
    const path = join(home, ".continue", "chorale.yaml");
    expect(loadYaml(readFileSync(path, "utf8"))).toMatchObject({
      models: [{ provider: "openai", model: MODEL, apiBase: "http://127.0.0.1:9/v1" }],
    });
    const again = ["continue", "--url", "127.0.0.1:8", "--model", "other", "--write"];
    expect((await connect(again)).code).toBe(0);
    expect(readFileSync(path, "utf8")).toContain('"http://127.0.0.1:8/v1"');
    writeFileSync(path, "name: mine\n");
    expect(await connect(again)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("would replace what is not of Chorale"),
    });
    expect(readFileSync(path, "utf8")).toBe("name: mine\n");
    expect((await connect([...again, "--yes"])).code).toBe(0);
    expect(readFileSync(path, "utf8")).toContain('"other"');
  });

  test("an entry of a file: comments, order and indentation of the rest stay", async () => {
    const before =
      '{\n    // mine\n    "theme": "dark",\n    "provider": {\n        "a": {}\n    }\n}\n';
    put(".config/opencode/opencode.json", before);
    expect((await connect(["opencode", ...NOWHERE, "--write"])).code).toBe(0);
    const after = fileText(".config", "opencode", "opencode.json");
    expect(after).toMatch(
      /^\{\n {4}\/\/ mine\n {4}"theme": "dark",\n {4}"provider": \{\n {8}"a": \{\},\n {8}"chorale": \{/,
    );
    const { stderr } = await connect(["opencode", ...NOWHERE, "--write"]);
    expect(stderr).toContain("was so already");
    expect(fileText(".config", "opencode", "opencode.json")).toBe(after);
  });

  test("Cline's one provider for such servers is not taken from another", async () => {
    const entry = {
      settings: { provider: "openai-compatible", apiKey: "sk", baseUrl: "https://x" },
    };
    const text = JSON.stringify({ version: 1, providers: { "openai-compatible": entry } });
    put(".cline/data/settings/providers.json", text);
    expect(await connect(["cline", ...NOWHERE, "--write"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("providers.openai-compatible, which is there already"),
    });
    expect(fileText(".cline", "data", "settings", "providers.json")).toBe(text);
  });

  test.each([
    ["{ not json", "is no JSON"],
    ['{"providers": []}', "has no object at providers"],
    ["[]", "has no object at its top"],
  ])("%s is left alone", async (text, why) => {
    put(".pi/agent/models.json", text);
    expect(await connect(["pi", ...NOWHERE, "--write", "--yes"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(why),
    });
    expect(fileText(".pi", "agent", "models.json")).toBe(text);
  });

  test("a client without a file", async () => {
    expect(await connect(["open-webui", ...NOWHERE, "--write"])).toMatchObject({ code: 2 });
  });

  test("every value of a JSON file is there afterwards, in the same order", async () => {
    const key = fc.string({ maxLength: 6 }).filter((name) => name !== "__proto__");
    const providers = fc.dictionary(key, fc.jsonValue({ maxDepth: 2 }), { noNullPrototype: true });
    const files = fc.record({ file: providers, providers }, { noNullPrototype: true });
    await fc.assert(
      fc.asyncProperty(
        files,
        fc.constantFrom(0, 2, "\t"),
        async ({ file, providers: known }, indent) => {
          const text = JSON.stringify({ ...file, providers: known }, null, indent);
          // As the text has it: JSON knows no -0.
          const before = JSON.parse(text) as { readonly providers: object };
          const path = put("models.json", text);
          const entry = { path, at: ["providers", "chorale"], value: { a: [1] }, isOwn: true };
          const [planned] = planFiles([entry]) as [PlannedFile];
          await writeFiles([planned]);
          const after = JSON.parse(readFileSync(path, "utf8")) as typeof before;
          expect(after).toEqual({
            ...before,
            providers: { ...before.providers, chorale: { a: [1] } },
          });
          expect(Object.keys(after)).toEqual(Object.keys(before));
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe.skipIf(spawnSync("script", ["--version"]).status !== 0)("in a terminal", () => {
  /** What is shown when the answer was typed, and the exit status behind it. */
  const typed = async (answer: string): Promise<string> => {
    const command = [process.execPath, launcher, "connect", "pi", ...NOWHERE, "--write"];
    // The terminal's Ctrl-C goes to a shell as well, so the shell becomes the command.
    const child = spawn("script", ["-qec", `exec ${command.join(" ")}`, "/dev/null"], {
      env: { ...process.env, HOME: home, CHORALE_HOME: join(home, "state") },
      stdio: ["pipe", "pipe", "ignore"],
    });
    let shown = "";
    let isAnswered = false;
    child.stdout.setEncoding("utf8").on("data", (piece: string) => {
      shown += piece;
      if (isAnswered || !shown.includes("[y/N]")) return;
      isAnswered = true;
      child.stdin.write(answer);
    });
    const [status] = await once(child, "close");
    return `${shown}status ${status}`;
  };
  const isWritten = (): boolean => existsSync(join(home, ".pi", "agent", "models.json"));

  test("yes", async () => {
    expect(await typed("y\r")).toContain("status 0");
    expect(isWritten()).toBe(true);
  });

  test("no", async () => {
    expect(await typed("\r")).toMatch(/nothing is written.*status 1/s);
    expect(isWritten()).toBe(false);
  });

  test("Ctrl-C", async () => {
    expect(await typed("\x03")).toMatch(/stopped by SIGINT.*status 130/s);
    expect(isWritten()).toBe(false);
  });
});
