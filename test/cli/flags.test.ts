import { describe, expect, test } from "vitest";
import {
  agentArguments,
  benchArguments,
  colorArgument,
  modelArguments,
} from "../../runtime/cli/flags.ts";

const parsed = (flags: Record<string, unknown>) => ({ _: [], $0: "chorale", ...flags });

describe("values of flags", () => {
  test("numbers are numbers, and what is absent stays absent", () => {
    expect(modelArguments(parsed({ seed: "7", temperature: "0.5", "top-p": ".9" }))).toEqual({
      seed: 7,
      temperature: 0.5,
      topP: 0.9,
    });
    expect(agentArguments(parsed({ tool: "a.ts" }))).toEqual({
      files: [],
      tools: ["a.ts"],
      plugins: [],
      grants: [],
    });
    expect(agentArguments(parsed({ "max-retries": "0", "free-headers": true }))).toEqual({
      files: [],
      tools: [],
      plugins: [],
      grants: [],
      maxRetries: 0,
      constrainHeaders: false,
    });
    expect(agentArguments(parsed({ tool: ["a.ts", "b.ts"] })).tools).toEqual(["a.ts", "b.ts"]);
  });

  test.each([
    ["8G", 8 * 2 ** 30],
    ["1.5GiB", 1.5 * 2 ** 30],
    ["500m", 500 * 2 ** 20],
    ["64KB", 64 * 2 ** 10],
    ["2T", 2 * 2 ** 40],
    ["123456", 123456],
  ])("--memory %s", (text, bytes) => {
    expect(modelArguments(parsed({ memory: text }))).toEqual({ memory: bytes });
  });

  test.each([
    [{ memory: "8X" }, '--memory is "8X"; accepted: bytes, or a number with K, M, G or T'],
    [{ memory: "0" }, "--memory"],
    [{ precision: "f64" }, '--precision is "f64"; accepted: int8, exact'],
    [{ memory: "-1G" }, "--memory"],
    [{ memory: "99999999T" }, "--memory"],
    [{ memory: ["1G", "2G"] }, "--memory is given 2 times"],
    [{ seed: "x" }, '--seed is "x"; accepted: a number from 0 to 4294967295.'],
    [{ seed: "0x10" }, '--seed is "0x10"'],
    [{ seed: "1.5" }, "--seed is 1.5; accepted: a whole number."],
    [{ seed: ["1", "2"] }, "--seed is given 2 times; give it once."],
    [{ temperature: "-1" }, "accepted: a number from 0 to 100."],
    [{ temperature: "NaN" }, '--temperature is "NaN"'],
    [{ "top-p": "1.01" }, "accepted: a number from 0 to 1."],
    [{ "top-k": "-1" }, "--top-k"],
    [{ "top-k": "2.5" }, "--top-k is 2.5; accepted: a whole number."],
    [{ "min-p": "2" }, "accepted: a number from 0 to 1."],
    [{ "repeat-penalty": "0" }, "accepted: a number from 0.01 to 100."],
    [{ "presence-penalty": "x" }, '--presence-penalty is "x"'],
    [{ "prefix-store": "-1" }, "--prefix-store"],
    [{ threads: "0" }, "--threads"],
    [{ model: "" }, "--model needs a value."],
  ])("%j is refused", (flags, sentence) => {
    expect(() => modelArguments(parsed(flags))).toThrow(sentence);
  });

  test("sampling", () => {
    const flags = {
      "top-k": "40",
      "min-p": "0.05",
      "repeat-penalty": "1.1",
      "repeat-last-n": "128",
      "presence-penalty": "-0.5",
      "frequency-penalty": "0.25",
    };
    expect(modelArguments(parsed(flags))).toEqual({
      topK: 40,
      minP: 0.05,
      repetitionPenalty: 1.1,
      penaltyWindow: 128,
      presencePenalty: -0.5,
      frequencyPenalty: 0.25,
    });
    expect(agentArguments(parsed({ "max-reasoning-tokens": "0" })).maxReasoningTokens).toBe(0);
  });

  test("what is measured has sizes of its own", () => {
    expect(benchArguments(parsed({}))).toEqual({ prompt: 512, generate: 64, rounds: 3 });
    expect(benchArguments(parsed({ threads: "2", rounds: "1" }))).toMatchObject({
      threads: 2,
      rounds: 1,
    });
    expect(() => benchArguments(parsed({ prompt: "0" }))).toThrow("--prompt");
  });

  test.each([
    [{ effort: "extreme" }, '--effort is "extreme"; accepted: low, medium, high.'],
    [{ schema: "a", xsd: "b" }, "--schema and --xsd exclude each other"],
    [{ "max-turns": "0" }, "--max-turns"],
    [{ "max-retries": "-1" }, "--max-retries"],
  ])("%j is refused", (flags, sentence) => {
    expect(() => agentArguments(parsed(flags))).toThrow(sentence);
  });

  test("colour", () => {
    expect(colorArgument(parsed({}))).toBe("auto");
    expect(() => colorArgument(parsed({ color: "yes" }))).toThrow("accepted: auto, always, never.");
  });
});
