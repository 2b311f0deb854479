/**
 * An interpreter that is ready before anybody needs it, for programs that hold one conversation after the
 * other: a new one, or one whose interpreter was stopped, goes on at once with the spare. There is at most
 * one; it takes the memory of one more interpreter (about 0.26 GB resident).
 *
 * A single conversation gains nothing: its interpreter starts while the model reads the prompt, and after
 * a stop while the model writes its next call.
 */
import { withTimeout } from "../core/with-timeout.ts";
import { START_LIMIT_MS, startInterpreter } from "./boot.ts";
import type { InterpreterProcess } from "./interpreter-process.ts";
import type { AdaptLaunch } from "./launch.ts";
import type { SessionPackages } from "./packages/session-packages.ts";

export type PythonSpareOptions = {
  /** As of the tools that use it. */
  readonly cacheDir?: string;
  /** What cells of the tools that use it may import. */
  readonly packages?: SessionPackages;
  readonly adaptLaunch?: AdaptLaunch;
};

export class PythonSpare {
  readonly packages: SessionPackages | undefined;
  readonly #options: PythonSpareOptions;
  /** Every process that was started here and not taken. */
  readonly #processes = new Set<InterpreterProcess>();
  #next: Promise<InterpreterProcess | undefined> | undefined;
  #closed = false;

  /** Starts nothing: `prepare`, or the first use, does. */
  constructor(options: PythonSpareOptions = {}) {
    this.#options = options;
    this.packages = options.packages;
  }

  /**
   * Starts the spare if there is none; returns at once. It keeps no program from ending, and what goes
   * wrong is told by the use.
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
   * The spare if there is one that lives, else an interpreter that is started now; the next spare is
   * begun.
   *
   * @param onProcess  gets what is now the caller's to end
   * @throws PythonStartError
   */
  async take(onProcess: (process: InterpreterProcess) => void): Promise<InterpreterProcess> {
    const next = this.#next;
    this.#next = undefined;
    try {
      // The wait keeps the program alive, which the start of a spare does not.
      const spare = next && (await withTimeout(START_LIMIT_MS, "the spare did not start", next));
      if (spare?.alive) {
        this.#processes.delete(spare);
        onProcess(spare);
        return spare;
      }
      return await this.#start(onProcess, true);
    } finally {
      this.prepare();
    }
  }

  /** Ends the spare. Tools that use it go on, and start their interpreters themselves. */
  async close(): Promise<void> {
    this.#closed = true;
    const processes = [...this.#processes];
    for (const process of processes) process.kill();
    await Promise.all(processes.map((process) => process.exited));
  }

  #start(
    onProcess: (process: InterpreterProcess) => void,
    keepsAgentAlive: boolean,
  ): Promise<InterpreterProcess> {
    const { cacheDir: cacheFolder, packages, adaptLaunch } = this.#options;
    return startInterpreter({ cacheFolder, packages, adaptLaunch, onProcess, keepsAgentAlive });
  }
}
