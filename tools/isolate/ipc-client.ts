/**
 * The other end of `supervised-child.ts`: what runs on the main thread of a supervised process. Where that
 * thread runs no untrusted code (an isolate has its own), it can answer, measure memory and notice that
 * the agent is gone, also against the untrusted code.
 */
import { encodeFrame, encodeMessage, FrameReader, MESSAGE_LIMIT_BYTES } from "./frames.ts";

export type IpcHandlers = {
  onMessage(message: unknown): void;
  onBytes?(bytes: Buffer): void;
  /** The last message of a process that ends since its memory is used up. */
  onOutOfMemory(): unknown;
};

export type IpcClient<Setup> = {
  /** What the agent passed as `setup`; trusted. */
  readonly setup: Setup;
  send(message: unknown): void;
  sendBytes(bytes: Uint8Array): void;
  /** Sends a last message and ends the process, also while other threads work. */
  die(lastMessage: unknown): void;
  /** Starts receiving. */
  listen(handlers: IpcHandlers, bytesLimit?: number): void;
};

const MEMORY_CHECK_MS = 25;
/** The agent may not read: the last message waits no longer. */
const LAST_MESSAGE_MS = 500;

/** To be called once, first thing in the entry module. */
export function connectToParent<Setup>(): IpcClient<Setup> {
  const { residentBytes, setup } = JSON.parse(process.argv[2] ?? "{}") as {
    residentBytes: number;
    setup: Setup;
  };
  process.stdout.write(encodeFrame("started", new Uint8Array()));
  // bubblewrap sets it.
  delete process.env["PWD"];
  // Not process.exit: that waits for threads that may never yield.
  const end = (): boolean => process.kill(process.pid, "SIGKILL");
  // Without the agent there is nothing to do.
  process.stdin.on("close", end);
  process.stdout.on("error", end);

  const die = (lastMessage: unknown): void => {
    setTimeout(end, LAST_MESSAGE_MS);
    process.stdout.write(encodeMessage(lastMessage), end);
  };
  return {
    setup,
    send: (message) => void process.stdout.write(encodeMessage(message)),
    sendBytes: (bytes) => void process.stdout.write(encodeFrame("bytes", bytes)),
    die,
    listen(handlers, bytesLimit = 0) {
      const reader = new FrameReader({ json: MESSAGE_LIMIT_BYTES, bytes: bytesLimit });
      process.stdin.on("data", (chunk: Buffer) => {
        for (const { kind, payload } of reader.push(chunk)) {
          if (kind === "bytes") handlers.onBytes?.(payload);
          else if (kind === "json") handlers.onMessage(JSON.parse(payload.toString("utf8")));
        }
      });
      if (!canSeeItsMemory()) return;
      const watch = setInterval(() => {
        if (process.memoryUsage.rss() <= residentBytes) return;
        clearInterval(watch);
        die(handlers.onOutOfMemory());
      }, MEMORY_CHECK_MS);
      watch.unref();
    },
  };
}

/** False in a file system without `/proc`; RLIMIT_DATA then bounds the memory. */
export function canSeeItsMemory(): boolean {
  try {
    return process.memoryUsage.rss() > 0;
  } catch {
    return false;
  }
}
