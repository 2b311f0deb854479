import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findOsSandbox, SupervisedChild } from "../../tools/isolate/index.ts";
import {
  forgetSandbox,
  rememberedSandbox,
  rememberSandbox,
  sandboxConditions,
} from "../../tools/isolate/remembered-sandbox.ts";

let home: string;
let env: NodeJS.ProcessEnv;
let file: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "chorale-sandbox-"));
  env = { CHORALE_HOME: home };
  file = join(home, "sandbox.json");
});
afterEach(() => rmSync(home, { recursive: true }));

test("is remembered for the conditions of the trial alone", () => {
  expect(rememberedSandbox(env)).toBeUndefined();
  rememberSandbox("namespaces", env);
  expect(rememberedSandbox(env)).toBe("namespaces");
  writeFileSync(file, JSON.stringify({ sandbox: "namespaces", conditions: "of another boot" }));
  expect(rememberedSandbox(env)).toBeUndefined();
});

test("is forgotten on demand, also where nothing is remembered", () => {
  rememberSandbox("bubblewrap", env);
  forgetSandbox(env);
  forgetSandbox(env);
  expect(rememberedSandbox(env)).toBeUndefined();
});

test.each(["limits", "none"] as const)("%s is tried anew", (sandbox) => {
  rememberSandbox(sandbox, env);
  expect(existsSync(file)).toBe(false);
  // Nor is it believed where it was written by something else.
  writeFileSync(file, JSON.stringify({ sandbox, conditions: sandboxConditions() }));
  expect(rememberedSandbox(env)).toBeUndefined();
});

test.each(["", "{", "null", "[]", '{"sandbox":"namespaces"}', "x".repeat(5000)])(
  "a damaged memory counts as none: %#",
  (text) => {
    writeFileSync(file, text);
    expect(rememberedSandbox(env)).toBeUndefined();
  },
);

test("without a state folder, nothing is written", () => {
  const missing = join(home, "missing");
  rememberSandbox("namespaces", { CHORALE_HOME: missing });
  expect(existsSync(missing)).toBe(false);
});

/** Prints which sandbox a fresh process finds. */
function found(): string {
  const script = 'import("./tools/isolate/index.ts").then((m) => console.log(m.findOsSandbox()))';
  const { stdout } = spawnSync(process.execPath, ["-e", script], {
    cwd: join(import.meta.dirname, "../.."),
    env: { ...process.env, CHORALE_HOME: home },
    encoding: "utf8",
  });
  return stdout.trim();
}

describe.runIf(findOsSandbox() !== "limits" && findOsSandbox() !== "none")("a process", () => {
  test("remembers what it found, and the next one believes it", () => {
    const first = found();
    expect(first).toBe(findOsSandbox());
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ sandbox: first });
    // One that works less well would not be found by a trial.
    rememberSandbox("network-namespace", env);
    expect(found()).toBe("network-namespace");
  });

  test("forgets it when something does not start in it", async () => {
    const before = process.env["CHORALE_HOME"];
    process.env["CHORALE_HOME"] = home;
    try {
      rememberSandbox("namespaces", env);
      const reason = await new Promise<string>((onEnd) => {
        const limits = { residentBytes: 2 ** 30, dataBytes: 2 ** 32, heapMb: 64, wasmPages: 1000 };
        const entry = new URL("file:///missing/entry.js");
        new SupervisedChild(
          { entry, setup: null, readable: [], limits },
          { onMessage: () => {}, onEnd },
        );
      });
      expect(reason).toContain("its process ended with code 1");
      expect(existsSync(file)).toBe(false);
    } finally {
      if (before === undefined) delete process.env["CHORALE_HOME"];
      else process.env["CHORALE_HOME"] = before;
    }
  });
});
