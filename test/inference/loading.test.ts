import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { copyFileSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import { CheckpointError, EngineFailedError, openModel } from "../../inference/index.ts";
import { type LoadProgress, loadWeights } from "../../inference/local/load-weights.ts";
import { planKvLayout } from "../../inference/model/kv-layout.ts";
import { loadUnits } from "../../inference/model/load-units.ts";
import { type ModelPlan, type PlanOptions, planModel } from "../../inference/model/plan.ts";
import { compileKernels } from "../../inference/wasm/kernels.ts";
import { createMemory } from "../../inference/wasm/memory-bank.ts";
import { Threads } from "../../inference/workers/threads.ts";
import { FORMS, makeGguf } from "../fixtures/make-gguf-model.ts";
import {
  type ModelSize,
  randomWeights,
  TINY,
  writeOriginalModel,
} from "../fixtures/make-tiny-model.ts";
import { openFiles } from "../fixtures/open-files.ts";

/** Large enough that its matrices are brought in by pieces, and those of several threads differ. */
const SIZE: ModelSize = {
  ...TINY,
  hidden: 160,
  intermediate: 96,
  vocab: 603,
  swigluLimit: 7,
};

let folder = "";
let ggufQ8 = "";
let ggufBF16 = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chorale-loading-"));
  const weights = randomWeights(SIZE, 5);
  writeOriginalModel(folder, SIZE, weights);
  ggufQ8 = join(folder, "q8.gguf");
  writeFileSync(ggufQ8, makeGguf(SIZE, weights, FORMS.llamaCppQ8));
  ggufBF16 = join(folder, "bf16.gguf");
  writeFileSync(ggufBF16, makeGguf(SIZE, weights, FORMS.ollamaFirst));
});

afterAll(() => rmSync(folder, { recursive: true }));

/** No session is opened. */
const KV = { contextLength: 1, columns: 1, sessions: 1, threads: 1, type: "f32" } as const;

type Loaded = { plan: ModelPlan; bytes: Uint8Array[]; progress: LoadProgress[] };

/** What the banks hold after loading, but for the scratch area in front. */
async function load(path: string, options: Partial<PlanOptions>): Promise<Loaded> {
  const checkpoint = openCheckpoint(path);
  const plan = planModel(checkpoint, {
    precision: "int8",
    threads: 1,
    columns: 4,
    screenSeed: 1,
    ...options,
  });
  const memories = plan.banks.map((bytes) => createMemory(bytes));
  const kv = { layout: planKvLayout(plan.config, KV), memories: [] };
  const threads = await Threads.start({ module: compileKernels(), plan, memories, kv });
  try {
    const progress: LoadProgress[] = [];
    await loadWeights(checkpoint, plan, threads, { onProgress: (now) => progress.push(now) });
    const bytes = memories.map(({ buffer }) => new Uint8Array(buffer).slice(plan.scratch.end));
    return { plan, bytes, progress };
  } finally {
    await threads.close();
    checkpoint.close();
  }
}

function sameBytes(a: Loaded, b: Loaded): boolean {
  const same = a.bytes.every(
    (bank, i) => Buffer.compare(bank, b.bytes[i] ?? Buffer.alloc(0)) === 0,
  );
  return same && a.bytes.length === b.bytes.length;
}

describe("any number of threads loads the same bytes", () => {
  test.each([
    ["the original layout", "int8", () => folder],
    ["the original layout", "exact", () => folder],
    ["Q8_0 in GGUF", "int8", () => ggufQ8],
    ["Q8_0 in GGUF", "exact", () => ggufQ8],
    ["Ollama's first files", "int8", () => ggufBF16],
  ] as const)("%s, %s", async (_name, precision, path) => {
    const one = await load(path(), { precision });
    expect(one.bytes.some((bank) => bank.some((byte) => byte !== 0))).toBe(true);
    for (const threads of [2, 5]) {
      const more = await load(path(), { precision, threads });
      expect(sameBytes(more, one)).toBe(true);
    }
  });

  test("in several banks, too", async () => {
    const maxBankBytes = 5 << 18;
    const one = await load(folder, { maxBankBytes });
    expect(one.plan.banks.length).toBeGreaterThan(1);
    const three = await load(folder, { maxBankBytes, threads: 3 });
    expect(sameBytes(three, one)).toBe(true);
  });
});

test("units come in the order of the file, each once", () => {
  for (const path of [folder, ggufQ8, ggufBF16]) {
    const checkpoint = openCheckpoint(path);
    const plan = planModel(checkpoint, {
      precision: "int8",
      threads: 1,
      columns: 4,
      screenSeed: 1,
    });
    const units = loadUnits(plan, checkpoint);
    checkpoint.close();
    const { layers, experts } = plan.config;
    expect(units.filter(({ kind }) => kind === "layer").length).toBe(layers);
    expect(units.filter(({ kind }) => kind === "expert").length).toBe(layers * experts);
    const dense = units.flatMap((unit) => {
      if (unit.kind === "embedding") return checkpoint.embedding;
      if (unit.kind === "unembedding") return checkpoint.unembedding;
      return unit.kind === "layer" ? checkpoint.layers[unit.layer]!.q.weight : [];
    });
    const positions = dense.map(({ position }) => position);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  }
});

test("progress grows to all parts and all bytes", async () => {
  const { progress } = await load(folder, { threads: 2 });
  const last = progress.at(-1) ?? expect.unreachable();
  expect(last.done).toBe(last.total);
  expect(last.total).toBe(SIZE.layers.length + 2);
  expect(last.bytes).toBe(last.totalBytes);
  // Messages of the thread that does not lead may come too late to count.
  expect(progress.length).toBeGreaterThan(1);
  for (const [i, { bytes, done }] of progress.entries()) {
    expect(bytes).toBeGreaterThanOrEqual(progress[i - 1]?.bytes ?? 0);
    expect(done).toBeGreaterThanOrEqual(progress[i - 1]?.done ?? 0);
  }
});

test("what is resident adds up, and an embedding keeps the type it has in the file", () => {
  const sizes = [folder, ggufQ8].map((path) => {
    const checkpoint = openCheckpoint(path);
    const plan = planModel(checkpoint, {
      precision: "int8",
      threads: 2,
      columns: 4,
      screenSeed: 1,
    });
    checkpoint.close();
    const parts = Object.values(plan.resident).reduce((sum, bytes) => sum + bytes, 0);
    expect(parts).toBe(plan.banks.reduce((sum, bytes) => sum + bytes, 0));
    expect(Math.min(...Object.values(plan.resident))).toBeGreaterThan(0);
    return plan.resident;
  });
  const elements = SIZE.vocab * SIZE.hidden;
  expect(sizes[0]?.embedding).toBe(elements * 2);
  expect(sizes[1]?.embedding).toBe((elements / 32) * 34);
  expect(sizes[0]?.unembedding).toBe(sizes[1]?.unembedding);
});

describe("loading that fails ends with a sentence, and leaves nothing behind", () => {
  test.each([1, 3])("a file that shrinks, %i threads", async (threads) => {
    const path = join(folder, "shrinks.gguf");
    copyFileSync(ggufQ8, path);
    const opening = openModel(path, { threads });
    // The header is read by now, and no worker has started. What is missing, a worker will want.
    truncateSync(path, statSync(path).size - 1000);
    await expect(opening).rejects.toThrow(CheckpointError);
    await expect(opening).rejects.toThrow(/the file ends at byte \d+, inside .* cut short/);
    expect(openFiles(folder)).toEqual([]);
  });

  test("a worker that is killed", async () => {
    const kill = (message: unknown): void => {
      const { worker } = message as { worker: Worker };
      // Its first word is that it is ready; it will not come to load.
      if (worker.threadName === "chorale-engine-1") {
        worker.once("message", () => void worker.terminate());
      }
    };
    subscribe("worker_threads", kill);
    try {
      const opening = openModel(folder, { threads: 2 });
      await expect(opening).rejects.toThrow(EngineFailedError);
      await expect(opening).rejects.toThrow(/worker thread 1 ended with code 1/);
    } finally {
      unsubscribe("worker_threads", kill);
    }
    expect(openFiles(folder)).toEqual([]);
    const { engine } = await openModel(folder, { threads: 2 });
    await engine.close();
  });

  test("an abort, before and during", async () => {
    const reason = new Error("enough");
    const before = openModel(folder, { signal: AbortSignal.abort(reason) });
    await expect(before).rejects.toThrow("enough");
    const abort = new AbortController();
    const during = openModel(folder, {
      threads: 2,
      signal: abort.signal,
      onProgress: () => abort.abort(reason),
    });
    await expect(during).rejects.toThrow("enough");
    expect(openFiles(folder)).toEqual([]);
  });

  test("no memory to be had", () => {
    expect(() => createMemory(1 << 16, 2 ** 32 + (1 << 16))).toThrow(EngineFailedError);
    expect(() => createMemory(1 << 16, 2 ** 32 + (1 << 16))).toThrow(
      /reserve a memory of 4.0 GiB: the system refused/,
    );
  });
});
