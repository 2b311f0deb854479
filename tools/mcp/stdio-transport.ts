/**
 * A server as a child process, spoken to in lines of JSON. The SDK's own transport is not used: it lets a
 * line grow by copying it whole for each chunk, keeps what a server started alive when the server is ended, and
 * passes what is no message on without end.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { formatBytes, messageOf } from "../core/text.ts";
import type { McpProcess } from "./config.ts";
import { Inbox, MESSAGE_LIMIT_BYTES } from "./inbox.ts";
import { LineReader } from "./line-reader.ts";
import { type JSONRPCMessage, serializeMessage, type Transport } from "./sdk.ts";
import { untrustedText } from "./untrusted-text.ts";

/** What a server wrote last to stderr, for the message when it ends. */
const STDERR_KEPT = 2000;
const SAID_UNITS = 600;
const UNREAD_LIMIT_BYTES = 64 * 1024 * 1024;
/** How long a server may take to end: after its input was closed, and after SIGTERM. */
const CLOSE_MS = 1000;
const TERMINATE_MS = 1000;
/** How long what a process wrote before its end may take to arrive. */
const DRAIN_MS = 500;

export class StdioTransport implements Transport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: ((message: JSONRPCMessage) => void) | undefined;
  readonly #target: McpProcess;
  readonly #env: Readonly<Record<string, string>>;
  readonly #exited = Promise.withResolvers<void>();
  #child: ChildProcessWithoutNullStreams | undefined;
  #stderr = "";
  /** Why there will be no more messages; the end of a sentence, "it …". */
  #ended: string | null = null;
  #isClosing = false;

  /** @param env  the whole environment of the process */
  constructor(target: McpProcess, env: Readonly<Record<string, string>>) {
    this.#target = target;
    this.#env = env;
  }

  /** Why the server is gone, as the end of a sentence; null while it runs. */
  get ended(): string | null {
    return this.#ended;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    const { command, args, cwd } = this.#target;
    const { promise: started, resolve, reject } = Promise.withResolvers<void>();
    let child: ChildProcessWithoutNullStreams;
    try {
      // A group of its own: what the server starts is ended with it, and Ctrl-C in the terminal reaches this
      // process alone.
      child = spawn(command, args, {
        cwd,
        env: this.#env,
        stdio: ["pipe", "pipe", "pipe"],
        detached: process.platform !== "win32",
        windowsHide: true,
      });
    } catch (error) {
      this.#end(`it could not be started: ${messageOf(error)}`);
      throw new Error(this.#ended ?? "");
    }
    this.#child = child;
    child.once("spawn", resolve);
    child.once("error", (error) => {
      this.#end(`it could not be started: ${startProblem(error, this.#target)}`);
      this.#exited.resolve();
      reject(new Error(this.#ended ?? ""));
    });
    child.once("exit", (code, signal) => {
      const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
      const over = (): void => {
        const said = untrustedText(this.#stderr.trim(), SAID_UNITS);
        this.#end(`its process ${how}${said === "" ? "" : `; it said: ${said}`}`);
        this.#exited.resolve();
      };
      // What it started may hold the pipes, in which its last messages still are.
      this.#signalGroup("SIGKILL");
      const late = setTimeout(over, DRAIN_MS);
      child.once("close", () => {
        clearTimeout(late);
        over();
      });
    });
    // What is written to a process that is gone is lost; its exit is what counts.
    child.stdin.on("error", () => {});
    this.#read(child);
    process.on("exit", this.#killNow);
    await started;
  }

  #read(child: ChildProcessWithoutNullStreams): void {
    const lines = new LineReader(MESSAGE_LIMIT_BYTES);
    const inbox = new Inbox(
      (message) => this.onmessage?.(message),
      (problem) => this.onerror?.(problem),
    );
    child.stdout.on("data", (chunk: Buffer) => {
      try {
        for (const line of lines.push(chunk)) {
          if (this.#ended !== null) return;
          inbox.takeLine(line);
        }
      } catch (error) {
        const isLine = error instanceof RangeError;
        this.#giveUp(isLine ? `it sent ${error.message}` : messageOf(error));
      }
    });
    child.stderr.on("data", (chunk: Buffer) => {
      // Of a chunk only what can be kept is decoded.
      const tail = chunk.subarray(-STDERR_KEPT * 4).toString("utf8");
      this.#stderr = (this.#stderr + tail).slice(-STDERR_KEPT);
    });
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin;
    if (stdin === undefined || this.#ended !== null) {
      throw new Error(this.#ended ?? "it was not started");
    }
    const line = serializeMessage(message);
    if (stdin.writableLength + line.length > UNREAD_LIMIT_BYTES) {
      this.#giveUp(`it left ${formatBytes(UNREAD_LIMIT_BYTES)} unread of what was sent to it`);
      throw new Error(this.#ended ?? "");
    }
    stdin.write(line);
  }

  /** Closes the server's input, then asks it to end, then ends it. */
  async close(): Promise<void> {
    if (this.#isClosing) return this.#exited.promise;
    this.#isClosing = true;
    const child = this.#child;
    if (child?.pid !== undefined && this.#ended === null) {
      child.stdin.end();
      if (!(await this.#hasExited(CLOSE_MS))) this.#signalGroup("SIGTERM");
      if (!(await this.#hasExited(TERMINATE_MS))) this.#signalGroup("SIGKILL");
      await this.#hasExited(TERMINATE_MS);
    } else if (child?.pid !== undefined) await this.#hasExited(TERMINATE_MS);
    this.#end("it was closed");
  }

  async #hasExited(withinMs: number): Promise<boolean> {
    const waiting = new AbortController();
    try {
      return await Promise.race([
        this.#exited.promise.then(() => true),
        delay(withinMs, false, { signal: waiting.signal }),
      ]);
    } finally {
      waiting.abort();
    }
  }

  #giveUp(reason: string): void {
    this.#end(reason);
    this.#signalGroup("SIGKILL");
  }

  #end(reason: string): void {
    if (this.#ended !== null) return;
    this.#ended = reason;
    process.off("exit", this.#killNow);
    for (const stream of [this.#child?.stdout, this.#child?.stderr]) {
      // What is still in the pipe is not read; the pipe must not stay open for it.
      stream?.removeAllListeners("data").resume();
    }
    this.onclose?.();
  }

  readonly #killNow = (): void => this.#signalGroup("SIGKILL");

  #signalGroup(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      if (process.platform === "win32") this.#child?.kill(signal);
      else process.kill(-pid, signal);
    } catch {
      // Nothing of it is left.
    }
  }
}

function startProblem(error: Error, { command, cwd }: McpProcess): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") {
    return existsSync(cwd) ? `there is no program ${command}` : `there is no folder ${cwd}`;
  }
  if (code === "EACCES") return `${command} may not be executed`;
  return error.message;
}
