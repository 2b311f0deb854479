/**
 * Main thread of the interpreter's process: passes cells to the thread that runs Python and stays free
 * itself, so that it can interrupt, measure memory, and notice that the agent is gone, whatever the
 * cell does.
 *
 * Started by `launch.ts` with one argument, a JSON `ChildSetup`.
 */
import { Worker } from "node:worker_threads";
import { encodeFrame, encodeMessage, FrameReader, MESSAGE_LIMIT_BYTES } from "../isolate/frames.ts";
import type { FromInterpreter, InterpreterSetup, ToInterpreter } from "./interpreter.ts";
import { OutputBuffer } from "./output-buffer.ts";
import type { FromChild, ToChild } from "./protocol.ts";

export type ChildSetup = Pick<
  InterpreterSetup,
  "pyodideFolder" | "snapshotFile" | "makeSnapshot"
> & {
  /** Resident memory at which the process ends itself. */
  readonly memoryLimitBytes: number;
};

/** The interpreter's stack: deep enough that Python's own recursion limit is met first. */
const STACK_MB = 8;
/** JavaScript objects only; Python's memory lies outside of this heap. */
const HEAP_MB = 256;
const MEMORY_CHECK_MS = 50;
/** Value of the interrupt byte that raises KeyboardInterrupt. */
const INTERRUPT = 2;

const setup: ChildSetup = JSON.parse(process.argv[2] ?? "{}");
const interrupt = new Uint8Array(new SharedArrayBuffer(1));
const output = new OutputBuffer();
let running: number | null = null;

const interpreter = new Worker(new URL("./interpreter.ts", import.meta.url), {
  workerData: { ...setup, interrupt: interrupt.buffer, output: output.shared },
  env: {},
  // Not passed on to ours, which carry the frames.
  stdout: true,
  stderr: true,
  resourceLimits: { stackSizeMb: STACK_MB, maxOldGenerationSizeMb: HEAP_MB },
});

function send(message: FromChild): void {
  process.stdout.write(encodeMessage(message));
}

/** Reports the end and ends. Not by process.exit: that waits for a thread that may never yield. */
function die(reason: string): void {
  const last = encodeMessage({
    type: "died",
    reason,
    output: running === null ? "" : output.read(),
  } satisfies FromChild);
  process.stdout.write(last, () => process.kill(process.pid, "SIGKILL"));
}

interpreter.on("message", (message: FromInterpreter) => {
  switch (message.type) {
    case "ready":
      send(message);
      break;
    case "snapshot":
      process.stdout.write(encodeFrame("bytes", message.bytes));
      break;
    case "done": {
      running = null;
      const { value, error } = JSON.parse(message.outcome);
      send({ type: "result", id: message.id, output: output.read(), value, error });
      break;
    }
    case "fatal":
      die(message.reason);
      break;
  }
});
interpreter.on("error", (error: Error & { code?: string }) => {
  die(error.code === "ERR_WORKER_OUT_OF_MEMORY" ? "out of memory" : error.message);
});
interpreter.on("exit", (code) => die(`its thread ended with code ${code}`));

setInterval(() => {
  if (process.memoryUsage.rss() > setup.memoryLimitBytes) die("out of memory");
}, MEMORY_CHECK_MS).unref();

const reader = new FrameReader({ json: MESSAGE_LIMIT_BYTES, bytes: 0 });
const tell = (message: ToInterpreter): void => interpreter.postMessage(message);

process.stdin.on("data", (chunk: Buffer) => {
  for (const frame of reader.push(chunk)) {
    const message: ToChild = JSON.parse(frame.payload.toString("utf8"));
    switch (message.type) {
      case "run":
        running = message.id;
        tell(message);
        break;
      case "interrupt":
        if (message.id !== running) break;
        interrupt[0] = INTERRUPT;
        // For a cell that waits: then no Python runs that could see the byte.
        tell({ type: "cancel", id: message.id });
        break;
      case "stop":
        die("stopped");
        break;
    }
  }
});
// The agent closed the pipe or is gone; nobody is left to answer to.
process.stdin.on("close", () => process.kill(process.pid, "SIGKILL"));
process.stdout.on("error", () => process.kill(process.pid, "SIGKILL"));
