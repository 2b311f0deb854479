/**
 * One thread of the engine. All threads get the same messages in the same order and run the same
 * steps; the leading one samples and reports. An exception here ends the thread, and with it the
 * engine: the main thread sees it and says so.
 */

import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { attachWeights } from "../checkpoint/weight-source.ts";
import { decode, type WorkerSession } from "../decoding/decode.ts";
import { Drafter } from "../decoding/drafter.ts";
import { PassTimes } from "../decoding/pass-times.ts";
import { SharedDecodeState } from "../decoding/shared-decode-state.ts";
import { CheckpointError } from "../errors.ts";
import { forward } from "../model/forward.ts";
import { ThreadModel } from "../model/step.ts";
import { loadShare } from "../model/unit-loader.ts";
import { announcedMessages, Cancelled, requestCancel, Team, waitForMessage } from "../wasm/team.ts";
import type { FromWorker, Outcome, Report, ToWorker, WorkerInit, WorkMessage } from "./messages.ts";
import { Profile } from "./profile.ts";
import { ReportBatcher } from "./report-batcher.ts";

const { module, plan, memories, kv, control, paging, index } = workerData as WorkerInit;
const team = new Team(control, index, plan.threads, runOthers);
const models = ThreadModel.create(module, plan, memories, kv, team);
const [model] = models;
const profile = new Profile();
if ((workerData as WorkerInit).profile === true && team.leads) {
  for (const bank of [...model.banks, ...model.kv.banks]) profile.watch(bank);
  profile.watchBarriers(team);
}
const sessions = new Map<number, WorkerSession>();
const passTimes = new PassTimes();
const batcher = new ReportBatcher(post);
/** The command that was begun last and has not ended. */
let running = 0;

parentPort?.on("message", take);
post({ type: "ready" });

function take(message: ToWorker): void {
  if (message.type === "open") {
    const { session, timeline, pageTable } = message;
    sessions.set(session, { timeline, pageTable, drafter: new Drafter(passTimes) });
  } else if (message.type === "close") {
    sessions.delete(message.session);
  } else if (message.type !== "resume") {
    running = message.command;
    const outcome = run(message);
    batcher.flush(message.command);
    if (team.leads) post({ type: "ended", command: message.command, outcome });
  }
}

/** The command that runs was interrupted: does what the main thread wants in between. */
function runOthers(): void {
  const interrupted = running;
  batcher.flush(interrupted);
  if (team.leads) post({ type: "paused", command: interrupted });
  for (;;) {
    const seen = announcedMessages(control);
    const received = parentPort === null ? undefined : receiveMessageOnPort(parentPort);
    if (received === undefined) {
      waitForMessage(control, seen);
      continue;
    }
    const message: ToWorker = received.message;
    if (message.type === "resume") break;
    take(message);
  }
  running = interrupted;
}

function run(work: WorkMessage): Outcome {
  team.begin(work.command, work.depth);
  const model = models[work.scratch]!;
  try {
    if (work.type === "load") load(work);
    else if (work.type === "prefill") prefill(model, work, sessionOf(work));
    else if (work.type === "profile") {
      report(work.command, { type: "profile", times: profile.take() });
    } else if (work.type === "logits") logits(work, sessionOf(work));
    else {
      const { sequences, shared, steps, command } = work;
      // A matcher is told of each id before the next one is sampled.
      const mayWait = sequences.every(({ masks }) => masks === undefined);
      const state = new SharedDecodeState(shared);
      decode(model, sequences, sessionOf, state, passTimes, steps, (content) =>
        batcher.add(command, content, mayWait && content.type === "token"),
      );
    }
    return "finished";
  } catch (error) {
    if (error instanceof CheckpointError) return fail(work, error);
    if (error instanceof Cancelled) return "cancelled";
    throw error;
  }
}

/** @throws Error for a session that was not opened, which ends this thread */
function sessionOf({ session }: { readonly session: number }): WorkerSession {
  const found = sessions.get(session);
  if (found === undefined) throw new Error(`there is no session ${session}`);
  return found;
}

/** Says what is wrong with the files, and leaves the command together with the other threads. */
function fail({ command, depth }: WorkMessage, { path, problem, item }: CheckpointError): Outcome {
  post({ type: "failed", command, failure: { path, problem, item } });
  requestCancel(control, command, depth);
  try {
    team.barrier();
  } catch (error) {
    if (!(error instanceof Cancelled)) throw error;
  }
  return "cancelled";
}

function load(work: WorkMessage & { type: "load" }): void {
  const { command } = work;
  loadShare(model, attachWeights(work.source), work.next, paging, (unit) => {
    batcher.add(command, { type: "loaded", unit });
  });
  team.barrier();
}

function prefill(
  model: ThreadModel,
  work: WorkMessage & { type: "prefill" },
  session: WorkerSession,
): void {
  const { ids, start, command } = work;
  const chunk = model.plan.scratch.columns;
  for (let done = 0; done < ids.length; done += chunk) {
    const part = ids.slice(done, done + chunk);
    const segment = { pageTable: session.pageTable, start: start + done, ids: part };
    forward(model, [segment], "none", () => true);
    report(command, { type: "progress", done: done + part.length });
  }
}

function logits(work: WorkMessage & { type: "logits" }, session: WorkerSession): void {
  const chunk = Math.min(work.chunk, plan.scratch.columns);
  for (let done = 0; done < work.ids.length; done += chunk) {
    const part = work.ids.slice(done, done + chunk);
    const segment = { pageTable: session.pageTable, start: work.start + done, ids: part };
    forward(model, [segment], "all", (_, row) => {
      report(work.command, { type: "logits", logits: Float32Array.from(row.logits.values) });
      return true;
    });
  }
}

function report(command: number, content: Report): void {
  if (team.leads) batcher.add(command, content);
}

function post(message: FromWorker): void {
  parentPort?.postMessage(message);
}
