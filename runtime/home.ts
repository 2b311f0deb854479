/**
 * Where Chorale keeps what outlives a run (caches now; models and sessions later): one folder,
 * `$CHORALE_HOME`, else `$XDG_DATA_HOME/chorale`, else `~/.local/share/chorale`.
 *
 * Several processes may use it at once. Nothing here locks: a process that writes a file there writes a
 * temporary file beside it and renames it, so that others see the old file or the new one.
 */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { stateDir as homePath } from "../tools/core/state-dir.ts";
import { messageOf } from "./errors.ts";

export { homePath };

/**
 * The folder of what the user sets, whether or not it exists: `$XDG_CONFIG_HOME/chorale`, else `~/.config/chorale`;
 * where `CHORALE_CONFIG` names a file, the folder of that. Source: the XDG Base Directory Specification.
 */
export function configFolder(env: NodeJS.ProcessEnv): string {
  const named = env["CHORALE_CONFIG"];
  if (named) return dirname(resolve(named));
  const config = env["XDG_CONFIG_HOME"] ?? "";
  const base = isAbsolute(config) ? config : join(env["HOME"] || homedir(), ".config");
  return join(base, "chorale");
}

export type Home = {
  readonly path: string;
  /** The real place could not be used; this one is removed by `close`. */
  readonly temporary: boolean;
  close(): void;
};

/**
 * Opens (creates) the state folder. One that is missing and cannot be created, or cannot be written,
 * is said through `warn` and replaced by a temporary folder: state is a convenience, never a reason
 * not to answer.
 *
 * @param warn gets one sentence, at most once
 */
export function openHome(env: NodeJS.ProcessEnv, warn: (sentence: string) => void): Home {
  let wanted: string | null = null;
  try {
    wanted = homePath(env);
    makeFolder(wanted);
    probeWritable(wanted);
    return { path: wanted, temporary: false, close: () => {} };
  } catch (error) {
    const path = mkdtempSync(join(tmpdir(), "chorale-"));
    warn(
      `The state folder ${wanted ?? "of this user"} cannot be used (${messageOf(error)}); ` +
        `using ${path} for this run. Set CHORALE_HOME to a folder that can be written.`,
    );
    const close = (): void => {
      process.off("exit", close);
      rmSync(path, { recursive: true, force: true });
    };
    // A process that has no time to end in order leaves nothing behind either.
    process.on("exit", close);
    return { path, temporary: true, close };
  }
}

/**
 * With its parents. Node's own `recursive` never returns where a file system answers "no such file" to
 * making one (`/proc` does).
 */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have been faster.
    if (!existsSync(path)) throw error;
  }
}

/** Permission bits do not tell (root, read-only mounts, full disks): only writing does. */
function probeWritable(folder: string): void {
  const probe = join(folder, `.probe-${randomUUID()}`);
  try {
    writeFileSync(probe, "x");
  } finally {
    rmSync(probe, { force: true });
  }
}
