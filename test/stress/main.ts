/**
 * `npm run --silent stress -- AREA …`: progress on stderr, the report as one line of JSON on stdout; status 1
 * when it is not as it has to be.
 *
 *     python [--cells N] [--sessions N] [--seed N]
 *     plugins [--calls N] [--loads N]
 *     paging [--layers N] [--memory GIB] [--prompt N] [--generate N] [--seed N]
 *     context [--context N] [--seed N]
 *     sessions [--sessions N] [--seed N]
 *     kills [--kills N] [--seed N] [--embedded 1]
 *     jobs [--jobs N] [--workers N] [--kills N] [--restarts N] [--partitions N] [--expiries N] [--pace MS] [--seed N]
 *     pull [--runs N] [--seed N]
 *     requests [--count N] [--seed N]
 *     load [--clients N] [--each N] [--seed N] [--embedded 1]
 *     remote [--requests N] [--parallel N] [--percent N] [--seed N]
 *     streams [--count N] [--seed N]
 *     threads [--threads N] [--turns N] [--percent N] [--seed N]
 *     grammars --engine llama://HOST:PORT (a server with the embedded model)
 *     minions [--questions N] [--embedded N] [--seed N]
 *     xsd [--documents N]
 *     constrain [--walks N] [--seed N] [FILE of the area json | FOLDER of JSON-Schema-Test-Suite …]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { readSchemas, walkSchemas } from "./constrained-walks.ts";
import { stressContext } from "./full-context.ts";
import { killRuns } from "./kill-runs.ts";
import { stressSessions } from "./many-sessions.ts";
import { askEmbedded, askMinions } from "./minion-questions.ts";
import { mutatedRequests } from "./mutated-requests.ts";
import { stressPaging } from "./paged-experts.ts";
import { stressPlugins } from "./plugin-calls.ts";
import { stressPulls } from "./pulls.ts";
import { stressPython } from "./python-cells.ts";
import { remoteOverhead, stressRemote } from "./remote-engine.ts";
import { fuzzStreams } from "./remote-streams.ts";
import { stressRemoteThreads } from "./remote-threads.ts";
import { stressGrammars } from "./server-grammars.ts";
import { serverLoad } from "./server-load.ts";
import { stressJobs } from "./stress-jobs.ts";
import { writeDocuments } from "./xsd-documents.ts";

/** What the process has beside the model: Node, the kernels, the file's header. */
const PROCESS_GIB = 0.5;

type Verdict = { readonly report: object; readonly good: boolean };
type Area = (args: readonly string[], folder: string) => Promise<Verdict>;

/** @param defaults of flags that take a number */
function numbers<T extends Readonly<Record<string, number>>>(
  args: readonly string[],
  defaults: T,
): Record<keyof T, number> {
  const options = Object.fromEntries(
    Object.keys(defaults).map((name) => [name, { type: "string" } as const]),
  );
  const { values } = parseArgs({ args: [...args], options });
  const given = Object.entries(values).map(([name, text]) => [name, Number(text)] as const);
  return { ...defaults, ...(Object.fromEntries(given) as Partial<T>) };
}

const python: Area = async (args, folder) => {
  const { cells, sessions, seed } = numbers(args, { cells: 1000, sessions: 4, seed: 1 });
  const onProgress = (done: number): void => {
    if (done % 50 === 0) console.error(`${done} cells`);
  };
  const found = await stressPython({ cells, sessions, seed, cacheDir: folder, onProgress });
  const { lost, wrong, orphans, descriptors } = found;
  const leaks = descriptors !== null && descriptors[1] > descriptors[0];
  const good = lost === 0 && wrong.length === 0 && orphans === 0 && !leaks;
  return { report: { seed, ...found }, good };
};

/** How far the memory may go from what it was after the 50th run. */
const FLAT = 0.1;

const plugins: Area = async (args, folder) => {
  const onProgress = (done: number): void => {
    if (done % 100 === 0) console.error(`${done} runs`);
  };
  const report = await stressPlugins({
    ...numbers(args, { calls: 1000, loads: 1000 }),
    folder,
    onProgress,
  });
  const { calls, loads, wrong, left } = report;
  const largest = [calls.agent, calls.plugin, loads.agent].map((one) => one?.range[1] ?? 1);
  const good = wrong.length === 0 && left === 0 && Math.max(...largest) <= 1 + FLAT;
  return { report, good };
};

const paging: Area = async (args, folder) => {
  const { memory, ...others } = numbers(args, {
    layers: 36,
    memory: 20,
    prompt: 64,
    generate: 16,
    seed: 1,
  });
  const report = await stressPaging({ ...others, memoryLimit: memory * 2 ** 30, folder });
  return { report, good: report.peak_gib <= memory + PROCESS_GIB };
};

const context: Area = async (args, folder) => {
  const wanted = numbers(args, { context: 131_072, seed: 1 });
  let said = 0;
  const onProgress = (done: number): void => {
    if (done < said) said = 0;
    if (done < said + 8192) return;
    said = done;
    console.error(`${done} tokens`);
  };
  const report = await stressContext({ ...wanted, folder, onProgress });
  const { same, finish_reason, announced_mb, held_mb } = report;
  const isAsAnnounced = held_mb <= announced_mb;
  return { report, good: same && finish_reason === "context" && isAsAnnounced };
};

const sessions: Area = async (args) => {
  const wanted = numbers(args, { sessions: 1500, seed: 1 });
  let said = 0;
  const onProgress = (done: number): void => {
    if (done < said + 250) return;
    said = done;
    console.error(`${done} sessions`);
  };
  const report = await stressSessions({ ...wanted, onProgress });
  const { early, least, most } = report.rss_mb;
  return { report, good: most <= early * (1 + FLAT) && least >= early * (1 - FLAT) };
};

const kills: Area = async (args, folder) => {
  const { kills: wanted, seed, embedded } = numbers(args, { kills: 200, seed: 1, embedded: 0 });
  const model = embedded === 0 ? "chain" : "embedded";
  const onProgress = (done: number): void => {
    if (done % 10 === 0) console.error(`${done} kills`);
  };
  const report = await killRuns({ kills: wanted, seed, folder, model, onProgress });
  return { report: { seed, model, ...report }, good: report.problems.length === 0 };
};

const pull: Area = async (args, folder) => {
  const { runs, seed } = numbers(args, { runs: 200, seed: 1 });
  const onProgress = (done: number): void => {
    if (done % 20 === 0) console.error(`${done} pulls`);
  };
  const report = await stressPulls({ runs, seed, folder, onProgress });
  return { report: { seed, ...report }, good: report.problems.length === 0 };
};

const requests: Area = async (args) => {
  const { count, seed } = numbers(args, { count: 100_000, seed: 1 });
  const onProgress = (done: number): void => {
    if (done % 2000 === 0) console.error(`${done} requests`);
  };
  const report = await mutatedRequests({ count, seed, onProgress });
  return { report: { seed, ...report }, good: report.problems.length === 0 };
};

const load: Area = async (args) => {
  const wanted = numbers(args, { clients: 64, each: 100, seed: 1, embedded: 0 });
  const { embedded, ...others } = wanted;
  const onProgress = (done: number): void => {
    if (done % 500 === 0) console.error(`${done} requests`);
  };
  const model = embedded === 0 ? "scripted" : "embedded";
  const report = await serverLoad({ ...others, model, onProgress });
  const { held, problems, heap_mb } = report;
  const isFlat = heap_mb.last <= heap_mb.early * (1 + FLAT);
  const isGivenBack = Object.values(held).every((count) => count === 0);
  return {
    report: { seed: others.seed, ...report },
    good: problems.length === 0 && isGivenBack && isFlat,
  };
};

const minions: Area = async (args) => {
  const { questions, embedded, seed } = numbers(args, { questions: 40, embedded: 2, seed: 1 });
  const report = await askMinions(questions, seed, (done) => {
    if (done % 5 === 0) console.error(`${done} questions`);
  });
  const { wrong, miscounted, minionRatio, minionsRatio } = report;
  const byModel = await askEmbedded(embedded, seed);
  const isExact = wrong + miscounted + byModel.miscounted === 0;
  const good = isExact && minionRatio <= 1 / 20 && minionsRatio <= 1 / 5;
  return { report: { seed, ...report, embedded: byModel }, good };
};

/** Of a token, beyond reading the bytes that it comes in. */
const MOST_OVERHEAD_US = 50;

const GRAMMAR_PROMPTS: readonly string[] = [
  "Extract the data: Maria Keller is 34 years old and happy.",
  "Extract the data: José Ñuñez, 71, is sad 🙃.",
];

const grammars: Area = async (args) => {
  const { values } = parseArgs({ args: [...args], options: { engine: { type: "string" } } });
  const { engine } = values;
  if (engine === undefined) throw new Error("grammars needs --engine llama://HOST:PORT.");
  const report = await stressGrammars(engine, GRAMMAR_PROMPTS, (done) =>
    console.error(`${done} answers`),
  );
  const { requests, differences } = report;
  return { report, good: differences === 0 && requests.grammars < requests.masks };
};

/** `--requests` for each kind of server, of whose requests `--percent` fail. */
const remote: Area = async (args) => {
  const wanted = numbers(args, { requests: 2000, parallel: 16, percent: 20, seed: 1 });
  const { requests, parallel, percent, seed } = wanted;
  const onProgress = (done: number): void => {
    if (done % 1000 === 0) console.error(`${done} generations`);
  };
  const report = await stressRemote({
    requests,
    parallel,
    faults: percent / 100,
    seed,
    onProgress,
  });
  const overhead_us = await remoteOverhead();
  const isWhole = report.problems.length === 0 && report.failed > 0 === percent > 0;
  const { early, late } = report.heap_mb;
  const good = isWhole && late <= early * (1 + FLAT) && overhead_us <= MOST_OVERHEAD_US;
  return { report: { seed, ...report, overhead_us }, good };
};

const streams: Area = async (args) => {
  const { count, seed } = numbers(args, { count: 100_000, seed: 1 });
  const onProgress = (done: number): void => {
    if (done % 10_000 === 0) console.error(`${done} streams`);
  };
  const report = await fuzzStreams({ count, seed, onProgress });
  return { report: { seed, ...report }, good: report.problems.length === 0 };
};

/** Conversations at once over two servers, of whose connections `--percent` are cut. */
const threads: Area = async (args) => {
  const wanted = numbers(args, { threads: 64, turns: 4, percent: 20, seed: 1 });
  const { threads: count, turns, percent, seed } = wanted;
  const onProgress = (done: number): void => {
    if (done % 32 === 0) console.error(`${done} turns`);
  };
  const cuts = percent / 100;
  const report = await stressRemoteThreads({ threads: count, turns, cuts, seed, onProgress });
  const isBusy = report.most_at_once === count;
  const good = report.problems.length === 0 && isBusy && report.cut > 0 === percent > 0;
  return { report: { seed, ...report }, good };
};

const constrain: Area = async (args) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { walks: { type: "string" }, seed: { type: "string" } },
  });
  const base = process.env["INIT_CWD"] ?? process.cwd();
  const report = await walkSchemas({
    schemas: readSchemas(positionals.map((path) => resolve(base, path))),
    walks: Number(values.walks ?? 10_000),
    seed: Number(values.seed ?? 1),
    onProgress: (done) => {
      if (done % 20 === 0) console.error(`${done} schemas`);
    },
  });
  const { invalid, refusedInstances, walks, unfinished } = report;
  const good = invalid.length + refusedInstances.length === 0 && unfinished <= walks / 20;
  return { report, good };
};

const xsd: Area = async (args, folder) => {
  const { documents } = numbers(args, { documents: 10 });
  const report = await writeDocuments({
    documents,
    folder,
    onProgress: (name) => console.error(name),
  });
  return { report, good: report.models.every(({ invalid }) => invalid.length === 0) };
};

const jobs: Area = async (args, folder) => {
  const { pace, ...wanted } = numbers(args, {
    jobs: 1000,
    workers: 4,
    kills: 100,
    restarts: 5,
    partitions: 2,
    expiries: 2,
    pace: 200,
    seed: 1,
  });
  let said = 0;
  const onProgress = (ended: number): void => {
    if (ended < said + 50) return;
    said = ended;
    console.error(`${ended} jobs`);
  };
  const report = await stressJobs({
    ...wanted,
    paceMs: pace,
    concurrency: 3,
    isDurable: true,
    folder,
    onProgress,
  });
  const { kills, restarts, partitions, problems } = report;
  const isWhole =
    kills === wanted.kills && restarts === wanted.restarts && partitions === wanted.partitions;
  return { report: { seed: wanted.seed, ...report }, good: isWhole && problems.length === 0 };
};

const AREAS = new Map<string, Area>([
  ["xsd", xsd],
  ["constrain", constrain],
  ["kills", kills],
  ["jobs", jobs],
  ["python", python],
  ["pull", pull],
  ["requests", requests],
  ["load", load],
  ["remote", remote],
  ["streams", streams],
  ["threads", threads],
  ["grammars", grammars],
  ["minions", minions],
  ["plugins", plugins],
  ["paging", paging],
  ["context", context],
  ["sessions", sessions],
]);

const [area = "", ...args] = process.argv.slice(2);
const stress = AREAS.get(area);
if (stress === undefined) {
  const known = [...AREAS.keys()].join(", ");
  console.error(`stress: there is no area ${JSON.stringify(area)}; there are ${known}.`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "chorale-stress-"));
const startedAt = performance.now();
try {
  const { report, good } = await stress(args, folder);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.log(JSON.stringify({ area, seconds, ...report }));
  process.exitCode = good ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
