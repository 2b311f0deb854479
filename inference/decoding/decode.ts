/**
 * Decodes several sequences together, on every worker thread. One step computes each sequence's last
 * id, and the draft behind it, in one pass through the model; then the leading thread samples, sequence
 * by sequence, and says on the board what came. A column's logits do not depend on the columns
 * beside it, so each sequence gets the ids that it would get alone and without drafts.
 */

import { BrokenNumbersError } from "../errors.ts";
import { forward, type Segment } from "../model/forward.ts";
import type { ThreadModel } from "../model/step.ts";
import type { IdBits } from "../sampling/id-bits.ts";
import type { LogitRow } from "../sampling/logit-row.ts";
import { Logprobs } from "../sampling/logprobs.ts";
import { sampleId, samplesFromBounds } from "../sampling/sampler.ts";
import type { Drafter } from "./drafter.ts";
import { MAX_DRAFT } from "./drafter.ts";
import { MaskChannel } from "./mask-channel.ts";
import { type DecodeReport, type DecodeSequence, NO_COUNTS } from "./sequence.ts";
import type { SharedDecodeState } from "./shared-decode-state.ts";

/** A session as a worker knows it. */
export type WorkerSession = {
  /** Its ids by position, and the numbers of its pages. */
  readonly timeline: Int32Array<ArrayBufferLike>;
  readonly pageTable: Int32Array<ArrayBufferLike>;
  readonly drafter: Drafter;
};

/**
 * @param steps most passes through the model
 * @param report called by the leading thread only
 * @throws Cancelled; what was reported until then has come
 */
export function decode(
  model: ThreadModel,
  sequences: readonly DecodeSequence[],
  sessionOf: (sequence: DecodeSequence) => WorkerSession,
  board: SharedDecodeState,
  steps: number,
  report: (report: DecodeReport) => void,
): void {
  const { team, plan } = model;
  // Drafts of several sequences share the columns whose logits fit.
  const columns = Math.floor(plan.scratch.logitColumns / sequences.length);
  const maxDraft = Math.min(MAX_DRAFT, columns - 1);
  const others = sequences.length - 1;
  const runs = sequences.map(
    (sequence, index) =>
      new Run(model, index, sequence, sessionOf(sequence), maxDraft, others, report),
  );
  if (team.leads) for (const run of runs) run.begin(board);
  team.barrier();
  for (const run of runs) run.advance(board);
  let active = runs;
  for (let step = 0; step < steps && active.length > 0; step++) {
    const segments = active.map((run) => run.segment);
    const columnRuns = active.flatMap((run) =>
      run.segment.ids.map((_, offset) => ({ run, offset })),
    );
    const startedAt = performance.now();
    const isAlone = active.length === 1;
    const wanted = isAlone && active[0]!.mayTakeBounds ? "bounds" : "all";
    forward(model, segments, wanted, (column, row) => {
      const { run, offset } = columnRuns[column]!;
      return run.settle(board, offset, row, isAlone ? performance.now() - startedAt : undefined);
    });
    for (const run of active) run.advance(board);
    active = active.filter((run) => !run.ended);
  }
  if (team.leads) for (const run of active) run.reportEnd();
}

/** One sequence while it is decoded. */
class Run {
  readonly #model: ThreadModel;
  readonly #index: number;
  readonly #sequence: DecodeSequence;
  readonly #session: WorkerSession;
  readonly #maxDraft: number;
  /** Sequences beside it. */
  readonly #others: number;
  readonly #report: (report: DecodeReport) => void;
  readonly #masks: MaskChannel | undefined;
  /** Position of the last id, which the next step computes. */
  #position: number;
  #draft: readonly number[] = [];
  #ended = false;
  // What only the leading thread knows: ids of this step, those of them that the draft had, ids of this
  // command, and whether more may come.
  #appended = 0;
  #accepted = 0;
  #count = 0;
  #isSettled = false;
  #willEnd = false;
  readonly #counts = { ...NO_COUNTS };

  constructor(
    model: ThreadModel,
    index: number,
    sequence: DecodeSequence,
    session: WorkerSession,
    maxDraft: number,
    others: number,
    report: (report: DecodeReport) => void,
  ) {
    this.#model = model;
    this.#index = index;
    this.#sequence = sequence;
    this.#session = session;
    this.#maxDraft = maxDraft;
    this.#others = others;
    this.#report = report;
    this.#masks = sequence.masks && new MaskChannel(sequence.masks);
    this.#position = sequence.start;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** What the next step computes. */
  get segment(): Segment & { readonly ids: readonly number[] } {
    const { timeline, pageTable } = this.#session;
    const ids = [timeline[this.#position]!, ...this.#draft];
    return { pageTable, start: this.#position, ids };
  }

  /** Whether the next id can be sampled from bounds of the logits. */
  get mayTakeBounds(): boolean {
    const { logprobs, sampling } = this.#sequence;
    return logprobs === undefined && samplesFromBounds(sampling);
  }

  /**
   * Samples behind one column of the segment, unless the ids before it did not come.
   * @param ms of the step up to here, where it is this sequence's alone
   * @returns false, and nothing has happened, when bounds are not enough
   */
  settle(board: SharedDecodeState, offset: number, row: LogitRow, ms: number | undefined): boolean {
    if (!this.#isSettled) {
      const goesOn = this.#sample(board, offset, row);
      if (goesOn === undefined) return false;
      this.#isSettled = !goesOn;
    }
    if (offset < this.#draft.length) return true;
    this.#counts.forwards++;
    this.#counts.drafted += this.#draft.length;
    this.#counts.accepted += this.#accepted;
    if (ms !== undefined) this.#session.drafter.learn(this.#draft.length, ms);
    board.write(this.#index, this.#appended, this.#willEnd, this.#nextDraft(board));
    if (this.#willEnd) this.reportEnd();
    this.#appended = 0;
    this.#accepted = 0;
    this.#isSettled = false;
    return true;
  }

  /** The draft of the first step. */
  begin(board: SharedDecodeState): void {
    board.write(this.#index, 0, false, this.#nextDraft(board));
  }

  /** Takes over, on every thread, what the leading one wrote. */
  advance(board: SharedDecodeState): void {
    this.#position += board.appended(this.#index);
    this.#ended = board.ended(this.#index);
    this.#draft = board.draft(this.#index);
  }

  reportEnd(): void {
    this.#report({ type: "sequence-ended", sequence: this.#index, counts: { ...this.#counts } });
  }

  /** @returns whether the next column's ids are those that came; undefined: bounds are not enough */
  #sample(board: SharedDecodeState, offset: number, row: LogitRow): boolean | undefined {
    const { stopIds, maxTokens, logprobs, forcedIds } = this.#sequence;
    const masks = this.#masks;
    if (board.shouldLeave(this.#index) || masks?.wait(() => this.#isGivenUp(board)) === false) {
      this.#willEnd = true;
      return false;
    }
    const position = this.#position + 1 + this.#appended;
    const probabilities = logprobs === undefined ? undefined : new Logprobs(row.logits.values);
    let id = forcedIds?.[this.#count];
    try {
      id ??= this.#choose(position, row);
    } catch (error) {
      if (!(error instanceof BrokenNumbersError)) throw error;
      this.#report({ type: "broken", sequence: this.#index, position });
      this.#willEnd = true;
      return false;
    }
    if (id === undefined) return undefined;
    if (!row.isExact) {
      this.#counts.screened++;
      this.#counts.computedLogits += row.computed;
    }
    this.#session.timeline[position] = id;
    this.#appended++;
    this.#count++;
    this.#willEnd = stopIds.has(id) || this.#count >= maxTokens;
    const isDrafted = id === this.#draft[offset];
    if (isDrafted) masks?.advance();
    else if (!this.#willEnd) masks?.ask();
    this.#report({
      type: "token",
      sequence: this.#index,
      id,
      logprobs: probabilities?.of(id, logprobs ?? 0),
    });
    if (!isDrafted) return false;
    this.#accepted++;
    return !this.#willEnd;
  }

  #choose(position: number, row: LogitRow): number | undefined {
    const { sampling, bannedFirstIds, sampleableIds } = this.#sequence;
    const allowed: IdBits[] = sampleableIds === undefined ? [] : [sampleableIds];
    const mask = this.#masks?.mask() ?? null;
    if (mask !== null) allowed.push(mask);
    return sampleId(row, sampling, {
      timeline: this.#session.timeline,
      position,
      banned: this.#count === 0 ? bannedFirstIds : [],
      allowed,
    });
  }

  /** Whether masks will not come any more, or are not wanted. */
  #isGivenUp(board: SharedDecodeState): boolean {
    return this.#model.team.cancelled || board.shouldLeave(this.#index);
  }

  #nextDraft(board: SharedDecodeState): number[] {
    const { speculation, maxTokens } = this.#sequence;
    const { drafter, timeline } = this.#session;
    if (this.#willEnd || !speculation) return [];
    // The id behind a draft comes as well, and no more than `maxTokens` may.
    const limit = Math.min(this.#maxDraft, maxTokens - this.#count - 1);
    const length = this.#position + this.#appended + 1;
    const draft = drafter.draft(timeline, length, limit, this.#others);
    const masks = this.#masks;
    if (masks === undefined || draft.length === 0) return draft;
    masks.ask();
    this.#report({ type: "draft", sequence: this.#index, ids: draft });
    return masks.wait(() => this.#isGivenUp(board)) ? draft.slice(0, masks.drafted) : [];
  }
}
