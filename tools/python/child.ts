/**
 * The interpreter's process: passes cells into the isolate that runs Python and stays free itself, so
 * that it can interrupt, measure memory, and notice that the agent is gone, whatever the cell does.
 */
import { readFileSync } from "node:fs";
import { connectToParent } from "../isolate/ipc-client.ts";
import { loadIsolatedVm } from "../isolate/isolated-vm.ts";
import { OutputBuffer } from "./output-buffer.ts";
import {
  ARTIFACT_LIMITS,
  type CellOutcome,
  type ChildSetup,
  type FromChild,
  INPUT_LIMITS,
  type ToChild,
} from "./protocol.ts";
import { openPythonIsolate, type PythonIsolate } from "./python-isolate.ts";
import { unpackSnapshot } from "./snapshot-format.ts";

const INTERRUPT_BYTE = 0;
const BEGUN_BYTE = 1;
/** Value of the interrupt byte that raises KeyboardInterrupt. */
const INTERRUPT = 2;
const LONGEST_REASON = 500;
/** What may be computed before a cell begins: code of earlier ones has the interpreter's only thread. */
const WAIT_CPU_MS = 2000;
const WAIT_CHECK_MS = 100;
/** How long the files of a finished cell are waited for: a timer of it may have stopped the thread. */
const HAND_OUT_MS = 10_000;
const US_PER_MS = 1000;

const link = connectToParent<ChildSetup>();
const { setup } = link;
const control = new Uint8Array(new SharedArrayBuffer(2));
const output = new OutputBuffer();
let isolate: PythonIsolate;
let ready = false;
let running: number | null = null;
/** The outcome of the running cell while its files are handed out. */
let outcome: Outcome | null = null;
let cells = 0;
/** Announced by a `file` message; its bytes come next. */
let expected: Extract<ToChild, { type: "file" }> | undefined;
/** Time of change and size of the files that have been handed out, by path. */
const handedOut = new Map<string, string>();

const send = (message: FromChild): void => link.send(message);

/** Python's own list of its frames, written when it is beyond help. */
const LAST_STACK = /(?:^|\n)Stack \(most recent call first\):\n[\s\S]*$/;

function died(reason: string): FromChild {
  // What is printed while Python starts is about the start.
  const printed = running === null ? "" : output.read().replace(LAST_STACK, "");
  const begun = running !== null && control[BEGUN_BYTE] === 1;
  return { type: "died", reason: reason.slice(0, LONGEST_REASON), output: printed, begun };
}

/** @param error  what a call into the isolate was rejected with */
function describe(error: unknown): string {
  const message = String(error instanceof Error ? error.message : error);
  if (/memory limit|Array buffer allocation failed/i.test(message)) return "out of memory";
  return /call stack size/.test(message) ? "its recursion went too deep" : message;
}

async function start(): Promise<void> {
  const ivm = loadIsolatedVm(setup.addon);
  isolate = await openPythonIsolate({
    ivm,
    pyodideFolder: setup.pyodideFolder,
    output: output.shared,
    control: control.buffer,
    packageBytes: setup.packageBytes,
    onOutOfMemory: () => link.die(died("out of memory")),
    onStuck: () => {
      // While a cell runs its own deadline holds.
      if (ready && running === null) link.die(died(ENDLESS));
    },
  });
  if (setup.makeSnapshot) {
    link.sendBytes(await isolate.makeSnapshot());
    return;
  }
  const { memory, problem } = readSnapshot();
  await isolate.boot(memory);
  ready = true;
  send({ type: "ready", fromSnapshot: memory !== undefined, snapshotProblem: problem });
}

function readSnapshot(): { memory?: Uint8Array; problem: string | null } {
  if (setup.snapshotFile === null) return { problem: null };
  try {
    return { memory: unpackSnapshot(readFileSync(setup.snapshotFile)), problem: null };
  } catch (error) {
    return { problem: String(error) };
  }
}

async function run(id: number, code: string): Promise<void> {
  running = id;
  output.clear();
  control[BEGUN_BYTE] = 0;
  const watch = watchBeginning();
  try {
    outcome = readOutcome(await isolate.runCell(id, code, ++cells));
    const late = setTimeout(endNow, HAND_OUT_MS, ENDLESS);
    const leftOut = await handOut();
    clearTimeout(late);
    answer(leftOut);
  } catch (error) {
    // cell.py lets nothing through, so the interpreter itself has come to its end.
    link.die(died(describe(error)));
  } finally {
    clearInterval(watch);
  }
}

function answer(leftOut: number): void {
  if (running === null || outcome === null) return;
  send({ type: "result", id: running, output: output.read(), ...outcome, leftOut });
  running = null;
  outcome = null;
}

/** Ends the process, not without the outcome of a cell that has finished. */
function endNow(reason: string): void {
  answer(0);
  link.die(died(reason));
}

function watchBeginning(): NodeJS.Timeout {
  const cpuMs = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / US_PER_MS;
  };
  const before = cpuMs();
  const watch = setInterval(() => {
    if (control[BEGUN_BYTE] === 1) clearInterval(watch);
    else if (cpuMs() - before > WAIT_CPU_MS) link.die(died(ENDLESS));
  }, WAIT_CHECK_MS);
  return watch;
}

type Outcome = Omit<CellOutcome, "output">;

const ENDLESS = "code of an earlier call went on without end";

/** The cells can change everything that makes this text. */
function readOutcome(json: string): Outcome {
  try {
    const { value, error } = JSON.parse(json);
    const isTextOrNull = (part: unknown): boolean => part === null || typeof part === "string";
    if (isTextOrNull(value) && isTextOrNull(error)) return { value, error };
  } catch {}
  return { value: null, error: "The outcome of this code cannot be read." };
}

/** Sends the files that the cell has written, as far as the limits go. @returns how many go beyond */
async function handOut(): Promise<number> {
  let count = 0;
  let total = 0;
  let leftOut = 0;
  for (const [path, size, changed] of readListing(await isolate.listOutputs())) {
    const version = `${size} ${changed}`;
    if (handedOut.get(path) === version) continue;
    handedOut.set(path, version);
    const fits = size <= ARTIFACT_LIMITS.fileBytes && total + size <= ARTIFACT_LIMITS.cellBytes;
    const bytes =
      fits && count < ARTIFACT_LIMITS.filesPerCell
        ? await isolate.readOutput(path, size).catch(() => undefined)
        : undefined;
    if (bytes === undefined) {
      leftOut++;
      continue;
    }
    count++;
    total += size;
    send({ type: "artifact", path, size });
    link.sendBytes(bytes);
  }
  return leftOut;
}

function readListing(json: string): readonly (readonly [string, number, number])[] {
  try {
    const entries: unknown = JSON.parse(json);
    return (Array.isArray(entries) ? entries : []).filter(
      (entry) =>
        Array.isArray(entry) &&
        typeof entry[0] === "string" &&
        entry[0].length <= ARTIFACT_LIMITS.pathLength &&
        Number.isSafeInteger(entry[1]) &&
        entry[1] >= 0 &&
        typeof entry[2] === "number",
    );
  } catch {
    return [];
  }
}

link.listen(
  {
    onMessage(received) {
      const message = received as ToChild;
      switch (message.type) {
        case "run":
          void run(message.id, message.code);
          break;
        case "file":
          expected = message;
          break;
        case "packages":
          isolate.setPackages(message.manifest).catch((error) => link.die(died(describe(error))));
          break;
        case "interrupt":
          if (message.id !== running) break;
          control[INTERRUPT_BYTE] = INTERRUPT;
          isolate.cancel(message.id);
          break;
        case "stop":
          endNow("stopped");
          break;
      }
    },
    onBytes(bytes) {
      if (expected === undefined) return;
      const { name } = expected;
      expected = undefined;
      isolate.putFile(name, bytes).catch((error) => link.die(died(describe(error))));
    },
    onOutOfMemory: () => died("out of memory"),
  },
  INPUT_LIMITS.fileBytes,
);

start().catch((error) => {
  const printed = output.read().trim();
  link.die(died(`${describe(error)}${printed ? ` (${printed.slice(-LONGEST_REASON)})` : ""}`));
});
