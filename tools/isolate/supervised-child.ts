/**
 * One life of a supervised process, seen from the agent. What it runs is not trusted: its messages are
 * bounded and are data, and whatever it does, it can be ended.
 */
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { Socket } from "node:net";
import { constants } from "node:os";
import {
  encodeFrame,
  encodeMessage,
  type Frame,
  FrameReader,
  MESSAGE_LIMIT_BYTES,
} from "./frames.ts";
import { type LaunchOptions, launch } from "./launch.ts";

export type ChildHandlers = {
  /**
   * One message, parsed and otherwise unchecked. What it throws ends the child: it has then said
   * something that was not agreed on.
   */
  onMessage(message: unknown): void;
  /** Bytes outside of messages; without a handler none are accepted. */
  onBytes?(bytes: Buffer): void;
  /** Called once, when nothing more will come: the reason as the end of a sentence, "it …". */
  onEnd(reason: string): void;
};

export type SupervisedChildOptions = LaunchOptions & {
  /** Most bytes of one `onBytes`. */
  readonly bytesLimit?: number;
  /** Instead of `launch`, for measuring what holds without its walls. */
  readonly start?: (options: LaunchOptions) => ChildProcessWithoutNullStreams;
};

/** What the process last wrote to stderr, for the message when it ends. */
const STDERR_KEPT = 2000;
/** Of V8's report, which is pages long. */
const FULL_HEAP = /<--- (?:Last few GCs|JS stacktrace) --->|heap out of memory/;

/** A shell or bubblewrap around the process tells a signal by a code above 128. */
function signalOf(code: number | null): string | null {
  const number = (code ?? 0) - 128;
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? null;
}

export class SupervisedChild {
  /** Resolves when the process is gone. */
  readonly exited: Promise<void>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #handlers: ChildHandlers;
  #over = false;
  #isGone = false;
  #stderr = "";

  /** Starts the process; a failure to do so comes as `onEnd`, never before the constructor returns. */
  constructor(options: SupervisedChildOptions, handlers: ChildHandlers) {
    this.#handlers = handlers;
    const child = (options.start ?? launch)(options);
    this.#child = child;
    const bytes = handlers.onBytes === undefined ? 0 : (options.bytesLimit ?? MESSAGE_LIMIT_BYTES);
    const reader = new FrameReader({ json: MESSAGE_LIMIT_BYTES, bytes });
    child.stdout.on("data", (chunk: Buffer) => {
      if (this.#over) return;
      try {
        for (const frame of reader.push(chunk)) this.#receive(frame);
      } catch (error) {
        this.fail(`it sent ${error instanceof Error ? error.message : "nonsense"}`);
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
      this.#end(`it could not be started: ${error.message}`);
      resolve();
    });
    // Where somebody kills what confines it in the middle of a start, what is confined stays behind, holds
    // the pipes and answers nobody.
    child.once("exit", () => this.#killGroup());
    child.once("close", (code, signal) => {
      this.#isGone = true;
      const by = signal ?? signalOf(code);
      const how = by === null ? `ended with code ${code}` : `was ended by ${by}`;
      const said = FULL_HEAP.test(this.#stderr) ? "out of memory" : this.#stderr.trim();
      this.#end(`its process ${how}${said ? `: ${said}` : ""}`);
      resolve();
    });
    this.keepsAgentAlive(false);
  }

  /** Whether it can still be asked something. */
  get alive(): boolean {
    return !this.#over;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(message: unknown): void {
    if (!this.#over) this.#child.stdin.write(encodeMessage(message));
  }

  sendBytes(bytes: Uint8Array): void {
    if (!this.#over) this.#child.stdin.write(encodeFrame("bytes", bytes));
  }

  /** Ends it for what it said or did; `onEnd` gets this reason. */
  fail(reason: string): void {
    this.#end(reason);
    this.kill();
  }

  kill(): void {
    this.#killGroup();
    // So that whoever waits for `exited` is not left behind.
    this.keepsAgentAlive(true);
  }

  /** While it is idle it must not keep a program from ending; it ends itself when the pipe closes. */
  keepsAgentAlive(yes: boolean): void {
    const { stdin, stdout, stderr } = this.#child;
    const handles = [this.#child, ...([stdin, stdout, stderr] as unknown as Socket[])];
    for (const handle of handles) {
      if (yes) handle.ref();
      else handle.unref();
    }
  }

  #receive({ kind, payload }: Frame): void {
    // An earlier frame of the same chunk may have ended it.
    if (this.#over) return;
    if (kind === "bytes") {
      this.#handlers.onBytes?.(payload);
      return;
    }
    let message: unknown;
    try {
      message = JSON.parse(payload.toString("utf8"));
    } catch {
      throw new RangeError("a message that is not JSON");
    }
    this.#handlers.onMessage(message);
  }

  /** With what confines it, whose ends are not all tied to each other at every moment of a start. */
  #killGroup(): void {
    const { pid } = this.#child;
    if (this.#isGone || pid === undefined) return;
    this.#child.kill("SIGKILL");
    if (process.platform === "win32") return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // Nothing of it is left, or it was started without a group of its own.
    }
  }

  #end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#handlers.onEnd(reason);
  }
}
