/** `chorale batch`: results in order, once each, whatever ends the process in between. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tokenizerFromHfJson } from "../../harmony/index.ts";
import { batchItems } from "../../runtime/cli/batch/batch-input.ts";
import { FileOutput } from "../../runtime/cli/batch/batch-output.ts";
import { type BatchResult, problemResult } from "../../runtime/cli/batch/batch-result.ts";
import { makeChainModel } from "../fixtures/make-chain-model.ts";
import { type ChoraleOptions, chorale, type Ran } from "./chorale.ts";
import { inProcess } from "./in-process.ts";

const vocabulary = fileURLToPath(new URL("../../inference/demo/tokenizer.json", import.meta.url));
const LIMIT = { timeout: 180_000 };
let root: string;
let home: string;
/** Calls `note` until its last step, and answers `{}` there. */
let model: string;
let tool: string;
let files = 0;

/** A call leaves a file named by its idempotency key, once. */
const TOOL = (annotations: string): string => `
import { writeFileSync } from "node:fs";
import { join } from "node:path";
export default {
  recipient: "functions.note",
  description: "Notes something.",
  inputSchema: { type: "object" },
  annotations: ${annotations},
  timeoutMs: 10000,
  async execute(input, { idempotencyKey }) {
    const file = join(process.env.EFFECTS, idempotencyKey.replaceAll(":", "-"));
    try {
      writeFileSync(file, "", { flag: "wx" });
    } catch (error) {
      if (${annotations === "{}"} || error.code !== "EEXIST") throw error;
    }
    await new Promise((done) => setTimeout(done, 60));
    return "noted";
  },
};
`;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "batch-test-"));
  home = join(root, "home");
  model = join(root, "model");
  mkdirSync(model);
  copyFileSync(vocabulary, join(model, "tokenizer.json"));
  const tokenizer = tokenizerFromHfJson(JSON.parse(readFileSync(vocabulary, "utf8")));
  makeChainModel(model, tokenizer, "<|channel|>commentary to=note<|message|>{}<|call|>");
  tool = join(root, "note.mjs");
  writeFileSync(tool, TOOL("{ idempotentHint: true }"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

type Batch = {
  readonly input: string;
  readonly output: string;
  readonly effects: string;
  readonly run: (args?: readonly string[], options?: Partial<ChoraleOptions>) => Promise<Ran>;
  readonly results: () => readonly BatchResult[];
};

function batch(lines: readonly string[], toolFile = tool): Batch {
  const folder = join(root, `${files++}`);
  const effects = join(folder, "effects");
  mkdirSync(effects, { recursive: true });
  const input = join(folder, "in.jsonl");
  const output = join(folder, "out.jsonl");
  writeFileSync(input, `${lines.join("\n")}\n`);
  const flags = ["-o", output, "--model", model, "--tool", toolFile, "--max-steps", "3"];
  return {
    input,
    output,
    effects,
    run: (args = [], options = {}) =>
      chorale(["batch", input, ...flags, ...args], {
        home,
        env: { EFFECTS: effects },
        ...options,
      }),
    results: () =>
      readFileSync(output, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as BatchResult),
  };
}

const prompts = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => JSON.stringify({ id: at, prompt: `Note ${at}` }));

describe("a batch", () => {
  test("answers every line in order, reports bad ones, and does nothing twice", LIMIT, async () => {
    const { run, results, input, output, effects } = batch([
      ...prompts(2),
      '{"id":"bad","promt":"x"}',
      "",
      "{",
      ...prompts(1),
    ]);
    const first = await run(["--parallel", "3"]);
    expect(first.stderr).toContain("3 of 5 answered, 2 failed");
    expect(first).toMatchObject({ code: 1, stdout: "" });
    expect(results()).toMatchObject([
      { line: 1, id: 0, status: "completed", output: "{}", exit_code: 0, attempt: 1 },
      { line: 2, id: 1, status: "completed", output: "{}" },
      { line: 3, id: "bad", status: "failed", output: null, exit_code: 2 },
      { line: 5, id: null, status: "failed", error: { code: "CHORALE_USAGE" } },
      { line: 6, id: 0, status: "completed", output: "{}" },
    ]);
    expect(readdirSync(effects)).toHaveLength(6);
    expect(existsSync(`${output}.progress`)).toBe(false);

    const before = readFileSync(output, "utf8");
    const second = await run();
    expect(second.stderr).toContain("3 of 5 answered (5 of them from before), 2 failed");
    expect(readFileSync(output, "utf8")).toBe(before);
    expect(readdirSync(effects)).toHaveLength(6);

    writeFileSync(input, readFileSync(input, "utf8").replace("promt", "prompt"));
    expect((await run()).stderr).toContain("line 3 was another one. It failed; --retry-failed");
    expect((await run(["--retry-failed"])).stderr).toContain("4 of 5 answered (4 of them from");
    expect(results()[2]).toMatchObject({ line: 3, id: "bad", status: "completed", attempt: 2 });
    expect(readdirSync(effects)).toHaveLength(8);
  });

  test("that is killed goes on, with every effect and every result once", LIMIT, async () => {
    const { run, results, output, effects } = batch(prompts(6));
    let kills = 0;
    for (let ran: Ran | null = null; ran?.code !== 0; ) {
      const before = readdirSync(effects).length;
      ran = await run(["--parallel", "2"], {
        whileRunning: (child) => {
          if (kills === 2) return;
          // Some calls later, in the middle of one.
          const timer = setInterval(() => {
            if (readdirSync(effects).length < before + 3) return;
            clearInterval(timer);
            child.kill("SIGKILL");
          }, 5);
          child.on("close", () => clearInterval(timer));
        },
      });
      if (ran.signal === "SIGKILL") kills++;
      else expect(ran).toMatchObject({ code: 0 });
      if (existsSync(output)) results();
    }
    expect(kills).toBeGreaterThan(1);
    expect(results().map(({ line, status, output: text }) => [line, status, text])).toEqual(
      prompts(6).map((_, at) => [at + 1, "completed", "{}"]),
    );
    expect(readdirSync(effects)).toHaveLength(12);
    expect(existsSync(`${output}.progress`)).toBe(false);
  });

  test("says what is unknown of a call that may not be repeated", LIMIT, async () => {
    const once = join(root, "once.mjs");
    writeFileSync(once, TOOL("{}"));
    const { run, results, effects } = batch(prompts(1), once);
    const killed = await run([], {
      whileRunning: (child) => {
        const timer = setInterval(() => {
          if (readdirSync(effects).length === 0) return;
          clearInterval(timer);
          child.kill("SIGKILL");
        }, 5);
      },
    });
    expect(killed.signal).toBe("SIGKILL");
    expect(await run()).toMatchObject({ code: 1 });
    expect(results()).toMatchObject([
      { status: "failed", exit_code: 1, error: { code: "CHORALE_UNKNOWN_OUTCOME" } },
    ]);
    expect(results()[0]?.error?.message).toContain("whether it took effect is not known");
    expect(readdirSync(effects)).toHaveLength(1);
  });

  test("that is interrupted leaves a valid file, and goes on", LIMIT, async () => {
    const { run, results, output, effects } = batch(prompts(6));
    const ran = await run([], {
      whileRunning: (child) => {
        const timer = setInterval(() => {
          if (!existsSync(output)) return;
          clearInterval(timer);
          child.kill("SIGINT");
        }, 5);
      },
    });
    expect(ran.code).toBe(130);
    expect(ran.stderr).toContain("stopped by SIGINT");
    const kept = results();
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.every(({ status }) => status === "completed")).toBe(true);
    expect(await run(["--parallel", "2"])).toMatchObject({ code: 0 });
    expect(results()).toHaveLength(6);
    expect(results().slice(0, kept.length)).toEqual(kept);
    expect(readdirSync(effects)).toHaveLength(12);
  });

  test(
    "writes to stdout, and not to a disk that is full or in another's place",
    LIMIT,
    async () => {
      const { run, output, input } = batch(prompts(2));
      const flags = ["--model", model, "--max-steps", "1"];
      const streamed = await chorale(["batch", "-", ...flags], { home, stdin: '"a"\n"b"\n' });
      expect(streamed.stdout.trimEnd().split("\n")).toHaveLength(2);
      const full = await chorale(["batch", input, ...flags, "-o", "/dev/full"], { home });
      expect(full.stderr).toMatch(/--output \/dev\/full cannot be written: .*ENOSPC/);
      expect(full.code).toBe(1);
      let other: Ran | undefined;
      const ran = await run([], {
        whileRunning: (child) => {
          const timer = setInterval(() => {
            if (!existsSync(`${output}.progress`)) return;
            clearInterval(timer);
            void run().then((second) => {
              other = second;
            });
          }, 5);
          child.on("close", () => clearInterval(timer));
        },
      });
      expect(ran.code).toBe(0);
      await expect.poll(() => other, { timeout: 60_000 }).toBeDefined();
      // It came while the first one was at work, or after its end.
      if (other?.code !== 0) expect(other?.stderr).toContain("Another batch is at work");
    },
  );

  test.each<[string, (one: Batch) => readonly string[], RegExp]>([
    ["a file that is missing", () => ["batch", "/nope"], /there is no such file/],
    ["a file without lines", () => ["batch", join(root, "empty")], /has no line/],
    [
      "retrying without a file",
      ({ input }) => ["batch", input, "--retry-failed"],
      /needs --output/,
    ],
    [
      "a file of something else",
      ({ input }) => ["batch", input, "-o", input],
      /line 1 is no result of chorale batch/,
    ],
  ])("is refused: %s", LIMIT, async (_what, args, sentence) => {
    writeFileSync(join(root, "empty"), "\n \n");
    const env = { ...process.env, CHORALE_HOME: home };
    const ran = await inProcess(args(batch(['{"prompt":"x"}'])), env);
    expect(ran.stderr).toMatch(sentence);
    expect(ran).toMatchObject({ code: 2, stdout: "" });
  });
});

test.each<[string, RegExp | null]>([
  ['"a question"', null],
  ['{"prompt":"x","expected":"not looked at"}', null],
  ['{"messages":[{"role":"user","content":"x"}],"effort":"low","max_tokens":5}', null],
  ["5", /^Line 1 is 5; accepted: a text, or an object/],
  ["[]", /^Line 1 is \[\]/],
  ['" "', /empty prompt/],
  ['{"prompt":7}', /has the prompt 7/],
  ["{}", /has no prompt; accepted/],
  ['{"promt":"x"}', /has no prompt \(it has "promt"\)/],
  ['{"prompt":"x","messages":[]}', /a prompt and messages/],
  ['{"messages":[{"role":"system","content":"x"}]}', /has messages that cannot be read/],
  ['{"prompt":"x","seed":-1}', /has -1 for seed; accepted: a whole number from 0/],
  ['{"prompt":"x","effort":"max"}', /has "max" for effort; accepted: low, medium, high/],
  ['{"prompt":"x","id":{}}', /has the id \{\}; accepted/],
  ["\xff\xfe", /not UTF-8/],
])("a line %s", (line, problem) => {
  const [item] = [...batchItems(Buffer.from(line, "latin1"))];
  if (problem === null) expect(item).toHaveProperty("prompt");
  else expect(item).toHaveProperty("problem", expect.stringMatching(problem));
});

test("lines are told apart by line feeds alone", () => {
  const file = Buffer.from('\n"a\u2028b"\r\n\n{"id":3,"prompt":"c"}');
  expect([...batchItems(file)]).toMatchObject([
    { line: 2, id: null, prompt: { input: "a\u2028b" } },
    { line: 4, id: 3, prompt: { input: "c" } },
  ]);
});

test("results that come out of order are written in order, and a torn line is cut off", () => {
  const path = join(root, "order.jsonl");
  const items = [...batchItems(Buffer.from("1\n2\n3\n"))];
  const results = items.map((item) => problemResult(item, "wrong"));
  const lines = results.map((result) => `${JSON.stringify(result)}\n`);
  const output = new FileOutput(path);
  const put = (at: number): void => output.put(at, results[at] as BatchResult);
  put(2);
  expect(existsSync(path)).toBe(false);
  put(0);
  expect(readFileSync(path, "utf8")).toBe(lines[0]);
  put(1);
  expect(readFileSync(path, "utf8")).toBe(lines.join(""));
  writeFileSync(path, lines.join("").slice(0, -20));
  expect(new FileOutput(path).earlier(items[2] as (typeof items)[0], false)).toBeUndefined();
  expect(readFileSync(path, "utf8")).toBe(lines.slice(0, 2).join(""));
});
