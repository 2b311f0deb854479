/**
 * Whose input stdin is. In `git diff | chorale run "review this"` it is meant for the command. In
 * `while read line; do chorale run "$line"; done < jobs.txt` it belongs to the loop, and a command that read
 * it would take the lines of all later rounds.
 */
import { fstatSync, readFileSync, readlinkSync } from "node:fs";

/** A pipe, a socket or a file, as opposed to a terminal or /dev/null. */
function isPiped(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isFile() || stat.isSocket();
  } catch {
    return false; // a closed stdin
  }
}

/**
 * Whether stdin was given to this command and to no program above it: the program that called the command
 * has another one. Where the system does not tell (no /proc), a file that was read in part belongs to a loop,
 * and everything else is taken as given.
 *
 * @param env `CHORALE_CALLER` is the process that called the launcher, where that started this process
 */
export function isOwnStdin(env: NodeJS.ProcessEnv): boolean {
  if (!isPiped(0)) return false;
  const own = linkOf("self");
  if (own === null) return true;
  for (let pid = Number(env["CHORALE_CALLER"] ?? process.ppid); pid > 1; pid = parentOf(pid)) {
    const link = linkOf(String(pid));
    if (link !== own) return true;
    // npm and the shell that it starts hand their stdin on.
    if (!isOfNpm(pid)) return false;
  }
  return true;
}

function linkOf(process: string): string | null {
  try {
    return readlinkSync(`/proc/${process}/fd/0`);
  } catch {
    return null;
  }
}

function parentOf(pid: number): number {
  const status = procFile(pid, "status");
  return Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0);
}

function isOfNpm(pid: number): boolean {
  const command = procFile(pid, "cmdline").split("\0");
  if (/^np[mx](\s|$)/.test(command[0] ?? "") || /\bnp[mx](-cli\.js)?$/.test(command[1] ?? ""))
    return true;
  return command[1] === "-c" && isOfNpmDirectly(parentOf(pid));
}

function isOfNpmDirectly(pid: number): boolean {
  const command = procFile(pid, "cmdline");
  return /^np[mx](\s|\0|$)|\bnp[mx](-cli\.js)?\0/.test(command);
}

function procFile(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "utf8");
  } catch {
    return "";
  }
}
