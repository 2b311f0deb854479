/** The real command as a child process. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { RunEvent } from "../../runtime/events.ts";
import { invalidEvents } from "../event-schema.ts";

export const launcher: string = fileURLToPath(
  new URL("../../runtime/cli/launcher.js", import.meta.url),
);

export type Ran = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
};

export type ChoraleOptions = {
  /** Default: the Node that runs the tests. */
  readonly node?: string;
  readonly home: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Default: that of the tests. */
  readonly cwd?: string;
  /** Default: nothing, like </dev/null. */
  readonly stdin?: string | Buffer;
  /** Called when the process runs, to send it signals or close its pipes. */
  readonly whileRunning?: (child: ChildProcess) => void;
};

export function chorale(args: readonly string[], options: ChoraleOptions): Promise<Ran> {
  const startedAt = performance.now();
  const child = spawn(options.node ?? process.execPath, [launcher, ...args], {
    stdio: [options.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    env: { ...process.env, CHORALE_HOME: options.home, ...options.env },
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  // The child may refuse its input and end before it has read it.
  child.stdin?.on("error", () => {});
  child.stdin?.end(options.stdin);
  options.whileRunning?.(child);
  return new Promise((done, failed) => {
    child.on("error", failed);
    child.on("close", (code, signal) => {
      done({ code, signal, stdout, stderr, milliseconds: performance.now() - startedAt });
    });
  });
}

/** The events of `--json`, each held against the schema of events. */
export function eventsOf(stdout: string): readonly RunEvent[] {
  const events = stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as RunEvent);
  const [problem] = invalidEvents(events);
  if (problem !== undefined) throw new Error(problem);
  return events;
}
