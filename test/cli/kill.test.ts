/** A run that is killed (SIGKILL) goes on where its log ends, and executes nothing twice. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { killRuns } from "../stress/kill-runs.ts";

test("killed at random moments", { timeout: 180_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "kill-test-"));
  try {
    const report = await killRuns({ kills: 6, folder, seed: 7, model: "chain" });
    expect(report.problems).toEqual([]);
    expect(report.kills).toBe(6);
    expect(report.effects).toBeGreaterThan(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
