/** One life of the interpreter's process, seen from the agent. */
import { SupervisedChild, type SupervisedChildOptions } from "../isolate/index.ts";
import type { InputFile } from "./input-files.ts";
import type { PackageManifest } from "./packages/package-manifest.ts";
import {
  ARTIFACT_LIMITS,
  type CellOutcome,
  type FromChild,
  type LeftOut,
  readFromChild,
  type ToChild,
} from "./protocol.ts";

/** A file that a cell wrote; the path is the cell's choice, in the sandbox and not on this machine. */
export type CellFile = { readonly path: string; readonly bytes: Uint8Array };

/** How a cell ended: by itself, or with the process. */
export type CellEnd =
  | ({
      readonly kind: "finished";
      readonly files: readonly CellFile[];
      readonly leftOut: LeftOut;
      /** Code that an earlier cell had left behind computed too much since, and was interrupted. */
      readonly interruptedBetween: boolean;
    } & CellOutcome)
  | {
      readonly kind: "died";
      readonly reason: string;
      readonly output: string;
      /** Whether its code may have begun. */
      readonly begun: boolean;
    };

export type Ready = Extract<FromChild, { type: "ready" }>;

export class InterpreterProcess {
  /** Resolves when cells can be run; rejects with a reason when the process ends before. */
  readonly ready: Promise<Ready>;
  /** Resolves with the memory when the process was started to make a snapshot. */
  readonly snapshot: Promise<Uint8Array>;
  /** By this agent. */
  wasKilled = false;
  readonly #child: SupervisedChild;
  readonly #ready = Promise.withResolvers<Ready>();
  readonly #snapshot = Promise.withResolvers<Uint8Array>();
  #cell:
    | {
        readonly id: number;
        readonly end: (end: CellEnd) => void;
        readonly onOutput: (text: string) => void;
      }
    | undefined;
  #lastId = 0;
  /** What the running cell has written so far, and a file whose bytes come next. */
  #files: CellFile[] = [];
  #expected: Extract<FromChild, { type: "artifact" }> | undefined;
  /** Set once nothing more can be run. */
  #over: { readonly reason: string; readonly output: string } | undefined;

  constructor(options: SupervisedChildOptions) {
    this.ready = this.#ready.promise;
    this.snapshot = this.#snapshot.promise;
    // A caller waits for one of the two; the other must not count as an unhandled rejection.
    this.ready.catch(() => undefined);
    this.snapshot.catch(() => undefined);
    this.#child = new SupervisedChild(options, {
      onMessage: (message) => this.#receive(message),
      onBytes: (bytes) => this.#receiveBytes(bytes),
      onEnd: (reason) => this.#finish(reason, "", true),
    });
  }

  get alive(): boolean {
    return this.#over === undefined;
  }

  /** Why the process ended, and what was printed since the last result; undefined while it lives. */
  get ended(): { readonly reason: string; readonly output: string } | undefined {
    return this.#over;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when the process is gone. */
  get exited(): Promise<void> {
    return this.#child.exited;
  }

  /** Puts a copy of a file where the cells that follow can read it. */
  putFile({ name, bytes }: InputFile): void {
    this.#send({ type: "file", name });
    this.#child.sendBytes(bytes);
  }

  /** Lets the cells that follow import packages. */
  setPackages(manifest: PackageManifest): void {
    this.#send({ type: "packages", manifest });
  }

  /**
   * Runs a cell; one at a time. Never rejects.
   * @param onOutput gets what it prints while it runs
   */
  async run(code: string, onOutput: (text: string) => void = () => {}): Promise<CellEnd> {
    if (this.#over !== undefined) return { kind: "died", ...this.#over, begun: false };
    const { promise, resolve } = Promise.withResolvers<CellEnd>();
    this.#cell = { id: ++this.#lastId, end: resolve, onOutput };
    this.#files = [];
    this.#child.keepsAgentAlive(true);
    this.#send({ type: "run", id: this.#lastId, code });
    const end = await promise;
    this.#child.keepsAgentAlive(false);
    return end;
  }

  /** Asks the running cell to end; variables are kept if it does. */
  interrupt(): void {
    if (this.#cell) this.#send({ type: "interrupt", id: this.#cell.id });
  }

  /** Asks the process to report what the cell has printed, and to end. */
  stop(): void {
    this.#send({ type: "stop" });
  }

  kill(): void {
    this.wasKilled = true;
    this.#child.kill();
  }

  #send(message: ToChild): void {
    this.#child.send(message);
  }

  #receive(received: unknown): void {
    const message = readFromChild(received);
    if (message === undefined) throw new RangeError("a message that is not of the protocol");
    switch (message.type) {
      case "ready":
        this.#ready.resolve(message);
        break;
      case "died":
        this.#finish(message.reason, message.output, message.begun);
        break;
      case "artifact":
        this.#expect(message);
        break;
      case "output":
        if (message.id !== this.#cell?.id) throw new RangeError("output of no running cell");
        this.#cell.onOutput(message.text);
        break;
      case "result": {
        if (message.id !== this.#cell?.id) throw new RangeError("a result of no running cell");
        this.#endCell({ kind: "finished", files: this.#files, ...message });
        break;
      }
    }
  }

  #expect(file: Extract<FromChild, { type: "artifact" }>): void {
    const { filesPerCell, fileBytes, cellBytes, pathLength } = ARTIFACT_LIMITS;
    const total = this.#files.reduce((sum, { bytes }) => sum + bytes.length, file.size);
    if (
      this.#cell === undefined ||
      this.#expected !== undefined ||
      file.size > fileBytes ||
      total > cellBytes ||
      this.#files.length >= filesPerCell ||
      file.path.length > pathLength
    ) {
      throw new RangeError("a file beyond the limits, or outside of a cell");
    }
    this.#expected = file;
  }

  #receiveBytes(bytes: Buffer): void {
    const file = this.#expected;
    this.#expected = undefined;
    if (file === undefined) {
      this.#snapshot.resolve(bytes);
      return;
    }
    if (bytes.length !== file.size) throw new RangeError("a file of another size than it said");
    this.#files.push({ path: file.path, bytes });
  }

  #finish(reason: string, output: string, begun: boolean): void {
    if (this.#over !== undefined) return;
    this.#over = { reason, output };
    this.#ready.reject(new Error(reason));
    this.#snapshot.reject(new Error(reason));
    this.#endCell({ kind: "died", reason, output, begun });
  }

  #endCell(end: CellEnd): void {
    const cell = this.#cell;
    this.#cell = undefined;
    cell?.end(end);
  }
}
