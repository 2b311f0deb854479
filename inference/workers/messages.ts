/** What the main thread and the worker threads say to each other. */

import type { WeightSource } from "../checkpoint/weight-source.ts";
import type { DecodeReport, DecodeSequence } from "../decoding/sequence.ts";
import type { KernelTime } from "../engine.ts";
import type { PagingCells } from "../model/expert-pager.ts";
import type { ModelPlan } from "../model/plan.ts";
import type { KvMemories } from "../model/step.ts";
import type { KernelModule } from "../wasm/kernels.ts";
import type { BankMemory } from "../wasm/memory-bank.ts";
import type { TeamControl } from "../wasm/team.ts";

/** Given to a worker when it starts. */
export type WorkerInit = {
  readonly module: KernelModule;
  readonly plan: ModelPlan;
  readonly memories: readonly BankMemory[];
  readonly kv: KvMemories;
  readonly control: TeamControl;
  readonly paging: PagingCells;
  readonly index: number;
  /** Whether time is measured by kernel. */
  readonly profile?: boolean | undefined;
};

/** Which sessions exist; posted to all workers, not answered. */
export type SessionMessage =
  | {
      readonly type: "open";
      readonly session: number;
      /** Ids by position, and numbers of pages. */
      readonly timeline: Int32Array<SharedArrayBuffer>;
      readonly pageTable: Int32Array<SharedArrayBuffer>;
    }
  | { readonly type: "close"; readonly session: number };

/** Work of all threads together; one at a time. The page tables name pages for all that is computed. */
export type Work =
  | {
      /** Fills the banks; reports units. */
      readonly type: "load";
      readonly source: WeightSource;
      /** Counter of the units that were taken. */
      readonly next: Int32Array<SharedArrayBuffer>;
    }
  | {
      /** Computes keys and values of `ids` at positions `start` …; reports progress. */
      readonly type: "prefill";
      readonly session: number;
      readonly start: number;
      readonly ids: readonly number[];
    }
  | {
      /** Samples on from the end of each sequence, in at most `steps` passes; reports tokens. */
      readonly type: "decode";
      readonly sequences: readonly DecodeSequence[];
      readonly shared: Int32Array<SharedArrayBuffer>;
      readonly steps: number;
    }
  | {
      /** Reports, and forgets, what the leading thread measured. */
      readonly type: "profile";
    }
  | {
      /** Computes `ids` in steps of at most `chunk` and reports all logits. */
      readonly type: "logits";
      readonly session: number;
      readonly start: number;
      readonly ids: readonly number[];
      readonly chunk: number;
    };

export type WorkMessage = Work & {
  readonly command: number;
  /** How many commands it has interrupted. */
  readonly depth: number;
  /** Whose activations it uses, by depth of interrupting commands. */
  readonly scratch: number;
};
/** The command that was interrupted goes on. */
export type ResumeMessage = { readonly type: "resume" };
export type ToWorker = SessionMessage | WorkMessage | ResumeMessage;

/** What comes while a command runs. */
export type Report =
  /** From any thread: a unit of `loadUnits` was brought in. */
  | { readonly type: "loaded"; readonly unit: number }
  /** Positions that are now computed, counted from the command's start. */
  | { readonly type: "progress"; readonly done: number }
  | DecodeReport
  | { readonly type: "profile"; readonly times: readonly KernelTime[] }
  /** f32 (vocab) of the next position */
  | { readonly type: "logits"; readonly logits: Float32Array };

export type Outcome = "finished" | "cancelled";

/** A `CheckpointError` as plain data. */
export type CheckpointFailure = {
  readonly path: string;
  readonly problem: string;
  readonly item: string | undefined;
};

export type FromWorker =
  | { readonly type: "ready" }
  | { readonly type: "reports"; readonly command: number; readonly reports: readonly Report[] }
  /** The command was interrupted: others may run until `resume`. */
  | { readonly type: "paused"; readonly command: number }
  | { readonly type: "ended"; readonly command: number; readonly outcome: Outcome }
  /** From any thread: the files are not what they must be. The others leave the command. */
  | { readonly type: "failed"; readonly command: number; readonly failure: CheckpointFailure };
