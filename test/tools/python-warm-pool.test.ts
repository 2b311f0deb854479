/** The interpreter that is ready before it is needed. Real processes. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import {
  createPythonTool,
  executeTool,
  type PythonTool,
  PythonWarmPool,
} from "../../tools/index.ts";
import { descendantsOf } from "../../tools/isolate/index.ts";
import type { InterpreterProcess } from "../../tools/python/interpreter-process.ts";
import { context } from "./support.ts";

const cacheDir = mkdtempSync(join(tmpdir(), "chorale-test-pool-"));
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

// Starting without a snapshot computes for seconds, which take minutes on a machine with other work.
vi.setConfig({ testTimeout: 180_000 });
const SLOWLY = { timeout: 60_000 };

function open(): PythonWarmPool {
  const pool = new PythonWarmPool({ cacheDir });
  onTestFinished(() => pool.close());
  return pool;
}

async function take(pool: PythonWarmPool): Promise<InterpreterProcess> {
  const interpreter = await pool.take(() => undefined);
  onTestFinished(async () => {
    interpreter.kill();
    await interpreter.exited;
  });
  return interpreter;
}

function toolWith(pool: PythonWarmPool): PythonTool {
  const tool = createPythonTool({ warmPool: pool, timeoutMs: 20_000 });
  onTestFinished(() => tool.close());
  return tool;
}

const text = async (code: string, tool: PythonTool): Promise<string> =>
  (await executeTool(tool, code, context())).text;

describe.runIf(process.platform === "linux")("a pool", () => {
  test("is prepared once, taken by the next, and replaced", async () => {
    const pool = open();
    expect(descendantsOf(process.pid)).toEqual([]);
    pool.prepare();
    pool.prepare();
    const first = await take(pool);
    const second = await take(pool);
    expect(first.pid).not.toBe(second.pid);
    // Two that were taken and a third to come, each with what confines it.
    const each = descendantsOf(first.pid ?? 0).length + 1;
    await expect.poll(() => descendantsOf(process.pid).length, SLOWLY).toBe(3 * each);
    expect(await first.run("1 + 1")).toMatchObject({ kind: "finished", value: "2" });
    expect(await second.run("1 + 1")).toMatchObject({ kind: "finished", value: "2" });
  });

  test("that is gone is no reason to fail", async () => {
    const pool = open();
    pool.prepare();
    await take(pool);
    await expect.poll(() => descendantsOf(process.pid).length, SLOWLY).toBeGreaterThan(3);
    for (const pid of descendantsOf(process.pid)) process.kill(pid, "SIGKILL");
    expect(await text("6 * 7", toolWith(pool))).toBe("42");
  });

  test("serves conversations one after the other, and one whose interpreter has ended", async () => {
    const pool = open();
    const first = toolWith(pool);
    await text("x = 'of the first'", first);
    expect(await text("import os; os._exit(1)", first)).toContain("variables are lost");
    expect(await text("'x' in globals()", first)).toBe("False");
    await first.close();
    const second = toolWith(pool);
    expect(await text("'x' in globals()", second)).toBe("False");
  });

  test("ends when it is closed; who uses it goes on", async () => {
    const pool = open();
    pool.prepare();
    await pool.close();
    expect(descendantsOf(process.pid)).toEqual([]);
    expect(await text("6 * 7", toolWith(pool))).toBe("42");
  });

  test("keeps no program from ending, and ends with it", async () => {
    const door = join(import.meta.dirname, "../../tools/index.ts");
    const program = spawn(process.execPath, [
      "--input-type=module",
      "-e",
      `import { PythonWarmPool } from ${JSON.stringify(door)};
       const pool = new PythonWarmPool({ cacheDir: ${JSON.stringify(cacheDir)} });
       pool.prepare();
       setTimeout(() => console.log("over"), 300);`,
    ]);
    await new Promise((resolve) => program.stdout.once("data", resolve));
    const pids = descendantsOf(program.pid ?? 0);
    const code = await new Promise((resolve) => program.once("exit", resolve));
    expect(code).toBe(0);
    await expect
      .poll(() => pids.filter((pid) => descendantsOf(1).includes(pid)), { timeout: 5000 })
      .toEqual([]);
  });
});

test("cannot have other packages than the tool", () => {
  const packages = { packages: [], manifest: {} } as never;
  expect(() => createPythonTool({ warmPool: new PythonWarmPool(), packages })).toThrow(
    "the packages of its warm pool are other than its own",
  );
});
