/**
 * `bench jobs [--jobs N] [--queued N] [--rounds N] [--memory 1]`: what the queue adds to a job on an idle worker (from the
 * submission to the first step of its model, and from its last step to the end of the job), and how long listings
 * of many queued jobs take. Beside them, one committed row in the same database. `--memory 1` does not wait for the
 * disk.
 */
import { EventEmitter, once } from "node:events";
import { parseArgs } from "node:util";
import { Client } from "pg";
import { Agent, ScriptedModel } from "../../runtime/index.ts";
import { openJobs } from "../../runtime/jobs/index.ts";
import { startPostgres } from "../postgres/start-postgres.ts";
import type { Bench } from "./bench.ts";
import { median, rounded } from "./median.ts";

export const bench: Bench = async (args) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      jobs: { type: "string", default: "200" },
      queued: { type: "string", default: "10000" },
      rounds: { type: "string", default: "30" },
      memory: { type: "string", default: "0" },
    },
  });
  await using postgres = await startPostgres({ isDurable: values.memory === "0" });
  const url = await postgres.newDatabase();
  const commits = await commitTimes(url, Number(values.jobs));
  const overhead = await queueTimes(url, Number(values.jobs));
  const listings = await listingTimes(url, Number(values.queued), Number(values.rounds));
  return { commit: figures(commits), ...overhead, queued: Number(values.queued), ...listings };
};

const figures = (times: readonly number[]): object => ({
  median_ms: median(times),
  p95_ms: rounded([...times].sort((a, b) => a - b)[Math.floor(0.95 * times.length)] ?? 0),
});

/** One row, committed by itself. */
async function commitTimes(url: string, count: number): Promise<readonly number[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query("CREATE TABLE rows (at timestamptz DEFAULT now())");
  const times: number[] = [];
  for (let at = 0; at < count; at++) {
    times.push(await timed(() => client.query("INSERT INTO rows DEFAULT VALUES")));
  }
  await client.end();
  return times;
}

/** One job after the other, on a worker that waits. */
async function queueTimes(url: string, count: number): Promise<Record<string, object>> {
  await using jobs = await openJobs(url);
  await using elsewhere = await openJobs(url);
  const heard = new EventEmitter<{ step: [number]; ended: [number] }>();
  const stop = new AbortController();
  const model = (): ScriptedModel =>
    new ScriptedModel([
      () => {
        heard.emit("step", performance.now());
        return "Done.";
      },
    ]);
  const worker = elsewhere.work({
    signal: stop.signal,
    open: async () => ({
      agent: new Agent({ model: model() }),
      [Symbol.asyncDispose]: async () => {},
    }),
    onEvent: ({ type }) => {
      if (type === "job.ended") heard.emit("ended", performance.now());
    },
  });
  const [submit, begin, end]: [number[], number[], number[]] = [[], [], []];
  for (let job = 0; job < count + WARM_UP; job++) {
    const [step, ended] = [once(heard, "step"), once(heard, "ended")];
    const startedAt = performance.now();
    await jobs.submit({ prompt: `Job ${job}` });
    const submittedAt = performance.now();
    const [[steppedAt], [endedAt]] = (await Promise.all([step, ended])) as [[number], [number]];
    if (job < WARM_UP) continue;
    submit.push(submittedAt - startedAt);
    // A worker may have it before the submission says so.
    begin.push(Math.max(0, steppedAt - submittedAt));
    end.push(endedAt - steppedAt);
    if (job % 50 === 0) console.error(`${job} jobs`);
  }
  stop.abort();
  await worker;
  return {
    submit: figures(submit),
    submit_to_first_step: figures(begin),
    last_step_to_recorded: figures(end),
  };
}

const WARM_UP = 5;

async function listingTimes(
  url: string,
  count: number,
  rounds: number,
): Promise<Record<string, object>> {
  await using jobs = await openJobs(url);
  const batch = Array.from({ length: count }, (_, at) => ({ prompt: `Job ${at}` }));
  await jobs.submitBatch({ jobs: batch });
  const [page, all, counts]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < rounds; round++) {
    page.push(await timed(() => jobs.list({ states: ["queued"] })));
    counts.push(await timed(() => jobs.counts()));
    all.push(
      await timed(async () => {
        let after: string | undefined;
        do {
          const found = await jobs.list({ states: ["queued"], limit: 1000, after });
          after = found.next ?? undefined;
        } while (after !== undefined);
      }),
    );
  }
  return { list_page: figures(page), list_all: figures(all), counts: figures(counts) };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
