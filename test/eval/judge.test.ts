import { describe, expect, it } from "vitest";
import { judge, type Observation } from "./judge.ts";
import type { Expectation } from "./task.ts";

function problems(wanted: Expectation, observed: Partial<Observation>): readonly string[] {
  return judge(wanted, { final: "", calls: [], ...observed });
}

describe("the final text", () => {
  it("must hold every text that is expected", () => {
    const wanted = { final_contains: ["47", "Oslo"] };
    expect(problems(wanted, { final: "47 in Oslo" })).toEqual([]);
    expect(problems(wanted, { final: "47 in oslo" })).toEqual(['"Oslo" is not in "47 in oslo"']);
  });

  it("must be there", () => {
    expect(problems({}, { final: null, failure: "the turn limit" })).toEqual([
      "no answer: the turn limit",
    ]);
  });

  it("must be the same JSON value, whatever its spelling", () => {
    const wanted = { final_json: { a: 1, b: ["x"] } };
    expect(problems(wanted, { final: '{ "b": ["x"], "a": 1.0 }' })).toEqual([]);
    expect(problems(wanted, { final: '{"a":1,"b":["x"],"c":0}' })).toHaveLength(1);
    expect(problems(wanted, { final: 'Here: {"a":1,"b":["x"]}' })).toHaveLength(1);
    expect(problems({ final_json: null }, { final: "null" })).toEqual([]);
    expect(problems({ final_json: null }, { final: "nothing" })).toHaveLength(1);
  });
});

describe("the calls", () => {
  const call = { recipient: "functions.f", arguments: '{"x": 1, "y": "z"}' };
  const python = { recipient: "python", arguments: "print(1)" };

  it("must be the expected ones, in order, no more and no fewer", () => {
    const wanted = { calls: [{ recipient: "functions.f" }, { recipient: "python" }] };
    expect(problems(wanted, { calls: [call, python] })).toEqual([]);
    expect(problems(wanted, { calls: [python, call] })).toHaveLength(2);
    expect(problems(wanted, { calls: [call] })).toEqual([
      "calls: functions.f, python expected, functions.f made",
    ]);
    expect(problems(wanted, { calls: [call, python, python] })).toHaveLength(1);
  });

  it("must not be there when none is expected", () => {
    expect(problems({ calls: [] }, { calls: [] })).toEqual([]);
    expect(problems({ calls: [] }, { calls: [python] })).toEqual([
      "calls: none expected, python made",
    ]);
    expect(problems({}, { calls: [python] })).toEqual([]);
  });

  it("must have the expected arguments, where there are any", () => {
    const wanted = (value: unknown): Expectation => ({
      calls: [{ recipient: "functions.f", arguments: value }],
    });
    expect(problems(wanted({ y: "z", x: 1 }), { calls: [call] })).toEqual([]);
    expect(problems(wanted({ y: "z", x: "1" }), { calls: [call] })).toHaveLength(1);
    const broken = { ...call, arguments: '{"x": 1' };
    expect(problems(wanted({ x: 1 }), { calls: [broken] })).toHaveLength(1);
    const code = { calls: [{ recipient: "python", arguments: "print(1)" }] };
    expect(problems(code, { calls: [python] })).toEqual([]);
  });
});
