import { afterAll, beforeAll, expect, test } from "vitest";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import type { Checkpoint } from "../../inference/checkpoint/tensors.ts";
import { demoModelPath } from "../../inference/index.ts";
import { openLocalEngine } from "../../inference/local/local-engine.ts";
import { prefillShapes, sideOf } from "../../inference/local/roofline.ts";
import { type KvLayout, planKvLayout } from "../../inference/model/kv-layout.ts";
import { passWork } from "../../inference/model/pass-work.ts";
import { type ModelPlan, planModel } from "../../inference/model/plan.ts";

let checkpoint: Checkpoint;
let plan: ModelPlan;
let kv: KvLayout;

beforeAll(() => {
  checkpoint = openCheckpoint(demoModelPath);
  const shape = { threads: 1, columns: 512, contextLength: 2048 };
  plan = planModel(checkpoint, { ...shape, precision: "exact", screenSeed: 0 });
  kv = planKvLayout(checkpoint.config, { ...shape, sessions: 1, type: "f32" });
});
afterAll(() => checkpoint.close());

// The embedded model, from its config.json: hidden and intermediate 192, 4 query and 2 key-value heads of 64,
// 4 experts of which 2 are used, 6 layers of which every other one sees 128 positions, 4104 ids.
const LAYERS = 6;
const QKV = (4 + 2 * 2) * 64 * 192;
const OUT = 192 * 4 * 64;
const ROUTER = 4 * 192;
const EXPERT = 2 * 192 * 192 + 192 * 192;

test("a decode step multiplies every weight that it uses once", () => {
  const { macs, bytes } = passWork(plan, kv, { start: 299, count: 1, hasLogits: true });
  expect(macs).toEqual({
    bf16: LAYERS * (QKV + OUT) + 4104 * 192,
    f32: LAYERS * ROUTER,
    mxfp4: LAYERS * 2 * EXPERT,
    attention: 3 * (128 + 300) * 2 * 4 * 64,
  });
  const seen = 3 * (128 + 300) * 2 * 2 * 64 * 4;
  expect(bytes).toBeCloseTo(plan.bytesPerToken + LAYERS * ROUTER * 4 + seen, 6);
});

test("a prefill reads weights once for all tokens, and stops at the keys and values of the last layer", () => {
  const count = 100;
  const { macs, bytes } = passWork(plan, kv, { start: 0, count, hasLogits: false });
  const keysAndValues = 2 * 2 * 64 * 192;
  expect(macs).toEqual({
    bf16: count * ((LAYERS - 1) * (QKV + OUT) + keysAndValues),
    f32: count * (LAYERS - 1) * ROUTER,
    mxfp4: count * (LAYERS - 1) * 2 * EXPERT,
    attention: ((count * (count + 1)) / 2) * (LAYERS - 1) * 2 * 4 * 64,
  });
  const dense = (LAYERS - 1) * (QKV + OUT) * 2 + keysAndValues * 2 + (LAYERS - 1) * ROUTER * 4;
  // 4 bits and an eighth of a scale byte per weight; all four experts are chosen.
  const experts = ((LAYERS - 1) * 4 * EXPERT * 4.25) / 8;
  const cached = (LAYERS - 1) * count * 2 * 2 * 64 * 4;
  expect(bytes).toBeCloseTo(dense + experts + cached, 0);
});

test("a prompt is read in steps of the engine's size, its last token with logits", () => {
  expect(prefillShapes(plan, 1026)).toEqual([
    { start: 0, count: 512, hasLogits: false },
    { start: 512, count: 512, hasLogits: false },
    { start: 1024, count: 1, hasLogits: false },
    { start: 1025, count: 1, hasLogits: true },
  ]);
  expect(prefillShapes(plan, 1)).toEqual([{ start: 0, count: 1, hasLogits: true }]);
});

test("each pass waits for the slower of memory and arithmetic", () => {
  const machine = {
    bandwidth: 1000,
    rates: [{ kind: "q8", one: 50, many: 200 }],
    threads: 2,
  };
  const passes = [
    // 0.1 s of reading, 1 s of arithmetic.
    { columns: 4, work: { bytes: 100, macs: { q8: 400 } } },
    // 2 s of reading, 1 s of arithmetic.
    { columns: 1, work: { bytes: 2000, macs: { q8: 100 } } },
  ];
  const side = sideOf(passes, machine);
  expect(side).toEqual({
    bytesPerToken: 420,
    macsPerToken: 100,
    memoryLimit: 5 / 2.1,
    arithmeticLimit: 2.5,
    limit: 5 / 3,
  });
});

test("an engine measures its own kernels", async () => {
  const engine = await openLocalEngine(checkpoint, { precision: "int8", threads: 2 });
  try {
    const { bandwidth, rates, prefill, decode } = await engine.roofline({
      prompt: 64,
      generate: 4,
    });
    expect(bandwidth).toBeGreaterThan(1e6);
    const kinds = rates.map(({ kind }) => kind);
    expect(kinds.toSorted()).toEqual(["attention", "f32", "mxfp4", "q8"]);
    for (const { kind, one, many } of rates) {
      expect(one, kind).toBeGreaterThan(1e6);
      expect(many, kind).toBeGreaterThan(1e6);
    }
    for (const { limit, memoryLimit, arithmeticLimit } of [prefill, decode]) {
      expect(limit).toBeGreaterThan(0);
      expect(limit).toBeLessThanOrEqual(1.000_001 * Math.min(memoryLimit, arithmeticLimit));
    }
    const abort = new AbortController();
    const options = { prompt: 64, generate: 4, signal: abort.signal };
    const measuring = expect(engine.roofline(options)).rejects.toThrow("enough");
    abort.abort(new Error("enough"));
    await measuring;
  } finally {
    await engine.close();
  }
  await expect(engine.roofline({ prompt: 64, generate: 4 })).rejects.toThrow("is closed");
});
