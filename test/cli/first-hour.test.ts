/** What a person meets in the first hour: loops, other folders, typing errors, a full disk. */
import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { wrapWords } from "../../runtime/cli/terminal-text.ts";
import { chorale, eventsOf, launcher } from "./chorale.ts";

const root = mkdtempSync(join(tmpdir(), "first-hour-"));
const home = join(root, "home");
mkdirSync(home);
afterAll(() => rmSync(root, { recursive: true, force: true }));

const LIMIT_MS = 120_000;
const shell = (script: string) =>
  promisify(execFile)("bash", ["-c", script], {
    cwd: root,
    env: { ...process.env, CHORALE_HOME: home, NODE: process.execPath, LAUNCHER: launcher },
  });
const QUESTION = "What can you do?";

describe("stdin", () => {
  test("of a loop stays the loop's", { timeout: LIMIT_MS }, async () => {
    writeFileSync(join(root, "jobs.txt"), `${QUESTION}\n${QUESTION}\n${QUESTION}\n`);
    const loop = 'while read -r line; do "$NODE" "$LAUNCHER" run --quiet "$line" | wc -l; done';
    const { stdout } = await shell(`${loop} < jobs.txt; cat jobs.txt | ${loop}`);
    expect(stdout.trim().split(/\s+/)).toHaveLength(6);
  });

  test("that is given to the command is read", { timeout: LIMIT_MS }, async () => {
    writeFileSync(join(root, "notes.txt"), "A fact.");
    const run = '"$NODE" "$LAUNCHER" run --json';
    const { stdout } = await shell(
      `echo "A fact." | ${run} "${QUESTION}" | tail -1; ${run} "${QUESTION}" < notes.txt | tail -1; ` +
        `${run} "${QUESTION}" < /dev/null | tail -1`,
    );
    const tokens = eventsOf(stdout).map((event) =>
      event.type === "run.completed" ? event.usage.input_tokens : 0,
    );
    expect(tokens[0]).toBe(tokens[1]);
    expect(tokens[2]).toBeLessThan(tokens[0] ?? 0);
  });
});

describe("other folders", () => {
  test("a tool file outside of the package finds chorale", { timeout: LIMIT_MS }, async () => {
    writeFileSync(
      join(root, "weather.ts"),
      `import { defineTool } from "chorale";
      export default defineTool({
        name: "get_weather",
        description: "Gets the weather.",
        execute: (): string => "rain",
      });`,
    );
    const { stdout } = await shell(
      '"$NODE" "$LAUNCHER" tools call get_weather "{}" --tool weather.ts',
    );
    expect(stdout).toBe("rain\n");
  });

  test("paths are meant from where npm was called", { timeout: LIMIT_MS }, async () => {
    const clone = join(import.meta.dirname, "../..");
    const { stdout } = await shell(
      `PATH="$(dirname "$NODE"):$PATH" npm run --silent --prefix ${clone} chorale -- tools call get_weather "{}" --tool weather.ts`,
    );
    expect(stdout).toBe("rain\n");
  });
});

describe("what is typed", () => {
  test("help is a question like any other", { timeout: LIMIT_MS }, async () => {
    const { code, stdout } = await chorale(["run", "--json", "help"], { home });
    expect(code).toBe(0);
    expect(eventsOf(stdout).at(-1)).toMatchObject({ type: "run.completed", status: "completed" });
  });

  test("a wrong flag and a wrong command are told, with what was meant", async () => {
    const { code, stderr } = await chorale(["run", "x", "--modle", "y"], { home });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "chorale: Unknown argument: modle. Did you mean --model? See chorale run --help.\n",
    });
  });

  test("arguments of a tool that are no JSON", async () => {
    const weather = join(root, "weather.ts");
    const call = ["tools", "call", "get_weather", "city=Rome", "--tool", weather];
    const { code, stderr } = await chorale(call, { home });
    expect(code).toBe(2);
    expect(stderr).toContain("The arguments are not JSON");
  });
});

describe("defaults", () => {
  test("of a run are taken from it", { timeout: LIMIT_MS }, async () => {
    const path = join(root, "own.json");
    writeFileSync(path, JSON.stringify({ seed: 5, temperature: 0, quiet: true }));
    const { stdout, stderr } = await chorale(["run", "--json", QUESTION], {
      home,
      env: { CHORALE_CONFIG: path },
    });
    expect(eventsOf(stdout)[0]).toMatchObject({ sampling: { seed: 5, temperature: 0 } });
    expect(stderr).toBe("");
  });
});

test.skipIf(process.platform !== "linux")(
  "a full disk is said, and is no success",
  async () => {
    for (const args of [["doctor"], ["tools", "call", "python", "1"]]) {
      const { stderr, status } = spawnSync(
        "bash",
        ["-c", `"$0" "$@" > /dev/full`, process.execPath, launcher, ...args],
        { env: { ...process.env, CHORALE_HOME: home }, encoding: "utf8" },
      );
      expect(stderr).toContain("stdout cannot be written (ENOSPC");
      expect(status).toBe(1);
    }
  },
  LIMIT_MS,
);

test("words wrap at the width of the terminal", () => {
  expect(wrapWords("one two three four", 9, "  ")).toBe("one two\n  three\n  four");
  expect(wrapWords("東京 大阪 京都", 8)).toBe("東京\n大阪\n京都");
});
