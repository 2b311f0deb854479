/** Starts interpreters: with a memory snapshot, which is made first, where there can be one. */
import { rm } from "node:fs/promises";
import { PythonStartError } from "../core/errors.ts";
import { messageOf } from "../core/text.ts";
import { withTimeout } from "../core/with-timeout.ts";
import { snapshotSource } from "./guest-source.ts";
import { InterpreterProcess } from "./interpreter-process.ts";
import { launchOptions } from "./launch.ts";
import type { SessionPackages } from "./packages/session-packages.ts";
import { installedPyodide } from "./pyodide.ts";
import {
  canStoreSnapshots,
  hasSnapshot,
  removeAbandoned,
  snapshotPath,
  storeSnapshot,
} from "./snapshot.ts";

/** Without a snapshot 3 s of computing; on a loaded machine many times that. */
export const START_LIMIT_MS = 120_000;

/** Snapshots that are being made, so that two sessions of one program make one. */
const making = new Map<string, Promise<string | null>>();

export type StartOptions = {
  /** Where the snapshot is kept; null: start without. */
  readonly cacheDir: string | null;
  /** Gets every process that is started on the way, so that the caller can end it. */
  readonly onProcess: (interpreter: InterpreterProcess) => void;
  /** What cells may import beside the standard library. */
  readonly packages?: SessionPackages | undefined;
  /** Default: the start keeps the program from ending. */
  readonly keepsAgentAlive?: boolean;
};

/**
 * Starts a process and waits until cells can be run.
 *
 * @throws PythonStartError
 */
export async function startInterpreter(options: StartOptions): Promise<InterpreterProcess> {
  const { cacheDir } = options;
  const snapshotFile = cacheDir === null ? null : await snapshotIn(cacheDir, options);
  try {
    return await startFrom(snapshotFile, options);
  } catch (error) {
    if (snapshotFile === null || error instanceof StartAbandoned) throw error;
    // That the process was killed from outside says nothing about the snapshot.
    if (KILLED.test(messageOf(error))) return startFrom(snapshotFile, options);
    // A snapshot that ends the interpreter is worse than none.
    await rm(snapshotFile, { force: true }).catch(() => undefined);
    return startFrom(null, options);
  }
}

const KILLED = /ended by SIGKILL/;

/** The caller, who started it, has ended it. */
class StartAbandoned extends PythonStartError {}

async function startFrom(
  snapshotFile: string | null,
  { onProcess, packages, keepsAgentAlive }: StartOptions,
): Promise<InterpreterProcess> {
  const launch = launchOptions({ snapshotFile, makeSnapshot: false }, packages);
  const interpreter = new InterpreterProcess(launch);
  onProcess(interpreter);
  const { snapshotProblem } = await started(interpreter, interpreter.ready, keepsAgentAlive);
  if (snapshotProblem !== null && snapshotFile !== null) {
    await rm(snapshotFile, { force: true }).catch(() => undefined);
  }
  if (packages !== undefined) interpreter.setPackages(packages.manifest);
  return interpreter;
}

/** The snapshot's path, made first if it is missing; null when it can neither be found nor made. */
function snapshotIn(cacheDir: string, options: StartOptions): Promise<string | null> {
  const path = snapshotPath(cacheDir, installedPyodide().version, snapshotSource());
  let made = making.get(path);
  if (made === undefined) {
    made = makeSnapshot(cacheDir, path, options).finally(() => making.delete(path));
    making.set(path, made);
  }
  return made;
}

async function makeSnapshot(
  cacheDir: string,
  path: string,
  { onProcess, keepsAgentAlive }: StartOptions,
): Promise<string | null> {
  await removeAbandoned(cacheDir);
  if (await hasSnapshot(path)) return path;
  // Known before seconds are spent on what could not be stored.
  if (!(await canStoreSnapshots(cacheDir))) return null;
  const maker = new InterpreterProcess(launchOptions({ snapshotFile: null, makeSnapshot: true }));
  onProcess(maker);
  try {
    const memory = await started(maker, maker.snapshot, keepsAgentAlive);
    await storeSnapshot(cacheDir, path, memory);
    return path;
  } catch {
    // The start goes on without; what is broken for it too, it says itself.
    return null;
  } finally {
    maker.kill();
  }
}

async function started<T>(
  interpreter: InterpreterProcess,
  promise: Promise<T>,
  keepsAgentAlive = true,
): Promise<T> {
  try {
    const late = `it was not ready after ${START_LIMIT_MS / 1000} s`;
    return await withTimeout(START_LIMIT_MS, late, promise, keepsAgentAlive);
  } catch (cause) {
    const Failure = interpreter.wasKilled ? StartAbandoned : PythonStartError;
    interpreter.kill();
    throw new Failure(`The Python interpreter did not start: ${messageOf(cause)}.`, { cause });
  }
}
