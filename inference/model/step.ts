/** What one thread knows while it computes a step: the model's plan, its banks, a session's cache. */

import type { KernelModule } from "../wasm/kernels.ts";
import { type BankMemory, MemoryBank } from "../wasm/memory-bank.ts";
import type { Team } from "../wasm/team.ts";
import type { ExpertPager } from "./expert-pager.ts";
import { ExpertSchedule } from "./expert-schedule.ts";
import type { KvLayout } from "./kv-cache.ts";
import type { ModelPlan } from "./plan.ts";
import { rotationFrequencies } from "./rope.ts";
import { ScreenPause } from "./screen.ts";

/** A loaded model as one thread sees it. */
export class ThreadModel {
  readonly plan: ModelPlan;
  readonly team: Team;
  readonly banks: readonly MemoryBank[];
  readonly frequencies: Float64Array;
  readonly schedule: ExpertSchedule;
  readonly screenPause: ScreenPause = new ScreenPause();
  /** Set when the weights are loaded, where not all experts are. */
  pager: ExpertPager | undefined;

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
  /** Ids by position, shared with the session. */
  readonly timeline: Int32Array<SharedArrayBuffer>;

  constructor(
    module: KernelModule,
    layout: KvLayout,
    memories: readonly BankMemory[],
    timeline: Int32Array<SharedArrayBuffer>,
  ) {
    this.layout = layout;
    this.timeline = timeline;
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

/** Tokens of one session: positions `start` … , one column each. */
export type Segment = {
  readonly cache: ThreadCache;
  readonly start: number;
  readonly ids: ArrayLike<number>;
};

/** The tokens of one step: the columns of one or several sessions, one segment after the other. */
export class Step {
  readonly count: number;
  /** Whether the columns are of different sessions: none attends to another. */
  readonly isDecode: boolean;
  /** Session and position of each column. */
  readonly #caches: ThreadCache[] = [];
  readonly #positions: number[] = [];
  readonly #ids: number[] = [];

  constructor(segments: readonly Segment[]) {
    for (const { cache, start, ids } of segments) {
      for (let i = 0; i < ids.length; i++) {
        this.#caches.push(cache);
        this.#positions.push(start + i);
        this.#ids.push(ids[i]!);
      }
    }
    this.count = this.#ids.length;
    this.isDecode = segments.every(({ ids }) => ids.length <= 1);
  }

  cacheOf(column: number): ThreadCache {
    return this.#caches[column]!;
  }

  positionOf(column: number): number {
    return this.#positions[column]!;
  }

  idOf(column: number): number {
    return this.#ids[column]!;
  }
}
