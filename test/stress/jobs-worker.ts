/**
 * A worker in a process of its own, which may be killed or stopped at any moment:
 * `node jobs-worker.ts URL EFFECTS CONCURRENCY PACE LEASE`. The model does what the prompt of a job says: it calls a tool
 * CALLS times and then answers with what the tool said.
 */
import { setTimeout as wait } from "node:timers/promises";
import { Agent, ScriptedModel, type ScriptedStep } from "../../runtime/index.ts";
import { openJobs } from "../../runtime/jobs/index.ts";
import { defineTool, type Tool } from "../../tools/index.ts";
import { JobEffects } from "./job-effects.ts";
import { CALLS, readPrompt } from "./job-prompt.ts";

const [url = "", path = "", concurrency = "", pace = "", lease = ""] = process.argv.slice(2);
const effects = new JobEffects(path);
const stop = new AbortController();
process.on("SIGTERM", () => stop.abort());

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

const tools = [tool(true), tool(false)];
await using jobs = await openJobs(url, { leaseSeconds: Number(lease) });
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
