/** One attempt at a job: its conversation begins or goes on, by the same loop as any other. */
import { codeOf, InterruptedError, isForeseen, messageOf } from "../errors.ts";
import type { DeniedCall } from "../events.ts";
import {
  type Agent,
  annotationsOf,
  conversationOf,
  type Denial,
  fold,
  type LogEntry,
  type RunInput,
  type RunOverrides,
  Thread,
  type ThreadStore,
} from "../index.ts";
import type { Claim, Ending } from "./claims.ts";
import type { Job, JobFailure, JobProgress, JobResult } from "./job.ts";
import { artifactsOf, JobFiles, type JobOutputs, lostFile } from "./job-files.ts";
import { JobLog } from "./job-log.ts";
import { LONGEST_ATTEMPT_MS } from "./submission.ts";
import { isWorthRetry } from "./verdict.ts";

/** What a job is run with; disposed of behind the attempt. */
export type JobPlace = AsyncDisposable & {
  readonly agent: Agent;
  readonly overrides?: Omit<RunOverrides, "signal" | "untrusted"> | undefined;
  /** Where files that its tools make are kept. Default: they stay on this machine, and the job does not name them. */
  readonly outputs?: JobOutputs | undefined;
};

export type OpenPlace = (job: Job) => Promise<JobPlace>;

export type Attempt =
  | { readonly is: "ended"; readonly ending: Ending }
  /** It failed in a way that may pass. */
  | { readonly is: "passing"; readonly error: JobFailure }
  /** The worker stops; the conversation stays as it is. */
  | { readonly is: "given back" }
  /** Another worker has the job. */
  | { readonly is: "lost" };

/** How long a call that is at work may take when the worker stops. */
const DRAIN_MS = 10_000;

/** What the model is asked. */
export type JobInput = { readonly input: RunInput; readonly untrusted: readonly string[] };

/** Of a batch the input is made of the answers of its jobs. */
export type InputOf = (job: Job) => Promise<JobInput>;

export class RunningJob {
  readonly claim: Claim;
  readonly #log: JobLog;
  readonly #files: JobFiles;
  readonly #abort = new AbortController();
  #thread: Thread | null = null;
  #ended: Attempt | null = null;
  #why: "cancel" | "stop" | "lost" | null = null;

  /** @param store the store for this hold of the job alone */
  constructor(claim: Claim, store: ThreadStore) {
    this.claim = claim;
    const { job } = claim;
    const isLast = job.attempt >= job.attempts;
    this.#files = new JobFiles({ jobId: job.id, hold: claim.token });
    this.#log = new JobLog(
      store,
      this.#files,
      ({ status, error }) =>
        status === "failed" && !isLast && isWorthRetry(error?.code ?? "CHORALE_UNKNOWN"),
    );
  }

  get progress(): JobProgress | null {
    const state = this.#thread?.state;
    if (state?.turn == null) return null;
    const { steps, use } = state.turn;
    return { steps, calls: use.toolCalls, outputTokens: state.usage.output_tokens };
  }

  /** The job is no longer wanted: its turn ends as cancelled. */
  cancel(): void {
    if (this.#why !== null) return;
    this.#why = "cancel";
    this.#abort.abort(new InterruptedError("caller"));
  }

  /** Another worker has it, or may have it: nothing more is written. */
  lose(): void {
    this.#why = "lost";
    this.#log.freeze();
    this.#abort.abort(new InterruptedError("caller"));
  }

  /** The worker stops: a call that is at work may end, and nothing new begins. */
  async giveBack(): Promise<void> {
    if (this.#why !== null) return;
    this.#why = "stop";
    const timer = setTimeout(() => this.#log.freeze(), DRAIN_MS);
    await this.#log.drain();
    clearTimeout(timer);
    this.#abort.abort(new InterruptedError("caller"));
  }

  /** Never throws. */
  async run(open: OpenPlace, inputOf: InputOf): Promise<Attempt> {
    try {
      return await this.#attempt(open, inputOf);
    } catch (error) {
      return this.#ended ?? this.#failed(error);
    }
  }

  async #attempt(open: OpenPlace, inputOf: InputOf): Promise<Attempt> {
    const { job, turn, wantsCancel } = this.claim;
    const { threadId } = job;
    const before = await this.#log.read(threadId);
    const turns = before.filter(({ type }) => type === "user").length;
    // Its worker ended between the end of the turn and that of the job.
    const known = turns >= turn ? endingOfLog(before, wantsCancel) : null;
    if (known !== null) return { is: "ended", ending: known };
    const thread =
      before.length === 0
        ? Thread.create({ store: this.#log, threadId })
        : await Thread.open(this.#log, threadId);
    this.#thread = thread;
    if (wantsCancel) this.cancel();
    await using place = await open(job);
    this.#files.keepTo(place.outputs);
    const isOpen = thread.state.turn !== null;
    const given = isOpen ? null : turns === 0 ? await inputOf(job) : goOn(before);
    const timer = setTimeout(
      () => this.#abort.abort(new InterruptedError("timeout")),
      job.timeoutMs ?? LONGEST_ATTEMPT_MS,
    );
    try {
      const run = place.agent.run(thread, given?.input, {
        ...place.overrides,
        untrusted: given?.untrusted ?? [],
        signal: this.#abort.signal,
      });
      const result = await run.result;
      if (result.status === "pending") {
        return failed({
          message: "The run waits for its caller, and a job has none.",
          code: "CHORALE_APPROVAL_DENIED",
        });
      }
      if (this.#log.isFrozen) return this.#failed(result.error);
      const ending = endingOfLog(await this.#log.read(threadId), this.#why === "cancel");
      if (ending === null) return this.#failed(result.error);
      // That closing fails does not undo the turn.
      this.#ended = { is: "ended", ending };
      return this.#ended;
    } finally {
      clearTimeout(timer);
    }
  }

  #failed(error: unknown): Attempt {
    if (this.#why === "lost" || codeOf(error) === "CHORALE_THREAD_FENCED") return { is: "lost" };
    if (this.#why === "stop") return { is: "given back" };
    if (this.#why === "cancel") return cancelled();
    if (this.#log.heldBack !== null) return { is: "passing", error: this.#log.heldBack };
    const facts = factsOf(error);
    const { attempt, attempts } = this.claim.job;
    if (isWorthRetry(error) && attempt < attempts) return { is: "passing", error: facts };
    return failed(facts);
  }
}

const NOTHING = { result: null, error: null, artifacts: [], progress: null } as const;

function factsOf(error: unknown): JobFailure {
  const code = codeOf(error);
  const said = messageOf(error);
  // What was not foreseen may say anything, and of any length.
  const message = isForeseen(error) ? said : said.slice(0, 2_000);
  return { message, ...(code !== undefined && { code }) };
}

function failed(error: JobFailure): Attempt {
  return { is: "ended", ending: { ...NOTHING, event: "fail", error } };
}

function cancelled(): Attempt {
  return { is: "ended", ending: { ...NOTHING, event: "cancel" } };
}

/** A further turn behind one that came to no answer. */
function goOn(before: readonly LogEntry[]): JobInput {
  const ended = before.findLast((entry) => entry.type === "ended");
  const why = ended?.error?.message ?? "It was stopped.";
  return {
    input: `Go on with the task. The last attempt at it ended without an answer: ${why}`,
    untrusted: [],
  };
}

/**
 * What the last turn of a log came to; null while it is open, or before there is one.
 * @param isCancelled the job is not wanted any more; else a turn that was stopped had used up its time
 */
function endingOfLog(entries: readonly LogEntry[], isCancelled: boolean): Ending | null {
  const last = entries.findLast(({ type }) => type !== "titled");
  if (last?.type !== "ended") return null;
  const { status, output, partial, error, denied, timing } = last;
  const state = fold(entries);
  const isVerified = conversationOf(entries).at(-1)?.verifiesCitations ?? false;
  const annotations = output === null ? [] : annotationsOf(output, state, isVerified);
  const result: JobResult = {
    status,
    output,
    ...(annotations.length > 0 && { annotations }),
    ...(partial !== undefined && { partialOutput: partial }),
    ...(denied !== undefined && { deniedCall: deniedCall(denied) }),
    usage: state.usage,
    timing,
  };
  const isWanted = status !== "cancelled" || !isCancelled;
  const event = status === "completed" ? "complete" : isWanted ? "fail" : "cancel";
  const kept = { result, artifacts: artifactsOf(entries), progress: progressOf(entries) };
  // A job has failed of which a file is lost; its answer stays.
  const lost = event === "complete" ? lostFile(entries) : null;
  return lost === null ? { ...kept, event, error } : { ...kept, event: "fail", error: lost };
}

/** Of all turns. */
function progressOf(entries: readonly LogEntry[]): JobProgress {
  const sampled = entries.filter((entry) => entry.type === "sampled");
  return {
    steps: sampled.length,
    calls: entries.filter(({ type }) => type === "call").length,
    outputTokens: sampled.reduce((sum, { usage }) => sum + usage.outputTokens, 0),
  };
}

function deniedCall({ callId, tool, rule, reason }: Denial): DeniedCall {
  return { call_id: callId, tool, rule, ...(reason !== undefined && { reason }) };
}
