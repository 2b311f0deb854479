/**
 * Ends a server of a test and removes its folder as soon as the test's process is gone or says so: its standard
 * input ends in both cases. Each line of it is the id of the process that is to be ended then; 0 is none.
 */
import { rmSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

const PATIENCE_MS = 5_000;

const [folder = ""] = process.argv.slice(2);
let given = "";
process.stdin.setEncoding("utf8");
for await (const text of process.stdin) given += text;
const pid = Number(given.trimEnd().split("\n").at(-1));
if (pid > 0) {
  // Postgres ends all its processes at once, and writes nothing more.
  end("SIGQUIT");
  for (const started = Date.now(); isAlive() && Date.now() - started < PATIENCE_MS; ) {
    await wait(10);
  }
  end("SIGKILL");
}
rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });

function end(signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone.
  }
}

function isAlive(): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
