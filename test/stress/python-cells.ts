/**
 * Random cells in parallel sessions whose processes are killed at random moments. Every
 * call has to end with a result, right where there is one, and nothing may be left behind.
 */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { ToolResult } from "../../tools/core/tool.ts";
import { createPythonTool, executeTool, type PythonTool } from "../../tools/index.ts";
import { descendantsOf } from "../../tools/isolate/index.ts";
import { Random } from "../eval/random.ts";

export type StressOptions = {
  readonly cells: number;
  readonly sessions: number;
  readonly seed: number;
  /** For the snapshot; its path is how processes of this run are known from others. */
  readonly cacheDir: string;
  readonly onProgress?: (done: number) => void;
};

export type StressReport = {
  readonly cells: number;
  /** How calls ended, by kind. */
  readonly endings: Readonly<Record<string, number>>;
  readonly kills: number;
  readonly aborts: number;
  readonly closes: number;
  /** Calls that did not end within `SETTLE_WITHIN_MS`. */
  readonly lost: number;
  /** Cells that finished with what they should not have given. */
  readonly wrong: readonly string[];
  /** Processes of the run that are still there 2 s after its end. */
  readonly orphans: number;
  /** Open descriptors of this process, before and after; null where there is no `/proc`. */
  readonly descriptors: readonly [number, number] | null;
};

const CELL_TIMEOUT_MS = 1000;
const SETTLE_WITHIN_MS = 240_000;
const GONE_WITHIN_MS = 2000;
/** Of cells at which something is done to a process. */
const DISTURBED = 0.12;
const LATEST_DISTURBANCE_MS = 400;
/** What is done, as bounds of a random number: a kill, a cancelled run, a closed session. */
const KILLS = 0.7;
const ABORTS = 0.85;
const CLOSES = 1;

type Cell = {
  readonly code: string;
  /** What the result is when nothing disturbs the cell; undefined: anything. */
  readonly expected?: string;
};

/** Kinds of cells, those of real conversations more often than the hostile ones. */
function randomCell(random: Random, id: number): Cell {
  const n = random.int(0, 999);
  const kinds: readonly (readonly [weight: number, cell: Cell])[] = [
    [20, { code: `${id} * ${n}`, expected: String(id * n) }],
    [20, { code: `print("cell ${id}")`, expected: `cell ${id}` }],
    [10, { code: `kept = ${n}\nkept + ${id}`, expected: String(n + id) }],
    [10, { code: `sum(range(${n * 100}))`, expected: String((n * 100 * (n * 100 - 1)) / 2) }],
    [5, { code: `import asyncio\nawait asyncio.sleep(0.0${n % 10})\n${n}`, expected: String(n) }],
    [5, { code: `open("/outputs/${n % 7}.txt", "w").write("x" * ${n})` }],
    [5, { code: `1 / 0` }],
    [5, { code: `"x" * ${n * 1000}` }],
    [3, { code: `import time\ntime.sleep(${random.next() / 2})` }],
    [2, { code: "while True: pass" }],
    [
      1,
      { code: "while True:\n    try:\n        while True: pass\n    except BaseException: pass" },
    ],
    [2, { code: `import os\nos._exit(${n % 5})` }],
    [1, { code: "import ctypes\nctypes.string_at(2**31 - 8, 10**8)" }],
    [1, { code: "from pyodide.code import run_js\nrun_js('for (;;);')" }],
  ];
  let at = random.next() * kinds.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, cell] of kinds) {
    at -= weight;
    if (at < 0) return cell;
  }
  return { code: "" };
}

export async function stressPython(options: StressOptions): Promise<StressReport> {
  const { cells, sessions, seed, cacheDir, onProgress } = options;
  const open = (): PythonTool => createPythonTool({ cacheDir, timeoutMs: CELL_TIMEOUT_MS });
  // Loads what the first use loads, and makes the snapshot.
  const first = open();
  await first.warmUp();
  await first.close();
  const descriptorsBefore = countDescriptors();

  const endings: Record<string, number> = {};
  const wrong: string[] = [];
  const counts = { kills: 0, aborts: 0, closes: 0, lost: 0 };
  const disturbances: Promise<void>[] = [];
  let begun = 0;
  let done = 0;

  async function one(tool: PythonTool, random: Random, id: number): Promise<boolean> {
    const cell = randomCell(random, id);
    const abort = new AbortController();
    const disturbance = random.chance(DISTURBED) ? random.next() : 1;
    const share = random.next();
    const isClosed = disturbance >= ABORTS && disturbance < CLOSES;
    // It may come when the cell is over, and hit another.
    const disturbing = sleep(random.next() * LATEST_DISTURBANCE_MS).then(() => {
      if (disturbance < KILLS) {
        // Of any session, also one that is just being started.
        const pids = processesOf(cacheDir);
        const pid = pids[Math.floor(share * pids.length)];
        if (pid !== undefined && killed(pid)) counts.kills++;
      } else if (disturbance < ABORTS) {
        counts.aborts++;
        abort.abort();
      } else if (isClosed) {
        counts.closes++;
        return tool.close();
      }
      return undefined;
    });
    if (disturbance < 1) disturbances.push(disturbing);
    const result = await settled(
      executeTool(tool, cell.code, {
        signal: abort.signal,
        callId: `call_${id}`,
        countTokens: (text) => text.length,
        resultTokenLimit: 1_000_000,
      }),
    );
    if (result === null) counts.lost++;
    const ending = result === null ? "lost" : endingOf(result);
    endings[ending] = (endings[ending] ?? 0) + 1;
    if (ending === "finished" && cell.expected !== undefined) {
      const text = result?.text ?? "";
      const value = text.split("\n[WARN]")[0];
      if (value !== cell.expected) wrong.push(`${cell.code} gave ${text.slice(0, 200)}`);
    }
    return !isClosed;
  }

  async function worker(random: Random): Promise<void> {
    let tool = open();
    while (begun < cells) {
      const goesOn = await one(tool, random, ++begun);
      done++;
      onProgress?.(done);
      if (!goesOn) {
        await tool.close();
        tool = open();
      }
    }
    await tool.close();
  }

  await Promise.all(
    Array.from({ length: sessions }, (_, i) => worker(new Random(seed, `session ${i}`))),
  );
  await Promise.all(disturbances);
  const end = performance.now();
  // The last processes may be gone and their pipes not yet: that is told a moment later.
  const isLeft = (): boolean =>
    processesOf(cacheDir).length > 0 || (countDescriptors() ?? 0) > (descriptorsBefore ?? 0);
  while (isLeft() && performance.now() - end < GONE_WITHIN_MS) await sleep(20);
  const descriptorsAfter = countDescriptors();
  return {
    cells: done,
    endings,
    ...counts,
    wrong,
    orphans: processesOf(cacheDir).length + descendantsOf(process.pid).length,
    descriptors:
      descriptorsBefore === null || descriptorsAfter === null
        ? null
        : [descriptorsBefore, descriptorsAfter],
  };
}

function endingOf({ status, data, text }: ToolResult): string {
  const { ending, error } = (data ?? {}) as { ending?: string; error?: string | null };
  if (ending !== undefined) return ending === "finished" && error !== null ? "raised" : ending;
  if (status === "completed") return "finished";
  return /did not start|is closed/.test(text) ? "not started" : "cancelled";
}

async function settled(promise: Promise<ToolResult>): Promise<ToolResult | null> {
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), SETTLE_WITHIN_MS);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Every process that was started with the run's folder in its command, with any parent. */
function processesOf(cacheDir: string): readonly number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8");
        return command.includes("python/child.ts") && command.includes(cacheDir);
      } catch {
        return false;
      }
    })
    .map(Number);
}

function killed(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}

function countDescriptors(): number | null {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return null;
  }
}
