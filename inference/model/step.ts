/** What one thread knows while it computes a step: the model's plan, its banks, a session's cache. */

import type { KvLayout } from "../kv-cache.ts";
import type { KernelModule } from "../wasm/kernels.ts";
import { type BankMemory, MemoryBank } from "../wasm/memory-bank.ts";
import type { Team } from "../wasm/team.ts";
import { ExpertSchedule } from "./expert-schedule.ts";
import type { ModelPlan } from "./plan.ts";
import { rotationFrequencies } from "./rope.ts";

/** A loaded model as one thread sees it. */
export class ThreadModel {
  readonly plan: ModelPlan;
  readonly team: Team;
  readonly banks: readonly MemoryBank[];
  readonly frequencies: Float64Array;
  readonly schedule: ExpertSchedule;

  constructor(module: KernelModule, plan: ModelPlan, memories: readonly BankMemory[], team: Team) {
    this.plan = plan;
    this.team = team;
    this.banks = memories.map((memory) => new MemoryBank(module, memory));
    this.frequencies = rotationFrequencies(plan.config.rope, plan.config.headDim);
    this.schedule = new ExpertSchedule(plan.config, plan.scratch.columns);
  }

  bank(index: number): MemoryBank {
    return this.banks[index]!;
  }
}

/** A session's cache as one thread sees it. */
export class ThreadCache {
  readonly layout: KvLayout;
  readonly banks: readonly MemoryBank[];

  constructor(module: KernelModule, layout: KvLayout, memories: readonly BankMemory[]) {
    this.layout = layout;
    this.banks = memories.map((memory) => new MemoryBank(module, memory));
  }

  /** The bank that holds a layer's pages. */
  bankOf(layer: number): MemoryBank {
    return this.banks[Math.floor(layer / this.layout.layersPerMemory)]!;
  }

  /** Address of a layer's part of page 0. */
  pagesOf(layer: number): number {
    return this.layout.pages + (layer % this.layout.layersPerMemory) * this.layout.layerPageBytes;
  }
}

/** The tokens of one step: positions `start` … `start + count - 1`, one column each. */
export type Step = {
  readonly cache: ThreadCache;
  readonly start: number;
  readonly count: number;
};
