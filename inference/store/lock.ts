/**
 * Locks between processes. Node has none for files; SQLite takes the locks of the operating system on its file, and
 * the system frees them when a process ends, however it ends: a killed process leaves nothing behind that another
 * would have to judge.
 */
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";

/** Held until it is disposed of, or the process ends. */
export type Lock = Disposable;

const SQLITE_BUSY = 5;
const POLL_MS = 100;

/** @returns undefined while another process, or another part of this one, holds it */
export function tryLock(path: string): Lock | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    // An empty file is an empty database: nothing is written.
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { errcode?: unknown }).errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
  return { [Symbol.dispose]: () => database.close() };
}

/**
 * Waits until it is free.
 * @param onWait called once, when it is not free at once
 * @throws the signal's reason
 */
export async function lock(path: string, signal: AbortSignal, onWait?: () => void): Promise<Lock> {
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    const found = tryLock(path);
    if (found !== undefined) return found;
    if (attempt === 0) onWait?.();
    await wait(POLL_MS, undefined, { signal }).catch(() => {});
  }
}
