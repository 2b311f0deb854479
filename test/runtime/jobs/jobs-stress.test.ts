/** A small instance of `npm run stress -- jobs`. */
import { expect, test } from "vitest";
import { stressJobs } from "../../stress/stress-jobs.ts";
import { temporaryFolder } from "../../tools/support.ts";

const isOwn = process.env["CHORALE_TEST_POSTGRES"]?.startsWith("postgres") !== true;

test.skipIf(!isOwn)("jobs whose workers are killed end once", { timeout: 180_000 }, async () => {
  const report = await stressJobs({
    ...{ jobs: 16, workers: 2, kills: 2, restarts: 1, partitions: 0, expiries: 1 },
    ...{ paceMs: 60, concurrency: 3, seed: 3, isDurable: false, skipsLeases: true },
    folder: temporaryFolder(),
  });
  expect(report).toMatchObject({ jobs: 16, kills: 2, restarts: 1, expiries: 1, problems: [] });
  expect(report.completed + report.unknownOutcomes).toBe(16);
});
