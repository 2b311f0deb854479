/**
 * Jobs whose workers are killed, stopped and cut off from the database, which itself ends and starts again. What must hold:
 * each job ends exactly once; it has the answer of a job that nothing disturbed, or says which call may not be
 * repeated; an effect with a key is there once, and no call that may not be repeated is executed twice.
 */
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Client } from "pg";
import { fold, PostgresThreadStore } from "../../runtime/index.ts";
import { type Job, type Jobs, openJobs } from "../../runtime/jobs/index.ts";
import { randomNumbers } from "../fixtures/random-numbers.ts";
import { LoopbackProxy } from "../postgres/proxy.ts";
import { type Halt, startPostgres, type TestPostgres } from "../postgres/start-postgres.ts";
import { JobEffects } from "./job-effects.ts";
import { answerOf, CALLS, type JobKind, promptOf } from "./job-prompt.ts";
import { type EventCounts, JobWorkers } from "./job-workers.ts";

export type StressJobsOptions = {
  readonly jobs: number;
  readonly workers: number;
  readonly kills: number;
  readonly restarts: number;
  /** Times that a worker is cut off, or stopped, for longer than its lease. */
  readonly partitions: number;
  /** Times that all leases run out at once, as when all workers are cut off. */
  readonly expiries: number;
  /** The lease of a worker that was killed runs out at once, so that a short run need not wait for it. */
  readonly skipsLeases?: boolean;
  readonly paceMs: number;
  readonly concurrency: number;
  readonly seed: number;
  /** What is committed is on the disk. */
  readonly isDurable: boolean;
  readonly folder: string;
  readonly onProgress?: (ended: number) => void;
};

export type StressJobsReport = {
  readonly jobs: number;
  readonly completed: number;
  /** Jobs that failed since a call may not be repeated and its outcome is unknown. */
  readonly unknownOutcomes: number;
  readonly kills: number;
  readonly restarts: number;
  readonly partitions: number;
  readonly expiries: number;
  /** Jobs that more than one worker had. */
  readonly takenOver: number;
  readonly executions: number;
  /** Executions of a call with a key behind its first. */
  readonly repeated: number;
  readonly effects: number;
  readonly events: EventCounts;
  readonly problems: readonly string[];
};

const LEASE_SECONDS = 10;
/** Longer than a lease and than the time in which lost workers are looked for. */
const PARTITION_MS = 20_000;
/** A job is tried again for every worker that is lost. */
const ATTEMPTS = 50;
const MAX_PROBLEMS = 20;
const HALTS: readonly Halt[] = ["killed", "immediate", "orderly"];
/** Each end of a job, as the database sees it. */
const AUDIT = `
  CREATE TABLE job_endings (id text NOT NULL, state text NOT NULL);
  CREATE FUNCTION note_ending() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO job_endings VALUES (NEW.id, NEW.state); RETURN NULL; END $$;
  CREATE TRIGGER note_ending AFTER UPDATE OF state ON chorale.jobs FOR EACH ROW
    WHEN (NEW.state IN ('completed', 'failed', 'cancelled')) EXECUTE FUNCTION note_ending();`;
const EXPIRE =
  "UPDATE chorale_queue.job SET heartbeat_on = heartbeat_on - interval '1 hour' WHERE state = 'active'; " +
  "UPDATE chorale.jobs SET heartbeat_at = heartbeat_at - interval '1 hour' WHERE state = 'active'";

export async function stressJobs(options: StressJobsOptions): Promise<StressJobsReport> {
  await using postgres = await startPostgres({ isDurable: options.isDurable });
  const url = await postgres.newDatabase();
  await using proxy = await LoopbackProxy.open(url);
  const kinds = new Map<string, { readonly kind: JobKind; readonly job: number }>();
  await using jobs = await openJobs(url, { leaseSeconds: LEASE_SECONDS });
  await execute(url, AUDIT);
  for (let job = 0; job < options.jobs; job++) {
    const kind = job % 2 === 0 ? "keyed" : "unkeyed";
    const { id } = await jobs.submit({
      prompt: promptOf(kind, job),
      attempts: ATTEMPTS,
      retryDelaySeconds: 1,
      key: `job ${job}`,
    });
    kinds.set(id, { kind, job });
  }
  const path = join(options.folder, "effects.sqlite");
  using effects = new JobEffects(path);
  await using workers = new JobWorkers(
    Array.from({ length: options.workers }, (_, at) => (at === 0 ? proxy.url : url)),
    { effects: path, leaseSeconds: LEASE_SECONDS, ...options },
  );
  const scene = { postgres, proxy, workers, url, random: randomNumbers(options.seed) };
  const done = await disturb(scene, options);
  const statuses = await workers.end();
  const problems = [
    ...workers.complaints,
    ...statuses.map((status) => `a worker ended with ${status}`),
    ...(await wrongJobs({ jobs, url, kinds, effects })),
  ].slice(0, MAX_PROBLEMS);
  const all = await Promise.all([...kinds.keys()].map((id) => jobs.get(id)));
  const executions = [...effects.executions().values()];
  const total = executions.reduce((sum, count) => sum + count, 0);
  return {
    jobs: all.length,
    completed: all.filter(({ state }) => state === "completed").length,
    unknownOutcomes: all.filter(isUnknown).length,
    ...done,
    takenOver: all.filter(({ attempt }) => attempt > 1).length,
    executions: total,
    repeated: total - executions.length,
    effects: [...effects.effects().values()].reduce((sum, count) => sum + count, 0),
    events: workers.events,
    problems,
  };
}

type Scene = {
  readonly postgres: TestPostgres;
  readonly proxy: LoopbackProxy;
  readonly workers: JobWorkers;
  readonly url: string;
  readonly random: () => number;
};

type Done = Record<"kills" | "restarts" | "partitions" | "expiries", number>;

/** Works through the disturbances, each when a part of the jobs has ended, until all jobs have. */
async function disturb(scene: Scene, options: StressJobsOptions): Promise<Done> {
  const { random } = scene;
  const done: Done = { kills: 0, restarts: 0, partitions: 0, expiries: 0 };
  const plan = (Object.keys(done) as (keyof Done)[])
    .flatMap((kind) => Array.from({ length: options[kind] }, () => ({ kind, at: 0.9 * random() })))
    .sort((a, b) => a.at - b.at);
  const under: Promise<void>[] = [];
  const until = performance.now() + LONGEST_MS;
  for (;;) {
    const ended = await endedJobs(scene.url);
    options.onProgress?.(ended ?? 0);
    while (plan[0] !== undefined && ended !== null && plan[0].at * options.jobs <= ended) {
      const { kind } = plan.shift() ?? plan[0];
      const number = done[kind]++;
      if (kind === "partitions") under.push(partition(scene, number));
      else await DISTURBANCES[kind](scene, number, options);
    }
    if (ended === options.jobs || performance.now() > until) break;
    await wait(50);
  }
  await Promise.all(under);
  return done;
}

const LONGEST_MS = 30 * 60_000;

const DISTURBANCES = {
  async kills(
    { workers, random, url }: Scene,
    _: number,
    { workers: count, skipsLeases }: StressJobsOptions,
  ): Promise<void> {
    await wait(random() * 200);
    // Also while it starts.
    await workers.kill(Math.floor(random() * count));
    if (skipsLeases === true) await execute(url, EXPIRE);
  },
  async restarts({ postgres, random }: Scene, number: number): Promise<void> {
    await postgres.halt(HALTS[number % HALTS.length] ?? "killed");
    await wait(random() * 2_000);
    await postgres.resume();
  },
  async expiries({ url }: Scene): Promise<void> {
    await execute(url, EXPIRE);
  },
};

/** Cuts the first worker off from the database, or stops the second, for longer than a lease. */
async function partition({ proxy, workers }: Scene, number: number): Promise<void> {
  if (number % 2 === 0) proxy.hold();
  else workers.stop(1);
  await wait(PARTITION_MS);
  if (number % 2 === 0) proxy.release();
  else workers.goOn(1);
}

/** Null while the database is away. */
async function endedJobs(url: string): Promise<number | null> {
  try {
    const [row] = await execute(
      url,
      "SELECT count(*)::int AS n FROM chorale.jobs WHERE state IN ('completed', 'failed', 'cancelled')",
    );
    return Number(row?.["n"]);
  } catch {
    return null;
  }
}

async function execute(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end().catch(() => {});
  }
}

type Traces = {
  readonly jobs: Jobs;
  readonly url: string;
  readonly kinds: ReadonlyMap<string, { readonly kind: JobKind; readonly job: number }>;
  readonly effects: JobEffects;
};

const isUnknown = ({ state, error }: Job): boolean =>
  state === "failed" && error?.code === "CHORALE_UNKNOWN_OUTCOME";

/** Sentences on what must hold and does not. */
async function wrongJobs({ jobs, url, kinds, effects }: Traces): Promise<readonly string[]> {
  const problems: string[] = [];
  await using store = await PostgresThreadStore.open(url);
  const endings = new Map<string, number>();
  for (const row of await execute(url, "SELECT id FROM job_endings")) {
    const id = String(row["id"]);
    endings.set(id, (endings.get(id) ?? 0) + 1);
  }
  const executions = effects.executions();
  const made = effects.effects();
  const logged = new Set<string>();
  for (const [id, { kind, job: number }] of kinds) {
    const job = await jobs.get(id);
    const entries = await store.read(job.threadId);
    const isOpen = entries.length > 0 && fold(entries).turn !== null;
    const say = (what: string): number => problems.push(`${id} (${kind} ${number}): ${what}`);
    if (endings.get(id) !== 1) say(`it ended ${endings.get(id) ?? 0} times, in state ${job.state}`);
    const turnEnds = entries.filter(({ type }) => type === "ended").length;
    if (job.state === "completed") {
      if (job.result?.output !== answerOf(number)) say(`it answers ${job.result?.output}`);
      if (made.get(number) !== CALLS) say(`it has ${made.get(number) ?? 0} effects`);
      if (turnEnds !== 1 || isOpen) say(`its log has ${turnEnds} ends`);
    } else if (kind === "keyed" || !isUnknown(job)) {
      say(`it is ${job.state}: ${job.error?.message ?? "no error"}`);
    } else if (
      !job.error?.message.includes(`functions.unkeyed was executed with {"job":${number}}`)
    ) {
      say(`it does not say which call is unknown: ${job.error?.message}`);
    }
    for (const entry of entries) {
      if (entry.type !== "call") continue;
      logged.add(entry.idempotencyKey);
      const count = executions.get(entry.idempotencyKey) ?? 0;
      if (kind === "unkeyed" && count > 1)
        say(`${entry.idempotencyKey} was executed ${count} times`);
    }
  }
  for (const key of executions.keys()) {
    if (!logged.has(key)) problems.push(`${key} was executed and is not in a log`);
  }
  return problems;
}
