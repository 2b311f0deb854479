/** What one thread knows while it computes a step: the model's plan, its banks, the pool of keys and values. */

import { FLOAT_BYTES, type KernelModule } from "../wasm/kernels.ts";
import { type BankMemory, MemoryBank } from "../wasm/memory-bank.ts";
import type { Team } from "../wasm/team.ts";
import type { ExpertPager } from "./expert-pager.ts";
import { ExpertSchedule } from "./expert-schedule.ts";
import type { KvLayout, KvStep } from "./kv-layout.ts";
import type { Workspace } from "./multiply.ts";
import type { LayerPlan, ModelPlan, ScratchPlan } from "./plan.ts";
import { rotationFrequencies } from "./rope.ts";
import { ScreenPause } from "./screen.ts";

/** A loaded model as one thread sees it. */
export class ThreadModel {
  readonly plan: ModelPlan;
  readonly team: Team;
  readonly banks: readonly MemoryBank[];
  /** By bank. */
  readonly #workspaces: readonly Workspace[];
  readonly kv: KvBanks;
  readonly frequencies: Float64Array;
  readonly schedule: ExpertSchedule;
  readonly screenPause: ScreenPause = new ScreenPause();
  /** Set when the weights are loaded, where not all experts are. */
  pager: ExpertPager | undefined;

  private constructor(plan: ModelPlan, banks: readonly MemoryBank[], kv: KvBanks, team: Team) {
    this.plan = plan;
    this.team = team;
    this.banks = banks;
    const { precision, scratch } = plan;
    const strip = scratch.thread + team.index * scratch.threadBytes;
    this.#workspaces = this.banks.map((bank) => ({ bank, precision, strip }));
    this.kv = kv;
    this.frequencies = rotationFrequencies(plan.config.rope, plan.config.headDim);
    this.schedule = new ExpertSchedule(plan.config, plan.scratch.columns);
  }

  /** The same model for a command, and by depth for those that interrupt one: each has activations of its own. */
  static create(
    module: KernelModule,
    plan: ModelPlan,
    memories: readonly BankMemory[],
    { layout, memories: kvMemories }: KvMemories,
    team: Team,
  ): readonly [ThreadModel, ...ThreadModel[]] {
    const banks = memories.map((memory) => new MemoryBank(module, memory));
    const kvBanks = kvMemories.map((memory) => new MemoryBank(module, memory));
    const make = (scratch: ScratchPlan, depth: number): ThreadModel =>
      new ThreadModel({ ...plan, scratch }, banks, new KvBanks(layout, kvBanks, depth), team);
    const interrupting = plan.interrupting.map((scratch, index) => make(scratch, index + 1));
    return [make(plan.scratch, 0), ...interrupting];
  }

  bank(index: number): MemoryBank {
    return this.banks[index]!;
  }

  workspace(bank: number): Workspace {
    return this.#workspaces[bank]!;
  }
}

/** One layer in one step, as one thread computes it. */
export type LayerStep = {
  readonly model: ThreadModel;
  readonly step: Step;
  readonly index: number;
  readonly layer: LayerPlan;
  /** The columns from this one on are wanted of the layer. */
  readonly wanted: number;
};

/** The pool of keys and values. Plain data, posted to every worker. */
export type KvMemories = {
  readonly layout: KvLayout;
  readonly memories: readonly BankMemory[];
};

/** The pool of keys and values as one thread sees it. */
export class KvBanks {
  readonly layout: KvLayout;
  readonly banks: readonly MemoryBank[];

  readonly step: KvStep;

  /** @param depth of the commands whose steps these are */
  constructor(layout: KvLayout, banks: readonly MemoryBank[], depth: number) {
    this.layout = layout;
    this.banks = banks;
    this.step = layout.steps[depth]!;
  }

  /** The bank that holds a layer's part of the pages. */
  bankOf(layer: number): MemoryBank {
    return this.banks[Math.floor(layer / this.layout.layersPerMemory)]!;
  }

  /** Address of a layer's part of page number 0. */
  pagesOf(layer: number): number {
    return this.layout.pages + (layer % this.layout.layersPerMemory) * this.layout.layerPageBytes;
  }

  /** Puts a session's page table down where the kernels read it, as that of number `session` of a step. */
  writeTable(session: number, pageTable: Int32Array, pages: number): void {
    const at = this.tableOf(session) / FLOAT_BYTES;
    for (const bank of this.banks) bank.ints.set(pageTable.subarray(0, pages), at);
  }

  /** Address of a session's page table. */
  tableOf(session: number): number {
    return this.step.tables + session * this.layout.pagesPerSession * FLOAT_BYTES;
  }
}

/** Ids at positions `start` … of one session, one column each. */
export type Segment = {
  readonly start: number;
  readonly ids: ArrayLike<number>;
  /** Numbers of the session's pages, in order; they hold all positions up to the last of `ids`. */
  readonly pageTable: Int32Array<ArrayBufferLike>;
};

/** Neighbouring columns of one session: `first` and as many from it on as `count` says. */
export type ColumnRun = { readonly first: number; readonly count: number };

/** The tokens of one step: the columns of one or several sessions, one segment after the other. */
export class Step {
  readonly count: number;
  /** Whether the columns are of different sessions: none attends to another. */
  readonly isDecode: boolean;
  readonly segments: readonly Segment[];
  /** Segment and position of each column. */
  readonly #segments: number[] = [];
  readonly #positions: number[] = [];
  readonly #ids: number[] = [];

  constructor(segments: readonly Segment[]) {
    this.segments = segments;
    for (const [segment, { start, ids }] of segments.entries()) {
      for (let i = 0; i < ids.length; i++) {
        this.#segments.push(segment);
        this.#positions.push(start + i);
        this.#ids.push(ids[i]!);
      }
    }
    this.count = this.#ids.length;
    this.isDecode = segments.every(({ ids }) => ids.length <= 1);
  }

  /** Index of the column's session in `segments`. */
  segmentOf(column: number): number {
    return this.#segments[column]!;
  }

  /** The columns from `wanted` on, in runs of at most `most` neighbours of one session. */
  runs(wanted: number, most: number): readonly ColumnRun[] {
    const runs: ColumnRun[] = [];
    let first = wanted;
    while (first < this.count) {
      let end = first + 1;
      const limit = Math.min(this.count, first + most);
      while (end < limit && this.#segments[end] === this.#segments[first]) end++;
      runs.push({ first, count: end - first });
      first = end;
    }
    return runs;
  }

  positionOf(column: number): number {
    return this.#positions[column]!;
  }

  idOf(column: number): number {
    return this.#ids[column]!;
  }
}
