/** Processes that work on jobs, started again whenever one is killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export type WorkerOptions = {
  readonly effects: string;
  /** Jobs at work at once in each. */
  readonly concurrency: number;
  /** Most milliseconds before and behind an effect. */
  readonly paceMs: number;
  readonly leaseSeconds: number;
};

/** How often each event was told, by its type. */
export type EventCounts = Record<string, number>;

const PROGRAM = fileURLToPath(new URL("./jobs-worker.ts", import.meta.url));

export class JobWorkers implements AsyncDisposable {
  readonly events: EventCounts = {};
  /** Lines that are no events: what a worker died of. */
  readonly complaints: string[] = [];
  readonly #options: WorkerOptions;
  readonly #children: ChildProcess[] = [];
  readonly #urls: readonly string[];
  #isEnding = false;

  /** @param urls the database, as each worker reaches it */
  constructor(urls: readonly string[], options: WorkerOptions) {
    this.#urls = urls;
    this.#options = options;
    for (const at of urls.keys()) this.#start(at);
  }

  /** SIGKILL; another process takes its place. @returns whether it was alive */
  async kill(at: number): Promise<boolean> {
    const child = this.#child(at);
    const ended = once(child, "exit");
    if (!child.kill("SIGKILL")) return false;
    await ended;
    return true;
  }

  /** The process does nothing until it goes on: a machine that sleeps. */
  stop(at: number): void {
    this.#child(at).kill("SIGSTOP");
  }

  goOn(at: number): void {
    this.#child(at).kill("SIGCONT");
  }

  /** Lets each end as Ctrl-C does. @returns statuses other than 0 */
  async end(): Promise<readonly (number | string)[]> {
    this.#isEnding = true;
    const ended = this.#children.map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return 0;
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      const [code, signal] = (await exit) as [number | null, string | null];
      // One that has just been started takes the signal before it has anything to end.
      return signal === "SIGTERM" ? 0 : (code ?? signal ?? 0);
    });
    return (await Promise.all(ended)).filter((status) => status !== 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    for (const child of this.#children) child.kill("SIGKILL");
  }

  #child(at: number): ChildProcess {
    const child = this.#children[at];
    if (child === undefined) throw new Error(`there is no worker ${at}`);
    return child;
  }

  #start(at: number): void {
    const { effects, concurrency, paceMs, leaseSeconds } = this.#options;
    const args = [effects, ...[concurrency, paceMs, leaseSeconds].map(String)];
    const child = spawn(process.execPath, [PROGRAM, this.#urls[at] ?? "", ...args], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#children[at] = child;
    createInterface(child.stdout).on("line", (line) => this.#hear(line));
    createInterface(child.stderr).on("line", (line) => this.complaints.push(line));
    child.on("exit", (code) => {
      if (code !== null && !this.#isEnding) this.complaints.push(`a worker ended with ${code}`);
      if (!this.#isEnding) this.#start(at);
    });
  }

  #hear(line: string): void {
    try {
      const { type } = JSON.parse(line) as { type: string };
      this.events[type] = (this.events[type] ?? 0) + 1;
    } catch {
      // The end of a line that a kill cut off.
    }
  }
}
