/**
 * A stateful Python session over processes that may die: runs cells one after the other, bounds their
 * time, and says truthfully when variables are gone.
 */
import { PythonStartError } from "../core/errors.ts";
import { gracefulKill } from "../isolate/index.ts";
import { startInterpreter } from "./boot.ts";
import type { InputFile } from "./input-files.ts";
import type { CellEnd, CellFile, InterpreterProcess } from "./interpreter-process.ts";
import type { SessionPackages } from "./packages/session-packages.ts";
import type { CellOutcome, LeftOut } from "./protocol.ts";
import type { PythonWarmPool } from "./warm-pool.ts";

export type CellResult = CellOutcome & {
  /**
   * `interrupted`: stopped from outside, variables kept. `killed`: stopped from outside with its
   * process. `crashed`: the process ended by what the cell did.
   */
  readonly ending: "finished" | "interrupted" | "killed" | "crashed";
  /** Why it was stopped or crashed. */
  readonly reason: string | null;
  /**
   * Why the process had ended since the last cell, so that this one ran without its variables; null where
   * it had not.
   */
  readonly restartReason: string | null;
  /** Code that an earlier cell had left behind computed too much since, and was interrupted. */
  readonly interruptedBetween: boolean;
  /** What the cell wrote to the folders for it. */
  readonly files: readonly CellFile[];
  readonly leftOut: LeftOut;
};

export type SessionOptions = {
  readonly timeoutMs: number;
  /** Where the memory snapshot is kept; null: start without. */
  readonly cacheDir: string | null;
  /** Copied to `/mnt/data` of every interpreter of the session. */
  readonly files?: readonly InputFile[];
  readonly packages?: SessionPackages | undefined;
  /** Where its interpreters come from; it has its own folder and packages. Absent: each is started. */
  readonly warmPool?: PythonWarmPool | undefined;
};

export class PythonSession implements AsyncDisposable {
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
   * @param onOutput gets what it prints while it runs
   * @throws PythonStartError; the signal's reason when it was aborted before the cell began
   */
  run(
    code: string,
    signal: AbortSignal,
    onOutput: (text: string) => void = () => {},
  ): Promise<CellResult> {
    const result = this.#last.then(() => this.#runNow(code, signal, onOutput));
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Ends every process at once, also in the middle of a cell. */
  async close(): Promise<void> {
    this.#closed = true;
    const processes = [...this.#processes];
    for (const process of processes) process.kill();
    await Promise.all(processes.map((process) => process.exited));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #runNow(
    code: string,
    signal: AbortSignal,
    onOutput: (text: string) => void,
    isRetry = false,
  ): Promise<CellResult> {
    const interpreter = await this.#living();
    // The run may have been cancelled while the interpreter started.
    signal.throwIfAborted();
    const lost = this.#holder === interpreter ? undefined : this.#holder;
    const ending = gracefulKill(this.#options.timeoutMs, signal, {
      interrupt: () => interpreter.interrupt(),
      stop: () => interpreter.stop(),
      kill: () => interpreter.kill(),
    });
    try {
      const end = await interpreter.run(code, onOutput);
      // Earlier cells are the reason, and none of this one's code has run: it may be run again.
      if (end.kind === "died" && !end.begun && !isRetry && !signal.aborted && !this.#closed) {
        return await this.#runNow(code, signal, onOutput, true);
      }
      this.#holder = end.kind === "finished" ? interpreter : undefined;
      // So that the next cell does not wait for the whole start.
      if (end.kind === "died" && !this.#closed) this.#living().catch(() => undefined);
      const result = describeEnd(end, ending.reason);
      const { reason = null, output = "" } = lost?.ended ?? {};
      // What tasks of earlier cells printed before their interpreter ended.
      return { ...result, output: output + result.output, restartReason: reason };
    } finally {
      ending.settle();
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

  async #startOne(): Promise<InterpreterProcess> {
    const { cacheDir, files = [], packages, warmPool } = this.#options;
    const onProcess = (process: InterpreterProcess): void => {
      this.#processes.add(process);
      process.exited.then(() => this.#processes.delete(process));
      if (this.#closed) process.kill();
    };
    const interpreter =
      warmPool === undefined
        ? await startInterpreter({ cacheDir, onProcess, packages })
        : await warmPool.take(onProcess);
    for (const file of files) interpreter.putFile(file);
    return interpreter;
  }
}

function describeEnd(end: CellEnd, stopped: string | null): Omit<CellResult, "restartReason"> {
  if (end.kind === "died") {
    const ending = stopped === null ? "crashed" : "killed";
    const reason = stopped ?? end.reason;
    const { output } = end;
    const nothing = { files: [], leftOut: { count: 0, files: [] }, interruptedBetween: false };
    return { output, value: null, error: null, ending, reason, ...nothing };
  }
  const { output, value, error, files, leftOut, interruptedBetween } = end;
  // A cell that finished in spite of the interrupt has finished.
  const interrupted = stopped !== null && error !== null;
  return {
    output,
    value,
    error,
    ending: interrupted ? "interrupted" : "finished",
    reason: interrupted ? stopped : null,
    files,
    leftOut,
    interruptedBetween,
  };
}
