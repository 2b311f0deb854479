/** What main thread and workers share about sequences that are decoded together. */

import type { Sampling, TokenLogprobs } from "../engine.ts";
import type { MaskCells } from "./mask-channel.ts";

/** Most tokens that a draft proposes; with the id before them, as many as have room for logits. */
export const MAX_DRAFT = 15;

/** One session's part of a decode command. Plain data, posted to every worker. */
export type DecodeSequence = {
  readonly session: number;
  /** Position of the last id of the timeline, which is not computed yet. */
  readonly start: number;
  readonly maxTokens: number;
  readonly stopIds: ReadonlySet<number>;
  readonly sampling: Sampling;
  readonly bannedFirstIds: readonly number[];
  readonly sampleableIds: Uint32Array | undefined;
  /** Where the masks of a matcher come from. */
  readonly masks: MaskCells | undefined;
  /** So many likeliest ids are reported with each id; undefined: no log probabilities. */
  readonly logprobs: number | undefined;
  readonly speculation: boolean;
  /** For measurements: the ids that come, whatever the logits say. */
  readonly forcedIds: readonly number[] | undefined;
};

/** From the leading thread, in order. */
export type DecodeReport =
  | {
      readonly type: "token";
      /** Index in the command. */
      readonly sequence: number;
      readonly id: number;
      readonly logprobs: TokenLogprobs | undefined;
    }
  | {
      /** What a matcher is to look at before it is computed; the answer comes by the mask channel. */
      readonly type: "draft";
      readonly sequence: number;
      readonly ids: readonly number[];
    }
  | {
      /** The numbers of a sequence are broken: see `BrokenNumbersError`. */
      readonly type: "broken";
      readonly sequence: number;
      readonly position: number;
    }
  | {
      /** No further token of this sequence comes from this command. */
      readonly type: "sequence-ended";
      readonly sequence: number;
      readonly counts: DecodeCounts;
    };

/** What decoding took. */
export type DecodeCounts = {
  /** Passes through the model. */
  readonly forwards: number;
  /** Ids proposed by drafts. */
  readonly drafted: number;
  /** Proposed ids that came. */
  readonly accepted: number;
  /** Ids for which bounds of the logits were enough, and the logits that these took. */
  readonly screened: number;
  readonly computedLogits: number;
};

/** Before anything was decoded. */
export const NO_COUNTS: DecodeCounts = {
  forwards: 0,
  drafted: 0,
  accepted: 0,
  screened: 0,
  computedLogits: 0,
};

// Cells of one sequence on the board. The leading thread writes all but the first between two
// barriers, all threads read them behind the second; the first is the main thread's.
const LEAVE = 0;
const APPENDED = 1;
const ENDED = 2;
const DRAFTED = 3;
const DRAFT = 4;
const CELLS = DRAFT + MAX_DRAFT;

/** How the leading thread tells the others what it sampled and what to compute next. */
export class Board {
  readonly cells: Int32Array<SharedArrayBuffer>;

  constructor(cells: Int32Array<SharedArrayBuffer>) {
    this.cells = cells;
  }

  static create(sequences: number): Board {
    const bytes = sequences * CELLS * Int32Array.BYTES_PER_ELEMENT;
    return new Board(new Int32Array(new SharedArrayBuffer(bytes)));
  }

  /** Asks, from the main thread, to end a sequence before its next id. */
  leave(sequence: number): void {
    Atomics.store(this.cells, sequence * CELLS + LEAVE, 1);
  }

  shouldLeave(sequence: number): boolean {
    return Atomics.load(this.cells, sequence * CELLS + LEAVE) === 1;
  }

  /** @param draft at most `MAX_DRAFT` ids to check in the next step */
  write(sequence: number, appended: number, ended: boolean, draft: readonly number[]): void {
    const at = sequence * CELLS;
    this.cells[at + APPENDED] = appended;
    this.cells[at + ENDED] = ended ? 1 : 0;
    this.cells[at + DRAFTED] = draft.length;
    this.cells.set(draft, at + DRAFT);
  }

  /** Ids that the last step added to a sequence. */
  appended(sequence: number): number {
    return this.cells[sequence * CELLS + APPENDED]!;
  }

  ended(sequence: number): boolean {
    return this.cells[sequence * CELLS + ENDED] === 1;
  }

  draft(sequence: number): readonly number[] {
    const at = sequence * CELLS;
    return Array.from(this.cells.subarray(at + DRAFT, at + DRAFT + this.cells[at + DRAFTED]!));
  }
}
