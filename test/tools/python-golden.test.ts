/** The project's own cases of the area `cells` (`npm run conformance -- cells FILE`), in one session. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { createPythonTool } from "../../tools/index.ts";
import { readCellCases, runCellCase } from "../conformance/cells.ts";

// The first start makes the snapshot, which takes minutes on a machine with other work.
vi.setConfig({ testTimeout: 180_000 });

const folder = mkdtempSync(join(tmpdir(), "chorale-test-cells-"));
const artifactFolder = join(folder, "artifacts");
const tool = createPythonTool({ cacheDir: join(folder, "cache"), artifactFolder });
afterAll(async () => {
  await tool.close();
  rmSync(folder, { recursive: true, force: true });
});

const cases = readCellCases(join(import.meta.dirname, "../golden/python/cells.json"));

test.each(cases.map((one) => [one.id, one] as const))("%s", async (_, one) => {
  const { pass, got } = await runCellCase(one, tool, artifactFolder);
  expect(pass ? [] : got).toEqual([]);
});
