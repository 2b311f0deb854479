/** What a cell leaves behind costs neither the machine nor an innocent later cell. Real interpreters. */
import { spawn } from "node:child_process";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { createPythonTool, type PythonTool } from "../../tools/index.ts";
import { descendantsOf } from "../../tools/isolate/index.ts";
import { PythonSession } from "../../tools/python/session.ts";
import { pythonCells } from "./python-cells.ts";

// Starting without a snapshot computes for seconds, which take minutes on a machine with other work.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const cacheDir = mkdtempSync(join(tmpdir(), "chorale-test-leftovers-"));
let python: PythonTool;
beforeAll(async () => {
  python = createPythonTool({ cacheDir, timeoutMs: 20_000 });
  await python.warmUp();
});
afterAll(async () => {
  await python.close();
  rmSync(cacheDir, { recursive: true, force: true });
});
const { run, text, session } = pythonCells(cacheDir, () => python);

describe.runIf(process.platform === "linux")(
  "code that goes on computing between two cells",
  () => {
    test("is ended, and the next cell is told why its variables are gone", async () => {
      const { tool, pid } = await sessionWithProcess();
      await run("kept = 7", tool);
      await run(
        "from pyodide.code import run_js\nrun_js('setInterval(() => { const t = Date.now(); while (Date.now() - t < 900); }, 0)'); None",
        tool,
      );
      const before = cpuMs(pid);
      await expect.poll(() => descendantsOf(process.pid).includes(pid), SLOWLY).toBe(false);
      expect(before).toBeGreaterThan(0);
      expect(await text("'kept' in globals()", tool)).toBe(
        "False\n[WARN] The interpreter had ended since the last call (code that an earlier call left behind went on computing) and was restarted before this one; earlier variables and imports were lost.",
      );
      expect(await text("40 + 2", tool)).toBe("42");
    });

    test("is interrupted first, so that a task costs no variables", async () => {
      const { tool, pid } = await sessionWithProcess();
      await run(
        "import asyncio\nkept = 7\nasync def burn():\n    while True: await asyncio.sleep(0)\nburning = asyncio.create_task(burn())",
        tool,
      );
      await idle(pid);
      const next = await text("kept, burning.done()", tool);
      expect(next).toMatch(
        /^\(7, True\)\n\[WARN\] Code that an earlier call left behind went on /m,
      );
      expect(await text("kept", tool)).toBe("7");
    });

    test("and uses little may go on", async () => {
      const { tool } = await sessionWithProcess();
      await run(
        "import asyncio\nticks = 0\nasync def tick():\n    global ticks\n    while True:\n        await asyncio.sleep(0.1)\n        ticks += 1\ntask = asyncio.create_task(tick())",
        tool,
      );
      await sleep(1500);
      const result = await run("ticks > 2", tool);
      expect(result.text).toBe("True");
    });
  },
);

describe("a later cell", () => {
  const replaceCalls = (result: string): string =>
    `from pyodide.code import run_js\nfrom pyodide_js import _module\nrun_js("""(m) => { for (const k of Object.keys(m)) if (k.startsWith('callPyObject')) m[k] = () => ${result} }""")(_module)`;

  test.each([
    [
      "that is too long for a message",
      `'{"value": "' + '\\ud800'.repeat(2 ** 20) + '", "error": null}'`,
    ],
    ["with another value", `'{"value": "EARLIER CELL SAYS SO", "error": null}'`],
    ["that is no outcome", "true"],
  ])("gets its own result where an earlier one forged one %s", async (_, result) => {
    const tool = session();
    await run(replaceCalls(result), tool);
    expect(await text("40 + 2", tool)).toMatch(/^42\n\[WARN\] The interpreter had ended since /);
  });

  test("can wait where an earlier one has set all timers there are", async () => {
    await run(
      "from pyodide.code import run_js\nrun_js('for (let i = 0; i < 9999; i++) setTimeout(() => {}, 2 ** 31 - 1)'); None",
    );
    expect(await text("import asyncio\nawait asyncio.sleep(0.01, 'woke')")).toBe("'woke'");
    await run("run_js('for (let i = 0; i < 99; i++) setTimeout(() => {}, 1)')");
    expect(await text("await asyncio.sleep(0.01, 'woke')")).toBe("'woke'");
  });

  test("has a clock that runs on where an earlier one set JavaScript's back", async () => {
    const tool = session();
    await run("import time\nbefore = time.monotonic()", tool);
    await run(
      "from pyodide.code import run_js\nrun_js('const real = Date.now; Date.now = () => real() - 3600e3'); None",
      tool,
    );
    expect(await text("before < time.monotonic() < before + 600", tool)).toBe("True");
    // The clock is finer than milliseconds.
    const steps = "len({time.perf_counter() % 0.001 for _ in range(50)}) > 5";
    expect(await text(steps, tool)).toBe("True");
  });

  test("does not wait for one that blocks the thread without computing", async () => {
    const tool = session({ timeoutMs: 60_000 });
    await run(
      "from pyodide.code import run_js\nrun_js('setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 0)'); None",
      tool,
    );
    expect(await text("40 + 2", tool)).toMatch(/^42(\n\[WARN\]|$)/);
  });
});

test("a cell that says it has not begun, and then ends the interpreter, is not run again", async () => {
  let launches = 0;
  const count = (): void => void launches++;
  subscribe("child_process", count);
  onTestFinished(() => void unsubscribe("child_process", count));
  await using one = new PythonSession({ timeoutMs: 20_000, cacheDir });
  const { signal } = new AbortController();
  const result = await one.run(
    "from pyodide.code import run_js\nfrom pyodide_js import _module\nrun_js('(m) => new Uint8Array(m.Py_EmscriptenSignalBuffer.buffer).fill(0)')(_module)\nimport os\nos._exit(3)",
    signal,
  );
  expect(result).toMatchObject({ ending: "crashed", reason: "Program terminated with exit(3)" });
  expect((await one.run("40 + 2", signal)).value).toBe("42");
  expect(launches).toBe(2);
});

test.runIf(process.platform !== "win32")(
  "what a killed writer of a snapshot left is removed by the next start",
  async () => {
    const door = join(import.meta.dirname, "../../tools/python/snapshot.ts");
    const folder = mkdtempSync(join(tmpdir(), "chorale-test-leftovers-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const writer = spawn(process.execPath, [
      "--input-type=module",
      "-e",
      `import { snapshotPath, storeSnapshot } from ${JSON.stringify(door)};
     const folder = ${JSON.stringify(folder)};
     for (;;) await storeSnapshot(folder, snapshotPath(folder, "1", "x"), new Uint8Array(2 ** 26));`,
    ]);
    const leftovers = (): string[] => readdirSync(folder).filter((name) => name.endsWith(".tmp"));
    do {
      writer.kill("SIGCONT");
      await sleep(5);
      writer.kill("SIGSTOP");
    } while (leftovers().length === 0);
    writer.kill("SIGKILL");
    await new Promise((resolve) => writer.once("exit", resolve));
    expect(leftovers()).toHaveLength(1);
    const tool = createPythonTool({ cacheDir: folder });
    await tool.warmUp();
    await tool.close();
    expect(leftovers()).toEqual([]);
  },
);

const SLOWLY = { timeout: 60_000 };
const TICK_MS = 10;

/** A session whose interpreter runs, with the process that computes. */
async function sessionWithProcess(): Promise<{ tool: PythonTool; pid: number }> {
  const before = new Set(descendantsOf(process.pid));
  const tool = session();
  await tool.warmUp();
  const pid = descendantsOf(process.pid)
    .filter((one) => !before.has(one))
    .at(-1);
  if (pid === undefined) throw new Error("no process was started");
  return { tool, pid };
}

function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Resolves when the process computes no more. */
async function idle(pid: number): Promise<void> {
  for (let last = -1, now = cpuMs(pid); now - last > 3 * TICK_MS; now = cpuMs(pid)) {
    last = now;
    await sleep(1000);
  }
}
