import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadO200kHarmony } from "../../harmony/vocabulary/index.ts";
import { ScriptedEngine } from "../../inference/index.ts";
import { HarmonyModel } from "../../runtime/index.ts";
import { createPythonTool, type Tool } from "../../tools/index.ts";
import { runTask, type Transcript } from "./run-task.ts";
import { Tally } from "./tally.ts";
import type { Task } from "./task.ts";

const tokenizer = loadO200kHarmony();
let home: string;
let python: Tool & { close(): Promise<void> };

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "chorale-home-"));
  const tool = createPythonTool({ cacheDir: home });
  python = tool;
  // The first start makes a snapshot of the interpreter, which is slow on a busy machine.
  await tool.warmUp();
}, 300_000);

afterAll(async () => {
  await python.close();
  await rm(home, { recursive: true, force: true });
});

function run(task: Partial<Task>, ...replies: readonly string[]): Promise<Transcript> {
  const engine = new ScriptedEngine(replies.map((reply) => tokenizer.encodeWithSpecials(reply)));
  const whole: Task = { id: "t-1", family: "arithmetic", prompt: "Hello", expect: {}, ...task };
  return runTask(whole, { model: new HarmonyModel({ engine, tokenizer }), python });
}

describe("a task", () => {
  it("runs its Python, whose variables the next task does not see", async () => {
    const call = "<|channel|>analysis to=python code<|message|>sum = 40 + 2; print(sum)<|call|>";
    const wanted = { final_contains: ["42"], calls: [{ recipient: "python" }] };
    const first = await run({ expect: wanted }, call, "<|channel|>final<|message|>42<|return|>");
    expect(first).toMatchObject({ ok: true, final: "42", status: "completed" });
    expect(JSON.stringify(first.messages)).toContain("42");
    const next = "<|channel|>analysis to=python code<|message|>print(sum([1, 2, 4]))<|call|>";
    const second = await run({}, next, "<|channel|>final<|message|>7<|return|>");
    expect(JSON.stringify(second.messages)).toContain('"text":"7"');
  });

  it("is answered by its declared functions", async () => {
    const task = {
      tools: [
        {
          name: "tide_times",
          description: "",
          parameters: { type: "object", properties: { port: { type: "string" } } },
          result: { high: "14:20" },
        },
      ],
      expect: {
        final_contains: ["14:20"],
        calls: [{ recipient: "functions.tide_times", arguments: { port: "Tartu" } }],
      },
    };
    const call =
      '<|channel|>commentary to=functions.tide_times <|constrain|>json<|message|>{"port":"Tartu"}<|call|>';
    const done = await run(task, call, "<|channel|>final<|message|>At 14:20.<|return|>");
    expect(done.problems).toEqual([]);
    expect(JSON.stringify(done.messages)).toContain('{\\"high\\":\\"14:20\\"}');
    const not = await run(task, "<|channel|>final<|message|>At 14:20.<|return|>");
    expect(not.problems).toEqual(["calls: functions.tide_times expected, none made"]);
  });

  it("reads its documents through the browser", async () => {
    const task = {
      docs: { "notes/a.md": "# Bridge\n\nThe bridge is 812 m long.", "b.txt": "nothing" },
      expect: { final_contains: ["812", "†L4"] },
    };
    const done = await run(
      task,
      '<|channel|>analysis to=browser.search code<|message|>{"query":"bridge"}<|call|>',
      '<|channel|>analysis to=browser.open code<|message|>{"id":0}<|call|>',
      "<|channel|>final<|message|>812 m【1†L4】<|return|>",
    );
    expect(done.problems).toEqual([]);
    expect(JSON.stringify(done.messages)).toContain("L4: The bridge is 812 m long.");
  });

  it("is not done while its answer breaks the schema", async () => {
    const schema = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] };
    const bad = "<|channel|>final<|message|>{}<|return|>";
    const good = '<|channel|>final<|message|>{"a":1}<|return|>';
    const wanted = { schema, expect: { final_json: { a: 1 } } };
    expect((await run(wanted, bad, good)).ok).toBe(true);
    const failed = await run(wanted, bad, bad, bad);
    expect(failed).toMatchObject({ ok: false, final: null });
    expect(failed.problems[0]).toMatch(/^no answer: /);
  });

  it("goes on over several turns, each judged by itself", async () => {
    const task = {
      expect: { final_contains: ["42"], calls: [] },
      turns: [
        { prompt: "Now as JSON", expect: { json_holds: 42 } },
        { prompt: "And?", expect: { final_contains: ["43"] } },
      ],
    };
    const said = (text: string): string => `<|channel|>final<|message|>${text}<|return|>`;
    const done = await run(task, said("It is 42."), said('{"a":[42]}'), said("43"));
    expect(done).toMatchObject({ ok: true, prompt: "Hello ⏎ Now as JSON ⏎ And?", final: "43" });
    expect(JSON.stringify(done.messages)).toContain("It is 42.");
    const not = await run(task, said("It is 42."), said("It is 42."), said("43"));
    expect(not.problems).toEqual(['turn 2: JSON with 42 was expected, not "It is 42."']);
  });

  it("begins after the messages it was given", async () => {
    const history = [
      { role: "user", text: "What is the sum?" },
      { role: "assistant", text: "It is 12." },
    ] as const;
    const done = await run({ history }, "<|channel|>final<|message|>12<|return|>");
    expect(done.ok).toBe(true);
    expect(done.messages.slice(0, 3)).toMatchObject([
      { role: "user", content: [{ text: "What is the sum?" }] },
      { role: "assistant", channel: "final", content: [{ text: "It is 12." }] },
      { role: "user", content: [{ text: "Hello" }] },
    ]);
  });

  it("reads its files in Python and hands files out", async () => {
    const task = {
      files: { "a.csv": "x\n40\n2\n" },
      expect: { final_contains: ["42"], outputs: ["b.txt"] },
    };
    const code =
      "total = sum(map(int, open('/mnt/data/a.csv').read().split()[1:]))\n" +
      "open('/outputs/b.txt', 'w').write(str(total))";
    const call = `<|channel|>analysis to=python code<|message|>${code}<|call|>`;
    const done = await run(task, call, "<|channel|>final<|message|>42<|return|>");
    expect(done.problems).toEqual([]);
    const not = await run(task, "<|channel|>final<|message|>42<|return|>");
    expect(not.problems).toEqual(['no file "b.txt" was written']);
  });

  it("cannot write documents outside of its folder", async () => {
    const task = { docs: { "../../escaped.txt": "x" } };
    const refused = await run(task, "<|channel|>final<|message|>x<|return|>");
    expect(refused.problems).toEqual(["could not be run: bad file name ../../escaped.txt"]);
  });
});

describe("the summary", () => {
  it("counts families and adds up the speed", () => {
    const tally = new Tally();
    const timing = {
      total_ms: 9,
      first_token_ms: 1,
      prefill_ms: 1,
      decode_ms: 100,
      tools_ms: 0,
      decode_tokens_per_second: 1,
    };
    const usage = {
      input_tokens: 1,
      cached_input_tokens: 0,
      cache_write_input_tokens: 0,
      output_tokens: 60,
      reasoning_output_tokens: 0,
    };
    expect(tally.summary()).toEqual({ n: 0, overall: 0, families: {}, decode_tps: null });
    for (const [family, ok] of [
      ["text", true],
      ["text", false],
      ["json", true],
    ] as const) {
      tally.add({ family, ok, usage, timing });
    }
    expect(tally.summary()).toEqual({
      n: 3,
      overall: 0.6667,
      families: { text: { n: 2, ok: 1 }, json: { n: 1, ok: 1 } },
      decode_tps: 600,
    });
  });
});
