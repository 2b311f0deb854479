import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stressPython } from "../stress/python-cells.ts";

// `npm run stress -- python` runs a thousand; a machine with other work takes minutes for these.
test("random cells in parallel sessions, with kills at random moments", async () => {
  const cacheDir = mkdtempSync(join(tmpdir(), "chorale-stress-"));
  try {
    const report = await stressPython({ cells: 40, sessions: 2, seed: 7, cacheDir });
    expect(report).toMatchObject({ cells: 40, lost: 0, wrong: [], orphans: 0 });
    expect(report.endings["finished"]).toBeGreaterThan(10);
    const [before, after] = report.descriptors ?? [0, 0];
    expect(after).toBeLessThanOrEqual(before);
  } finally {
    rmSync(cacheDir, { recursive: true, force: true });
  }
}, 300_000);
