/** Kernels that V8 compiles to wider vectors: the check in a real process, and an engine that uses them. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { checkRevectorize } from "../../inference/wasm/revectorize.ts";

test("every kernel gives the same bytes, or the check says that it does not", async () => {
  const report = await checkRevectorize();
  // Null where this Node has no such flag.
  if (report === null) return;
  expect(report.isSame).toBe(true);
  expect(report.gain).toBeGreaterThan(0);
}, 30_000);

/** The flag is a process's: each way has one of its own. */
function ids(revectorize: boolean): string {
  const program = fileURLToPath(new URL("./revectorized-ids.ts", import.meta.url));
  const args = ["--no-liftoff", program, String(revectorize)];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  expect(JSON.parse(stdout)).toHaveLength(200);
  return stdout;
}

test("an engine gives the same ids with it and without", () => {
  expect(ids(true)).toBe(ids(false));
}, 60_000);
