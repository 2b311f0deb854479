/**
 * Names for files that a process is writing, so that what a killed process left can be told from what
 * another one is still writing.
 */
import { createHash, randomBytes } from "node:crypto";
import { hostname } from "node:os";

/** A process number alone could be that of a process on another machine with the same folder. */
const HOST = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);

/** A part of a file name that names this process and this use of it: `host.pid.id`. */
export function writerName(): string {
  return `${HOST}.${process.pid}.${randomBytes(4).toString("hex")}`;
}

/**
 * Whether the process of a `writerName` writes no more: it is gone, or, on another machine, has not written
 * for `silentMs`.
 *
 * @param changedMs  when the file was last written, in ms since 1970
 */
export function isAbandoned(writer: string, changedMs: number, silentMs: number): boolean {
  const [host, pid] = writer.split(".");
  if (host === HOST && /^\d+$/.test(pid ?? "")) return isGone(Number(pid));
  return Date.now() - changedMs > silentMs;
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
