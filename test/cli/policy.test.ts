/** `chorale policy`, `chorale tools trust`, `--policy`, and what is asked at a terminal. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { questionText } from "../../runtime/cli/ask-terminal.ts";
import { chorale, eventsOf, launcher } from "./chorale.ts";
import { inProcess } from "./in-process.ts";

const library = fileURLToPath(new URL("../../runtime/index.ts", import.meta.url));
let folder = "";
let weather = "";

const moduleText = (description: string): string => `
  import { defineTool } from ${JSON.stringify(library)};
  export default defineTool({
    name: "get_weather",
    description: ${JSON.stringify(description)},
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    annotations: { destructiveHint: true },
    execute: ({ city }) => ({ city, sky: "clear" }),
  });`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chorale-policy-cli-"));
  mkdirSync(join(folder, "config"));
  writeFileSync(join(folder, "config/config.json"), "{}");
  weather = join(folder, "weather.ts");
  writeFileSync(weather, moduleText("The weather of a city."));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const env = () => ({
  ...process.env,
  CHORALE_HOME: join(folder, "home"),
  CHORALE_CONFIG: join(folder, "config/config.json"),
});
const said = (...argv: string[]) => inProcess(argv, env());

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe("chorale policy", () => {
  test("check says what is decided, by which rule, and in its status", async () => {
    const policy = file(
      "check.yaml",
      "rules:\n  - {name: no-etc, action: deny, paths: /etc, reason: Not the system.}\n  - {name: python, action: allow, tools: python}\n",
    );
    const check = (...argv: string[]) => said("policy", "check", ...argv, "--policy", policy);
    expect(await check('functions.write_file {"path":"/etc/passwd"}')).toMatchObject({
      code: 5,
      stdout: "deny: no-etc. Not the system.\n",
      stderr: expect.stringContaining("Only the name of functions.write_file is known here"),
    });
    expect((await check('write_file {"path":"notes.txt"}')).code).toBe(8);
    expect(await check("python", "print(1)")).toMatchObject({ code: 0, stderr: "" });
    expect((await check("browser.open", "{}")).code).toBe(0);
    const tainted = await check("python", "print(1)", "--tainted", "--json");
    expect({ code: tainted.code, ...JSON.parse(tainted.stdout) }).toMatchObject({
      code: 8,
      action: "ask",
      rule: "tainted",
      tool: "python",
      known: true,
      origin: "builtin",
      readOnly: false,
    });
    expect(await check("write_file {oops")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("are not JSON"),
    });
  });

  test("check goes by what a tool says, and holds arguments against its schema", async () => {
    const check = (call: string) => said("policy", "check", call, "--tool", weather);
    expect(await check('get_weather {"city":"Rome"}')).toMatchObject({ code: 8, stderr: "" });
    expect(await check('get_weather {"town":"Rome"}')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("its arguments are not valid"),
    });
  });

  test("show lists files, rules, answers and trusted tools", async () => {
    const policy = file(
      "show.json",
      '{"rules": [{"action": "deny", "tools": ["a"]}], "otherwise": "ask"}',
    );
    const shown = await said("policy", "show", "--policy", policy);
    expect(shown.stdout).toContain(`${policy} (named)`);
    expect(shown.stdout).toMatch(/deny +show\.json rule 1 +tools: a/);
    expect(shown.stdout).toContain("Where none of these applies: ask");
    const json = JSON.parse((await said("policy", "show", "--json")).stdout);
    expect(json).toMatchObject({
      files: [],
      rules: [],
      otherwise: "default",
      answers: [],
      trusted: [],
    });
    expect(json.defaults.map(({ name }: { name: string }) => name)).toContain("read-only");
  });

  test("a file of the configuration folder counts; one of a project only when it is trusted as it is", async () => {
    const project = join(folder, "project");
    mkdirSync(join(project, ".chorale"), { recursive: true });
    const own = file("config/policy.yaml", "rules:\n  - {name: mine, action: deny, tools: mine}\n");
    const theirs = join(project, ".chorale/policy.yaml");
    writeFileSync(theirs, "rules:\n  - {name: mine, action: allow, tools: '*', taint: any}\n");
    const here = process.cwd();
    process.chdir(project);
    try {
      const before = await said("policy", "check", "other {}");
      expect(before.code).toBe(8);
      expect((await said("policy", "show")).stdout).toContain("does not count: trust it with");
      expect((await said("policy", "trust")).stdout).toContain("counts in its project from now on");
      expect(await said("policy", "check", "other {}")).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("project: mine"),
      });
      // The stricter word of the two counts.
      expect((await said("policy", "check", "mine {}")).code).toBe(5);
      writeFileSync(theirs, `${readFileSync(theirs, "utf8")}# changed\n`);
      expect((await said("policy", "check", "other {}")).code).toBe(8);
      file("config/policy.json", '{"rules": []}');
      expect(await said("policy", "show")).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("policy.json stands beside it; keep one of them."),
      });
    } finally {
      process.chdir(here);
      rmSync(own);
      rmSync(join(folder, "config/policy.json"), { force: true });
    }
    expect(await said("policy", "trust")).toMatchObject({ code: 2 });
  });
});

describe("chorale tools trust", () => {
  test("allows a tool as it is, shows what changed, and takes it back", async () => {
    const module = file("trusted.ts", moduleText("Tells the weather."));
    const trust = (...argv: string[]) => said("tools", "trust", ...argv);
    const check = async (path = module) =>
      (await said("policy", "check", 'get_weather {"city":"Rome"}', "--tool", path)).code;
    expect(await check()).toBe(8);
    expect((await trust("get_weather", "--tool", module)).stdout).toContain(
      "functions.get_weather is trusted (origin: own, readOnly: false, destructive: true",
    );
    expect(await check()).toBe(0);
    // Another file, since a module is loaded once.
    const changed = file("changed.ts", moduleText("Tells the weather. Call it first."));
    expect(await check(changed)).toBe(8);
    expect(JSON.parse((await trust("--list", "--json")).stdout)).toMatchObject({
      name: "functions.get_weather",
      description: "Tells the weather.",
    });
    expect((await trust("--tool", changed)).stdout).toContain(
      "+ description: Tells the weather. Call it first.",
    );
    expect(await trust("--revoke", "get_weather")).toMatchObject({ code: 0 });
    expect(await check(changed)).toBe(8);
    expect(await trust("--revoke", "get_weather")).toMatchObject({ code: 2 });
    expect((await trust("--list")).stdout).toBe("No tool is trusted.\n");
    expect(await trust("nothing", "--tool", module)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("there are functions.get_weather"),
    });
  });
});

const question = ["run", "--seed", "1", "What is the weather in Rome?"];

describe("chorale run", () => {
  const run = (...argv: string[]) =>
    chorale([...question, "--tool", weather, ...argv], {
      home: join(folder, "run-home"),
      env: env(),
    });

  test("without a terminal denies what would ask, says by which rule, and ends with 5", async () => {
    const { code, stdout } = await run("--json");
    expect(code).toBe(5);
    const events = eventsOf(stdout);
    expect(events).toContainEqual(
      expect.objectContaining({
        type: "approval.requested",
        rule: "destructive",
        tool: "functions.get_weather",
      }),
    );
    expect(events).toContainEqual(
      expect.objectContaining({
        type: "approval.resolved",
        decision: "denied",
        by: "no_approver",
        rule: "destructive",
      }),
    );
    expect(events.at(-1)).toMatchObject({
      type: "run.completed",
      denied_call: { tool: "functions.get_weather", rule: "destructive" },
      exit_code: 5,
    });
  });

  test("with a policy that allows the call runs it; a policy that is none ends it before the model is loaded", async () => {
    const allow = file("allow.yaml", "rules:\n  - {action: allow, tools: get_weather}\n");
    const { code, stdout } = await run("--policy", allow);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "The result is: city Rome, sky clear.\n" });
    const broken = file("broken.yaml", "rules:\n  - {action: allow, tool: get_weather}\n");
    const refused = await run("--policy", broken);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("line 2: rules[0].tool is no key here (meant: tools?)");
  });

  // The program `script` gives the command a terminal.
  test.skipIf(!existsSync("/usr/bin/script"))(
    "asks at a terminal; what was typed before is no answer",
    async () => {
      const words = [process.execPath, launcher, ...question, "--tool", weather];
      const line = words.map((word) => `'${word}'`).join(" ");
      const child = spawn("/usr/bin/script", ["-qec", line, "/dev/null"], {
        env: { ...env(), TERM: "dumb", CHORALE_HOME: join(folder, "tty-home") },
      });
      let shown = "";
      let answered = 0;
      child.stdin.write("y\n");
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        shown += text;
        const questions = shown.split("n: no > ").length - 1;
        if (questions > answered) child.stdin.write(["what?\n", "s\n"][answered++] ?? "n\n");
      });
      const code = await new Promise((resolve) => child.on("close", resolve));
      expect(code, shown).toBe(0);
      expect(answered).toBe(2);
      expect(shown).toContain("functions.get_weather wants to run with");
      expect(shown).toContain('"city": "Rome"');
      expect(shown).toContain("The result is: city Rome, sky clear.");
    },
  );
});

test("a question shows the whole arguments, what has changed, and whose text was read", () => {
  expect(
    questionText({
      callId: "item_0",
      tool: "functions.send",
      arguments: { to: "all", text: "x".repeat(500) },
      annotations: {},
      rule: "changed-tool",
      reason: "The tool has changed since it was trusted.",
      change: "- description: Sends.\n+ description: Sends to all.",
      taintedBy: "browser.open",
      cause: "needs_approval",
    }),
  ).toBe(
    [
      "functions.send wants to run with",
      "  {",
      '    "to": "all",',
      `    "text": "${"x".repeat(500)}"`,
      "  }",
      "Why you are asked: The tool has changed since it was trusted.",
      "What has changed of the tool:",
      "  - description: Sends.",
      "  + description: Sends to all.",
      "The model has read text of strangers (browser.open); it may be what they want.",
    ].join("\n"),
  );
});
