/**
 * The roofline of a model on this machine: what its passes read and multiply, beside what the memory and
 * the kernels allow. A pass takes at least as long as the slower of the two.
 */

import type { KernelRate, Roofline, RooflineOptions, RooflineSide } from "../engine.ts";
import type { KvLayout } from "../model/kv-layout.ts";
import { type PassShape, type PassWork, passWork, type WorkKind } from "../model/pass-work.ts";
import type { ModelPlan } from "../model/plan.ts";
import type { KernelModule } from "../wasm/kernels.ts";
import { measureArithmetic } from "./arithmetic.ts";
import { measureBandwidth } from "./bandwidth.ts";

type Subject = { readonly module: KernelModule; readonly plan: ModelPlan; readonly kv: KvLayout };

/** @throws EngineFailedError when it cannot be measured; the signal's reason */
export async function measureRoofline(
  { module, plan, kv }: Subject,
  { prompt, generate, signal }: RooflineOptions,
): Promise<Roofline> {
  const bandwidth = await measureBandwidth(plan.threads, signal);
  const shapes = { prefill: prefillShapes(plan, prompt), decode: decodeShapes(prompt, generate) };
  const worksOf = (passes: readonly PassShape[]): Pass[] =>
    passes.map((shape) => ({ columns: shape.count, work: passWork(plan, kv, shape) }));
  const [prefill, decode] = [worksOf(shapes.prefill), worksOf(shapes.decode)];
  const used = [...prefill, ...decode].flatMap(({ work }) => Object.keys(work.macs) as WorkKind[]);
  const kinds = [...new Set(used)];
  const rates = await measureArithmetic({ module, plan, kv, kinds }, signal);
  const side = (passes: readonly Pass[]): RooflineSide =>
    sideOf(passes, { bandwidth, rates, threads: plan.threads });
  return { bandwidth, rates, prefill: side(prefill), decode: side(decode) };
}

/** The passes of a prefill, as `Session.sync` and the first token behind it make them. */
export function prefillShapes(plan: ModelPlan, prompt: number): PassShape[] {
  const shapes: PassShape[] = [];
  const { columns } = plan.scratch;
  for (let start = 0; start < prompt - 1; start += columns) {
    shapes.push({ start, count: Math.min(columns, prompt - 1 - start), hasLogits: false });
  }
  return [...shapes, { start: prompt - 1, count: 1, hasLogits: true }];
}

function decodeShapes(prompt: number, generate: number): PassShape[] {
  return Array.from({ length: generate }, (_, i) => ({
    start: prompt + i,
    count: 1,
    hasLogits: true,
  }));
}

type Pass = { readonly columns: number; readonly work: PassWork };

type Machine = {
  readonly bandwidth: number;
  readonly rates: readonly KernelRate[];
  readonly threads: number;
};

/** What passes come to, one after the other. */
export function sideOf(passes: readonly Pass[], machine: Machine): RooflineSide {
  const total = { tokens: 0, bytes: 0, macs: 0, memory: 0, arithmetic: 0, either: 0 };
  for (const { columns, work } of passes) {
    const memory = work.bytes / machine.bandwidth;
    let arithmetic = 0;
    for (const { kind, one, many } of machine.rates) {
      const macs = work.macs[kind as WorkKind] ?? 0;
      total.macs += macs;
      arithmetic += macs / ((columns === 1 ? one : many) * machine.threads);
    }
    total.tokens += columns;
    total.bytes += work.bytes;
    total.memory += memory;
    total.arithmetic += arithmetic;
    total.either += Math.max(memory, arithmetic);
  }
  return {
    bytesPerToken: total.bytes / total.tokens,
    macsPerToken: total.macs / total.tokens,
    memoryLimit: total.tokens / total.memory,
    arithmeticLimit: total.tokens / total.arithmetic,
    limit: total.tokens / total.either,
  };
}
