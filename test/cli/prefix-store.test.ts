/** Runs of the command share what they computed of the same system message, also at the same time. */
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeRandomModel, TINY } from "../fixtures/make-tiny-model.ts";
import { chorale, eventsOf } from "./chorale.ts";

let root: string;
let home: string;
let model: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "chorale-prefix-"));
  home = join(root, "home");
  model = join(root, "model");
  makeRandomModel(model, { ...TINY, vocab: 4104 }, 7);
  const vocabulary = new URL("../../inference/demo/tokenizer.json", import.meta.url);
  copyFileSync(fileURLToPath(vocabulary), join(model, "tokenizer.json"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** How many tokens of its first prompt a run did not compute. Its answer is as random as the model. */
async function cachedTokens(prompt: string, ...flags: string[]): Promise<number | undefined> {
  const limits = ["--max-turns", "1", "--max-tokens", "4", "--seed", "1"];
  const { stdout } = await chorale(
    ["run", prompt, "--json", "--model", model, ...limits, ...flags],
    { home },
  );
  const first = eventsOf(stdout).find((event) => event.type === "generation.completed");
  return first?.type === "generation.completed" ? first.cached_input_tokens : undefined;
}

const stored = (): string[] => readdirSync(join(home, "prefixes"));

test("the first ones compute and store it, later ones begin behind it", async () => {
  expect(await Promise.all([cachedTokens("One?"), cachedTokens("Two?")])).toEqual(
    expect.arrayContaining([0]),
  );
  expect(stored()).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.kv$/)]);
  expect(await cachedTokens("Another question?")).toBeGreaterThan(64);
});

test("other instructions are another prefix; 0 GiB keep none", async () => {
  const before = stored().length;
  const other = ["--instructions", "Answer in French."];
  expect(await cachedTokens("One?", ...other, "--prefix-store", "0")).toBe(0);
  expect(stored().length).toBe(before);
  expect(await cachedTokens("One?", ...other)).toBe(0);
  expect(stored().length).toBe(before + 1);
});
