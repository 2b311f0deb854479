/** `chorale jobs` on a real Postgres. A worker is a process of its own, with the embedded model. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LoopbackProxy } from "../postgres/proxy.ts";
import { startPostgres, type TestPostgres } from "../postgres/start-postgres.ts";
import { chorale } from "./chorale.ts";
import { inProcess } from "./in-process.ts";

const folder = mkdtempSync(join(tmpdir(), "chorale-jobs-"));
const home = join(folder, "home");
mkdirSync(home);
let postgres: TestPostgres;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  postgres = await startPostgres();
  env = {
    ...process.env,
    CHORALE_HOME: home,
    CHORALE_DATABASE: await postgres.newDatabase(),
    // The standard input is that of the tests: no command waits for it.
    CHORALE_CALLER: String(process.pid),
  };
});
afterAll(async () => {
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const jobs = (...args: readonly string[]) => inProcess(["jobs", ...args], env);

const json = async (...args: readonly string[]) => {
  const { stdout, stderr } = await jobs(...args, "--json");
  expect(stderr).not.toContain("Error");
  return JSON.parse(stdout);
};

test("a batch is submitted, worked on and reduced", async () => {
  const prompts = join(folder, "prompts.jsonl");
  writeFileSync(
    prompts,
    '"What can you do?"\n{"prompt": "What can you do for me?", "max_steps": 3}\n',
  );
  const { stdout } = await jobs(
    ...["submit", "--batch", prompts, "--reduce", "Hello, all of you!", "--tag", "talk"],
    ...["--parallel", "1"],
  );
  const id = stdout.trim();
  const waiting = await json("list", "--tag", "talk");
  expect(waiting.jobs.map(({ state }: { state: string }) => state)).toEqual([
    "queued",
    "queued",
    "waiting",
  ]);
  const worked = await chorale(["jobs", "worker", "--once", "--json"], { home, env });
  expect(worked.code, worked.stderr).toBe(0);
  const ended = worked.stdout.split("\n").filter((line) => line.includes("job.ended"));
  expect(ended).toHaveLength(3);
  const shown = await json("show", id.slice(0, 14));
  expect(shown).toMatchObject({ id, state: "completed", progress: { done: 2, of: 2 } });
  const child = await json("list", "--parent", id, "--limit", "1");
  expect(child.next).toBe(child.jobs[0].id);
  expect((await jobs("show", child.jobs[0].id)).stdout).toContain("I can help with arithmetic");
  const events = (await jobs("logs", child.jobs[0].id, "--json")).stdout.trim().split("\n");
  expect(JSON.parse(events.at(-1) ?? "")).toMatchObject({ type: "run.completed" });
  expect((await jobs("cancel", id)).stdout).toContain("had ended before: completed");
  expect((await jobs("retry", id)).code).toBe(2);
  expect((await jobs("purge", "--older-than", "0s")).stdout).toBe("Removed 3 jobs.\n");
});

test("a worker that is told to stop lets its call end and gives its job back", async () => {
  const tool = join(folder, "weather.mjs");
  const seen = join(folder, "seen.txt");
  writeFileSync(
    tool,
    `import { appendFileSync } from "node:fs";
     export default {
       recipient: "functions.get_weather",
       description: "Gets the weather of a city.",
       inputSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
       timeoutMs: 10000,
       async execute() {
         appendFileSync(${JSON.stringify(seen)}, "called\\n");
         await new Promise((done) => setTimeout(done, 1000));
         return "sunny";
       },
     };`,
  );
  writeFileSync(seen, "");
  const { id } = await json("submit", "What is the weather in Lisbon?", "--tool", tool);
  const stopped = await chorale(["jobs", "worker", "--once"], {
    home,
    env,
    whileRunning: async (child) => {
      while (readFileSync(seen, "utf8") === "" && child.exitCode === null) await wait(20);
      child.kill("SIGTERM");
    },
  });
  expect(stopped.code).toBe(143);
  expect(stopped.stderr).toContain("given back");
  expect(await json("show", id)).toMatchObject({ state: "queued", attempt: 0 });
  await chorale(["jobs", "worker", "--once"], { home, env });
  const done = await json("show", id);
  expect(done).toMatchObject({ state: "completed", attempt: 1 });
  expect(done.result.output).toContain("sunny");
  expect(readFileSync(seen, "utf8")).toBe("called\n");
});

test("a worker that begins before its database waits for it", async () => {
  await using away = await LoopbackProxy.open(await postgres.newDatabase());
  away.fateOf = () => "cut before";
  let stderr = "";
  const stopped = await chorale(["jobs", "worker", "--database", away.url], {
    home,
    env,
    whileRunning: async (child) => {
      child.stderr?.on("data", (piece: Buffer) => {
        stderr += piece.toString();
      });
      const said = async (sentence: string): Promise<void> => {
        while (!stderr.includes(sentence) && child.exitCode === null) await wait(20);
      };
      await said("Waiting for it");
      away.fateOf = () => "pass";
      await said("working on the jobs of");
      child.kill("SIGTERM");
    },
  });
  expect(stderr).toMatch(
    /^chorale: The database .+\. Waiting for it; Ctrl-C ends\nchorale: working on/,
  );
  expect(stopped.code).toBe(143);
});

test("schedules are added, listed and removed", async () => {
  const added = await jobs("schedule", "add", "news", "0 7 * * 1-5", "News?", "--tz", "Asia/Tokyo");
  expect(added.stdout).toMatch(/^Scheduled news; next: /);
  const { schedules } = await json("schedule", "list");
  expect(schedules).toMatchObject([{ name: "news", cron: "0 7 * * 1-5", tz: "Asia/Tokyo" }]);
  expect(schedules[0].next_at).toMatch(/T22:00:00.000Z$/);
  expect((await jobs("schedule", "rm", "news")).stdout).toBe("Removed news.\n");
  expect((await jobs("schedule", "rm", "news")).code).toBe(2);
});

test.each([
  [["show", "1f3a"], "There is no job 1f3a"],
  [
    ["list", "--state", "broken"],
    "accepted: queued, active, waiting, completed, failed, cancelled",
  ],
  [["submit", "Hi", "--at", "tomorrow"], "accepted: a moment like 2027-01-31T06:00Z"],
  [["submit", "Hi", "--tag", "two words"], "letters, digits, dots, dashes"],
  [["submit", "Hi", "--reduce", "Sum up"], "--reduce needs --batch"],
  [["submit", "--batch", "none.jsonl"], "there is no such file"],
  [["purge", "--older-than", "soon"], "accepted: a time like 12h, 30d or 8w"],
  [["schedule", "add", "x", "7 o'clock", "Hi"], "Accepted: five fields"],
  [["list", "--database", "mysql://me:secret@host/db"], "accepted: postgres://USER@HOST"],
] as const)("%j is refused with what would be accepted", async (args, sentence) => {
  const { code, stdout, stderr } = await jobs(...args);
  expect(stderr).toContain(sentence);
  expect(stderr).not.toContain("secret");
  expect(stdout).toBe("");
  expect(code).not.toBe(0);
});

test("without a database it is said how one is named", async () => {
  const { CHORALE_DATABASE: _, ...without } = env;
  const { code, stderr } = await inProcess(["jobs", "list"], without);
  expect(code).toBe(2);
  expect(stderr).toContain("CHORALE_DATABASE");
});
