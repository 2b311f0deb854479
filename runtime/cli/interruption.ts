/** How a command is ended from outside: by a signal, or by a reader that goes away. */
import { type InterruptedBy, InterruptedError } from "../errors.ts";
import { runExitCode } from "./exit-codes.ts";

/** After Ctrl-C everything has this long to end in order; then the end is told and the process ends anyway. */
const SHUTDOWN_MS = 200;
/** And the telling has this long. */
export const REPORT_MS = 80;

export type Interruption = {
  /** The reason is an InterruptedError. */
  readonly signal: AbortSignal;
  /** Ends the command after this many milliseconds, in the same way. */
  stopAfter(ms: number): void;
  /** Behind a signal everything has this long to end in order; a second one then ends it at once. */
  takeTime(ms: number): void;
  /** From now on signals end the command in order. */
  listen(): void;
};

/**
 * The signal that ends a command. What does not end by itself within `SHUTDOWN_MS` is ended with
 * the process: child processes watch their connection to it and end as well.
 */
export function interruption(tell: (reason: InterruptedError) => Promise<unknown>): Interruption {
  const controller = new AbortController();
  let shutdownMs = SHUTDOWN_MS;
  const stop = (by: InterruptedBy, cause?: unknown): void => {
    if (controller.signal.aborted) {
      // Who asks twice does not want to wait that long.
      if (shutdownMs > SHUTDOWN_MS) process.exit();
      return;
    }
    const reason = new InterruptedError(by, cause);
    const exitCode = runExitCode(reason);
    // Also where nothing is left to wait for but a promise that is never kept.
    process.exitCode = exitCode;
    controller.abort(reason);
    // The command may be over: what it wrote is still on its way.
    if (by === "stdout") void tell(reason);
    const end = (): never => process.exit(exitCode);
    setTimeout(() => {
      setTimeout(end, REPORT_MS);
      tell(reason).then(end, end);
    }, shutdownMs).unref();
  };
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    stop(error.code === "EPIPE" ? "SIGPIPE" : "stdout", error);
  });
  // There is no reader any more; the answer still matters.
  process.stderr.on("error", () => {});
  const listen = (): void => {
    process.on("SIGINT", () => stop("SIGINT"));
    process.on("SIGTERM", () => stop("SIGTERM"));
    process.on("SIGHUP", () => stop("SIGHUP"));
  };
  const stopAfter = (ms: number): void => {
    setTimeout(() => stop("timeout"), ms).unref();
  };
  const takeTime = (ms: number): void => {
    shutdownMs = ms;
  };
  return { signal: controller.signal, listen, stopAfter, takeTime };
}
