import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { measureBandwidth } from "../../inference/index.ts";
import { chorale, type Ran } from "./chorale.ts";

let home: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "chorale-bench-"));
});
afterAll(() => rmSync(home, { recursive: true }));

const bench = (...args: string[]): Promise<Ran> => chorale(["bench", ...args], { home });

const small = ["--prompt", "20", "--generate", "3", "--rounds", "1"];

test("prints a table", async () => {
  const table = await bench(...small);
  expect(table.code).toBe(0);
  expect(table.stdout).toMatch(/^model +chorale-demo\n/);
  expect(table.stdout).toMatch(/^precision +exact$/m);
  expect(table.stdout).toMatch(/^decode +[\d.]+ tokens\/s \(3 tokens behind it\)$/m);
  expect(table.stdout).toMatch(/^load +[\d.]+ s \(\d+ page faults, [\d.]+ s of processor time/m);
  if (process.platform === "linux") {
    expect(table.stdout).toMatch(/^pages +\d+ KiB, [\d.]+ µs for the first touch of each, /m);
  }
  expect(table.stdout).toMatch(/^memory bandwidth +[\d.]+ GB\/s$/m);
  expect(table.stdout).toMatch(/^bf16 kernel +[\d.]+ billion MAC\/s per thread, [\d.]+ with 64/m);
  expect(table.stdout).toMatch(/^decode takes +[\d.]+ MB and [\d.]+ MMAC per token$/m);
  expect(table.stdout).toMatch(/^prefill limit .* \(memory alone [\d.]+, arithmetic alone .* %$/m);
});

test("prints the same as one line of JSON", async () => {
  const { code, stdout } = await bench(...small, "--threads", "2", "--precision", "int8", "--json");
  expect(code).toBe(0);
  const figures = JSON.parse(stdout) as Record<string, unknown>;
  const asked = { threads: 2, precision: "int8", prompt: 20, rounds: 1 };
  expect(figures).toMatchObject({ model: "chorale-demo", ...asked });
  for (const key of ["load_s", "prefill_tps", "decode_tps"]) {
    expect(figures[key], key).toBeGreaterThan(0);
  }
  const { gmacs_per_thread, decode } = figures["roofline"] as Record<string, object>;
  expect(Object.keys(gmacs_per_thread ?? {})).toEqual(expect.arrayContaining(["q8", "mxfp4"]));
  const limit = expect.any(Number);
  expect(decode).toMatchObject({ memory_limit_tps: limit, limit_tps: limit, share: limit });
});

test("refuses more tokens than the context holds", async () => {
  const { code, stdout, stderr } = await bench("--prompt", "4000", "--generate", "100");
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toContain("accepted: at most 4096, the context of chorale-demo");
});

test("the memory's bandwidth is a number, and measuring it can be given up", async () => {
  expect(await measureBandwidth(2)).toBeGreaterThan(1e6);
  const abort = new AbortController();
  const measuring = expect(measureBandwidth(1, abort.signal)).rejects.toThrow("enough");
  abort.abort(new Error("enough"));
  await measuring;
  await expect(measureBandwidth(1, abort.signal)).rejects.toThrow("enough");
});
