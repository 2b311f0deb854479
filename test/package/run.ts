/** Programs in the project that the package is installed in. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { inject } from "vitest";

export type Ran = {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type RunOptions = {
  /** Default: the project's folder. */
  readonly cwd?: string;
  /** Node that is first in PATH; default: the one that runs the tests. */
  readonly node?: string;
  /** Variables beside those of the tests. */
  readonly env?: Readonly<Record<string, string>>;
};

export function run(command: string, args: readonly string[], options: RunOptions = {}): Ran {
  const { NODE_OPTIONS: _, NODE_PATH: __, ...env } = process.env;
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: options.cwd ?? inject("project"),
    encoding: "utf8",
    env: {
      ...env,
      CHORALE_HOME: inject("home"),
      PATH: dirname(options.node ?? process.execPath) + delimiter + env["PATH"],
      ...options.env,
    },
  });
  if (error) throw error;
  return { status, stdout, stderr };
}

/** Writes `files` into a folder of their own in the project. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(inject("project"), "program-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}
