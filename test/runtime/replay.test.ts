/** Recorded conversations of test/fixtures/threads, sampled again; and what is said when something differs. */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import { demoModelPath } from "../../inference/index.ts";
import { openLocalEngine } from "../../inference/local/local-engine.ts";
import {
  Agent,
  callNamed,
  entriesOfJsonLines,
  forkAtStep,
  HarmonyModel,
  type LogEntry,
  loadModel,
  MemoryThreadStore,
  replayThread,
  ScriptedModel,
} from "../../runtime/index.ts";
import { defineTool, type Tool } from "../../tools/index.ts";
import { makeRandomModel, TINY } from "../fixtures/make-tiny-model.ts";

const FOLDER = fileURLToPath(new URL("../fixtures/threads/", import.meta.url));
const VOCABULARY = fileURLToPath(new URL("../../inference/demo/tokenizer.json", import.meta.url));
/** Alone it takes seconds; two threads of a model wait for each other where other tests have the cores. */
const LIMIT_MS = 240_000;
const names = readdirSync(FOLDER);
const read = new Map<string, Promise<readonly LogEntry[]>>();
function recorded(name: string): Promise<readonly LogEntry[]> {
  const entries = read.get(name) ?? entriesOfJsonLines(readFileSync(join(FOLDER, name), "utf8"));
  read.set(name, entries);
  return entries;
}

let root: string;
let model: HarmonyModel;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "replay-test-"));
  model = await loadModel(undefined, { threads: 1 });
});
afterAll(async () => {
  await model.close();
  rmSync(root, { recursive: true, force: true });
});

/** The log with another value in the first entry of a type. */
function changed<T extends LogEntry["type"]>(
  entries: readonly LogEntry[],
  type: T,
  change: (entry: Extract<LogEntry, { type: T }>) => object,
): readonly LogEntry[] {
  const at = entries.findIndex((entry) => entry.type === type);
  return entries.map((entry, index) =>
    index === at
      ? ({ ...entry, ...change(entry as Extract<LogEntry, { type: T }>) } as LogEntry)
      : entry,
  );
}

describe("twenty conversations are token-exact", () => {
  test("there are twenty", () => expect(names).toHaveLength(20));

  test.each([1, 2])("on %i thread(s)", { timeout: LIMIT_MS }, async (threads) => {
    await using own = await loadModel(undefined, { threads });
    for (const name of names) {
      const entries = await recorded(name);
      const report = await replayThread(entries, { model: own });
      expect(report, name).toMatchObject({ difference: null, conditions: [], isSame: true });
      expect(report.steps, name).toBe(entries.filter(({ type }) => type === "sampled").length);
    }
  });

  test("by the kernels for a machine without relaxed SIMD", { timeout: LIMIT_MS }, async () => {
    const checkpoint = openCheckpoint(demoModelPath);
    const engine = await openLocalEngine(checkpoint, {
      name: "chorale-demo",
      precision: "exact",
      tuning: { kernels: "baseline" },
    });
    checkpoint.close();
    const { tokenizer, fingerprint } = model;
    await using own = new HarmonyModel({ engine, tokenizer, fingerprint });
    for (const name of names.slice(0, 8)) {
      const report = await replayThread(await recorded(name), { model: own });
      expect(report, name).toMatchObject({ difference: null, isSame: true });
    }
  });

  test("up to a step, with progress", async () => {
    const steps: number[] = [];
    const report = await replayThread(await recorded("20-instructions.jsonl"), {
      model,
      until: 2,
      onStep: (step) => steps.push(step),
    });
    expect({ steps, replayed: report.steps }).toEqual({ steps: [1, 2], replayed: 2 });
  });
});

describe("what differs is said where it begins", () => {
  const decode = (ids: readonly number[]) => model.tokenizer.decodeLossy(ids);

  test("a token", async () => {
    const entries = changed(await recorded("05-function.jsonl"), "sampled", ({ ids }) => ({
      ids: ids.with(10, (ids[10] ?? 0) + 1),
    }));
    const { difference, isSame } = await replayThread(entries, { model, decode });
    expect(isSame).toBe(false);
    expect(difference).toMatchObject({ what: "tokens", seq: 2, step: 1, token: 10 });
    expect(difference?.recorded).not.toBe(difference?.replayed);
  });

  test("the seed", async () => {
    const entries = changed(await recorded("14-warm.jsonl"), "user", ({ settings }) => ({
      settings: { ...settings, sampling: { ...settings.sampling, temperature: 3, seed: 99 } },
    }));
    expect((await replayThread(entries, { model })).difference).toMatchObject({ what: "tokens" });
  });

  test("the question, and a result that the model reads", async () => {
    const question = changed(await recorded("05-function.jsonl"), "user", () => ({
      messages: [{ role: "user", content: [{ type: "text", text: "What is the time?" }] }],
    }));
    expect((await replayThread(question, { model })).difference).toMatchObject({
      what: "prompt",
      step: 1,
    });
    const result = changed(await recorded("05-function.jsonl"), "result", () => ({ text: "-3" }));
    expect((await replayThread(result, { model })).difference).toMatchObject({
      what: "prompt",
      step: 2,
      message: "The model reads another prompt than was recorded.",
    });
  });

  test("what was understood, and what follows", async () => {
    const entries = await recorded("05-function.jsonl");
    const understood = changed(entries, "sampled", () => ({ isClean: false }));
    expect((await replayThread(understood, { model })).difference).toMatchObject({
      what: "understanding",
      recorded: "false",
      replayed: "true",
    });
    const one = await recorded("17-one-step.jsonl");
    const closed = changed(one, "result", () => ({ text: "Something else." }));
    expect((await replayThread(closed, { model })).difference).toMatchObject({
      what: "step",
      message: "This version lets another result entry follow: result.text differs.",
    });
  });

  test("the system message, the version and a tool", async () => {
    const entries = await recorded("05-function.jsonl");
    const opening = changed(entries, "user", (user) => ({
      version: "0.0.1",
      opening: user.opening?.map((message) =>
        message.role === "system"
          ? { ...message, content: [{ ...message.content[0], knowledgeCutoff: "2020-01" }] }
          : message,
      ),
    }));
    const tool = defineTool({
      name: "get_weather",
      description: "Another description.",
      execute: () => "",
    }) as Tool;
    const { conditions, isSame } = await replayThread(opening, { model, tools: [tool] });
    expect(conditions.map(({ what }) => what)).toEqual(["version", "prompt", "tool"]);
    expect(isSame).toBe(false);
    // The version alone changes nothing.
    const older = changed(entries, "user", () => ({ version: "0.0.1" }));
    expect(await replayThread(older, { model })).toMatchObject({ isSame: true });
  });

  test("the model: other weights, another precision, another vocabulary", async () => {
    const entries = await recorded("05-function.jsonl");
    const folder = join(root, "random");
    makeRandomModel(folder, { ...TINY, vocab: 4104 }, 7);
    copyFileSync(VOCABULARY, join(folder, "tokenizer.json"));
    await using other = await loadModel(folder);
    const report = await replayThread(entries, { model: other });
    expect(report.conditions).toMatchObject([{ what: "model", seq: 1 }]);
    expect(report.conditions[0]?.message).toMatch(
      /^The model differs: it was recorded with chorale-demo \(weights [0-9a-f]{16}\), and this is random/,
    );
    expect(report.difference).toMatchObject({ what: "tokens", step: 1 });
    await using rounded = await loadModel(undefined, { precision: "int8" });
    expect((await replayThread(entries, { model: rounded })).conditions).toMatchObject([
      { message: expect.stringContaining("precision exact; this model computes with int8") },
    ]);
    const foreign = changed(entries, "sampled", () => ({ vocabulary: "another" }));
    await expect(replayThread(foreign, { model })).rejects.toThrow(
      "step 1 has ids of another vocabulary (another) than the model chorale-demo",
    );
  });

  test("a log that does not hold what the model read", async () => {
    const entries = changed(await recorded("05-function.jsonl"), "user", () => ({
      opening: undefined,
    }));
    await expect(replayThread(entries, { model })).rejects.toMatchObject({
      code: "CHORALE_REPLAY",
    });
  });

  test("an abort ends it", async () => {
    const entries = await recorded("05-function.jsonl");
    const signal = AbortSignal.abort(new Error("stopped"));
    await expect(replayThread(entries, { model, signal })).rejects.toThrow("stopped");
  });

  test("steps of a model without ids are left out", async () => {
    const agent = new Agent({ model: new ScriptedModel(["Hello."]) });
    const thread = agent.thread();
    await agent.run(thread, "Hi").result;
    const report = await replayThread(await thread.entries(), { model });
    expect(report).toMatchObject({ steps: 0, skipped: 1, difference: null });
  });
});

describe("another way to go on", () => {
  test("with another result: the copy goes on, the record stays", async () => {
    const entries = await recorded("05-function.jsonl");
    const store = new MemoryThreadStore();
    const { callId } = callNamed(entries, "1");
    const snow = '{"temperature":-3,"sky":"snow"}';
    const fork = await forkAtStep(store, entries, { edits: new Map([[callId, snow]]) });
    expect(fork.state.turn).not.toBeNull();
    const weather = defineTool({
      name: "get_weather",
      description: "Gets the current weather in a city.",
      inputSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      execute: () => "not called again",
    }) as Tool;
    const agent = new Agent({ model, tools: [weather] });
    const { status, output } = await agent.run(fork).result;
    expect({ status, output }).toEqual({
      status: "completed",
      output: "The result is: temperature -3, sky snow.",
    });
    const [first] = await fork.entries();
    expect(first).toMatchObject({
      threadId: fork.id,
      parent: { threadId: "thread_05-function", seq: 4 },
    });
    // It can be replayed like any other.
    expect(await replayThread(await fork.entries(), { model })).toMatchObject({ isSame: true });
    const text = readFileSync(join(FOLDER, "05-function.jsonl"), "utf8");
    expect(entries).toEqual(await entriesOfJsonLines(text));
  });

  test("behind a step, without an edit", async () => {
    const fork = await forkAtStep(new MemoryThreadStore(), await recorded("06-two-turns.jsonl"), {
      step: 1,
    });
    expect(fork.state.turn?.steps).toBe(1);
    expect(fork.messages.at(-1)?.role).toBe("tool");
  });

  test("what is not there", async () => {
    const entries = await recorded("05-function.jsonl");
    const store = new MemoryThreadStore();
    expect(() => callNamed(entries, "9")).toThrow(/it has 1 \(item_\d\)/);
    await expect(forkAtStep(store, entries, { edits: new Map([["x", ""]]) })).rejects.toThrow(
      "The thread has no result of the call x",
    );
    await expect(forkAtStep(store, entries, { step: 9 })).rejects.toThrow(
      "The thread has 2 steps; there is no step 9.",
    );
    expect(await store.list()).toEqual([]);
  });
});
