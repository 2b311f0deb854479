/**
 * `npm run --silent bench -- documents [--documents N]`: a folder of documents from its files to the answers
 * of searches, with the index in a file: indexing, a start without a change, a start after one change,
 * searches, memory and size.
 *
 * Rates count the bytes of the files. `_of_cpu` is of processor time of all threads together, so of one core.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type FolderBackend, openDocumentFolder } from "../../tools/index.ts";
import { randomNumbers } from "../fixtures/random-numbers.ts";
import { generateFiles } from "./document-corpus.ts";

const SEED = 20_261;
const DOCUMENTS = 100_000;
const QUERIES = 1000;
const RESULTS = 10;
/** Longer than any reading takes here: the figure is what is wanted, not the bound. */
const TIMEOUT_MS = 3_600_000;

export async function bench(args: readonly string[]): Promise<Record<string, unknown>> {
  const at = args.indexOf("--documents");
  const count = at < 0 ? DOCUMENTS : Number(args[at + 1]);
  if (!Number.isSafeInteger(count) || count < 1) throw new Error("--documents takes a number");
  const base = mkdtempSync(join(tmpdir(), "chorale-bench-documents-"));
  try {
    const folder = join(base, "files");
    const { bytes, queries, changed } = writeFiles(folder, count);
    console.error(`wrote ${count} documents, ${megabytes(bytes)} MB`);
    const indexFile = join(base, "index.sqlite");
    const open = (): Promise<FolderBackend> =>
      openDocumentFolder(folder, { indexFile, totalTimeoutMs: TIMEOUT_MS });

    const first = await measured(open);
    console.error(`indexed in ${(first.seconds).toFixed(1)} s`);
    const latencies = await searchLatencies(first.result, queries);
    await first.result.close();
    const index_mb = megabytes(statSync(indexFile).size);
    const again = await measured(open);
    await again.result.close();
    writeFileSync(changed, "# Changed\n\nThis alone is new.\n");
    utimesSync(changed, new Date(0), new Date(0));
    const one = await measured(open);
    await one.result.close();
    return {
      documents: count,
      megabytes: megabytes(bytes),
      megabytes_per_second: rate(bytes, first.seconds),
      megabytes_per_second_of_cpu: rate(bytes, first.cpuSeconds),
      index_mb,
      peak_memory_mb: megabytes(process.resourceUsage().maxRSS * 1024),
      start_without_change: { read: again.result.summary.read, seconds: rounded(again.seconds) },
      start_after_one_change: { read: one.result.summary.read, seconds: rounded(one.seconds) },
      ...latencies,
    };
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

function writeFiles(
  folder: string,
  count: number,
): { readonly bytes: number; readonly queries: readonly string[]; readonly changed: string } {
  const queries: string[] = [];
  let bytes = 0;
  let changed = "";
  for (const { path, text, queries: own } of generateFiles(count, SEED)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    bytes += Buffer.byteLength(text);
    queries.push(...own);
    if (path.endsWith(".md")) changed ||= file;
  }
  return { bytes, queries, changed };
}

type Measured<T> = { readonly result: T; readonly seconds: number; readonly cpuSeconds: number };

async function measured<T>(work: () => Promise<T>): Promise<Measured<T>> {
  const [startedAt, before] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return {
    result,
    seconds: (performance.now() - startedAt) / 1e3,
    cpuSeconds: (user + system) / 1e6,
  };
}

async function searchLatencies(
  docs: FolderBackend,
  queries: readonly string[],
): Promise<Record<string, number>> {
  const random = randomNumbers(SEED);
  const times: number[] = [];
  const cpuTimes: number[] = [];
  let found = 0;
  for (let n = 0; n < QUERIES; n++) {
    const query = queries[Math.floor(random() * queries.length)] ?? "";
    const { result: hits, seconds, cpuSeconds } = await measured(() => docs.search(query, RESULTS));
    times.push(seconds * 1000);
    cpuTimes.push(cpuSeconds * 1000);
    if (hits.length > 0) found++;
  }
  const at = (values: readonly number[], share: number): number =>
    rounded(values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0);
  return {
    queries: QUERIES,
    queries_with_results: found,
    query_p50_ms: at(times, 0.5),
    query_p95_ms: at(times, 0.95),
    query_max_ms: rounded(Math.max(...times)),
    query_p95_cpu_ms: at(cpuTimes, 0.95),
  };
}

function rate(bytes: number, seconds: number): number {
  return rounded(bytes / 1e6 / seconds);
}

function megabytes(bytes: number): number {
  return rounded(bytes / 1e6);
}

function rounded(value: number): number {
  return Number(value.toFixed(1));
}
