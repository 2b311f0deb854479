/** Files into Python and out of it, through the real command: model, loop, sandbox and terminal. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tokenizerFromHfJson } from "../../harmony/index.ts";
import { pythonProblem } from "../../tools/index.ts";
import { makeChainModel } from "../fixtures/make-chain-model.ts";
import { chorale, eventsOf } from "./chorale.ts";

const vocabulary = fileURLToPath(new URL("../../inference/demo/tokenizer.json", import.meta.url));
const LIMIT_MS = 120_000;

let root: string;
let home: string;
/** Calls Python with one program, and has no second thought. */
let model: string;

/** What the model imports: one of the user's files, which reads the other. */
const CODE = `
import os
text = open('/mnt/data/in put.csv').read()
try:
    open('/mnt/data/in put.csv', 'w')
except PermissionError:
    print('read-only')
open('/outputs/copy.csv', 'w').write(text.upper())
os.symlink('/mnt/data/in put.csv', '/outputs/link.csv')
os.makedirs('/outputs/deep/er')
open('/outputs/deep/er/..plot.png', 'wb').write(b'PNG')
print('wrote')
`;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "python-files-test-"));
  home = join(root, "home");
  model = join(root, "model");
  mkdirSync(model);
  copyFileSync(vocabulary, join(model, "tokenizer.json"));
  const tokenizer = tokenizerFromHfJson(JSON.parse(readFileSync(vocabulary, "utf8")));
  makeChainModel(model, tokenizer, "<|channel|>analysis to=python<|message|>import\tgo<|call|>");
  writeFileSync(join(root, "go.py"), CODE);
  writeFileSync(join(root, "in put.csv"), "a,b\n");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const files = (): string[] => ["--file", join(root, "go.py"), "--file", join(root, "in put.csv")];
const run = (...args: string[]): ReturnType<typeof chorale> =>
  chorale(["run", "Go on.", "--model", model, "--max-steps", "2", ...args, ...files()], { home });

describe.runIf(pythonProblem() === null)("chorale run --file", () => {
  test("with --artifacts writes there, and says so as events", { timeout: LIMIT_MS }, async () => {
    const folder = join(root, "mine");
    mkdirSync(folder);
    writeFileSync(join(folder, "copy.csv"), "the user's own");
    const { stdout } = await run("--json", "--artifacts", folder);
    const outputs = eventsOf(stdout).flatMap((event) =>
      event.type === "item.completed" && event.item.type === "code_execution" ? [event.item] : [],
    );
    // The last step begins as an answer, so nothing more is run.
    expect(outputs).toHaveLength(1);
    expect(outputs[0]?.output).toMatch(/^read-only\nwrote\n\[INFO\] Saved for the user: /);
    expect(outputs[0]?.artifacts).toEqual([
      { name: "copy-2.csv", path: join(folder, "copy-2.csv"), bytes: 4 },
      { name: "deep-er-..plot.png", path: join(folder, "deep-er-..plot.png"), bytes: 3 },
    ]);
    expect(readFileSync(join(folder, "copy-2.csv"), "utf8")).toBe("A,B\n");
    expect(readFileSync(join(folder, "copy.csv"), "utf8")).toBe("the user's own");
    expect(readdirSync(folder).sort()).toEqual(["copy-2.csv", "copy.csv", "deep-er-..plot.png"]);
    expect(readFileSync(join(root, "in put.csv"), "utf8")).toBe("a,b\n");
  });

  test("without it makes a folder of the state, and prints it", { timeout: LIMIT_MS }, async () => {
    const { stderr } = await run();
    const [, folder = ""] = /(\S+\/artifacts\/\S+?)\/?copy\.csv/.exec(stderr) ?? [];
    expect(folder).toContain(join(home, "artifacts"));
    expect(existsSync(join(folder, "copy.csv"))).toBe(true);
  });

  test("that cannot be given ends with 2 before a model is loaded", async () => {
    const { code, stderr, stdout } = await run("--file", join(root, "missing"));
    expect(stderr).toMatch(/^chorale: Cannot read .*missing for Python: ENOENT.*\n$/);
    expect([code, stdout]).toEqual([2, ""]);
  });
});
