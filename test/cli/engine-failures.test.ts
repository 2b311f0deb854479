/**
 * What can go wrong below a run that has already begun: the model's file becomes shorter, a thread of the
 * engine dies, the context is full. The run ends with one sentence, and the process with it.
 */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openModel } from "../../inference/index.ts";
import { makeRandomModel, TINY } from "../fixtures/make-tiny-model.ts";
import { chorale, eventsOf, type Ran } from "./chorale.ts";

let root: string;
let model: string;
/** One byte less than the model needs: it has to page its experts. */
let memory: number;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "chorale-failures-"));
  model = join(root, "model");
  makeRandomModel(model, { ...TINY, vocab: 4104, experts: 16 }, 7);
  const vocabulary = new URL("../../inference/demo/tokenizer.json", import.meta.url);
  copyFileSync(fileURLToPath(vocabulary), join(model, "tokenizer.json"));
  const { engine } = await openModel(model, {
    onMemory: ({ bytes }) => {
      memory = bytes - 1;
    },
  });
  await engine.close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/**
 * Runs the command, and in its process some code as soon as the first token was computed.
 * @param code sees the `worker` that computes
 */
function disturbed(code: string, ...flags: string[]): Promise<Ran> {
  const preload = join(root, `preload-${flags.length}-${code.length}.mjs`);
  writeFileSync(
    preload,
    `import { subscribe } from "node:diagnostics_channel";
import { truncateSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
let isDone = false;
if (isMainThread) subscribe("worker_threads", ({ worker }) => {
  worker.on("message", ({ reports }) => {
    if (isDone || !reports?.some(({ type }) => type === "token")) return;
    isDone = true;
    ${code}
  });
});
`,
  );
  const args = ["run", "hi", "--model", model, "--seed", "1", "--json", ...flags];
  const env = { NODE_OPTIONS: `--import=${pathToFileURL(preload)}` };
  return chorale(args, { home: join(root, "home"), env });
}

function expectEnd({ code, stdout, stderr }: Ran, status: number, sentence: RegExp): void {
  expect(stderr).toMatch(sentence);
  expect(stderr).not.toContain("    at ");
  expect(eventsOf(stdout).at(-1)).toMatchObject({ type: "run.completed", exit_code: status });
  expect(code).toBe(status);
}

test("the model's file becomes shorter while its experts are paged", async () => {
  const file = join(model, "model.safetensors");
  const whole = join(root, "whole");
  copyFileSync(file, whole);
  const ran = await disturbed(
    `truncateSync(${JSON.stringify(file)}, 100_000);`,
    "--memory",
    String(memory),
  );
  copyFileSync(whole, file);
  expectEnd(ran, 6, /the file ends at byte \d+, inside .*It was cut short; fetch it again/);
});

test("a thread of the engine dies", async () => {
  expectEnd(await disturbed("worker.terminate();"), 6, /The engine stopped: worker thread 0 ended/);
});

test("the context is full while the model writes", async () => {
  // Random weights write on and on, in whatever channel they think they are.
  const args = [
    "run",
    "hi",
    "--model",
    model,
    "--seed",
    "1",
    "--json",
    "--free-headers",
    "--context",
    "700",
  ];
  const ran = await chorale(args, { home: join(root, "home") });
  const completed = eventsOf(ran.stdout).filter(({ type }) => type === "generation.completed");
  expect(completed.at(-1)).toMatchObject({ finish_reason: "context" });
  expectEnd(ran, 1, /The context is full while the model was writing/);
});
