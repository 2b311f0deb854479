/**
 * Every command and program that README.md and docs/ show is run, and its output compared. Blocks of `console`
 * are typed into a shell, blocks of `ts run` are programs, blocks with a file name are files. Blocks of `sh`
 * need a network or weights; the package test runs what a newcomer types.
 */
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { launcher } from "../cli/chorale.ts";
import { codeBlocks, commandsOf } from "./code-blocks.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const base = mkdtempSync(join(tmpdir(), "chorale-docs-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

const bin = join(base, "bin");
mkdirSync(bin);
symlinkSync(launcher, join(bin, "chorale"));
mkdirSync(join(base, "node_modules"));
symlinkSync(root, join(base, "node_modules", "chorale"));
const { NODE_OPTIONS: _, ...outside } = process.env;
const env = {
  ...outside,
  CHORALE_HOME: join(base, "home"),
  XDG_CONFIG_HOME: join(base, "none"),
  PATH: [bin, dirname(process.execPath), process.env["PATH"]].join(delimiter),
};

const documents = [
  "README.md",
  ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`),
].filter((name) => name.endsWith(".md"));

/** Where lines are broken depends on the terminal. */
const flat = (text: string): string => text.replace(/\s+/g, " ").trim();

describe.each(documents)("%s", (name) => {
  const folder = join(base, name.replaceAll(/\W/g, "-"));
  mkdirSync(folder);
  const blocks = codeBlocks(readFileSync(join(root, name), "utf8"));
  for (const { info, text } of blocks) {
    const file = /^(?:ts|json) (\S+\.\w+)$/.exec(info)?.[1];
    if (file !== undefined) writeFileSync(join(folder, file), text);
  }
  const commands = blocks.flatMap(({ info, text }) => (info === "console" ? commandsOf(text) : []));
  const programs = blocks.filter(({ info }) => info === "ts run");

  test.runIf(commands.length > 0)("its commands", { timeout: 300_000 }, () => {
    for (const { line, output } of commands) {
      const { status, stdout, stderr } = spawnSync("bash", ["-c", line], {
        cwd: folder,
        env,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
      expect(status, `${line}\n${stderr}`).toBe(0);
      for (const shown of output) expect(flat(`${stderr} ${stdout}`), line).toContain(flat(shown));
    }
  });

  test.runIf(programs.length > 0)("its programs", { timeout: 300_000 }, () => {
    for (const [at, { text }] of programs.entries()) {
      const file = join(folder, `program-${at}.ts`);
      writeFileSync(file, text);
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ["-C", "chorale-source", file],
        { cwd: folder, env, encoding: "utf8" },
      );
      expect(status, stderr).toBe(0);
      expect(stdout).toMatchSnapshot(`program ${at + 1}`);
    }
  });

  test("links to what there is", () => {
    const text = readFileSync(join(root, name), "utf8");
    const links = [...text.matchAll(/\]\(([^)#\s]+)(#[^)]*)?\)/g)].map(([, target = ""]) => target);
    for (const target of links.filter((link) => !/^\w+:/.test(link))) {
      const path = join(dirname(join(root, name)), target);
      expect(readdirSync(dirname(path)), target).toContain(path.slice(dirname(path).length + 1));
    }
  });
});
