/**
 * Keeps an interpreter ready before it is needed, for programs that hold one conversation after the
 * other: a new conversation, or one whose interpreter was stopped, goes on at once with it. The pool holds
 * one interpreter, which takes about 0.26 GB of resident memory.
 *
 * A single conversation gains nothing: its interpreter starts while the model reads the prompt, and after
 * a stop while the model writes its next call.
 */
import { stateDir } from "../core/state-dir.ts";
import { withTimeout } from "../core/with-timeout.ts";
import { START_LIMIT_MS, startInterpreter } from "./boot.ts";
import type { InterpreterProcess } from "./interpreter-process.ts";
import type { SessionPackages } from "./packages/session-packages.ts";

export type PythonWarmPoolOptions = {
  /** As of `createPythonTool`; the pool's own applies to the tools that use it. */
  readonly cacheDir?: string | null;
  /** What cells of the tools that use the pool may import. */
  readonly packages?: SessionPackages;
};

export class PythonWarmPool implements AsyncDisposable {
  readonly packages: SessionPackages | undefined;
  readonly #options: PythonWarmPoolOptions;
  /** Every process that was started here and not taken. */
  readonly #processes = new Set<InterpreterProcess>();
  #next: Promise<InterpreterProcess | undefined> | undefined;
  #closed = false;

  /** Starts nothing: `prepare`, or the first use, does. */
  constructor(options: PythonWarmPoolOptions = {}) {
    this.#options = options;
    this.packages = options.packages;
  }

  /**
   * Starts an interpreter if none is ready or starting; returns at once. It does not keep the program
   * from ending. A failure is thrown by `take`, not here.
   */
  prepare(): void {
    if (this.#closed || this.#next !== undefined) return;
    const onProcess = (process: InterpreterProcess): void => {
      this.#processes.add(process);
      process.exited.then(() => this.#processes.delete(process));
      if (this.#closed) process.kill();
    };
    this.#next = this.#start(onProcess, false).catch(() => undefined);
  }

  /**
   * Hands over the prepared interpreter, or starts one where none is ready; prepares the next.
   *
   * @internal for `createPythonTool`
   * @param onProcess  gets the process, which the caller has to end
   * @throws PythonStartError
   */
  async take(onProcess: (process: InterpreterProcess) => void): Promise<InterpreterProcess> {
    const next = this.#next;
    this.#next = undefined;
    try {
      // This wait keeps the program alive; the start of a prepared interpreter does not.
      const late = "the prepared interpreter did not start";
      const prepared = next && (await withTimeout(START_LIMIT_MS, late, next));
      if (prepared?.alive) {
        this.#processes.delete(prepared);
        onProcess(prepared);
        return prepared;
      }
      return await this.#start(onProcess, true);
    } finally {
      this.prepare();
    }
  }

  /** Ends the prepared interpreter. Tools that use the pool go on, and start interpreters themselves. */
  async close(): Promise<void> {
    this.#closed = true;
    const processes = [...this.#processes];
    for (const process of processes) process.kill();
    await Promise.all(processes.map((process) => process.exited));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #start(
    onProcess: (process: InterpreterProcess) => void,
    keepsAgentAlive: boolean,
  ): Promise<InterpreterProcess> {
    const { cacheDir = stateDir(process.env), packages } = this.#options;
    return startInterpreter({ cacheDir, packages, onProcess, keepsAgentAlive });
  }
}
