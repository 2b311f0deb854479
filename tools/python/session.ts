/**
 * A stateful Python session over processes that may die: runs cells one after the other, bounds their
 * time, and says truthfully when variables are gone.
 */
import { PythonStartError } from "../errors.ts";
import { startInterpreter } from "./boot.ts";
import type { CellEnd, InterpreterProcess } from "./interpreter-process.ts";
import type { CellOutcome } from "./protocol.ts";

export type CellResult = CellOutcome & {
  /**
   * `interrupted`: stopped from outside, variables kept. `killed`: stopped from outside with its
   * process. `crashed`: the process ended by what the cell did.
   */
  readonly ending: "finished" | "interrupted" | "killed" | "crashed";
  /** Why it was stopped or crashed. */
  readonly reason: string | null;
  /** The process had died since the last cell, so this cell ran without its variables. */
  readonly startedAnew: boolean;
};

export type SessionOptions = { readonly timeoutMs: number; readonly cacheFolder?: string };

/** After an interrupt: how long until the process is told to end, and until it is ended. */
const STOP_AFTER_MS = 1000;
const KILL_AFTER_MS = 2000;

export class PythonSession {
  readonly #options: SessionOptions;
  /** Every process that may still live; more than one only while a snapshot is made. */
  readonly #processes = new Set<InterpreterProcess>();
  #interpreter: Promise<InterpreterProcess> | undefined;
  /** The process that holds the variables of the cells so far, if any does. */
  #holder: InterpreterProcess | undefined;
  /** The end of the queue of cells. */
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Starts the interpreter if none is running or starting. @throws PythonStartError */
  async start(): Promise<void> {
    await this.#living();
  }

  /**
   * Runs a cell when the ones before it are done.
   *
   * @throws PythonStartError; the signal's reason when it was aborted before the cell began
   */
  run(code: string, signal: AbortSignal): Promise<CellResult> {
    const result = this.#last.then(() => this.#runNow(code, signal));
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Ends every process at once, whatever is running. */
  async close(): Promise<void> {
    this.#closed = true;
    const processes = [...this.#processes];
    for (const process of processes) process.kill();
    await Promise.all(processes.map((process) => process.exited));
  }

  async #runNow(code: string, signal: AbortSignal): Promise<CellResult> {
    const interpreter = await this.#living();
    // Starting may have taken longer than anybody waited.
    signal.throwIfAborted();
    const startedAnew = this.#holder !== undefined && this.#holder !== interpreter;
    let stopped: string | null = null;
    const timers: NodeJS.Timeout[] = [];
    const interrupt = (reason: string): void => {
      if (stopped !== null) return;
      stopped = reason;
      interpreter.interrupt();
      timers.push(setTimeout(() => interpreter.stop(), STOP_AFTER_MS));
      timers.push(setTimeout(() => interpreter.kill(), KILL_AFTER_MS));
    };
    const { timeoutMs } = this.#options;
    timers.push(setTimeout(() => interrupt(`it ran longer than ${timeoutMs / 1000} s`), timeoutMs));
    const onAbort = (): void => interrupt("the run was cancelled");
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const end = await interpreter.run(code);
      this.#holder = end.kind === "finished" ? interpreter : undefined;
      // The next cell should not have to wait for what can begin now.
      if (end.kind === "died" && !this.#closed) this.#living().catch(() => undefined);
      return { ...describeEnd(end, stopped), startedAnew };
    } finally {
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #living(): Promise<InterpreterProcess> {
    for (;;) {
      if (this.#closed) throw new PythonStartError("The Python session is closed.");
      this.#interpreter ??= this.#startOne();
      const starting = this.#interpreter;
      try {
        const interpreter = await starting;
        if (interpreter.alive) return interpreter;
      } catch (error) {
        if (this.#interpreter === starting) this.#interpreter = undefined;
        throw error;
      }
      if (this.#interpreter === starting) this.#interpreter = undefined;
    }
  }

  #startOne(): Promise<InterpreterProcess> {
    return startInterpreter(this.#options.cacheFolder, (process) => {
      this.#processes.add(process);
      process.exited.then(() => this.#processes.delete(process));
      if (this.#closed) process.kill();
    });
  }
}

function describeEnd(end: CellEnd, stopped: string | null): Omit<CellResult, "startedAnew"> {
  if (end.kind === "died") {
    const ending = stopped === null ? "crashed" : "killed";
    const reason = stopped ?? end.reason;
    return { output: end.output, value: null, error: null, ending, reason };
  }
  const { output, value, error } = end;
  // A cell that finished in spite of the interrupt has finished.
  const interrupted = stopped !== null && error !== null;
  return {
    output,
    value,
    error,
    ending: interrupted ? "interrupted" : "finished",
    reason: interrupted ? stopped : null,
  };
}
