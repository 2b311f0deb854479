/** One life of the interpreter's process, seen from the agent. */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { Socket } from "node:net";
import { encodeMessage, type Frame, FrameReader, MESSAGE_LIMIT_BYTES } from "../isolate/frames.ts";
import { type CellOutcome, type FromChild, readFromChild, type ToChild } from "./protocol.ts";
import { SNAPSHOT_LIMIT_BYTES } from "./snapshot.ts";

/** How a cell ended: by itself, or with the process. */
export type CellEnd =
  | ({ readonly kind: "finished" } & CellOutcome)
  | { readonly kind: "died"; readonly reason: string; readonly output: string };

export type Ready = Extract<FromChild, { type: "ready" }>;

/** What the process last wrote to stderr, for the message when it does not start. */
const STDERR_KEPT = 2000;

export class InterpreterProcess {
  /** Resolves when cells can be run; rejects with a reason when the process ends before. */
  readonly ready: Promise<Ready>;
  /** Resolves with the memory when the process was started to make a snapshot. */
  readonly snapshot: Promise<Uint8Array>;
  /** Resolves when the process is gone. */
  readonly exited: Promise<void>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ready = Promise.withResolvers<Ready>();
  readonly #snapshot = Promise.withResolvers<Uint8Array>();
  #cell: { readonly id: number; readonly end: (end: CellEnd) => void } | undefined;
  #lastId = 0;
  /** Set once nothing more can be run. */
  #over: { readonly reason: string; readonly output: string } | undefined;
  #stderr = "";

  constructor(child: ChildProcessWithoutNullStreams, makesSnapshot: boolean) {
    this.#child = child;
    this.ready = this.#ready.promise;
    this.snapshot = this.#snapshot.promise;
    // Whoever waits for the one does not wait for the other.
    this.ready.catch(() => undefined);
    this.snapshot.catch(() => undefined);
    const limits = { json: MESSAGE_LIMIT_BYTES, bytes: makesSnapshot ? SNAPSHOT_LIMIT_BYTES : 0 };
    const reader = new FrameReader(limits);
    child.stdout.on("data", (chunk: Buffer) => {
      if (this.#over !== undefined) return;
      try {
        for (const frame of reader.push(chunk)) this.#receive(frame);
      } catch (error) {
        this.#fail(`it sent ${error instanceof Error ? error.message : "nonsense"}`);
      }
    });
    child.stderr.on("data", (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString("utf8")).slice(-STDERR_KEPT);
    });
    // A process that is gone cannot be written to; its exit is what counts.
    child.stdin.on("error", () => undefined);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.exited = promise;
    child.once("error", (error) => {
      this.#finish(`it could not be started: ${error.message}`, "");
      resolve();
    });
    child.once("close", (code, signal) => {
      const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
      const said = this.#stderr.trim();
      this.#finish(`its process ${how}${said ? `: ${said}` : ""}`, "");
      resolve();
    });
    this.#keepsAgentAlive(false);
  }

  get alive(): boolean {
    return this.#over === undefined;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Runs a cell; one at a time. Never rejects. */
  async run(code: string): Promise<CellEnd> {
    if (this.#over !== undefined) return { kind: "died", ...this.#over };
    const { promise, resolve } = Promise.withResolvers<CellEnd>();
    this.#cell = { id: ++this.#lastId, end: resolve };
    this.#keepsAgentAlive(true);
    this.#send({ type: "run", id: this.#lastId, code });
    const end = await promise;
    this.#keepsAgentAlive(false);
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
    this.#child.kill("SIGKILL");
    // So that whoever waits for `exited` is not left behind.
    this.#keepsAgentAlive(true);
  }

  #send(message: ToChild): void {
    if (this.#over === undefined) this.#child.stdin.write(encodeMessage(message));
  }

  #receive({ kind, payload }: Frame): void {
    if (kind === "bytes") {
      this.#snapshot.resolve(payload);
      return;
    }
    const message = readFromChild(payload);
    if (message === undefined) this.#fail("it sent a message that nobody understands");
    else if (message.type === "ready") this.#ready.resolve(message);
    else if (message.type === "died") this.#finish(message.reason, message.output);
    else if (message.id !== this.#cell?.id) this.#fail("it answered what nobody asked");
    else this.#endCell({ kind: "finished", ...message });
  }

  #fail(reason: string): void {
    this.#finish(reason, "");
    this.kill();
  }

  #finish(reason: string, output: string): void {
    if (this.#over !== undefined) return;
    this.#over = { reason, output };
    this.#ready.reject(new Error(reason));
    this.#snapshot.reject(new Error(reason));
    this.#endCell({ kind: "died", reason, output });
  }

  #endCell(end: CellEnd): void {
    const cell = this.#cell;
    this.#cell = undefined;
    cell?.end(end);
  }

  /** An idle interpreter must not keep a program from ending; it ends itself when the pipe closes. */
  #keepsAgentAlive(yes: boolean): void {
    const { stdin, stdout, stderr } = this.#child;
    const handles = [this.#child, ...([stdin, stdout, stderr] as unknown as Socket[])];
    for (const handle of handles) {
      if (yes) handle.ref();
      else handle.unref();
    }
  }
}
