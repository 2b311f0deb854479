import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import { openLocalEngine } from "../../inference/local/local-engine.ts";
import { referenceLogits } from "../../inference/reference/forward.ts";
import { applyInt8, quantiseDense } from "../../inference/reference/int8.ts";
import { readReferenceWeights } from "../../inference/reference/weights.ts";
import { tinyModel } from "./broken-checkpoints.ts";

/**
 * float32 against float64 of the same roundings. An activation that lies so close between two codes
 * that the two round it differently would show as about 1e-2; on this prompt there is none.
 */
const SAME_ROUNDING_NRMSE = 1e-5;

/** int8 against float64: what the rounding itself may cost on this random model. */
const INT8_NRMSE = 0.1;

test.each(["relaxed", "baseline"] as const)(
  "between the %s int8 kernels and float64 there is nothing but the documented rounding",
  async (kernels) => {
    const { ids } = JSON.parse(readFileSync(`${tinyModel("hf")}/../logits.json`, "utf8")) as {
      ids: number[];
    };
    const checkpoint = openCheckpoint(tinyModel("hf"));
    const weights = readReferenceWeights(checkpoint);
    const logitsWith = async (keyValues: "f32" | "i16"): Promise<Float32Array[]> => {
      const engine = await openLocalEngine(checkpoint, {
        precision: "int8",
        tuning: { keyValues, kernels },
      });
      const logits = await engine.logits(ids);
      await engine.close();
      return logits;
    };
    const logits = await logitsWith("f32");
    const compact = await logitsWith("i16");
    checkpoint.close();
    const rounded = referenceLogits(quantiseDense(weights), ids, { multiply: applyInt8 });
    expect(nrmse(logits, rounded)).toBeLessThan(SAME_ROUNDING_NRMSE);
    const exact = nrmse(logits, referenceLogits(weights, ids));
    expect(exact).toBeLessThan(INT8_NRMSE);
    expect(exact).toBeGreaterThan(100 * SAME_ROUNDING_NRMSE);
    // Keys and values as i16 bring some activations to the next code, and no error of their own size.
    const wanted = logits.map((row) => Float64Array.from(row));
    expect(nrmse(compact, wanted)).toBeLessThan(0.03);
    expect(nrmse(compact, referenceLogits(weights, ids))).toBeLessThan(INT8_NRMSE);
  },
);

/** Root of the mean squared error over that of the expected values. */
function nrmse(found: readonly Float32Array[], expected: readonly Float64Array[]): number {
  let error = 0;
  let power = 0;
  for (const [i, row] of expected.entries()) {
    for (const [j, value] of row.entries()) {
      error += ((found[i]?.[j] ?? Number.NaN) - value) ** 2;
      power += value ** 2;
    }
  }
  return Math.sqrt(error / power);
}
