/** Where a setting comes from, and what a configuration may hold. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { leaves } from "../../runtime/cli/command/walk.ts";
import { COMMANDS } from "../../runtime/cli/commands.ts";
import { environmentVariable } from "../../runtime/cli/settings.ts";
import { argumentsOf } from "./arguments-of.ts";

let root: string;
let path: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "settings-test-"));
  path = join(root, "config.json");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (config: unknown, env: NodeJS.ProcessEnv = {}, ...flags: string[]) => {
  writeFileSync(path, typeof config === "string" ? config : JSON.stringify(config));
  return argumentsOf(["run", ...flags], { CHORALE_CONFIG: path, ...env });
};

describe("the strongest source counts", () => {
  const config = {
    model: "file",
    effort: "low",
    threads: 2,
    tool: ["a", "b"],
    quiet: true,
    profile: "base",
    profiles: { base: { effort: "medium" }, fast: { effort: "high", model: "fast" } },
  };

  test("configuration, profile, environment, flag", async () => {
    expect(await run(config)).toMatchObject({
      model: "file",
      effort: "medium",
      threads: 2,
      tool: ["a", "b"],
      quiet: true,
    });
    expect(await run(config, {}, "--profile", "fast")).toMatchObject({ model: "fast" });
    expect(await run(config, { CHORALE_PROFILE: "fast" })).toMatchObject({ effort: "high" });
    const env = { CHORALE_PROFILE: "fast", CHORALE_MODEL: "env", CHORALE_MAX_STEPS: "7" };
    expect(await run(config, env)).toMatchObject({ model: "env", effort: "high", maxSteps: 7 });
    expect(await run(config, env, "--model", "flag", "--no-quiet")).toMatchObject({
      model: "flag",
      quiet: false,
    });
  });

  test("several values in the environment, and a variable that is empty", async () => {
    expect(await run(config, { CHORALE_TOOL: '["c","d"]' })).toMatchObject({ tool: ["c", "d"] });
    expect(await run(config, { CHORALE_TOOL: "c" })).toMatchObject({ tool: ["c"] });
    expect(await run(config, { CHORALE_MODEL: "" })).toMatchObject({ model: "file" });
    expect(await run({ model: null, profiles: {} })).toMatchObject({ model: undefined });
  });

  test("also between two that exclude each other", async () => {
    expect(await run({ schema: "a" }, {}, "--xsd", "b")).toMatchObject({
      schema: undefined,
      xsd: "b",
    });
    await expect(run({ schema: "a", xsd: "b" })).rejects.toThrow("exclude each other");
  });

  test("a command does not take what it has no flag for", async () => {
    writeFileSync(path, JSON.stringify(config));
    const given = { CHORALE_CONFIG: path, CHORALE_EFFORT: "high" };
    expect(await argumentsOf(["bench"], given)).not.toHaveProperty("effort");
    expect(await argumentsOf(["harmony", "parse"], given)).toMatchObject({ model: undefined });
  });
});

describe("what is refused names its place", () => {
  test.each<[string, unknown, NodeJS.ProcessEnv, string]>([
    ["a list", "[]", {}, "accepted: an object of settings"],
    ["half of a file", "{", {}, "is not JSON"],
    ["a misspelt key", { modle: "m" }, {}, "is no setting; did you mean model?"],
    ["one in a profile", { profiles: { a: { efort: 1 } } }, {}, '"efort" in the profile a of'],
    ["a key like nothing", { xyzzyq: 1 }, {}, "is no setting; accepted: "],
    [
      "a value",
      { effort: "extreme" },
      {},
      'config.json is "extreme"; accepted: low, medium, high.',
    ],
    ["an object", { effort: { a: 1 } }, {}, "accepted: a text, a number, true, false, or a list"],
    ["a list for one", { effort: ["low", "high"] }, {}, "is given 2 times"],
    ["a profile", { profile: 5 }, {}, "accepted: the name of a profile"],
    ["profiles", { profiles: [] }, {}, 'accepted: {"NAME": {"model"'],
    ["a missing profile", { profile: "x", profiles: { a: {} } }, {}, "does not have; it has a."],
    ["a variable", {}, { CHORALE_SEED: "x" }, 'CHORALE_SEED is "x"; accepted: a number from 0'],
    ["a profile in a variable", {}, { CHORALE_PROFILE: "x" }, 'CHORALE_PROFILE is "x", which'],
    ["a variable that is half a list", {}, { CHORALE_TOOL: "[1" }, "or a JSON list of texts."],
  ])("%s", async (_what, config, env, sentence) => {
    await expect(run(config, env)).rejects.toThrow(sentence);
  });

  test("a file that is named and missing; the usual one may be missing", async () => {
    const missing = { CHORALE_CONFIG: join(root, "none.json") };
    await expect(argumentsOf(["run"], missing)).rejects.toThrow("cannot be read");
    expect(await argumentsOf(["run"], { XDG_CONFIG_HOME: root })).toMatchObject({
      model: undefined,
    });
    // What mends it still runs.
    expect(await argumentsOf(["doctor"], missing)).toMatchObject({ json: false });
  });
});

describe("the table of commands", () => {
  test("a setting means the same for every command, and a flag of its own is no setting", async () => {
    const seen = new Map<string, unknown>();
    for (const { command, path: words } of await leaves(COMMANDS)) {
      for (const [name, flag] of Object.entries(command.settings)) {
        expect(seen.get(name) ?? flag, `${words.join(" ")} --${name}`).toBe(flag);
        seen.set(name, flag);
        expect(command.flags).not.toHaveProperty(name);
      }
    }
    // Variables that mean something else.
    const taken = ["CHORALE_HOME", "CHORALE_CONFIG", "CHORALE_CALLER", "CHORALE_RELAUNCHED"];
    const variables = [...seen.keys()].map(environmentVariable);
    expect(variables.filter((name) => taken.includes(name))).toEqual([]);
  });

  test("every command has an example that the parser accepts, and names that do not collide", async () => {
    for (const { command, path: words } of await leaves(COMMANDS)) {
      expect(command.examples.length, words.join(" ")).toBeGreaterThan(0);
      const shorts = Object.values({ ...command.flags, ...command.settings }).flatMap((flag) => [
        ...(flag.short === undefined ? [] : [flag.short]),
      ]);
      expect(new Set(["h", ...shorts]).size).toBe(shorts.length + 1);
      for (const [line] of command.examples) {
        await argumentsOf(shellWords(line));
      }
    }
  });
});

/** The words of an example up to its first redirection or pipe. */
function shellWords(line: string): readonly string[] {
  const words = line.match(/'[^']*'|"[^"]*"|[^\s'"]+/g) ?? [];
  const end = words.findIndex((word) => /^[<>|]$/.test(word));
  return (end === -1 ? words : words.slice(0, end)).map((word) => word.replace(/^['"]|['"]$/g, ""));
}
