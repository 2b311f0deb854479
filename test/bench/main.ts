/**
 * `npm run --silent bench -- AREA [options]`: progress on stderr, one JSON object as the last line of
 * stdout. Figures that are quoted anywhere lie in `results/`, one file per area, machine and date.
 */
import { cpus, totalmem } from "node:os";
import type { Bench } from "./bench.ts";

const AREAS: Readonly<Record<string, () => Promise<{ bench: Bench }>>> = {
  agent: () => import("./agent.ts"),
  citations: () => import("./citations.ts"),
  constrain: () => import("./constrain.ts"),
  calibration: () => import("./calibration.ts"),
  chat: () => import("./chat.ts"),
  documents: () => import("./documents.ts"),
  harmony: () => import("./harmony.ts"),
  inference: () => import("./inference.ts"),
  jobs: () => import("./jobs.ts"),
  "jump-forward": () => import("./jump-forward.ts"),
  pages: () => import("./pages.ts"),
  pull: () => import("./pull.ts"),
  python: () => import("./python.ts"),
  questions: () => import("./questions.ts"),
  start: () => import("./start.ts"),
  search: () => import("./search.ts"),
  server: () => import("./server.ts"),
};

const [area, ...args] = process.argv.slice(2);
const load = area === undefined ? undefined : AREAS[area];
if (load === undefined) {
  console.error(
    `bench: there is no area ${JSON.stringify(area ?? "")}; there are ${Object.keys(AREAS).join(", ")}.`,
  );
  process.exit(2);
}

const { bench } = await load();
const figures = await bench(args).catch((error: unknown) => {
  console.error(`bench ${area}: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
const machine = {
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memory_gib: Math.round(totalmem() / 2 ** 30),
  node: process.version,
};
console.log(JSON.stringify({ area, date: new Date().toISOString(), machine, ...figures }));
