import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import { type LocalEngineOptions, openLocalEngine } from "../../inference/local/local-engine.ts";
import { referenceLogits } from "../../inference/reference/forward.ts";
import { readReferenceWeights } from "../../inference/reference/weights.ts";
import { type ModelSize, makeRandomModel, TINY } from "../fixtures/make-tiny-model.ts";

/** float32 sums in another order than float64's, over a few layers of a random model. */
const EXACT_MAX_ABS_OF_RMS = 1e-4;

const CASES: readonly [string, Partial<ModelSize>, LocalEngineOptions][] = [
  ["one block everywhere", { hidden: 32, heads: 2, kvHeads: 1 }, {}],
  ["odd numbers of blocks", { hidden: 96, intermediate: 160, heads: 6 }, {}],
  ["ids that are no multiple of eight", { vocab: 61 }, {}],
  ["one expert of one", { experts: 1, expertsPerToken: 1 }, {}],
  ["one expert of many", { experts: 13, expertsPerToken: 1 }, {}],
  ["all experts", { experts: 5, expertsPerToken: 5 }, {}],
  ["heads of 8", { headDim: 8, heads: 8, kvHeads: 8 }, {}],
  ["heads of 24", { headDim: 24 }, {}],
  ["heads of 128, all on one key", { headDim: 128, heads: 4, kvHeads: 1 }, {}],
  ["a group of eight, as in gpt-oss", { headDim: 32, heads: 16, kvHeads: 2 }, {}],
  ["a window of one", { window: 1 }, {}],
  ["a window beyond the prompt", { window: 1000 }, {}],
  ["sliding layers only", { layers: ["sliding", "sliding", "sliding"] }, {}],
  ["full layers first", { layers: ["full", "full", "sliding"] }, {}],
  ["one layer", { layers: ["full"] }, {}],
  ["three threads", { vocab: 61, experts: 7 }, { threads: 3 }],
  ["more threads than rows of eight", { hidden: 32, heads: 2, kvHeads: 1 }, { threads: 8 }],
  ["chunks of five", {}, { prefillChunk: 5 }],
  ["the baseline kernels", { hidden: 96, vocab: 61 }, { tuning: { kernels: "baseline" } }],
];

test.each(CASES)("%s", async (_name, change, options) => {
  const size = { ...TINY, ...change };
  const folder = mkdtempSync(join(tmpdir(), "chorale-shapes-"));
  try {
    makeRandomModel(folder, size, 7);
    const checkpoint = openCheckpoint(folder);
    const weights = readReferenceWeights(checkpoint);
    const engine = await openLocalEngine(checkpoint, { precision: "exact", ...options });
    checkpoint.close();
    const ids = Array.from({ length: 80 }, (_, i) => (i * i + 3 * i) % size.vocab);
    const found = await engine.logits(ids);
    await engine.close();
    const expected = referenceLogits(weights, ids);
    const values = expected.flatMap((row) => [...row]);
    const errors = found.flatMap((row, i) =>
      Array.from(row, (x, j) => x - (expected[i]?.[j] ?? 0)),
    );
    expect(errors.length).toBe(values.length);
    const rms = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
    const largest = errors.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
    expect(largest / rms).toBeLessThan(EXACT_MAX_ABS_OF_RMS);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
