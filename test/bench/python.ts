/**
 * `bench python [--starts N] [--cells N] [--handovers N] [--sessions N]`: what the sandboxed interpreter
 * costs. Starting (with a snapshot, and the first time of all, which makes it), a cell over the pipe, the
 * memory of its process, what a warm pool saves, and what a hundred sessions one after the other leave behind.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { descendantsOf } from "../../tools/isolate/index.ts";
import { PythonSession } from "../../tools/python/session.ts";
import { PythonWarmPool } from "../../tools/python/warm-pool.ts";
import type { Bench } from "./bench.ts";

const TIMEOUT_MS = 60_000;
const MIB = 2 ** 20;
/** Cells before the measured ones: V8 compiles what is used often only then. */
const WARM_UP_CELLS = 50;
/** Sessions before the baseline of the growth: the agent's own code is loaded and compiled by then. */
const SETTLED_AFTER = 10;
/** As a conversation leaves it: time for the next interpreter to be ready. */
const BETWEEN_HANDOVERS_MS = 1500;

export const bench: Bench = async (args) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      starts: { type: "string", default: "7" },
      cells: { type: "string", default: "500" },
      sessions: { type: "string", default: "100" },
      handovers: { type: "string", default: "3" },
    },
  });
  const cacheDir = mkdtempSync(join(tmpdir(), "chorale-bench-python-"));
  try {
    const first = await timeStart(cacheDir);
    say(`first start, which makes the snapshot: ${first} ms`);
    const starts: number[] = [];
    for (let i = 0; i < Number(values.starts); i++) starts.push(await timeStart(cacheDir));
    say(`starts: ${starts.join(", ")} ms`);
    const warm = await measureCells(cacheDir, Number(values.cells));
    say(`cells: p50 ${warm.cell_p50_ms} ms, p95 ${warm.cell_p95_ms} ms`);
    const handovers = Number(values.handovers);
    const handover = {
      without_pool: await measureHandover(cacheDir, handovers, undefined),
      with_pool: await withPool(cacheDir, handovers),
    };
    say(`a first cell, without and with a warm pool: ${JSON.stringify(handover)}`);
    const series = await measureSeries(cacheDir, Number(values.sessions));
    return {
      first_run_ms: first,
      cold_start_ms: round(quantile(starts, 0.5)),
      cold_start_max_ms: Math.max(...starts),
      ...warm,
      handover,
      series,
      goals: { cold_start_ms: 1000, cell_p50_ms: 3, rss_mb: 320, growth: 0.1 },
    };
  } finally {
    rmSync(cacheDir, { recursive: true, force: true });
  }
};

const say = (line: string): void => console.error(line);
const never = new AbortController().signal;
const open = (cacheDir: string): PythonSession =>
  new PythonSession({ timeoutMs: TIMEOUT_MS, cacheDir });

/** Milliseconds from nothing to an interpreter that takes cells. */
async function timeStart(cacheDir: string): Promise<number> {
  const session = open(cacheDir);
  const begun = performance.now();
  await session.start();
  const ms = performance.now() - begun;
  await session.close();
  return Math.round(ms);
}

type Cells = {
  readonly cells: number;
  readonly cell_p50_ms: number;
  readonly cell_p95_ms: number;
  /** Of the interpreter's process, when it is ready and after the cells; null without `/proc`. */
  readonly rss_mb: number | null;
  readonly rss_after_cells_mb: number | null;
};

async function measureCells(cacheDir: string, cells: number): Promise<Cells> {
  const session = open(cacheDir);
  await session.start();
  const rss = residentMb(interpreter());
  const times: number[] = [];
  for (let i = 0; i < WARM_UP_CELLS + cells; i++) {
    const begun = performance.now();
    const { value } = await session.run(`x = ${i}\nprint(x)\nx * 2`, never);
    if (value !== String(i * 2)) throw new Error(`cell ${i} gave ${value}`);
    if (i >= WARM_UP_CELLS) times.push(performance.now() - begun);
  }
  const after = residentMb(interpreter());
  await session.close();
  return {
    cells,
    cell_p50_ms: round(quantile(times, 0.5)),
    cell_p95_ms: round(quantile(times, 0.95)),
    rss_mb: rss,
    rss_after_cells_mb: after,
  };
}

type Handover = {
  /** From a new conversation to its first result. */
  readonly new_conversation_ms: number;
  /** From the end of an interpreter to the next cell's result, if the next cell comes at once. */
  readonly after_stop_ms: number;
};

async function withPool(cacheDir: string, handovers: number): Promise<Handover> {
  const pool = new PythonWarmPool({ cacheDir: cacheDir });
  pool.prepare();
  const figures = await measureHandover(cacheDir, handovers, pool);
  await pool.close();
  return figures;
}

async function measureHandover(
  cacheDir: string,
  handovers: number,
  warmPool: PythonWarmPool | undefined,
): Promise<Handover> {
  const starts: number[] = [];
  const stops: number[] = [];
  for (let i = 0; i < handovers; i++) {
    const session = new PythonSession({ timeoutMs: TIMEOUT_MS, cacheDir, warmPool });
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_HANDOVERS_MS));
    const begun = performance.now();
    await session.run("1 + 1", never);
    starts.push(performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_HANDOVERS_MS));
    await session.run("import os; os._exit(1)", never);
    const ended = performance.now();
    await session.run("1 + 1", never);
    stops.push(performance.now() - ended);
    await session.close();
  }
  return {
    new_conversation_ms: round(quantile(starts, 0.5)),
    after_stop_ms: round(quantile(stops, 0.5)),
  };
}

type Series = {
  readonly sessions: number;
  readonly ms_per_session: number;
  /** Of this process, after the first few sessions and after the last. */
  readonly parent_rss_mb: readonly [number, number];
  readonly parent_rss_growth: number;
  readonly descriptors: readonly [number, number] | null;
  /** Processes of sessions that are still there. */
  readonly left: number;
};

async function measureSeries(cacheDir: string, sessions: number): Promise<Series> {
  const begun = performance.now();
  const settledAfter = Math.min(SETTLED_AFTER, sessions);
  let before = 0;
  let descriptorsBefore: number | null = null;
  for (let i = 1; i <= sessions; i++) {
    const session = open(cacheDir);
    await session.run("sum(range(100))", never);
    await session.close();
    if (i === settledAfter) {
      before = process.memoryUsage.rss();
      descriptorsBefore = descriptors();
    }
    if (i % 10 === 0) say(`session ${i}: ${Math.round(process.memoryUsage.rss() / MIB)} MiB`);
  }
  const after = process.memoryUsage.rss();
  const descriptorsAfter = descriptors();
  return {
    sessions,
    ms_per_session: Math.round((performance.now() - begun) / sessions),
    parent_rss_mb: [Math.round(before / MIB), Math.round(after / MIB)],
    parent_rss_growth: round(after / before - 1),
    descriptors:
      descriptorsBefore === null || descriptorsAfter === null
        ? null
        : [descriptorsBefore, descriptorsAfter],
    left: descendantsOf(process.pid).length,
  };
}

function descriptors(): number | null {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return null;
  }
}

/** The interpreter's process, the innermost of what this one has started; null where there is no `/proc`. */
function interpreter(): number | null {
  return descendantsOf(process.pid).at(-1) ?? null;
}

function residentMb(pid: number | null): number | null {
  if (pid === null) return null;
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kib) / 1024);
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const round = (value: number): number => Math.round(value * 100) / 100;
