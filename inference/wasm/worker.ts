/**
 * One thread of the engine. All threads get the same messages in the same order and run the same
 * steps; the leading one samples and reports. An exception here ends the thread, and with it the
 * engine: the main thread sees it and says so.
 */

import { parentPort, workerData } from "node:worker_threads";
import { forward } from "../model/forward.ts";
import { ThreadCache, ThreadModel } from "../model/step.ts";
import { sampleId } from "../sampler.ts";
import type { FromWorker, Outcome, Report, ToWorker, WorkerInit, WorkMessage } from "./messages.ts";
import { Cancelled, Team } from "./team.ts";

const { module, plan, memories, control, index } = workerData as WorkerInit;
const team = new Team(control, index, plan.threads);
const model = new ThreadModel(module, plan, memories, team);
const caches = new Map<number, ThreadCache>();

parentPort?.on("message", (message: ToWorker) => {
  if (message.type === "open") {
    caches.set(message.session, new ThreadCache(module, message.layout, message.memories));
  } else if (message.type === "close") {
    caches.delete(message.session);
  } else {
    const outcome = run(message);
    if (team.leads) post({ type: "ended", command: message.command, outcome });
  }
});
post({ type: "ready" });

function run(work: WorkMessage): Outcome {
  const cache = caches.get(work.session);
  if (cache === undefined) throw new Error(`there is no session ${work.session}`);
  team.begin(work.command);
  try {
    if (work.type === "prefill") prefill(work, cache);
    else if (work.type === "generate") generate(work, cache);
    else logits(work, cache);
    return "finished";
  } catch (error) {
    if (error instanceof Cancelled) return "cancelled";
    throw error;
  }
}

function prefill(work: WorkMessage & { type: "prefill" }, cache: ThreadCache): void {
  const { ids, start, command } = work;
  const chunk = plan.scratch.columns;
  for (let done = 0; done < ids.length; done += chunk) {
    const part = ids.slice(done, done + chunk);
    forward(model, cache, start + done, part, "none", () => {});
    report(command, { type: "progress", done: done + part.length });
  }
}

function generate(work: WorkMessage & { type: "generate" }, cache: ThreadCache): void {
  const ids = new Int32Array([work.last]);
  for (let count = 0; count < work.maxTokens; count++) {
    const position = work.start + count;
    const banned = count === 0 ? work.bannedFirstIds : [];
    forward(model, cache, position, ids, "last", (_, values) => {
      const id = sampleId(values, plan.config.vocab, work.sampling, position + 1, banned);
      team.share(id);
      report(work.command, { type: "token", id });
    });
    ids[0] = team.shared;
    if (work.stopIds.has(team.shared)) return;
  }
}

function logits(work: WorkMessage & { type: "logits" }, cache: ThreadCache): void {
  const chunk = Math.min(work.chunk, plan.scratch.columns);
  for (let done = 0; done < work.ids.length; done += chunk) {
    const part = work.ids.slice(done, done + chunk);
    forward(model, cache, work.start + done, part, "all", (_, values) => {
      report(work.command, { type: "logits", logits: Float32Array.from(values) });
    });
  }
}

function report(command: number, content: Report): void {
  if (team.leads) post({ type: "report", command, report: content });
}

function post(message: FromWorker): void {
  parentPort?.postMessage(message);
}
