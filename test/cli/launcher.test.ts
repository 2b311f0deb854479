import { spawnSync } from "node:child_process";
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
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launcher } from "./chorale.ts";
import { oldNode } from "./old-node.ts";

const old = oldNode();

test("is plain JavaScript that the Nodes it must run on can parse", () => {
  // Syntax of ES2020 at most: no optional chaining (Node 14), no ??= or private fields (15).
  const source = readFileSync(launcher, "utf8");
  expect(source).not.toMatch(/\?\.[a-z[(]|\?\?|^\s*await |node:|#[a-z]+[;=(]/m);
});

test("keeps compiled code where there is a state folder that can be written, and nowhere else", () => {
  const home = mkdtempSync(join(tmpdir(), "launcher-test-"));
  try {
    const none = join(home, "none");
    const file = join(home, "file");
    writeFileSync(file, "");
    for (const CHORALE_HOME of [home, home, none, file, "/proc"]) {
      const env = { ...process.env, CHORALE_HOME };
      const run = spawnSync(process.execPath, [launcher, "--version"], { encoding: "utf8", env });
      expect(run).toMatchObject({ status: 0, stdout: "0.1.0\n", stderr: "" });
    }
    expect(readdirSync(join(home, "compiled")).length).toBe(1);
    expect(existsSync(none)).toBe(false);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});

describe.skipIf(old === undefined)("under an old Node", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "launcher-test-"));
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    copyFileSync(launcher, join(folder, "launcher.js"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (file: string, ...args: string[]) =>
    spawnSync(old ?? "", [file, ...args], { encoding: "utf8" });

  test("goes on with the Node that was installed beside it", () => {
    expect(run(launcher, "--version")).toMatchObject({ status: 0, stdout: "0.1.0\n" });
  });

  test("passes the exit code on", () => {
    expect(run(launcher, "run", "hi", "--bogus")).toMatchObject({ status: 2 });
  });

  test("in the installed package says what is needed, in one sentence", () => {
    const { status, stdout, stderr } = run(join(folder, "launcher.js"), "run", "hi");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(
      /^chorale: Node 24 or newer is needed, and this is \d+\.\d+\.\d+: install Node 24 from \S+\.\n$/,
    );
  });

  test("in a clone without node_modules also says how to get that Node", () => {
    const clone = join(folder, "a clone", "runtime", "cli");
    mkdirSync(clone, { recursive: true });
    copyFileSync(launcher, join(clone, "launcher.js"));
    writeFileSync(join(clone, "main.ts"), "");
    const { status, stdout, stderr } = run(join(clone, "launcher.js"), "run", "hi");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(
      `run \`npm install\` in ${join(folder, "a clone")}, which brings its own`,
    );
  });
});
