/** What a shell offers: the words in this process, and real shells with the scripts. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CommandContext } from "../../runtime/cli/command-context.ts";
import { COMMANDS } from "../../runtime/cli/commands.ts";
import { wordsCommand } from "../../runtime/cli/completion.ts";
import { SqliteThreadStore } from "../../runtime/index.ts";
import { launcher } from "./chorale.ts";

const LIMIT_MS = 60_000;
let root: string;
let env: NodeJS.ProcessEnv;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "completion-test-"));
  const config = join(root, "config.json");
  const profiles = { quick: {}, thorough: {}, "with space": {}, "\u001b[31m": {} };
  writeFileSync(config, JSON.stringify({ profiles }));
  env = { CHORALE_HOME: join(root, "home"), CHORALE_CONFIG: config };
  mkdirSync(join(root, "bin"));
  const command = join(root, "bin", "chorale");
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${launcher}' "$@"\n`);
  chmodSync(command, 0o755);
  mkdirSync(join(root, "files"));
  writeFileSync(join(root, "files", "schema one.json"), "{}");
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function offered(...words: string[]): Promise<string> {
  const lines: string[] = [];
  const output = { line: (text: string) => lines.push(text) };
  const context = { output, env, commands: COMMANDS } as unknown as CommandContext;
  await wordsCommand(words, context);
  return lines.map((line) => line.split("\t")[0]).join(" ");
}

describe("the words that could stand there", () => {
  test.each<[string[], string]>([
    [["ru"], "run"],
    [["fly", ""], ""],
    [["tools", "v"], "validate"],
    [["run", "--effo"], "--effort"],
    [["run", "--effort", ""], "low medium high"],
    [["run", "--effort", "h"], "high"],
    [["run", "--effort=m"], "--effort=medium"],
    // bash takes the word apart at the sign.
    [["run", "--effort", "=", "m"], "medium"],
    [["run", "--effort", "="], "low medium high"],
    [["run", "-m", ""], ":file"],
    [["run", "--docs", "x"], ":folder"],
    [["run", "--seed", ""], ""],
    [["run", "--seed", "1", "--see"], ""],
    [["run", "--plugin", "a", "--plu"], "--plugin"],
    [["run", "--", "--s"], ""],
    [["run", "hello"], ""],
    [["run", "--profile", ""], "quick thorough"],
    [["--profile", "quick", "run", "--effort", "l"], "low"],
    [["config", "--js"], "--json"],
    [["config", "set", "max-st"], "max-steps"],
    [["config", "set", "effort", "l"], "low"],
    [["config", "set", "quiet", ""], "true false"],
    [["config", "set", "profile", "th"], "thorough"],
    [["config", "set", "tool", "a", ""], ":file"],
    [["harmony", "parse", "x"], ":file"],
    [["run", "--he"], "--help"],
    [["--ver"], "--version"],
  ])("%j: %s", async (words, wanted) => {
    expect(await offered(...words)).toBe(wanted);
  });

  test("every command, and conversations by their ids", async () => {
    expect(await offered("")).toBe(Object.keys(COMMANDS).join(" "));
    expect(await offered("run", "--resume", "")).toBe("");
    const store = new SqliteThreadStore(join(root, "home", "threads.sqlite"));
    for (const threadId of ["abc-1", "xyz-2"]) {
      const at = new Date().toISOString();
      await store.append(threadId, { type: "thread", version: 1, threadId, seq: 0, at });
    }
    await store.close();
    expect(await offered("run", "--resume", "")).toBe("xyz-2 abc-1");
    expect(await offered("run", "--resume", "a")).toBe("abc-1");
  });
});

const isThere = (shell: string): boolean => spawnSync(shell, ["--version"]).status === 0;

/** Runs a script in a shell that has `chorale` in its PATH. */
function shell(name: string, args: readonly string[], script: string): string {
  const { stdout, stderr, status } = spawnSync(name, [...args, "-c", script], {
    cwd: join(root, "files"),
    env: { ...process.env, ...env, PATH: `${join(root, "bin")}:${process.env["PATH"]}` },
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout;
}

test.skipIf(!isThere("bash"))("bash", { timeout: LIMIT_MS }, () => {
  const script = `
    source <(chorale completion bash)
    try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _chorale; (IFS='|'; echo "\${COMPREPLY[*]}"); }
    try chorale doc
    try chorale run --effort ''
    try chorale run --effort = l
    try chorale run --schema sch
    try chorale run --profile ''
    complete -p chorale`;
  expect(shell("bash", ["--norc"], script).trimEnd().split("\n")).toEqual([
    "doctor",
    "low|medium|high",
    "low",
    "schema one.json",
    "quick|thorough",
    "complete -F _chorale chorale",
  ]);
});

test.skipIf(!isThere("zsh"))("zsh", { timeout: LIMIT_MS }, () => {
  const script = `
    autoload -U compinit && compinit -D -u
    source <(chorale completion zsh)
    _describe() { print -rl -- "\${(@P)3}" }
    try() { words=("$@"); CURRENT=$#; _chorale }
    try chorale doc
    try chorale run --effort ''
    print -r -- $_comps[chorale]`;
  expect(shell("zsh", ["-f"], script).trimEnd().split("\n")).toEqual([
    expect.stringMatching(/^doctor:Say what/),
    ...["low", "medium", "high", "_chorale"],
  ]);
});

test.skipIf(!isThere("fish"))("fish", { timeout: LIMIT_MS }, () => {
  const script = `
    chorale completion fish | source
    complete -C 'chorale doc'
    complete -C 'chorale run --effort '`;
  expect(shell("fish", ["--no-config"], script).trimEnd().split("\n")).toEqual([
    expect.stringMatching(/^doctor\tSay what/),
    ...["high", "low", "medium"],
  ]);
});
