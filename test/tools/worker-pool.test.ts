import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { runInWorker, TaskEndedError } from "../../tools/core/worker-pool.ts";

type Task = { readonly do: "echo" | "spin" | "fail" | "die" | "hoard"; readonly value?: unknown };

const TASK = new URL("./pool-task.ts", import.meta.url);
const run = (task: Task, limitMs = 10_000): Promise<unknown> => runInWorker(TASK, task, limitMs);

describe("the worker pool", () => {
  test("gives back what the handler returns, and throws what it throws", async () => {
    expect(await run({ do: "echo", value: new Map([["a", 1n]]) })).toEqual(new Map([["a", 1n]]));
    await expect(run({ do: "fail", value: "no such page" })).rejects.toThrow(/^no such page$/);
  });

  test("more endless tasks than threads: each ends by itself, and none of those behind is lost", async () => {
    const spinning = Array.from({ length: 5 }, () => run({ do: "spin" }, 100));
    const behind = Array.from({ length: 9 }, (_, value) => run({ do: "echo", value }));
    const ended = await Promise.allSettled(spinning);
    expect(ended.map((one) => one.status === "rejected" && one.reason)).toEqual(
      ended.map(() => new TaskEndedError("it took longer than 0.1 s")),
    );
    expect(await Promise.all(behind)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test.each([
    ["die", /exited/],
    ["hoard", /memory/],
  ] as const)("a thread that is lost to %s costs its task only", async (how, message) => {
    const lost = run({ do: how }).catch((error: unknown) => error);
    expect(await run({ do: "echo", value: 1 })).toBe(1);
    expect(await lost).toBeInstanceOf(TaskEndedError);
    expect(String(await lost)).toMatch(message);
    expect(await run({ do: "echo", value: 2 })).toBe(2);
  });

  test("a program whose work is done ends by itself", async () => {
    const pool = new URL("../../tools/core/worker-pool.ts", import.meta.url).href;
    const program = `
      import { runInWorker } from ${JSON.stringify(pool)};
      const task = new URL(${JSON.stringify(TASK.href)});
      console.log(await runInWorker(task, { do: "echo", value: "done" }, 10_000));`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "-e", program],
      { timeout: 20_000 },
    );
    expect(stdout).toBe("done\n");
  });
});
