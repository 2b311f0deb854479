/**
 * A worker in a process of its own, which may be killed or stopped at any moment:
 * `node jobs-worker.ts URL EFFECTS CONCURRENCY PACE LEASE`. The model does what the prompt of a job says: it calls a tool
 * CALLS times and then answers with what the tool said.
 */
import { setTimeout as wait } from "node:timers/promises";
import { codeOf } from "../../runtime/errors.ts";
import { Agent, ScriptedModel, type ScriptedStep } from "../../runtime/index.ts";
import { type Jobs, openJobs } from "../../runtime/jobs/index.ts";
import { defineTool, type Tool } from "../../tools/index.ts";
import { JobEffects } from "./job-effects.ts";
import { CALLS, readPrompt } from "./job-prompt.ts";

const [url = "", path = "", concurrency = "", pace = "", lease = ""] = process.argv.slice(2);
const effects = new JobEffects(path);
const stop = new AbortController();
process.on("SIGTERM", () => stop.abort());
// The one that started it is gone.
process.stdin.on("end", () => process.exit(1)).resume();
process.stdin.unref();

/** Half of the time before the effect and half behind it, so that a kill may meet both. */
function tool(isKeyed: boolean): Tool {
  return defineTool({
    name: isKeyed ? "keyed" : "unkeyed",
    description: "Leaves a row.",
    inputSchema: { type: "object", properties: { job: { type: "integer" } }, required: ["job"] },
    annotations: { idempotentHint: isKeyed },
    async execute({ job }, { idempotencyKey }) {
      await wait(Math.random() * Number(pace));
      effects.add(idempotencyKey, Number(job), isKeyed);
      await wait(Math.random() * Number(pace));
      return `row of ${String(job)}`;
    },
  });
}

const step: ScriptedStep = ({ transcript }) => {
  const texts = transcript.map(({ message }) =>
    message.content.map((part) => (part.type === "text" ? part.text : "")).join(""),
  );
  const prompt = transcript.findIndex(({ message }) => message.role === "user");
  const { kind, job } = readPrompt(texts[prompt] ?? "");
  const results = transcript.flatMap(({ message }, at) =>
    message.role === "tool" ? [texts[at] ?? ""] : [],
  );
  return results.length < CALLS
    ? [{ recipient: `functions.${kind}`, text: JSON.stringify({ job }), terminator: "call" }]
    : results.join(", ");
};

/** Again until the database is there: what starts a worker that ended does the same. */
async function opened(): Promise<Jobs> {
  for (;;) {
    try {
      return await openJobs(url, { leaseSeconds: Number(lease) });
    } catch (error) {
      if (codeOf(error) !== "CHORALE_JOBS_DATABASE") throw error;
      await wait(200);
    }
  }
}

const tools = [tool(true), tool(false)];
await using jobs = await opened();
await jobs.work({
  concurrency: Number(concurrency),
  signal: stop.signal,
  open: async () => {
    const model = new ScriptedModel(Array.from({ length: CALLS + 1 }, () => step));
    return { agent: new Agent({ model, tools }), [Symbol.asyncDispose]: async () => {} };
  },
  onEvent: (event) => {
    const { type } = event;
    console.log(JSON.stringify(type === "problem" ? event : { ...event, job: event.job.id }));
  },
});
