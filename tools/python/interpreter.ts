/**
 * The thread that Python runs in, inside the interpreter's process. It is blocked while a cell runs; the
 * process's main thread (`child.ts`) watches over it.
 *
 * What is taken away here (network, signals, JavaScript's globals) keeps honest code from surprises. The
 * walls against hostile code are those of the process: no environment, no files but its own, no
 * processes, bounded memory. Code that breaks out of Python into JavaScript could still open sockets.
 */
import { constants, readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import type { PyodideInterface } from "pyodide";
import { OutputBuffer } from "./output-buffer.ts";
import { unpackSnapshot } from "./snapshot.ts";

export type InterpreterSetup = {
  /** Folder of the pyodide package. */
  readonly pyodideFolder: string;
  /** A snapshot file to restore, if there is one. */
  readonly snapshotFile: string | null;
  /** Start, hand over a snapshot of the memory and end, instead of running cells. */
  readonly makeSnapshot: boolean;
  /** One byte; 2 interrupts the running cell. */
  readonly interrupt: SharedArrayBuffer;
  readonly output: SharedArrayBuffer;
};

export type ToInterpreter =
  | { readonly type: "run"; readonly id: number; readonly code: string }
  | { readonly type: "cancel"; readonly id: number };

export type FromInterpreter =
  | {
      readonly type: "ready";
      readonly fromSnapshot: boolean;
      readonly snapshotProblem: string | null;
    }
  | { readonly type: "snapshot"; readonly bytes: Uint8Array }
  /** `outcome` is JSON of `{value, error}`, written by cell.py. */
  | { readonly type: "done"; readonly id: number; readonly outcome: string }
  | { readonly type: "fatal"; readonly reason: string };

/** Imported before the snapshot is taken: the common part of the library costs a cell nothing then. */
const PREIMPORTS =
  "import ast, asyncio, base64, bisect, calendar, cmath, collections, copy, csv, dataclasses, datetime, " +
  "decimal, enum, fractions, functools, hashlib, heapq, inspect, io, itertools, json, linecache, math, " +
  "operator, os, pathlib, random, re, statistics, string, struct, sys, tempfile, textwrap, time, " +
  "traceback, typing, unicodedata, zlib, zoneinfo";

/** Modules that reach out of the thread. */
const REFUSED_MODULES: ReadonlySet<string> = new Set(
  "child_process cluster dgram dns http http2 https inspector net repl tls wasi worker_threads ws".split(
    " ",
  ),
);

const REFUSED_GLOBALS = ["fetch", "WebSocket", "EventSource", "XMLHttpRequest"];

const REFUSED_OF_PROCESS = [
  "_debugEnd",
  "_debugProcess",
  "_kill",
  "_linkedBinding",
  "dlopen",
  "execve",
  "getBuiltinModule",
  "kill",
  "loadEnvFile",
  "reallyExit",
];

const setup = workerData as InterpreterSetup;

const post = (message: FromInterpreter): void => parentPort?.postMessage(message);

/** Closes the ways out that Node leaves open to code in this thread. */
function shutDoors(): void {
  // Pyodide reads the file system's constants through an interface that the permission model refuses.
  const binding = (name: string): unknown => {
    if (name === "constants") return { fs: { ...constants } };
    throw new Error(`process.binding(${JSON.stringify(name)}) is not available`);
  };
  Object.defineProperty(process, "binding", { value: binding });
  registerHooks({
    resolve(specifier, context, next) {
      const name = specifier.replace(/^node:/, "").split("/")[0] ?? "";
      if (!REFUSED_MODULES.has(name)) return next(specifier, context);
      if (context.conditions.includes("require")) throw new Error(`${name} is not available here`);
      // Pyodide imports some of them as it starts, and uses them only if asked to.
      return { url: "data:text/javascript,export default {}", shortCircuit: true };
    },
  });
  for (const name of REFUSED_GLOBALS) Reflect.deleteProperty(globalThis, name);
  for (const name of REFUSED_OF_PROCESS) Reflect.deleteProperty(process, name);
}

/** Starts Python: from the snapshot where there is a good one, else from scratch. */
async function start(): Promise<void> {
  shutDoors();
  const folder = setup.pyodideFolder;
  const { loadPyodide }: typeof import("pyodide") = await import(`${folder}/pyodide.mjs`);
  const lock = JSON.parse(readFileSync(`${folder}/pyodide-lock.json`, "utf8"));
  const config = {
    indexURL: folder,
    packageBaseUrl: `${folder}/`,
    // Without its packages: none can be fetched, and Python's own import error is the clearer one.
    lockFileContents: { ...lock, packages: {} },
    env: { HOME: "/home/user", LANG: "C.UTF-8", _: "python" },
    // What `import js` sees: enough for the event loop, nothing that reaches out.
    jsglobals: Object.assign(Object.create(null), { setTimeout, clearTimeout }),
  };
  if (setup.makeSnapshot) {
    const python = await loadPyodide({ ...config, _makeSnapshot: true });
    python.runPython(PREIMPORTS);
    post({ type: "snapshot", bytes: python.makeMemorySnapshot() });
    return;
  }
  const { memory, problem } = readSnapshot();
  const python = await loadPyodide({ ...config, ...(memory && { _loadSnapshot: memory }) });
  serve(python);
  post({ type: "ready", fromSnapshot: memory !== undefined, snapshotProblem: problem });
}

function readSnapshot(): { memory?: Uint8Array; problem: string | null } {
  if (setup.snapshotFile === null) return { problem: null };
  try {
    return { memory: unpackSnapshot(readFileSync(setup.snapshotFile)), problem: null };
  } catch (error) {
    return { problem: String(error) };
  }
}

type Run = (source: string, number: number) => string | (Promise<string> & Disposable);

/** Answers `run` messages one after the other. */
function serve(python: PyodideInterface): void {
  const output = new OutputBuffer(setup.output);
  const interrupt = new Uint8Array(setup.interrupt);
  const write = (bytes: Uint8Array): number => {
    output.write(bytes);
    return bytes.length;
  };
  python.setStdout({ write, isatty: false });
  python.setStderr({ write, isatty: false });
  python.setStdin({ stdin: () => null, isatty: false });
  python.setInterruptBuffer(interrupt);
  const source = readFileSync(new URL("./cell.py", import.meta.url), "utf8");
  const functions = python.runPython(source, { globals: python.toPy({}), filename: "cell.py" });
  const [run, cancel, prepare]: [Run, () => void, () => void] = functions.toJs();
  prepare();

  let running = 0;
  let cells = 0;
  parentPort?.on("message", async (message: ToInterpreter) => {
    if (message.type === "cancel") {
      // A cell that finished meanwhile is not the one that was meant.
      if (message.id !== running) return;
      // The byte would interrupt `cancel` itself.
      interrupt[0] = 0;
      cancel();
      return;
    }
    running = message.id;
    output.clear();
    interrupt[0] = 0;
    try {
      const outcome = run(message.code, ++cells);
      post({ type: "done", id: message.id, outcome: String(await outcome) });
    } catch (error) {
      // cell.py lets nothing through, so the interpreter itself has come to its end.
      post({ type: "fatal", reason: describe(error) });
    }
    running = 0;
  });
}

function describe(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error).slice(0, 500);
  } catch {
    return "an error that cannot be printed";
  }
}

start().catch((error) => post({ type: "fatal", reason: describe(error) }));
