/** `chorale python`: what it says, and the status it ends with. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resolveSettings } from "../../runtime/agent/settings.ts";
import { DeclaredTools } from "../../runtime/calls/declared-tools.ts";
import type { CommandContext } from "../../runtime/cli/command-context.ts";
import { installCommand, listCommand, verifyCommand } from "../../runtime/cli/python-packages.ts";
import { openPackages, openPython } from "../../runtime/environment.ts";
import { openHome } from "../../runtime/home.ts";
import { openingMessages } from "../../runtime/model/opening.ts";
import { type Mirror, makeMirror } from "../tools/python-wheels.ts";
import { argumentsOf } from "./arguments-of.ts";
import { chorale } from "./chorale.ts";

const base = mkdtempSync(join(tmpdir(), "chorale-python-"));
const home = join(base, "home");
let mirror: Mirror;

beforeAll(() => {
  mirror = makeMirror(join(base, "mirror"), [
    {
      name: "abacus",
      version: "2.1",
      imports: ["abacus"],
      depends: ["beads"],
      files: { "abacus.py": "x = 1\n" },
    },
    { name: "beads", imports: ["beads"], files: { "beads.py": "y = 2\n" } },
    { name: "wrong", imports: ["wrong"], sha256: "1".repeat(64) },
  ]);
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

type Said = { readonly code: number; readonly stdout: string; readonly notes: readonly string[] };

function context(notes: string[], lines: string[], env: NodeJS.ProcessEnv): CommandContext {
  const output = {
    line: (text: string) => lines.push(text),
    jsonLine: (value: unknown) => lines.push(JSON.stringify(value)),
    note: (sentence: string) => notes.push(sentence),
  };
  const { signal } = new AbortController();
  return { output, env, signal } as unknown as CommandContext;
}

/** Runs a command in this process; only the last test starts the real one. */
async function said(
  run: (context: CommandContext) => Promise<number>,
  env: NodeJS.ProcessEnv = { CHORALE_HOME: home },
): Promise<Said> {
  const [notes, lines]: [string[], string[]] = [[], []];
  const code = await run(context(notes, lines, env));
  return { code, stdout: lines.join("\n"), notes };
}

const install = (...names: string[]) =>
  said((c) => installCommand({ names, lock: mirror.lock, from: mirror.folder, json: false }, c));

describe("packages for Python", () => {
  test("are installed, listed and verified", async () => {
    expect((await said((c) => listCommand(false, c))).stdout).toBe(
      `No packages are installed in ${join(home, "python-packages")}.`,
    );
    const first = await install("Abacus");
    expect(first).toMatchObject({ code: 0 });
    expect(first.stdout).toMatch(
      /^Installed beads 1\.0 \(\d+ B\)\.\nInstalled abacus 2\.1 \(\d+ B\)\.$/,
    );
    expect(first.notes[0]).toMatch(/^1 of 2: beads 1\.0 \(\d+ B\)$/);
    expect((await install("abacus")).stdout).toBe(
      "beads 1.0 is there already.\nabacus 2.1 is there already.",
    );
    expect((await said((c) => listCommand(false, c))).stdout).toMatch(
      /^abacus 2\.1 +\d+ B {2}import abacus\nbeads 1\.0 +\d+ B {2}import beads\n2 packages, \d+ B, in .*python-packages\.$/,
    );
    const { packages, bytes } = JSON.parse((await said((c) => listCommand(true, c))).stdout);
    expect(packages.map(({ name }: { name: string }) => name)).toEqual(["abacus", "beads"]);
    expect(bytes).toBe(packages[0].bytes + packages[1].bytes);
    expect(await said((c) => verifyCommand(false, c))).toMatchObject({
      code: 0,
      stdout: "2 whole, 0 broken",
    });
  });

  test("that are broken are named, with how to repair them", async () => {
    const files = join(home, "python-packages", "files");
    const [file = ""] = readdirSync(files);
    chmodSync(join(files, file), 0o600);
    truncateSync(join(files, file), 1);
    const found = await said((c) => verifyCommand(false, c));
    expect(found.code).toBe(1);
    expect(found.stdout).toMatch(
      /^BROKEN \w+ [\d.]+: its file has 1 bytes instead of \d+\n1 whole, 1 broken$/,
    );
    expect(found.notes.at(-1)).toMatch(/^To repair: chorale python install (abacus|beads)$/);
    const { healthy } = JSON.parse((await said((c) => verifyCommand(true, c))).stdout);
    expect(healthy).toBe(false);
    await install("abacus");
    expect((await said((c) => verifyCommand(false, c))).code).toBe(0);
  });

  test("that cannot be had end with 1, unknown names with 2", async () => {
    const wrong = await install("wrong");
    expect(wrong.code).toBe(1);
    expect(wrong.notes.at(-1)).toContain("is not what the lock file says and was not installed");
    await expect(install("unheard-of")).rejects.toMatchObject({ code: "CHORALE_PACKAGE_UNKNOWN" });
    const ran = await chorale(["python", "install", "nunpy"], { home });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(/There is no package nunpy among the 357 .* Similar names: .*numpy/);
  });

  test("are all given to a run, or those that --packages names", async () => {
    const given = async (names?: string): Promise<readonly string[] | undefined> => {
      const flag = names === undefined ? [] : ["--packages", names];
      const { packages } = await argumentsOf(["run", ...flag]);
      return packages as readonly string[] | undefined;
    };
    const state = openHome({ CHORALE_HOME: home }, () => undefined);
    const open = async (packages?: string) =>
      openPython({ packages: await given(packages) }, state, { CHORALE_HOME: home }, () => {});
    const descriptionWith = async (packages?: string): Promise<string> => {
      const python = await open(packages);
      const tools = new DeclaredTools(python === null ? [] : [python.tool]);
      const opening = openingMessages(resolveSettings({}, tools, null, {}), tools);
      await python?.tool.close();
      return JSON.stringify(opening);
    };
    const others = "Beside the standard library these packages can be imported, and no others:";
    expect(await descriptionWith()).toContain(`${others} abacus 2.1, beads 1.0.`);
    expect(await descriptionWith("beads")).toContain(`${others} beads 1.0.`);
    expect(await descriptionWith("none")).toContain("Only the Python standard library can be");
    await expect(open("numpy")).rejects.toThrow(
      "Python cannot be given numpy: not installed (installed: abacus, beads).",
    );
  });

  test("that cannot be read are said, and a run goes on without them", async () => {
    const unreadable = join(base, "unreadable");
    // Where the store's folder is a link to itself, reading it is an error for everybody, also for root.
    mkdirSync(join(unreadable, "python-packages"), { recursive: true });
    const [entries = ""] = readdirSync(join(home, "python-packages")).filter((name) =>
      name.startsWith("pyodide-"),
    );
    const loop = join(unreadable, "python-packages", entries);
    symlinkSync(loop, loop);
    const notes: string[] = [];
    const env = { CHORALE_HOME: unreadable };
    const note = (sentence: string) => notes.push(sentence);
    expect(await openPackages(undefined, env, note)).toBeUndefined();
    expect(notes[0]).toMatch(/^The packages in .* cannot be read: ELOOP/);
    await expect(openPackages(["beads"], env, note)).rejects.toThrow("ELOOP");
  });
});
