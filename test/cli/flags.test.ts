import { describe, expect, test } from "vitest";
import { samplingOf } from "../../runtime/cli/flags.ts";
import { argumentsOf } from "./arguments-of.ts";

const run = (...flags: string[]) => argumentsOf(["run", ...flags]);

describe("values of flags", () => {
  test("numbers are numbers, and what is absent stays absent", async () => {
    expect(await run("--seed", "7", "--temperature=0.5", "--top-p", ".9")).toMatchObject({
      seed: 7,
      temperature: 0.5,
      topP: 0.9,
      topK: undefined,
      tool: [],
      freeHeaders: false,
    });
    expect(await run("--max-retries", "0", "--free-headers")).toMatchObject({
      maxRetries: 0,
      freeHeaders: true,
    });
    expect(await run("--tool", "a.ts", "--tool", "b.ts")).toMatchObject({
      tool: ["a.ts", "b.ts"],
    });
  });

  test.each([
    ["8G", 8 * 2 ** 30],
    ["1.5GiB", 1.5 * 2 ** 30],
    ["500m", 500 * 2 ** 20],
    ["64KB", 64 * 2 ** 10],
    ["2T", 2 * 2 ** 40],
    ["123456", 123456],
  ])("--memory %s", async (text, bytes) => {
    expect(await run("--memory", text)).toMatchObject({ memory: bytes });
  });

  test.each([
    [["--memory", "8X"], '--memory is "8X"; accepted: bytes, or a number with K, M, G or T'],
    [["--memory", "0"], "--memory"],
    [["--precision", "f64"], '--precision is "f64"; accepted: int8, exact'],
    [["--memory", "-1G"], "--memory"],
    [["--memory", "99999999T"], "--memory"],
    [["--memory", "1G", "--memory", "2G"], "--memory is given 2 times"],
    [["--seed", "x"], '--seed is "x"; accepted: a number from 0 to 4294967295.'],
    [["--seed", "0x10"], '--seed is "0x10"'],
    [["--seed", "1.5"], "--seed is 1.5; accepted: a whole number."],
    [["--seed=1", "--seed=2"], "--seed is given 2 times; give it once."],
    [["--temperature", "-1"], "accepted: a number from 0 to 100."],
    [["--temperature", "NaN"], '--temperature is "NaN"'],
    [["--top-p", "1.01"], "accepted: a number from 0 to 1."],
    [["--top-k", "-1"], "--top-k"],
    [["--top-k", "2.5"], "--top-k is 2.5; accepted: a whole number."],
    [["--min-p", "2"], "accepted: a number from 0 to 1."],
    [["--repeat-penalty", "0"], "accepted: a number from 0.01 to 100."],
    [["--presence-penalty", "x"], '--presence-penalty is "x"'],
    [["--prefix-store", "-1"], "--prefix-store"],
    [["--threads", "0"], "--threads"],
    [["--model="], "--model needs a value."],
    [["--effort", "extreme"], '--effort is "extreme"; accepted: low, medium, high.'],
    [["--schema", "a", "--xsd", "b"], "--schema and --xsd exclude each other"],
    [["--resume", "a", "--ephemeral"], "--resume and --ephemeral exclude each other"],
    [["--max-turns", "0"], "--max-steps"],
    [["--max-retries", "-1"], "--max-retries"],
    [["--color", "yes"], "accepted: auto, always, never."],
    [["--quiet=maybe"], '--quiet is "maybe"; accepted: true, false.'],
    [["--packages", "numpy,,pandas"], "accepted: names with commas between them, or none."],
  ])("%j is refused", async (flags, sentence) => {
    await expect(run(...flags)).rejects.toThrow(sentence);
  });

  test("sampling, by the names of the library", async () => {
    const args = await run(
      ...["--top-k", "40", "--min-p", "0.05", "--repeat-penalty", "1.1", "--repeat-last-n", "128"],
      ...["--presence-penalty", "-0.5", "--frequency-penalty", "0.25"],
    );
    expect(samplingOf(args as Parameters<typeof samplingOf>[0])).toEqual({
      topK: 40,
      minP: 0.05,
      repetitionPenalty: 1.1,
      penaltyWindow: 128,
      presencePenalty: -0.5,
      frequencyPenalty: 0.25,
    });
  });

  test("defaults of a command", async () => {
    expect(await argumentsOf(["bench"])).toMatchObject({ prompt: 512, generate: 64, rounds: 3 });
    expect(await argumentsOf(["bench", "--threads", "2", "--rounds", "1"])).toMatchObject({
      threads: 2,
      rounds: 1,
    });
    await expect(argumentsOf(["bench", "--prompt", "0"])).rejects.toThrow("--prompt");
  });

  test("a list of names, none, and nothing", async () => {
    expect(await run("--packages", "numpy, pandas")).toMatchObject({
      packages: ["numpy", "pandas"],
    });
    expect(await run("--packages", "none")).toMatchObject({ packages: [] });
    expect(await run()).toMatchObject({ packages: undefined });
  });
});

describe("the shape of a command line", () => {
  test.each<[string, string[], object]>([
    ["a flag before the command", ["--seed", "1", "run", "hi"], { seed: 1, prompt: "hi" }],
    ["a flag whose value is a command", ["--system=run", "run", "x"], { system: "run" }],
    ["a switch before the prompt", ["run", "--quiet", "hi"], { quiet: true, prompt: "hi" }],
    ["letters together", ["run", "-qm", "M", "hi"], { quiet: true, model: "M", prompt: "hi" }],
    ["a switch that is turned off", ["run", "--no-quiet"], { quiet: false }],
    ["an older name", ["run", "--max-turns", "3"], { maxSteps: 3 }],
    ["a number with a dash", ["run", "--presence-penalty", "-0.5"], { presencePenalty: -0.5 }],
    ["a text with a dash", ["run", "--system", "- a list"], { system: "- a list" }],
    ["a flag as a value", ["run", "--system=--json"], { system: "--json", json: false }],
    ["a prompt with a dash", ["run", "--", "-5 + 3 = ?"], { prompt: "-5 + 3 = ?" }],
    ["stdin", ["run", "-"], { prompt: "-" }],
    ["a prompt that names a command", ["run", "doctor"], { prompt: "doctor" }],
    ["a prompt that reads help", ["run", "help"], { prompt: "help" }],
    ["a prompt like a property", ["run", "constructor"], { prompt: "constructor" }],
  ])("%s", async (_what, argv, args) => {
    expect(await argumentsOf(argv)).toMatchObject(args);
  });

  test.each<[string, string[], string]>([
    ["nothing", [], "Name a command. See chorale --help."],
    ["a command that is none", ["fly"], "Unknown command: fly."],
    ["a property of every object", ["constructor"], "Unknown command: constructor."],
    ["one that is nearly", ["docter"], "Did you mean chorale doctor?"],
    ["a group by itself", ["tools"], "Name one of new, list, "],
    ["a wrong command of a group", ["tools", "lst"], "Did you mean chorale tools list?"],
    ["a wrong flag", ["run", "x", "--modle", "y"], "Did you mean --model? See chorale run --help."],
    ["a wrong letter", ["run", "-z"], "Unknown argument: z."],
    ["a flag like a property", ["run", "--toString"], "Unknown argument: toString."],
    ["too many", ["run", "a", "b"], "Unknown argument: b."],
    [
      "too few",
      ["tools", "call"],
      "The argument <name> is missing. See chorale tools call --help.",
    ],
    ["no value at the end", ["run", "--model"], "Not enough arguments following: model."],
    ["a flag for a value", ["run", "--model", "--json"], "Not enough arguments following: model."],
  ])("%s is refused", async (_what, argv, sentence) => {
    await expect(argumentsOf(argv)).rejects.toThrow(sentence);
  });
});
