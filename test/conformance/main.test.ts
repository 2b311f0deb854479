import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

const FIXTURES = join(import.meta.dirname, "../fixtures/tiny-model");
const folder = mkdtempSync(join(tmpdir(), "chorale-conformance-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the runner as `npm run conformance` does, with paths relative to `from`. */
function conformance(
  args: readonly string[],
  from: string = FIXTURES,
): { status: number | null; lines: string[]; stderr: string } {
  const main = join(import.meta.dirname, "main.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: "utf8",
    env: { ...process.env, INIT_CWD: from, CHORALE_HOME: folder },
  });
  return { status, lines: stdout.trimEnd().split("\n"), stderr };
}

test("scenarios of the MCP suite: one call, one stream that breaks, one scope that is not enough", () => {
  const names = ["tools_call", "sse-retry", "auth/scope-step-up"];
  const { status, lines, stderr } = conformance(["mcp", ...names]);
  expect(stderr).toBe("");
  expect(lines).toEqual(["3 passed, 0 failed"]);
  expect(status).toBe(0);
  expect(conformance(["mcp", "no-such"]).stderr).toMatch(
    /^There is no scenario no-such; there are /,
  );
});

describe("logits", () => {
  test.each(["hf", "original"])("of the tiny model, in the %s layout", (layout) => {
    const out = join(folder, `${layout}.jsonl`);
    const { status, lines, stderr } = conformance(["logits", layout, "logits.json", "--out", out]);
    expect(stderr).toBe("");
    expect(lines.at(-1)).toBe("5 passed, 0 failed");
    expect(status).toBe(0);
    const measured = lines.slice(0, -1).map((line) => JSON.parse(line));
    expect(measured.map(({ precision }) => precision)).toEqual(["exact", "int8"]);
    expect(measured[0]).toMatchObject({ argmax_agreement: 1 });
    expect(measured[0].nrmse).toBeLessThan(1e-5);
    expect(measured[1].nrmse).toBeGreaterThan(measured[0].nrmse);
    const answers = readFileSync(out, "utf8").trimEnd().split("\n");
    expect(answers.map((line) => JSON.parse(line))).toHaveLength(5);
  });

  test("that are not the model's: one line for the case, exit code 1", () => {
    const { ids, logits } = JSON.parse(readFileSync(join(FIXTURES, "logits.json"), "utf8"));
    const wrong = join(folder, "wrong.json");
    writeFileSync(wrong, JSON.stringify({ ids, logits: logits.map(() => logits[0]) }));
    const { status, lines } = conformance(["logits", "hf", wrong]);
    expect(status).toBe(1);
    expect(lines.filter((line) => !line.startsWith("{"))).toEqual([
      expect.stringMatching(
        /^exact-equals-reference: expected "nRMSE of at most 0.0001" got 1\.\d+/,
      ),
      "4 passed, 1 failed",
    ]);
  });

  test("of some positions, with the arg max of all", () => {
    const { ids, logits } = JSON.parse(readFileSync(join(FIXTURES, "logits.json"), "utf8"));
    const argmax = logits.map((row: number[]) => row.indexOf(Math.max(...row)));
    const sparse = join(folder, "sparse.json");
    const positions = [3, 23];
    const rows = positions.map((position) => logits[position]);
    writeFileSync(sparse, JSON.stringify({ ids, positions, logits: rows, argmax }));
    const { status, lines } = conformance(["logits", "hf", sparse]);
    expect(status).toBe(0);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ precision: "exact", argmax_agreement: 1 });
  });
});

describe("what cannot be run is said in one sentence, with exit code 2", () => {
  writeFileSync(join(folder, "broken.json"), "{");
  writeFileSync(join(folder, "other.json"), '{"ids": [1], "logits": [[1], [2]]}');
  test.each<[string[], RegExp]>([
    [[], /^No area was given; there are: harmony, /],
    [["poetry", "x.json"], /^There is no area poetry; there are: harmony, .*logits/],
    [["logits"], /^No file of cases was given for logits/],
    [["logits", "nowhere", "logits.json"], /^There is no file .*nowhere\.$/m],
    [["logits", "hf"], /^logits takes two paths/],
    [["logits", "hf", "logits.json", "--fast"], /^There is no option --fast/],
    [["logits", "hf", "logits.json", "--out"], /^--out needs the name of a file/],
    [
      ["logits", "hf", "logits.json", "--out", join(folder, "none/x")],
      /^Cannot write to .*none\/x/,
    ],
    [["logits", "hf", join(folder, "broken.json")], /^Cannot read the cases of .*broken.json/],
    [["logits", "hf", join(folder, "other.json")], /other.json is no reference: expected {ids/],
    [["logits", "logits.json", "logits.json"], /^Cannot open the model .*logits.json/],
  ])("%j", (args, message) => {
    const { status, lines, stderr } = conformance(args);
    expect(stderr.trimEnd()).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(lines).toEqual([""]);
    expect(status).toBe(2);
  });
});
