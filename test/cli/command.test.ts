/**
 * The command on bad input, on checkpoints that cannot be used, and on a real engine with random
 * weights, whose output is as bad as a model's can be.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeRandomModel, TINY } from "../fixtures/make-tiny-model.ts";
import { type ChoraleOptions, chorale, eventsOf, type Ran } from "./chorale.ts";

const repository = (path: string): string =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url));
const tinyModel = repository("test/fixtures/tiny-model/hf");
const vocabulary = repository("inference/demo/tokenizer.json");

let root: string;
let home: string;
/** Random weights, and rows for the embedded model's vocabulary. */
let randomModel: string;
/** The same with so much attention that a long prompt takes minutes. */
let slowModel: string;

/**
 * How much slower than an idle machine this one is at the moment: limits of time are those of an idle
 * one, and a test run beside other work should not fail for that.
 */
let slowness = 1;
/** What an idle machine needs to start Node and end it. */
const IDLE_START_MS = 80;

function measureSlowness(): void {
  const startedAt = performance.now();
  execFileSync(process.execPath, ["-e", "0"]);
  slowness = Math.max(1, (performance.now() - startedAt) / IDLE_START_MS);
}

beforeAll(() => {
  measureSlowness();
  root = mkdtempSync(join(tmpdir(), "command-test-"));
  home = join(root, "home");
  randomModel = join(root, "random");
  makeRandomModel(randomModel, { ...TINY, vocab: 4104 }, 7);
  slowModel = join(root, "slow");
  const full = ["full", "full", "full", "full"] as const;
  makeRandomModel(slowModel, { ...TINY, vocab: 4104, layers: full, heads: 32, headDim: 32 }, 7);
  for (const folder of [randomModel, slowModel]) {
    copyFileSync(vocabulary, join(folder, "tokenizer.json"));
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (args: readonly string[], options: Partial<ChoraleOptions> = {}): Promise<Ran> =>
  chorale(args, { home, ...options });

/** One sentence on stderr, nothing on stdout, and no stack. */
function expectRefusal(ran: Ran, code: number, sentence: string | RegExp): void {
  expect(ran.stderr).toMatch(/^chorale: .+\n$/);
  expect(ran.stderr).toMatch(sentence);
  expect(ran.stdout).toBe("");
  expect(ran.code).toBe(code);
}

describe("what the user got wrong ends with 2 and one sentence", () => {
  test.each<[string, string[], string | RegExp]>([
    ["no command", [], "Name a command."],
    ["an unknown command", ["fly"], "Unknown command: fly."],
    ["an empty prompt", ["run", ""], "The prompt is empty"],
    ["no prompt and nothing on stdin", ["run"], "stdin had no text"],
    ["two prompts", ["run", "a", "b"], "Unknown argument: b"],
    ["an unknown flag", ["run", "hi", "--bogus"], "Unknown argument: bogus."],
    ["a flag without a value", ["run", "hi", "--model"], "Not enough arguments following: model"],
    ["a number that is none", ["run", "hi", "--seed", "x"], '--seed is "x"'],
    ["a missing schema", ["run", "hi", "--schema", "/nope"], "there is no such file"],
    [
      "a schema without end",
      ["run", "hi", "--schema", "/dev/zero"],
      "is a device; accepted: a regular file",
    ],
    ["a missing tool module", ["run", "hi", "--tool", "/nope.ts"], "there is no such file"],
    ["a missing folder of documents", ["run", "hi", "--docs", "/nope"], "/nope"],
  ])("%s", async (_what, args, sentence) => {
    expectRefusal(await run(args), 2, sentence);
  });

  test.each([
    ["a schema that is no JSON", "--schema", '{"type": ', "is not JSON"],
    ["a schema that is no schema", "--schema", '{"type": "nonsense"}', "chorale: "],
    ["a schema that is a number", "--schema", "5", "holds 5; a JSON Schema is an object"],
    ["an XSD that is no XML", "--xsd", "not xml", "chorale: "],
  ])("%s", async (_what, flag, content, sentence) => {
    const file = join(root, "schema");
    writeFileSync(file, content);
    expectRefusal(await run(["run", "hi", flag, file]), 2, sentence);
  });

  test("a prompt larger than any context, quickly", async () => {
    const stdin = Buffer.alloc(100_000_000, "x");
    const ran = await run(["run", "-", "--model", randomModel], { stdin });
    expectRefusal(ran, 2, "more than 32 MiB");
    expect(ran.milliseconds).toBeLessThan(5000 * slowness);
  });

  test("a prompt larger than this model's context", async () => {
    const stdin = "word ".repeat(30_000);
    const ran = await run(["run", "-", "--model", randomModel, "--context", "500"], { stdin });
    expectRefusal(ran, 2, "The prompt does not fit");
  });

  test("a context that the model does not have", async () => {
    expectRefusal(
      await run(["run", "hi", "--model", randomModel, "--context", "99999999"]),
      2,
      "99999999",
    );
  });

  test("with --json the events say the same", async () => {
    const { stdout, code } = await run(["run", "hi", "--json", "--bogus"]);
    expect(code).toBe(2);
    expect(eventsOf(stdout)).toMatchObject([
      { type: "error", message: "Unknown argument: bogus. See chorale run --help." },
      { type: "run.completed", status: "failed", exit_code: 2, output: null },
    ]);
  });
});

describe("a model that cannot be used ends with 6 and one sentence", () => {
  const broken = (name: string, damage: (folder: string) => void): string => {
    const folder = join(root, name);
    cpSync(randomModel, folder, { recursive: true });
    damage(folder);
    return folder;
  };

  test("missing", async () => {
    expectRefusal(await run(["run", "hi", "--model", join(root, "nope")]), 6, "Cannot open");
  });

  test("truncated", async () => {
    const folder = broken("truncated", (at) => truncateSync(join(at, "model.safetensors"), 5000));
    expectRefusal(await run(["run", "hi", "--model", folder]), 6, "model.safetensors");
  });

  test("of another architecture", async () => {
    const folder = broken("llama", (at) =>
      writeFileSync(join(at, "config.json"), '{"model_type":"llama"}'),
    );
    expectRefusal(await run(["run", "hi", "--model", folder]), 6, "llama");
  });

  test("with a vocabulary that is not its own", async () => {
    expectRefusal(await run(["run", "hi", "--model", tinyModel]), 6, "96 token rows");
  });

  test("with a broken vocabulary", async () => {
    const folder = broken("vocabulary", (at) => writeFileSync(join(at, "tokenizer.json"), "{}"));
    expectRefusal(await run(["run", "hi", "--model", folder]), 6, "Cannot use the vocabulary");
  });

  test("with a vocabulary that is a pipe, or of no sensible size", async () => {
    const pipe = broken("pipe", (at) => {
      rmSync(join(at, "tokenizer.json"));
      execFileSync("mkfifo", [join(at, "tokenizer.json")]);
    });
    expectRefusal(await run(["run", "hi", "--model", pipe]), 6, "not a regular file");
    const huge = broken("huge", (at) => {
      writeFileSync(join(at, "tokenizer.json"), "");
      truncateSync(join(at, "tokenizer.json"), 2 ** 40);
    });
    expectRefusal(await run(["run", "hi", "--model", huge]), 6, "accepted: at most 67108864");
  });
});

describe("a real engine", () => {
  const words = ["the", "of", "and", "to", "in"];
  const longPrompt = Array.from({ length: 7_000 }, (_, i) => words[(i * 7) % 5]).join(" ");

  test("with random weights: whatever it says, the run ends in order", async () => {
    for (const seed of ["1", "2", "3"]) {
      const args = ["run", "hi", "--model", randomModel, "--seed", seed, "--max-tokens", "300"];
      const { code, stdout, stderr } = await run([...args, "--json"]);
      const events = eventsOf(stdout);
      expect([0, 1, 4, 7]).toContain(code);
      expect(events[0]).toMatchObject({ type: "thread.started", sampling: { seed: Number(seed) } });
      expect(events.at(-1)).toMatchObject({ type: "run.completed", exit_code: code });
      expect(stderr).not.toContain("    at ");
    }
  });

  test("says the same again for the same seed", async () => {
    const args = [
      "run",
      "-",
      "--model",
      randomModel,
      "--seed",
      "5",
      "--max-tokens",
      "50",
      "--json",
    ];
    const texts: unknown[] = [];
    for (let i = 0; i < 2; i++) {
      const { stdout } = await run(args, { stdin: "hi" });
      texts.push(eventsOf(stdout).filter(({ type }) => type.startsWith("item.")));
    }
    expect(texts[0]).toEqual(texts[1]);
    expect(texts[0]).not.toEqual([]);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s in a long prefill ends it within 300 ms", { retry: 3 }, async (signal, code) => {
    measureSlowness();
    let sentAt = 0;
    const { stdout, stderr, ...ran } = await run(["run", "-", "--model", slowModel, "--json"], {
      stdin: longPrompt,
      whileRunning: (child) => {
        child.stdout?.once("data", () => {
          setTimeout(() => {
            sentAt = performance.now();
            child.kill(signal);
          }, 500);
        });
      },
    });
    expect(performance.now() - sentAt).toBeLessThan(300 * slowness);
    expect(ran.code).toBe(code);
    expect(eventsOf(stdout).at(-1)).toMatchObject({ status: "cancelled", exit_code: code });
    expect(stderr).toBe(`chorale: The run was stopped by ${signal}.\n`);
  });

  test("ends when its events are no longer read", async () => {
    const args = ["run", "-", "--model", randomModel, "--seed", "1", "--max-turns", "1000"];
    const { code, stderr } = await run([...args, "--json"], {
      stdin: "hi",
      whileRunning: (child) => child.stdout?.once("data", () => child.stdout?.destroy()),
    });
    expect(code).toBe(141);
    expect(stderr).toBe("chorale: The run was stopped by SIGPIPE.\n");
  });
});

describe("what a tool leaves behind", () => {
  const withTool = async (statement: string): Promise<Ran> => {
    const file = join(root, "stray.mjs");
    const tool =
      '{ recipient: "functions.f", description: "", inputSchema: true, timeoutMs: 1, execute() {} }';
    writeFileSync(file, `${statement};\nexport default ${tool};\n`);
    const args = ["run", "hi", "--json", "--tool", file, "--model", randomModel];
    return run([...args, "--max-tokens", "5"]);
  };

  test("a rejected promise is said, and the run goes on", async () => {
    const { stdout, stderr } = await withTool('Promise.reject(new Error("stray"))');
    const message = "a promise was rejected and its rejection was not handled: stray";
    expect(stderr).toContain(`chorale: ${message}\n`);
    const events = eventsOf(stdout);
    expect(events[0]).toEqual({ type: "error", message });
    expect(events.some(({ type }) => type === "generation.completed")).toBe(true);
    expect(events.filter(({ type }) => type === "run.completed")).toHaveLength(1);
  });

  test("an error in a timer ends the command with its last event", async () => {
    const { code, stdout, stderr } = await withTool(
      'setTimeout(() => { throw new Error("stray"); }, 1)',
    );
    expect(code).toBe(1);
    expect(stderr).toBe("chorale: an error was thrown outside of any call: stray\n");
    const ends = eventsOf(stdout).filter(({ type }) => type === "run.completed");
    expect(ends).toMatchObject([{ status: "failed", exit_code: 1 }]);
  });
});

test("a state folder that cannot be used is said, and the run goes on", async () => {
  const file = join(root, "occupied");
  writeFileSync(file, "");
  const args = ["run", "hi", "--model", randomModel, "--seed", "1", "--max-tokens", "20"];
  const { code, stderr } = await run(args, { home: file });
  expect(stderr).toMatch(/^chorale: The state folder .*occupied cannot be used/);
  expect(code).toBe(4);
});

test("--version and --help", async () => {
  expect(await run(["--version"])).toMatchObject({ code: 0, stdout: "0.1.0\n" });
  const help = await run(["run", "--help"]);
  expect(help.code).toBe(0);
  for (const flag of ["--model", "--effort", "--docs", "--schema", "--json"]) {
    expect(help.stdout).toContain(flag);
  }
});
