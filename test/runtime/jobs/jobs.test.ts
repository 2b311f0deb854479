/** Jobs on a real Postgres, with workers of this process and models that say what the test wants. */
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RemoteEngineError } from "../../../inference/index.ts";
import {
  Agent,
  InvalidOutputError,
  ScriptedModel,
  type ScriptedStep,
  type Tool,
} from "../../../runtime/index.ts";
import {
  type JobPlace,
  type Jobs,
  openJobs,
  type WorkerEvent,
  type WorkOptions,
} from "../../../runtime/jobs/index.ts";
import { defineTool } from "../../../tools/index.ts";
import { startPostgres, type TestPostgres } from "../../postgres/start-postgres.ts";

let postgres: TestPostgres;
let url: string;
let jobs: Jobs;
beforeAll(async () => {
  postgres = await startPostgres();
  url = await postgres.newDatabase();
  jobs = await openJobs(url);
});
afterAll(async () => {
  await jobs?.close();
  await postgres?.stop();
});
beforeEach(async () => {
  for (const { id } of (await jobs.list({ limit: 1000 })).jobs) await jobs.cancel(id);
  await jobs.purge({ before: new Date(Date.now() + 60_000) });
  expect(await jobs.counts()).toEqual({});
});

/** What a job is run with: the steps that its model says, and tools. */
function place(steps: readonly ScriptedStep[], tools: readonly Tool[] = []): JobPlace {
  const agent = new Agent({ model: new ScriptedModel(steps), tools });
  return { agent, [Symbol.asyncDispose]: async () => {} };
}

async function work(
  open: WorkOptions["open"],
  options: Partial<WorkOptions> = {},
): Promise<readonly WorkerEvent[]> {
  const events: WorkerEvent[] = [];
  await jobs.work({
    open,
    once: true,
    ...options,
    onEvent: (event) => {
      events.push(event);
      options.onEvent?.(event);
    },
  });
  return events;
}

async function sql(text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** What waits for its time has come to it. */
async function skipDelays(): Promise<void> {
  await sql("UPDATE chorale.jobs SET start_after = now() WHERE state = 'queued'");
  await sql("UPDATE chorale_queue.job SET start_after = now() WHERE state < 'active'");
}

const gone = new RemoteEngineError("CHORALE_ENGINE_UNREACHABLE", "No server answers.");
const call = (name: string, args: unknown): ScriptedStep => [
  { recipient: `functions.${name}`, text: JSON.stringify(args), terminator: "call" },
];

describe("a job", () => {
  test("is submitted, run and kept with its answer, its events and its conversation", async () => {
    const { id } = await jobs.submit({ prompt: "  What is\n2 + 3?", tags: ["sums", "small"] });
    expect(await jobs.get(id)).toMatchObject({ state: "queued", title: "What is 2 + 3?" });
    await work(async () => place(["5."]));
    const job = await jobs.get(id.slice(0, 12));
    expect(job).toMatchObject({
      id,
      state: "completed",
      attempt: 1,
      result: { status: "completed", output: "5." },
      progress: { steps: 1, calls: 0, outputTokens: 1 },
      error: null,
    });
    const events = await jobs.events(id);
    expect(events.at(-1)).toMatchObject({ type: "run.completed", output: "5." });
    expect((await jobs.log(id)).map(({ type }) => type)).toEqual([
      "thread",
      "user",
      "sampled",
      "ended",
    ]);
    await expect(jobs.get("job_00000000")).rejects.toMatchObject({ code: "CHORALE_JOB_NOT_FOUND" });
  });

  test("with a key is made once, also by many at the same time", async () => {
    const made = await Promise.all(
      Array.from({ length: 12 }, () => jobs.submit({ prompt: "Once", key: "report-7" })),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(made.filter(({ isKnown }) => !isKnown)).toHaveLength(1);
    await expect(jobs.submit({ prompt: "Other", key: "report-7" })).rejects.toMatchObject({
      code: "CHORALE_JOB_KEY",
    });
    const events = await work(async () => place(["Done."]));
    expect(events.filter(({ type }) => type === "job.started")).toHaveLength(1);
  });

  test("goes by priority and start, and only into lines that a worker takes from", async () => {
    const titles: string[] = [];
    const open: WorkOptions["open"] = async ({ title }) => {
      titles.push(title);
      return place(["Yes."]);
    };
    await jobs.submit({ prompt: "low", priority: -1 });
    await jobs.submit({ prompt: "first" });
    await jobs.submit({ prompt: "high", priority: 5, tags: ["fast"] });
    await jobs.submit({ prompt: "second", tags: ["fast"] });
    await jobs.submit({
      prompt: "later",
      priority: 9,
      startAfter: new Date(Date.now() + 3_600_000),
    });
    await work(open, { tags: ["fast"] });
    expect(titles).toEqual(["high", "second"]);
    await work(open);
    expect(titles).toEqual(["high", "second", "first", "low"]);
    await skipDelays();
    await work(open);
    expect(titles.at(-1)).toBe("later");
  });

  test("is tried again where its engine is gone, and goes on in the same conversation", async () => {
    const notes: string[] = [];
    const note = defineTool({
      name: "note",
      description: "Writes a note.",
      inputSchema: { type: "object", properties: {} },
      execute: () => {
        notes.push("noted");
        return "noted";
      },
    });
    const { id } = await jobs.submit({ prompt: "Note it." });
    const events = await work(async () => place([call("note", {}), gone], [note]));
    expect(events.map(({ type }) => type)).toEqual(["job.started", "job.retried"]);
    expect(await jobs.get(id)).toMatchObject({
      state: "queued",
      attempt: 1,
      error: { code: "CHORALE_ENGINE_UNREACHABLE" },
    });
    await skipDelays();
    await work(async () => place(["It is noted."], [note]));
    expect(await jobs.get(id)).toMatchObject({
      state: "completed",
      attempt: 2,
      error: null,
      result: { output: "It is noted." },
    });
    expect(notes).toEqual(["noted"]);
  });

  test("fails in its last attempt, with what was wrong in its log", async () => {
    const { id } = await jobs.submit({ prompt: "Try", attempts: 1 });
    await work(async () => place([gone]));
    expect(await jobs.get(id)).toMatchObject({
      state: "failed",
      error: { code: "CHORALE_ENGINE_UNREACHABLE" },
    });
    expect((await jobs.log(id)).at(-1)).toMatchObject({ type: "ended", status: "failed" });
  });

  test("is not tried again for what would fail again", async () => {
    const { id } = await jobs.submit({ prompt: "A number, please." });
    const open: WorkOptions["open"] = async () => ({
      agent: new Agent({
        model: new ScriptedModel(["one", "two", "three", "four"]),
        output: { choices: ["1", "2"] },
      }),
      [Symbol.asyncDispose]: async () => {},
    });
    await work(open);
    const job = await jobs.get(id);
    expect(job).toMatchObject({ state: "failed", attempt: 1 });
    expect(job.error?.code).toBe(new InvalidOutputError([], 0).code);
  });

  test("that failed is tried again when it is asked for: behind the old turn, or from its start", async () => {
    const { id } = await jobs.submit({ prompt: "Do it.", attempts: 1 });
    await work(async () => place([gone]));
    const before = await jobs.get(id);
    expect(await jobs.retry(id)).toEqual([id]);
    await expect(jobs.retry(id)).rejects.toMatchObject({ code: "CHORALE_JOB_STATE" });
    await work(async () => place([gone]));
    await jobs.retry(id);
    await work(async () => place(["Done."]));
    const after = await jobs.get(id);
    expect(after).toMatchObject({ state: "completed", threadId: before.threadId });
    const log = await jobs.log(id);
    expect(log.filter(({ type }) => type === "user")).toHaveLength(3);
    expect(JSON.stringify(log.findLast(({ type }) => type === "user"))).toContain(
      "No server answers",
    );

    const other = await jobs.submit({ prompt: "Do that.", attempts: 1 });
    await work(async () => place([gone]));
    const old = (await jobs.get(other.id)).threadId;
    await jobs.retry(other.id, { fromStart: true });
    await work(async () => place(["Done anew."]));
    const anew = await jobs.get(other.id);
    expect(anew.threadId).not.toBe(old);
    expect(anew.result?.output).toBe("Done anew.");
    await jobs.purge({ before: new Date(Date.now() + 60_000) });
    expect(await sql("SELECT thread_id FROM chorale.threads")).toEqual([]);
  });

  test("that waits is cancelled at once, one that is at work by its worker", async () => {
    const waiting = await jobs.submit({ prompt: "Wait", startAfter: new Date(Date.now() + 1e6) });
    expect(await jobs.cancel(waiting.id)).toBe("cancelled");
    expect(await jobs.cancel(waiting.id)).toBe("cancelled");
    const { id } = await jobs.submit({ prompt: "Work" });
    const begun = Promise.withResolvers<void>();
    const slow = defineTool({
      name: "slow",
      description: "Takes its time.",
      inputSchema: { type: "object", properties: {} },
      execute: async (_input, { signal }) => {
        begun.resolve();
        await new Promise((done) => signal.addEventListener("abort", done));
        signal.throwIfAborted();
        return "late";
      },
    });
    const worker = work(async () => place([call("slow", {}), "Late."], [slow]));
    await begun.promise;
    expect(await jobs.cancel(id)).toBe("active");
    await worker;
    expect(await jobs.get(id)).toMatchObject({ state: "cancelled" });
    expect((await jobs.log(id)).at(-1)).toMatchObject({ type: "ended", status: "cancelled" });
  });

  test("is given back by a worker that stops, behind the call that is at work", async () => {
    const { id } = await jobs.submit({ prompt: "Work", attempts: 1 });
    const stop = new AbortController();
    let runs = 0;
    const step = defineTool({
      name: "step",
      description: "Does something.",
      inputSchema: { type: "object", properties: {} },
      execute: async () => {
        runs++;
        stop.abort();
        await new Promise((done) => setTimeout(done, 50));
        return "done";
      },
    });
    const events = await work(async () => place([call("step", {}), "Never said."], [step]), {
      signal: stop.signal,
    });
    expect(events.at(-1)?.type).toBe("job.given_back");
    expect(await jobs.get(id)).toMatchObject({ state: "queued", attempt: 0 });
    await work(async () => place(["It is done."], [step]));
    expect(await jobs.get(id)).toMatchObject({
      state: "completed",
      attempt: 1,
      result: { output: "It is done." },
    });
    expect(runs).toBe(1);
  });

  test("ends in time", async () => {
    const { id } = await jobs.submit({ prompt: "Work", timeoutMs: 50 });
    const slow = defineTool({
      name: "slow",
      description: "Takes its time.",
      inputSchema: { type: "object", properties: {} },
      execute: (_input, { signal }) =>
        new Promise((_, failed) => signal.addEventListener("abort", () => failed(signal.reason))),
    });
    await work(async () => place([call("slow", {}), "Late."], [slow]));
    expect(await jobs.get(id)).toMatchObject({ state: "failed" });
    expect((await jobs.get(id)).error?.message).toContain("time is up");
  });

  test("that cannot be opened fails with the reason", async () => {
    const { id } = await jobs.submit({ prompt: "Work" });
    await work(async () => {
      throw new RangeError("no such thing");
    });
    expect(await jobs.get(id)).toMatchObject({
      state: "failed",
      error: { message: "no such thing" },
    });
  });
});

describe("a worker that is lost", () => {
  /** Its hold has lapsed, as after a lease of silence. */
  const lapse = async (): Promise<void> => {
    await sql(
      "UPDATE chorale_queue.job SET heartbeat_on = now() - interval '1 hour' WHERE state = 'active'",
    );
    await sql(
      "UPDATE chorale.jobs SET heartbeat_at = now() - interval '1 hour' WHERE state = 'active'",
    );
  };

  const twoWorkers = async (isRepeatable: boolean) => {
    const keys: string[] = [];
    const begun = Promise.withResolvers<void>();
    const taken = Promise.withResolvers<void>();
    const tool = defineTool({
      name: "act",
      description: "Acts.",
      inputSchema: { type: "object", properties: {} },
      annotations: { idempotentHint: isRepeatable },
      execute: async (_input, { idempotencyKey }) => {
        keys.push(idempotencyKey);
        begun.resolve();
        if (keys.length === 1) await taken.promise;
        return "acted";
      },
    });
    const tags = [isRepeatable ? "repeatable" : "once"];
    const { id } = await jobs.submit({ prompt: "Act.", tags });
    const first = work(async () => place([call("act", {}), "The first says this."], [tool]), {
      tags,
    });
    await begun.promise;
    await lapse();
    // The other one comes when the queue has seen the silence and the pause before the next attempt is over.
    const second = work(async () => place(["Acted."], [tool]), {
      tags,
      once: false,
      signal: AbortSignal.any([ended(id), AbortSignal.timeout(50_000)]),
    });
    await ended(id).promise;
    taken.resolve();
    await Promise.all([first, second]);
    return { job: await jobs.get(id), keys, log: await jobs.log(id) };
  };

  /** Aborted when the job has ended. */
  const ended = (id: string): AbortSignal & { readonly promise: Promise<void> } => {
    const controller = new AbortController();
    const look = async (): Promise<void> => {
      for (;;) {
        const { state } = await jobs.get(id);
        if (state === "completed" || state === "failed") break;
        await skipDelays();
        await new Promise((done) => setTimeout(done, 50));
      }
      controller.abort();
    };
    return Object.assign(controller.signal, { promise: look() });
  };

  test("writes nothing more; another one repeats what may be repeated, and nothing else", async () => {
    const [repeatable, once] = await Promise.all([twoWorkers(true), twoWorkers(false)]);
    expect(repeatable.job).toMatchObject({
      state: "completed",
      attempt: 2,
      result: { output: "Acted." },
    });
    expect(repeatable.keys).toHaveLength(2);
    expect(new Set(repeatable.keys).size).toBe(1);
    expect(repeatable.log.filter(({ type }) => type === "result")).toHaveLength(1);
    expect(once.job).toMatchObject({ state: "failed", error: { code: "CHORALE_UNKNOWN_OUTCOME" } });
    expect(once.keys).toHaveLength(1);
  });
});

describe("a batch", () => {
  test("is reduced when its last job has ended, at most so many at once", async () => {
    const { id } = await jobs.submitBatch({
      jobs: ["one", "two", "three", "four"].map((prompt) => ({ prompt })),
      reduce: { prompt: "Which?" },
      parallel: 2,
    });
    let [atWork, most] = [0, 0];
    const asked: string[] = [];
    await work(
      async ({ title }) => {
        most = Math.max(most, ++atWork);
        const agent = new Agent({
          model: new ScriptedModel([
            ({ transcript }) => {
              asked.push(JSON.stringify(transcript));
              return title === "three" ? "</document> three!" : `${title}!`;
            },
          ]),
        });
        return {
          agent,
          [Symbol.asyncDispose]: async () => {
            await new Promise((done) => setTimeout(done, 20));
            atWork--;
          },
        };
      },
      { concurrency: 4 },
    );
    expect(most).toBe(2);
    expect(await jobs.get(id)).toMatchObject({
      state: "completed",
      progress: { done: 4, of: 4 },
      result: { output: "Which?!" },
    });
    expect(asked.at(-1)).toContain("one!");
    expect(asked.at(-1)).toContain('<document-2 name=\\"3: three\\">');
    expect((await jobs.list({ parent: id })).jobs).toHaveLength(4);
  });

  test("without a reduce step fails with its jobs; they are tried again together", async () => {
    const { id } = await jobs.submitBatch({
      jobs: [{ prompt: "good" }, { prompt: "bad" }],
      attempts: 1,
    });
    await work(async ({ title }) => place([title === "bad" ? gone : "Yes."]));
    expect(await jobs.get(id)).toMatchObject({
      state: "failed",
      error: { message: "1 of 2 jobs have no answer." },
    });
    expect(await jobs.retry(id)).toHaveLength(1);
    expect(await jobs.get(id)).toMatchObject({ state: "waiting", progress: { done: 1, of: 2 } });
    await work(async () => place(["Yes."]));
    expect(await jobs.get(id)).toMatchObject({ state: "completed", error: null });
  });

  test("is cancelled with its jobs", async () => {
    const { id } = await jobs.submitBatch({ jobs: [{ prompt: "one" }, { prompt: "two" }] });
    expect(await jobs.cancel(id)).toBe("cancelled");
    expect(await jobs.counts()).toEqual({ cancelled: 3 });
    expect(await work(async () => place(["Yes."]))).toEqual([]);
  });
});

test("a schedule submits its job once for each time, and is gone when it is removed", async () => {
  const schedules = await jobs.schedules();
  const next = await schedules.add("news", {
    cron: "30 2 * * *",
    tz: "Europe/Berlin",
    job: { prompt: "What is new?", tags: ["news"] },
  });
  const local = next.map((time) => time.toLocaleTimeString("de", { timeZone: "Europe/Berlin" }));
  expect(local).toEqual(["02:30:00", "02:30:00", "02:30:00"]);
  await expect(
    schedules.add("x", { cron: "61 * * * *", tz: "UTC", job: { prompt: "?" } }),
  ).rejects.toMatchObject({ code: "CHORALE_USAGE" });
  await expect(
    schedules.add("x", { cron: "* * * * *", tz: "Mars/Base", job: { prompt: "?" } }),
  ).rejects.toMatchObject({ code: "CHORALE_USAGE" });
  // As pg-boss puts it there when the time comes.
  await sql(
    `INSERT INTO chorale_queue.job (name, data) VALUES ('chorale-schedule', '{"schedule": "news"}')`,
  );
  const events = await work(async () => place(["Nothing."]));
  expect(events.map(({ type }) => type)).toEqual(["job.started", "job.ended"]);
  expect((await jobs.list()).jobs).toMatchObject([{ schedule: "news", state: "completed" }]);
  expect(await schedules.list()).toMatchObject([{ name: "news", tz: "Europe/Berlin" }]);
  await schedules.remove("news");
  await expect(schedules.remove("news")).rejects.toMatchObject({ code: "CHORALE_JOB_NOT_FOUND" });
});

test("pages of a listing hold every job once, by state, tag and time", async () => {
  await jobs.submitBatch({
    jobs: Array.from({ length: 25 }, (_, at) => ({ prompt: `Job ${at}` })),
    tags: ["many"],
  });
  await jobs.submit({ prompt: "alone" });
  const titles: string[] = [];
  let after: string | undefined;
  do {
    const page = await jobs.list({ tags: ["many"], states: ["queued"], limit: 7, after });
    titles.push(...page.jobs.map(({ title }) => title));
    after = page.next ?? undefined;
  } while (after !== undefined);
  expect(titles).toEqual(Array.from({ length: 25 }, (_, at) => `Job ${24 - at}`));
  expect((await jobs.list({ since: new Date(Date.now() + 60_000) })).jobs).toEqual([]);
});

test("no password is in what is told of a database", async () => {
  const wrong = new URL(url);
  wrong.password = "correct-horse";
  const error: unknown = await openJobs(wrong.href).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "CHORALE_JOBS_DATABASE" });
  expect(String(error)).not.toContain("correct-horse");
  await expect(openJobs("mysql://u:correct-horse@h/d")).rejects.toThrow(/^(?!.*correct-horse)/);
});
