import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stressPulls } from "../../stress/pulls.ts";

test("pulls under faults, kills and full disks bring the right bytes or say why not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "chorale-pulls-"));
  try {
    const { problems, runs, killed } = await stressPulls({ runs: 12, seed: 3, folder });
    expect(problems).toEqual([]);
    expect(runs).toBe(12);
    expect(killed).toBeGreaterThan(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 120_000);
