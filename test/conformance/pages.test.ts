import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { run } from "./pages.ts";

const CASES = join(import.meta.dirname, "../golden/browser/pages.json");
const folder = mkdtempSync(join(tmpdir(), "chorale-pages-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("the project's own cases of folders and what the browser shows of them", async () => {
  const failed: unknown[] = [];
  let passed = 0;
  for await (const { id, pass, got } of run([CASES])) {
    if (pass) passed++;
    else failed.push({ id, got });
  }
  expect(failed).toEqual([]);
  expect(passed).toBeGreaterThan(80);
});

it("a case that does not hold fails, with what was shown", async () => {
  const files = { "a.md": "# Sails\n\nA jib.\n\nA main." };
  const steps = [
    { open: "a.md", contains: ["A jib."], first_line: [0, 0], same_line: [["A", "jib"]] },
    { open: "a.md", contains: ["A spinnaker."] },
    { open: "a.md", lacks: ["A jib."] },
    { open: "a.md", same_line: [["jib", "main"]] },
    { open: "a.md", first_line: [3, 9] },
    { find: "jib", any: [{ contains: ["mast"] }, { lacks: ["jib"] }] },
  ];
  const path = join(folder, "cases.json");
  writeFileSync(path, JSON.stringify({ cases: [{ id: "x", files, steps }] }));
  const [result] = await Array.fromAsync(run([path]));
  expect(result?.pass).toBe(false);
  const problems = [result?.got].flat().filter((problem) => !String(problem).includes(" in "));
  expect(problems).toEqual([
    'step 2 lacks "A spinnaker."',
    'step 3 contains "A jib."',
    'step 4 has no line with ["jib","main"]',
    "step 5 begins at line 0, not at 3 to 9",
    'step 6 fits none of [{"contains":["mast"]},{"lacks":["jib"]}]',
  ]);
});
