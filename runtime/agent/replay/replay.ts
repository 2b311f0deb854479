/**
 * A recorded thread once more: the model samples each step again, with the recorded prompt, seed, limits and
 * results of tools, and what comes is held against the record. Nothing runs but the model: what a person, a tool,
 * a clock or a validator said is taken from the log.
 */
import type { Message } from "../../../harmony/index.ts";
import type { Tool } from "../../../tools/index.ts";
import type { DeclaredTools } from "../../calls/declared-tools.ts";
import { RunError } from "../../errors.ts";
import type { LanguageModel, ModelRequest } from "../../model/language-model.ts";
import type { LogEntry, LogRecord, Sampled, UserInput } from "../../thread/entry.ts";
import { EventProjection } from "../../thread/projection.ts";
import { MemoryThreadStore } from "../../thread/store.ts";
import { newThreadId, Thread } from "../../thread/thread.ts";
import { RunClock } from "../run-clock.ts";
import { sample } from "../sample.ts";
import { type Step, step } from "../step.ts";
import { TimeBudget } from "../time-budget.ts";
import { compareSteps, firstDifference, shortJson, wasCutFromOutside } from "./compare.ts";
import { conditionsOf } from "./conditions.ts";
import { recordedTools } from "./recorded-tools.ts";
import type { ReplayCondition, ReplayDifference, ReplayReport } from "./report.ts";

export type ReplayOptions = {
  readonly model: LanguageModel;
  /** Those that the program has now: a tool that has changed since is told. Default: none is compared. */
  readonly tools?: readonly Tool[] | undefined;
  /** The last step that is sampled again, counted from 1 over the whole thread. Default: all. */
  readonly until?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Ids as text, for what a difference shows. Default: as numbers. */
  readonly decode?: ((ids: readonly number[]) => string) | undefined;
  /** Told behind each step that was sampled again and is the same. */
  readonly onStep?: ((step: number, tokens: number) => void) | undefined;
};

/**
 * @param entries a whole log, or the beginning of one
 * @throws RunError with the code CHORALE_REPLAY where the log does not hold what the model read, or its ids are of
 *   another vocabulary; ThreadLogError for what is no log; the signal's reason
 */
export async function replayThread(
  entries: readonly LogEntry[],
  options: ReplayOptions,
): Promise<ReplayReport> {
  const { model, signal = new AbortController().signal } = options;
  const replay = new Replay(options, signal);
  try {
    for (const entry of entries) {
      signal.throwIfAborted();
      await replay.take(entry);
      if (replay.difference !== null || replay.isOver) break;
    }
    return replay.report(threadIdOf(entries));
  } finally {
    await model.release(replay.thread.id);
  }
}

class Replay {
  readonly thread: Thread = Thread.create({
    store: new MemoryThreadStore(),
    threadId: newThreadId(),
  });
  difference: ReplayDifference | null = null;
  readonly #options: ReplayOptions;
  readonly #signal: AbortSignal;
  readonly #conditions: ReplayCondition[] = [];
  #step = 0;
  #replayed = 0;
  #skipped = 0;
  #tokens = 0;
  #opening: readonly Message[] | null = null;
  #tools: DeclaredTools | null = null;

  constructor(options: ReplayOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  get isOver(): boolean {
    return this.#step >= (this.#options.until ?? Number.POSITIVE_INFINITY);
  }

  /** Holds an entry against what this version would do in its place. */
  async take(entry: LogEntry): Promise<void> {
    const { seq, at: _, ...record } = entry;
    switch (record.type) {
      case "thread":
      case "steered":
      case "titled":
        break;
      case "user":
        this.#beginTurn({ ...record, seq });
        break;
      case "sampled":
        await this.#takeStep(record, seq);
        return;
      default:
        this.#checkStep(record, seq);
    }
    if (this.difference === null) await this.thread.append(record as LogRecord);
  }

  report(threadId: string): ReplayReport {
    const { difference } = this;
    const conditions = this.#conditions;
    return {
      threadId,
      steps: this.#replayed,
      skipped: this.#skipped,
      tokens: this.#tokens,
      conditions,
      difference,
      isSame: difference === null && conditions.every(({ what }) => what === "version"),
    };
  }

  #beginTurn(turn: UserInput & { readonly seq: number }): void {
    const { model, tools = [] } = this.#options;
    this.#opening = turn.opening ?? this.#opening;
    this.#tools = recordedTools(turn.settings.tools, this.#opening ?? [], tools);
    if (this.#opening === null) return;
    for (const found of conditionsOf(turn, this.#opening, this.#tools, model, tools)) {
      const isKnown = this.#conditions.some(({ message }) => message === found.message);
      if (!isKnown) this.#conditions.push(found);
    }
  }

  async #takeStep(recorded: Sampled, seq: number): Promise<void> {
    this.#step++;
    const next = step(this.thread.state);
    if (next.type !== "sample") {
      this.#differ(seq, {
        what: "step",
        message: `Where the model was asked, this version would ${inWords(next)}.`,
        recorded: "a step of the model",
        replayed: inWords(next),
      });
      return;
    }
    const { model } = this.#options;
    if (recorded.vocabulary === null || recorded.finish === "failed") {
      this.#skipped++;
      await this.thread.append(recorded);
      return;
    }
    if (recorded.vocabulary !== model.vocabulary) {
      throw replayError(
        `step ${this.#step} has ids of another vocabulary (${recorded.vocabulary}) than the model ${model.name} ` +
          `(${model.vocabulary ?? "none"}); replay it with the model that it was recorded with.`,
      );
    }
    const replayed = await this.#sample(recorded, next.prefill);
    const decode = this.#options.decode ?? ((ids) => ids.join(" "));
    const found = compareSteps(recorded, replayed, decode);
    if (found !== null) {
      this.#differ(seq, found);
      return;
    }
    this.#replayed++;
    this.#tokens += recorded.ids.length;
    this.#options.onStep?.(this.#step, recorded.ids.length);
  }

  /** @returns the entry of the step; the thread goes on with the recorded one, which has the recorded times */
  async #sample(recorded: Sampled, prefill: "final" | null): Promise<Sampled> {
    const { thread } = this;
    const opening = this.#opening;
    if (opening === null || this.#tools === null) {
      throw replayError(
        "its log does not hold the system and developer message (it was written by an older version, or imported).",
      );
    }
    const signal = this.#signal;
    const attempt = await copyOf(thread);
    const run = {
      thread: attempt,
      model: replaying(this.#options.model, recorded, opening, thread.id),
      tools: this.#tools,
      validator: null,
      policy: null,
      approve: null,
      steering: () => null,
      userContext: undefined,
      signal,
      time: new TimeBudget(signal, null, 0),
      projection: new EventProjection(),
      clock: new RunClock(),
      emit: async () => {},
    };
    await sample(run, prefill);
    const [replayed] = await attempt.store.read(attempt.id, thread.state.length);
    await thread.append(recorded);
    return replayed as LogEntry & Sampled;
  }

  /** Of what follows from the log alone: whether this version lets the same follow. */
  #checkStep(record: LogRecord, seq: number): void {
    if (this.thread.state.turn === null) return;
    // A clock or a person may have ended the turn anywhere.
    if (record.type === "ended" && record.status !== "completed") return;
    if (record.type === "budget" && record.budget === "seconds") return;
    const next = step(this.thread.state);
    if (next.type === "record") {
      const place = firstDifference(withoutItem(record), withoutItem(next.record), record.type);
      if (place === null) return;
      this.#differ(seq, {
        what: "step",
        message: `This version lets another ${next.record.type} entry follow: ${place.path} differs.`,
        recorded: shortJson(place.one),
        replayed: shortJson(place.other),
      });
      return;
    }
    const isSampling = next.type === "sample";
    // `stopWhen` may end a turn where the model would be asked.
    if (!isSampling || record.type === "ended" || record.type === "budget") return;
    this.#differ(seq, {
      what: "step",
      message: `Where a ${record.type} entry was recorded, this version would ${inWords(next)}.`,
      recorded: shortJson(record),
      replayed: inWords(next),
    });
  }

  #differ(seq: number, found: Omit<ReplayDifference, "seq" | "step">): void {
    this.difference = { ...found, seq, step: Math.max(1, this.#step) };
  }
}

/** The thread as it is, for one step that is not kept. */
async function copyOf(thread: Thread): Promise<Thread> {
  const store = new MemoryThreadStore();
  const entries = await thread.entries();
  await store.append(thread.id, ...entries);
  return Thread.open(store, thread.id);
}

/** The model with the recorded opening, ending a step where the record's was ended from outside. */
function replaying(
  model: LanguageModel,
  recorded: Sampled,
  opening: readonly Message[],
  threadId: string,
): LanguageModel {
  const sampledTokens = recorded.usage.outputTokens;
  const change = (request: ModelRequest): ModelRequest => ({
    ...request,
    threadId,
    opening,
    maxTokens: wasCutFromOutside(recorded) ? sampledTokens : request.maxTokens,
    shouldPause: (sampled) =>
      recorded.finish === "paused" ? sampled.tokens >= sampledTokens : request.shouldPause(sampled),
  });
  return Object.assign(Object.create(model) as LanguageModel, {
    sample: (request: ModelRequest, onEvent: Parameters<LanguageModel["sample"]>[1]) =>
      model.sample(change(request), onEvent),
  });
}

function withoutItem(record: object): object {
  const { itemId: _, ...rest } = record as { readonly itemId?: string };
  return rest;
}

function inWords(next: Step): string {
  switch (next.type) {
    case "sample":
      return "ask the model";
    case "execute":
    case "ask":
    case "recover":
      return `${next.type} the call ${next.call.callId}`;
    case "return_calls":
      return "leave calls to the caller";
    case "record":
      return `record a ${next.record.type} entry`;
    case "finish":
      return "end the turn with its answer";
    case "fail":
      return `end the turn: ${next.error.message}`;
    case "idle":
      return "wait for input";
  }
}

function threadIdOf(entries: readonly LogEntry[]): string {
  const [first] = entries;
  return first?.type === "thread" ? first.threadId : "";
}

function replayError(why: string): RunError {
  return new RunError("CHORALE_REPLAY", `The thread cannot be replayed: ${why}`);
}
