import type { KernelRate } from "../engine.ts";
import type { KvLayout } from "../model/kv-layout.ts";
import type { WorkKind } from "../model/pass-work.ts";
import type { ModelPlan } from "../model/plan.ts";
import type { KernelModule } from "../wasm/kernels.ts";
import { type Gate, measureTogether } from "./measure-together.ts";

/** The kernels of a model: what to measure. */
export type ArithmeticSubject = {
  readonly module: KernelModule;
  readonly plan: ModelPlan;
  readonly kv: KvLayout;
  readonly kinds: readonly WorkKind[];
};

export type ArithmeticInit = ArithmeticSubject & Gate;

/**
 * Measures how fast the kernels of a model multiply when they do not wait for memory: weights that the
 * cache of one core holds, all threads at once. Takes about a second.
 *
 * @throws EngineFailedError when the threads or their memory cannot be had; the signal's reason
 */
export async function measureArithmetic(
  subject: ArithmeticSubject,
  signal?: AbortSignal,
): Promise<readonly KernelRate[]> {
  const measured = await measureTogether<readonly KernelRate[]>({
    entry: new URL("./arithmetic-worker.ts", import.meta.url),
    threads: subject.plan.threads,
    data: subject,
    what: "the speed of the kernels",
    signal,
  });
  const mean = (index: number, columns: "one" | "many"): number =>
    measured.reduce((sum, rates) => sum + rates[index]![columns], 0) / measured.length;
  return subject.kinds.map((kind, i) => ({ kind, one: mean(i, "one"), many: mean(i, "many") }));
}
