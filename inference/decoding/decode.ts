/**
 * Decodes several sequences together, on every worker thread. One step computes each sequence's last
 * id, and the draft behind it, in one pass through the model; then the leading thread samples, sequence
 * by sequence, and says on the shared what came. A column's logits do not depend on the columns
 * beside it, so each sequence gets the ids that it would get alone and without drafts.
 */

import { BrokenNumbersError } from "../errors.ts";
import { forward, type Segment } from "../model/forward.ts";
import type { ThreadModel } from "../model/step.ts";
import type { LogitRow } from "../sampling/logit-row.ts";
import { Logprobs } from "../sampling/logprobs.ts";
import { sampleId, samplesFromBounds } from "../sampling/sampler.ts";
import type { TokenBitmask } from "../sampling/token-bitmask.ts";
import { type Drafter, MAX_DRAFT } from "./drafter.ts";
import { MaskChannel } from "./mask-channel.ts";
import type { PassTimes } from "./pass-times.ts";
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
 * @param times where it is counted how long passes take, by the leading thread
 * @param steps most passes through the model
 * @param report called by the leading thread only
 * @throws Cancelled; what was reported until then has come
 */
export function decode(
  model: ThreadModel,
  sequences: readonly DecodeSequence[],
  sessionOf: (sequence: DecodeSequence) => WorkerSession,
  shared: SharedDecodeState,
  times: PassTimes,
  steps: number,
  report: (report: DecodeReport) => void,
): void {
  const { team, plan } = model;
  // Drafts of several sequences share the columns whose logits fit.
  const columns = Math.floor(plan.scratch.logitColumns / sequences.length);
  const maxDraft = Math.min(MAX_DRAFT, columns - 1);
  const others = sequences.length - 1;
  const decoders = sequences.map(
    (sequence, index) =>
      new SequenceDecoder(model, index, sequence, sessionOf(sequence), maxDraft, others, report),
  );
  if (team.leads) for (const decoder of decoders) decoder.begin(shared);
  team.barrier();
  for (const decoder of decoders) decoder.advance(shared);
  let active = decoders;
  const clock = new PassClock(plan.paged);
  clock.took(decoders);
  for (let step = 0; step < steps && active.length > 0; step++) {
    const segments = active.map((decoder) => decoder.segment);
    const columnDecoders = active.flatMap((decoder) =>
      decoder.segment.ids.map((_, offset) => ({ decoder, offset })),
    );
    const isAlone = active.length === 1;
    const wanted = isAlone && active[0]!.mayTakeBounds ? "bounds" : "all";
    forward(model, segments, wanted, (column, row) => {
      const { decoder, offset } = columnDecoders[column]!;
      return decoder.settle(shared, offset, row);
    });
    if (team.leads) weigh(times, active, columnDecoders.length, clock.took(active));
    for (const decoder of active) decoder.advance(shared);
    active = active.filter((decoder) => !decoder.ended);
  }
  if (team.leads) for (const decoder of active) decoder.reportEnd();
}

/** Counts what a pass took, and what it took for the drafts in it. */
function weigh(
  times: PassTimes,
  active: readonly SequenceDecoder[],
  ids: number,
  ms: number,
): void {
  times.learn(ids, ms);
  const drafted = ids - active.length;
  if (drafted === 0 || times.plainMs === undefined) return;
  // Beside others, a pass without a draft would have brought an id for each.
  const lost = active.length * (ms / (times.plainMs * times.time(active.length)) - 1);
  for (const decoder of active) decoder.settleDraft(lost / drafted);
}

/**
 * Times of passes: what the leading thread computed, and how long it waited for the masks of the draft in it. Other work
 * on the machine, which holds passes up, is left out. Where experts are read from files, waiting for them counts.
 */
class PassClock {
  readonly #countsWaits: boolean;
  #last: number;
  /** For the masks of the draft in the pass that comes next. */
  #waited = 0;

  constructor(countsWaits: boolean) {
    this.#countsWaits = countsWaits;
    this.#last = this.#now();
  }

  /** Milliseconds since the last call; what a draft of the next pass waited for is counted with that one. */
  took(decoders: readonly SequenceDecoder[]): number {
    const now = this.#now();
    const before = this.#waited;
    this.#waited = decoders.reduce((sum, decoder) => sum + decoder.takeWaited(), 0);
    const own = now - this.#last - (this.#countsWaits ? this.#waited : 0);
    this.#last = now;
    return own + before;
  }

  #now(): number {
    if (this.#countsWaits) return performance.now();
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  }
}

/** One sequence while it is decoded. */
class SequenceDecoder {
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
  /** Ids of the last step's draft that came. */
  #gained = 0;
  #waitedMs = 0;
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
   * @returns false, and nothing has happened, when bounds are not enough
   */
  settle(shared: SharedDecodeState, offset: number, row: LogitRow): boolean {
    if (!this.#isSettled) {
      const goesOn = this.#sample(shared, offset, row);
      if (goesOn === undefined) return false;
      this.#isSettled = !goesOn;
    }
    if (offset < this.#draft.length) return true;
    this.#counts.forwards++;
    this.#counts.drafted += this.#draft.length;
    this.#counts.accepted += this.#accepted;
    this.#gained = this.#accepted;
    shared.write(this.#index, this.#appended, this.#willEnd, this.#nextDraft(shared));
    if (this.#willEnd) this.reportEnd();
    this.#appended = 0;
    this.#accepted = 0;
    this.#isSettled = false;
    return true;
  }

  /** @param lost for each id of the pass's drafts, in passes without one */
  settleDraft(lost: number): void {
    const { length } = this.#draft;
    if (length > 0) this.#session.drafter.settle(this.#gained, lost * length);
  }

  /** Milliseconds that the last draft waited for its masks, once. */
  takeWaited(): number {
    const waited = this.#waitedMs;
    this.#waitedMs = 0;
    return waited;
  }

  /** The draft of the first step. */
  begin(shared: SharedDecodeState): void {
    shared.write(this.#index, 0, false, this.#nextDraft(shared));
  }

  /** Takes over, on every thread, what the leading one wrote. */
  advance(shared: SharedDecodeState): void {
    this.#position += shared.appended(this.#index);
    this.#ended = shared.ended(this.#index);
    this.#draft = shared.draft(this.#index);
  }

  reportEnd(): void {
    this.#report({ type: "sequence-ended", sequence: this.#index, counts: { ...this.#counts } });
  }

  /** @returns whether the next column's ids are those that came; undefined: bounds are not enough */
  #sample(shared: SharedDecodeState, offset: number, row: LogitRow): boolean | undefined {
    const { stopIds, maxTokens, logprobs, forcedIds } = this.#sequence;
    const masks = this.#masks;
    if (shared.shouldLeave(this.#index) || masks?.wait(() => this.#isGivenUp(shared)) === false) {
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
      isDrafted,
      logprobs: probabilities?.of(id, logprobs ?? 0),
    });
    if (!isDrafted) return false;
    this.#accepted++;
    return !this.#willEnd;
  }

  #choose(position: number, row: LogitRow): number | undefined {
    const { sampling, sampleableIds } = this.#sequence;
    const allowed: TokenBitmask[] = sampleableIds === undefined ? [] : [sampleableIds];
    const mask = this.#masks?.mask() ?? null;
    if (mask !== null) allowed.push(mask);
    return sampleId(row, sampling, {
      timeline: this.#session.timeline,
      position,
      allowed,
    });
  }

  /** Whether masks will not come any more, or are not wanted. */
  #isGivenUp(shared: SharedDecodeState): boolean {
    return this.#model.team.cancelled || shared.shouldLeave(this.#index);
  }

  #nextDraft(shared: SharedDecodeState): number[] {
    const { speculation, maxTokens } = this.#sequence;
    const { drafter, timeline } = this.#session;
    if (this.#willEnd || !speculation) return [];
    // The id behind a draft comes as well, and no more than `maxTokens` may.
    const limit = Math.min(this.#maxDraft, maxTokens - this.#count - 1);
    const length = this.#position + this.#appended + 1;
    const draft = drafter.draft(timeline, length, limit, {
      others: this.#others,
      isAlways: speculation === "always",
    });
    const masks = this.#masks;
    if (masks === undefined || draft.length === 0) return draft;
    masks.ask();
    this.#report({ type: "draft", sequence: this.#index, ids: draft });
    const from = performance.now();
    const isAnswered = masks.wait(() => this.#isGivenUp(shared));
    this.#waitedMs += performance.now() - from;
    return isAnswered ? draft.slice(0, masks.drafted) : [];
  }
}
