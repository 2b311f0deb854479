/**
 * `npm run --silent stress -- python [--cells N] [--sessions N] [--seed N]`: progress on stderr, the
 * report as one line of JSON on stdout; status 1 when something was lost, wrong or left behind.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { stressPython } from "./python-cells.ts";

const [area, ...args] = process.argv.slice(2);
if (area !== "python") {
  console.error(`stress: there is no area ${JSON.stringify(area ?? "")}; there is python.`);
  process.exit(2);
}
const { values } = parseArgs({
  args,
  options: {
    cells: { type: "string", default: "1000" },
    sessions: { type: "string", default: "4" },
    seed: { type: "string", default: "1" },
  },
});
const cacheDir = mkdtempSync(join(tmpdir(), "chorale-stress-"));
const startedAt = performance.now();
const report = await stressPython({
  cells: Number(values.cells),
  sessions: Number(values.sessions),
  seed: Number(values.seed),
  cacheDir,
  onProgress: (done) => {
    if (done % 50 === 0) console.error(`${done} cells`);
  },
});
rmSync(cacheDir, { recursive: true, force: true });
const seconds = Math.round((performance.now() - startedAt) / 1000);
console.log(JSON.stringify({ area, seed: Number(values.seed), seconds, ...report }));
const { lost, wrong, orphans, descriptors } = report;
const leaks = descriptors !== null && descriptors[1] > descriptors[0];
process.exitCode = lost > 0 || wrong.length > 0 || orphans > 0 || leaks ? 1 : 0;
