/** A small instance of `npm run stress -- jobs`. */
import { expect, test } from "vitest";
import { openJobs } from "../../../runtime/jobs/index.ts";
import { startPostgres } from "../../postgres/start-postgres.ts";
import { stressJobs } from "../../stress/stress-jobs.ts";
import { temporaryFolder } from "../../tools/support.ts";

const isOwn = process.env["CHORALE_TEST_POSTGRES"]?.startsWith("postgres") !== true;

test.skipIf(!isOwn)("jobs whose workers are killed end once", { timeout: 180_000 }, async () => {
  const report = await stressJobs({
    ...{ jobs: 16, workers: 2, kills: 2, restarts: 1, partitions: 0, expiries: 1 },
    ...{ paceMs: 60, concurrency: 3, seed: 3, isDurable: false, skipsLeases: true },
    folder: temporaryFolder(),
  });
  expect(report.problems).toEqual([]);
  expect(report).toMatchObject({ jobs: 16, kills: 2, restarts: 1, expiries: 1 });
  expect(report.completed + report.unknownOutcomes).toBe(16);
});

test("programs that come first at the same time make the tables once", async () => {
  await using postgres = await startPostgres();
  const url = await postgres.newDatabase();
  const submitted = await Promise.all(
    Array.from({ length: 4 }, async (_, at) => {
      await using jobs = await openJobs(url);
      return await jobs.submit({ prompt: `Job ${at}` });
    }),
  );
  await using jobs = await openJobs(url);
  expect((await jobs.list()).jobs.map(({ id }) => id).sort()).toEqual(
    submitted.map(({ id }) => id).sort(),
  );
});
