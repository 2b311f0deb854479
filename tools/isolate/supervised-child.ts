/**
 * One life of a supervised process, seen from the agent. What it runs is not trusted: its messages are
 * bounded and are data, and it can always be ended.
 */
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { constants } from "node:os";
import { messageOf } from "../core/text.ts";
import {
  encodeFrame,
  encodeMessage,
  type Frame,
  FrameReader,
  MESSAGE_LIMIT_BYTES,
} from "./frames.ts";
import { type LaunchOptions, launch } from "./launch.ts";
import { doubtOsSandbox, findOsSandbox } from "./os-sandbox.ts";
import type { OsSandbox } from "./os-sandbox-command.ts";
import { descendantsOf } from "./process-tree.ts";

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
  /** Most bytes that wait here for a process that does not read. Default 512 MiB. */
  readonly unreadLimitBytes?: number;
};

const MIB = 1024 * 1024;
/** All packages and files of a Python session may be on their way at once. */
const UNREAD_LIMIT_BYTES = 512 * MIB;
/**
 * Node starts in 0.05 s, and on a loaded machine in a few seconds. Where the system gives it too few threads
 * it can hang before any of our code runs.
 */
const START_LIMIT_MS = 30_000;
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
  readonly #exited = Promise.withResolvers<void>();
  /** Undefined when it could not be launched. */
  readonly #child: ChildProcess | undefined;
  readonly #handlers: ChildHandlers;
  readonly #unreadLimitBytes: number;
  #startTimer: NodeJS.Timeout | undefined;
  #osSandbox: OsSandbox = "none";
  /** Whether the process has said that it runs, or its end before that says nothing of the sandbox. */
  #isStarted: boolean;
  #over = false;
  #isGone = false;
  #stderr = "";
  #paused: number | undefined;

  /** Starts the process; a failure to do so comes as `onEnd`, never before the constructor returns. */
  constructor(options: SupervisedChildOptions, handlers: ChildHandlers) {
    this.#handlers = handlers;
    this.#unreadLimitBytes = options.unreadLimitBytes ?? UNREAD_LIMIT_BYTES;
    this.exited = this.#exited.promise;
    this.#isStarted = options.osSandbox !== undefined;
    try {
      this.#osSandbox = options.osSandbox ?? findOsSandbox();
      this.#child = launch({ ...options, osSandbox: this.#osSandbox });
    } catch (error) {
      process.nextTick(() => this.#couldNotStart(error));
      return;
    }
    // Before anything else: without a descriptor to spare there are no pipes, and this event.
    this.#child.on("error", (error) => this.#couldNotStart(error));
    // Where what contains it is killed in the middle of a start, what is contained stays behind, holds the
    // pipes and does not answer.
    this.#child.once("exit", () => this.#killGroup());
    this.#child.once("close", (code, signal) => this.#closed(code, signal));
    const bytes = handlers.onBytes === undefined ? 0 : (options.bytesLimit ?? MESSAGE_LIMIT_BYTES);
    const reader = new FrameReader({ json: MESSAGE_LIMIT_BYTES, bytes });
    this.#child.stdout?.on("data", (chunk: Buffer) => {
      if (this.#over) return;
      try {
        for (const frame of reader.push(chunk)) this.#receive(frame);
      } catch (error) {
        this.fail(`it sent ${error instanceof Error ? error.message : "nonsense"}`);
      }
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString("utf8")).slice(-STDERR_KEPT);
    });
    this.#startTimer = setTimeout(() => {
      const why = "the system may give it too few threads or too little memory (ulimit)";
      this.fail(`it did not start within ${START_LIMIT_MS / 1000} s; ${why}`);
    }, START_LIMIT_MS);
    this.#startTimer.unref();
    // A process that is gone cannot be written to; its exit is what counts.
    this.#child.stdin?.on("error", () => undefined);
    this.keepsAgentAlive(false);
  }

  /** Whether it can still be asked something. */
  get alive(): boolean {
    return !this.#over;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** A process that leaves too much unread is ended. */
  send(message: unknown): void {
    this.#write(encodeMessage(message));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#write(encodeFrame("bytes", bytes));
  }

  /** Ends it for what it said or did; `onEnd` gets this reason. */
  fail(reason: string): void {
    this.#end(reason);
    this.kill();
  }

  kill(): void {
    // Its end then says nothing of the sandbox.
    this.#isStarted = true;
    this.#killGroup();
    // So that the wait for `exited` comes to an end.
    this.keepsAgentAlive(true);
  }

  /**
   * Stops it where it is (SIGSTOP): it computes nothing until `resume`. It can still be ended. Windows has
   * nothing of the kind; there it goes on.
   */
  pause(): void {
    if (this.#isGone || this.pid === undefined || process.platform === "win32") return;
    // Not what is around it: a shell there may be watching for the end of the agent.
    const isInside = this.#osSandbox !== "limits" && this.#osSandbox !== "none";
    const pid = (isInside ? descendantsOf(this.pid).at(-1) : undefined) ?? this.pid;
    if (signal(pid, "SIGSTOP")) this.#paused = pid;
  }

  /** Lets it go on after `pause`. */
  resume(): void {
    if (this.#paused !== undefined) signal(this.#paused, "SIGCONT");
    this.#paused = undefined;
  }

  /** While it is idle it must not keep a program from ending; it ends itself when the pipe closes. */
  keepsAgentAlive(yes: boolean): void {
    const { stdin, stdout, stderr } = this.#child ?? {};
    const handles = [this.#child, ...([stdin, stdout, stderr] as (Socket | undefined)[])];
    for (const handle of handles) {
      if (yes) handle?.ref();
      else handle?.unref();
    }
  }

  #write(frame: Buffer): void {
    const stdin = this.#child?.stdin;
    if (this.#over || stdin == null) return;
    if (stdin.writableLength + frame.length > this.#unreadLimitBytes) {
      const limit = `${this.#unreadLimitBytes / MIB} MiB`;
      this.fail(`it left more than ${limit} unread of what was sent to it`);
    } else stdin.write(frame);
  }

  #receive({ kind, payload }: Frame): void {
    // An earlier frame of the same chunk may have ended it.
    if (this.#over) return;
    if (kind === "started") {
      clearTimeout(this.#startTimer);
      this.#isStarted = true;
      return;
    }
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

  #couldNotStart(error: unknown): void {
    this.#end(`it could not be started: ${messageOf(error)}`);
    this.#exited.resolve();
  }

  #closed(code: number | null, signal: NodeJS.Signals | null): void {
    this.#isGone = true;
    const by = signal ?? signalOf(code);
    const how = by === null ? `ended with code ${code}` : `was ended by ${by}`;
    if (!this.#isStarted) doubtOsSandbox();
    const said = FULL_HEAP.test(this.#stderr) ? "out of memory" : this.#stderr.trim();
    this.#end(`its process ${how}${said ? `: ${said}` : ""}`);
    this.#exited.resolve();
  }

  /** With what contains it, whose ends are not all tied to each other at every moment of a start. */
  #killGroup(): void {
    const { pid } = this;
    if (this.#isGone || pid === undefined) return;
    this.#child?.kill("SIGKILL");
    // Where nothing of it is left, or it was started without a group of its own, there is nothing to do.
    if (process.platform !== "win32") signal(-pid, "SIGKILL");
  }

  #end(reason: string): void {
    clearTimeout(this.#startTimer);
    if (this.#over) return;
    this.#over = true;
    this.#handlers.onEnd(reason);
  }
}

/** @param pid  negative: a group of processes */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
