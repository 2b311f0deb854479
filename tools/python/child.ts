/**
 * Main thread of the interpreter's process: it passes cells into the isolate that runs Python, and runs
 * none of their code. It can therefore interrupt a cell, measure it, and notice that the agent is gone.
 */
import { connectToParent } from "../isolate/ipc-client.ts";
import { loadIsolatedVm } from "../isolate/isolated-vm.ts";
import { IdleWatch } from "./idle-watch.ts";
import { OutputBuffer } from "./output-buffer.ts";
import {
  type CellOutcome,
  type ChildSetup,
  type FromChild,
  INPUT_LIMITS,
  type LeftOut,
  MAX_ERROR_CHARS,
  MAX_LIVE_CHARS,
  MAX_VALUE_CHARS,
  type ToChild,
} from "./protocol.ts";
import { openPythonIsolate, type PythonIsolate } from "./python-isolate.ts";
import { readSnapshot } from "./snapshot-format.ts";
import { WrittenFiles } from "./written-files.ts";

/** Value of the interrupt byte that raises KeyboardInterrupt. */
const INTERRUPT = 2;
const MAX_REASON_CHARS = 500;
/** What may pass before a cell begins: code of earlier ones may have the interpreter's only thread. */
const BEGIN_CPU_MS = 2000;
const BEGIN_WITHIN_MS = 30_000;
const BEGIN_CHECK_MS = 100;
/** How long the files of a finished cell are waited for: a timer of it may have stopped the thread. */
const FILES_WITHIN_MS = 10_000;
const US_PER_MS = 1000;
/** How often what a cell prints is told while it runs. */
const LIVE_OUTPUT_MS = 200;

const ENDLESS = "code of an earlier call went on without end";
const BACKGROUND = "code that an earlier call left behind went on computing";
const UNUSABLE = "an earlier call had left it unusable";
const UNREADABLE = "its outcome cannot be read";

const ipc = connectToParent<ChildSetup>();
const { setup } = ipc;
const interrupt = new Uint8Array(new SharedArrayBuffer(1));
/** Not 0 once the code of the running cell may have begun. No cell has a way to this memory. */
const begun = new Uint8Array(new SharedArrayBuffer(1));
const output = new OutputBuffer();
let isolate: PythonIsolate;
let files: WrittenFiles;
let ready = false;
/** The call that is being run. */
let running: { readonly id: number; interrupted: boolean } | null = null;
/** The outcome of the running cell while its files are handed out. */
let outcome: Outcome | null = null;
let cells = 0;
/** Bytes of the output that results have told. */
let told = 0;
/** Announced by a `file` message; its bytes come next. */
let expected: Extract<ToChild, { type: "file" }> | undefined;
/** Code between two cells was interrupted, which the next result says. */
let interruptedBetween = false;

const send = (message: FromChild): void => ipc.send(message);

/** Python's own list of its frames, which it prints when it aborts. */
const LAST_STACK = /(?:^|\n)Stack \(most recent call first\):\n[\s\S]*$/;

/** With what was printed since the last result. What is printed while Python starts is about the start. */
function died(reason: string): FromChild {
  const printed = ready ? output.read(told).replace(LAST_STACK, "") : "";
  return {
    type: "died",
    reason: reason.slice(0, MAX_REASON_CHARS),
    output: printed,
    begun: running !== null && begun[0] !== 0,
  };
}

const die = (reason: string): void => ipc.die(died(reason));

/** @param error  what a call into the isolate was rejected with */
function describe(error: unknown): string {
  const message = String(error instanceof Error ? error.message : error);
  if (/memory limit|Array buffer allocation failed/i.test(message)) return "out of memory";
  return /call stack size/.test(message) ? "its recursion went too deep" : message;
}

/** Of the whole process, whose other threads have next to nothing to do. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / US_PER_MS;
}

const idle = new IdleWatch({
  // The isolate's own clock also runs while it waits for a core; the process also compiles.
  computedMs: () => Math.min(cpuMs(), isolate.computingMs()),
  interrupt() {
    interruptedBetween = true;
    interrupt[0] = INTERRUPT;
  },
  end: () => die(BACKGROUND),
});

async function start(): Promise<void> {
  const ivm = loadIsolatedVm(setup.addon);
  isolate = await openPythonIsolate({
    ivm,
    pyodideFolder: setup.pyodideFolder,
    output: output.shared,
    interrupt: interrupt.buffer,
    begun: begun.buffer,
    packageBytes: setup.packageBytes,
    onOutOfMemory: () => die("out of memory"),
  });
  files = new WrittenFiles(isolate);
  if (setup.makeSnapshot) {
    ipc.sendBytes(await isolate.makeSnapshot());
    return;
  }
  const { memory, problem } = snapshotMemory();
  await isolate.boot(memory);
  ready = true;
  told = output.length;
  send({ type: "ready", fromSnapshot: memory !== undefined, snapshotProblem: problem });
}

function snapshotMemory(): { memory?: Uint8Array; problem: string | null } {
  if (setup.snapshotFile === null) return { problem: null };
  try {
    return { memory: readSnapshot(setup.snapshotFile), problem: null };
  } catch (error) {
    return { problem: String(error) };
  }
}

async function run(id: number, code: string): Promise<void> {
  const cell = { id, interrupted: false };
  running = cell;
  begun[0] = 0;
  idle.stop();
  const watch = watchBeginning();
  try {
    if (cells === 0) await files.markKnown();
    if (!(await isolate.prepareCell(told))) return die(UNUSABLE);
    told = 0;
    if (cell.interrupted) outcome = INTERRUPTED;
    else {
      const telling = tellOutput(id);
      try {
        outcome = readOutcome(await isolate.runCell(id, code, ++cells));
      } finally {
        clearInterval(telling);
      }
    }
    if (outcome === null) return die(UNREADABLE);
    const late = setTimeout(endNow, FILES_WITHIN_MS, ENDLESS);
    const leftOut = await files.handOut((path, bytes) => {
      send({ type: "artifact", path, size: bytes.length });
      ipc.sendBytes(bytes);
    });
    clearTimeout(late);
    answer(leftOut);
    idle.start();
  } catch (error) {
    // cell.py lets nothing through, so the interpreter itself has come to its end.
    die(describe(error));
  } finally {
    clearInterval(watch);
  }
}

/** Tells what the cell prints while it runs. Of a flood the end of each piece is told; the result has more. */
function tellOutput(id: number): NodeJS.Timeout {
  let shown = 0;
  return setInterval(() => {
    const { length } = output;
    if (length <= shown) return;
    const text = output.read(shown).slice(-MAX_LIVE_CHARS);
    shown = length;
    send({ type: "output", id, text });
  }, LIVE_OUTPUT_MS);
}

function answer(leftOut: LeftOut): void {
  if (running === null || outcome === null) return;
  const { id } = running;
  const text = output.read();
  told = output.length;
  send({ type: "result", id, output: text, ...outcome, leftOut, interruptedBetween });
  running = null;
  outcome = null;
  interruptedBetween = false;
}

/** Ends the process; a cell that has finished gets its outcome first. */
function endNow(reason: string): void {
  answer(files.leftOut);
  die(reason);
}

function watchBeginning(): NodeJS.Timeout {
  const cpuBefore = cpuMs();
  const before = performance.now();
  const watch = setInterval(() => {
    if (begun[0] !== 0) return clearInterval(watch);
    const isLate = performance.now() - before > BEGIN_WITHIN_MS;
    if (isLate || cpuMs() - cpuBefore > BEGIN_CPU_MS) die(ENDLESS);
  }, BEGIN_CHECK_MS);
  return watch;
}

type Outcome = Omit<CellOutcome, "output">;

/** Of a cell whose time was over before it began. */
const INTERRUPTED: Outcome = { value: null, error: "KeyboardInterrupt" };

/** @returns null for a text that cell.py did not write: cells can change what writes it */
function readOutcome(json: string): Outcome | null {
  try {
    const { value, error } = JSON.parse(json);
    const isTextOrNull = (part: unknown): boolean => part === null || typeof part === "string";
    if (!isTextOrNull(value) || !isTextOrNull(error)) return null;
    return { value: cut(value, MAX_VALUE_CHARS), error: cut(error, MAX_ERROR_CHARS) };
  } catch {
    return null;
  }
}

/** cell.py cuts by itself; this is for a cell that has changed it. */
function cut(text: string | null, maxChars: number): string | null {
  return text === null ? null : text.slice(0, maxChars).toWellFormed();
}

ipc.listen(
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
          isolate.setPackages(message.manifest).catch((error) => die(describe(error)));
          break;
        case "interrupt":
          if (message.id !== running?.id) break;
          running.interrupted = true;
          interrupt[0] = INTERRUPT;
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
      isolate.putFile(name, bytes).catch((error) => die(describe(error)));
    },
    onOutOfMemory: () => died("out of memory"),
  },
  INPUT_LIMITS.fileBytes,
);

start().catch((error) => {
  const printed = output.read().trim();
  die(`${describe(error)}${printed ? ` (${printed.slice(-MAX_REASON_CHARS)})` : ""}`);
});
