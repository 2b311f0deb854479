import { describe, expect, test } from "vitest";
import { agentArguments, colorArgument, modelArguments } from "../../runtime/cli/flags.ts";

const parsed = (flags: Record<string, unknown>) => ({ _: [], $0: "chorale", ...flags });

describe("values of flags", () => {
  test("numbers are numbers, and what is absent stays absent", () => {
    expect(modelArguments(parsed({ seed: "7", temperature: "0.5", "top-p": ".9" }))).toEqual({
      seed: 7,
      temperature: 0.5,
      topP: 0.9,
    });
    expect(agentArguments(parsed({ tool: "a.ts" }))).toEqual({ files: [], tools: ["a.ts"] });
    expect(agentArguments(parsed({ "max-retries": "0", resample: "0" }))).toEqual({
      files: [],
      tools: [],
      maxRetries: 0,
      resample: 0,
    });
    expect(agentArguments(parsed({ tool: ["a.ts", "b.ts"] })).tools).toEqual(["a.ts", "b.ts"]);
  });

  test.each([
    [{ seed: "x" }, '--seed is "x"; accepted: a number from 0 to 4294967295.'],
    [{ seed: "0x10" }, '--seed is "0x10"'],
    [{ seed: "1.5" }, "--seed is 1.5; accepted: a whole number."],
    [{ seed: ["1", "2"] }, "--seed is given 2 times; give it once."],
    [{ temperature: "-1" }, "accepted: a number from 0 to 100."],
    [{ temperature: "NaN" }, '--temperature is "NaN"'],
    [{ "top-p": "1.01" }, "accepted: a number from 0 to 1."],
    [{ threads: "0" }, "--threads"],
    [{ model: "" }, "--model needs a value."],
  ])("%j is refused", (flags, sentence) => {
    expect(() => modelArguments(parsed(flags))).toThrow(sentence);
  });

  test.each([
    [{ effort: "extreme" }, '--effort is "extreme"; accepted: low, medium, high.'],
    [{ schema: "a", xsd: "b" }, "--schema and --xsd exclude each other"],
    [{ "max-turns": "0" }, "--max-turns"],
    [{ "max-retries": "-1" }, "--max-retries"],
    [{ resample: "off" }, '--resample is "off"; accepted: a number from 0 to 1000.'],
  ])("%j is refused", (flags, sentence) => {
    expect(() => agentArguments(parsed(flags))).toThrow(sentence);
  });

  test("colour", () => {
    expect(colorArgument(parsed({}))).toBe("auto");
    expect(() => colorArgument(parsed({ color: "yes" }))).toThrow("accepted: auto, always, never.");
  });
});
