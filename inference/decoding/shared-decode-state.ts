import { MAX_DRAFT } from "./drafter.ts";

// Cells of one sequence. The leading thread writes all but the first between two
// barriers, all threads read them behind the second; the first is the main thread's.
const LEAVE = 0;
const APPENDED = 1;
const ENDED = 2;
const DRAFTED = 3;
const DRAFT = 4;
const CELLS = DRAFT + MAX_DRAFT;

/** How the leading thread tells the others what it sampled and what to compute next. */
export class SharedDecodeState {
  readonly cells: Int32Array<SharedArrayBuffer>;

  constructor(cells: Int32Array<SharedArrayBuffer>) {
    this.cells = cells;
  }

  static create(sequences: number): SharedDecodeState {
    const bytes = sequences * CELLS * Int32Array.BYTES_PER_ELEMENT;
    return new SharedDecodeState(new Int32Array(new SharedArrayBuffer(bytes)));
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
