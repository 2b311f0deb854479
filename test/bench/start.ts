/**
 * `bench start [--rounds N]`: how long the command takes to say something, and the chat to show its prompt, beside
 * `node -e 0` in the same round.
 * A clone is measured with a state folder and without one, and the built package if `npm run build` has made it.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Bench } from "./bench.ts";
import { median, rounded } from "./median.ts";

const repository = (path: string): string =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url));
const SOURCES = repository("runtime/cli/launcher.js");
const BUILT = repository("dist/runtime/cli/launcher.js");
const LIMIT_MS = 30_000;

export const bench: Bench = async (args) => {
  const { values } = parseArgs({
    args: [...args],
    options: { rounds: { type: "string", default: "20" } },
  });
  const folder = mkdtempSync(join(tmpdir(), "chorale-bench-start-"));
  try {
    const home = join(folder, "home");
    mkdirSync(home);
    const none = join(folder, "none");
    const subjects: Record<string, () => number | Promise<number>> = {
      node: () => start(["-e", "0"], none),
      help: () => start([SOURCES, "--help"], home),
      help_without_state: () => start([SOURCES, "--help"], none),
      help_of_run: () => start([SOURCES, "run", "--help"], home),
      version: () => start([SOURCES, "--version"], home),
      chat: () => promptStart([SOURCES, "chat"], home),
      unknown_flag: () => start([SOURCES, "run", "--bogus"], home, 2),
      ...(existsSync(BUILT) && {
        chat_built: () => promptStart([BUILT, "chat"], home),
        help_built: () => start([BUILT, "--help"], home),
        help_built_without_state: () => start([BUILT, "--help"], none),
      }),
    };
    // What is compiled once is compiled now.
    for (const run of Object.values(subjects)) await run();
    const times = new Map(Object.keys(subjects).map((name) => [name, [] as number[]]));
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const [name, run] of Object.entries(subjects)) times.get(name)?.push(await run());
      console.error(`round ${round + 1} of ${values.rounds}`);
    }
    const node = times.get("node") ?? [];
    const figures = [...times].map(([name, own]) => [
      name,
      {
        median_ms: median(own),
        // Of a machine with other work, the least says most.
        least_ms: rounded(Math.min(...own)),
        ratio: median(own.map((time, round) => rounded(time / (node[round] ?? Number.NaN)))),
      },
    ]);
    return {
      rounds: node.length,
      ...Object.fromEntries(figures),
      goals: { help_ms: 120, chat_ms: 300 },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Milliseconds from the start of a process to its end. */
function start(argv: readonly string[], home: string, status = 0): number {
  const startedAt = performance.now();
  const ran = spawnSync(process.execPath, argv, {
    env: { ...process.env, CHORALE_HOME: home },
    encoding: "utf8",
    timeout: LIMIT_MS,
  });
  const milliseconds = performance.now() - startedAt;
  if (ran.status !== status) {
    throw new Error(`${argv.join(" ")} ended with ${ran.status}: ${ran.stderr}`);
  }
  return milliseconds;
}

/** Milliseconds from the start of the chat to its prompt, in a terminal of its own (`script` of util-linux). */
async function promptStart(argv: readonly string[], home: string): Promise<number> {
  const command = [process.execPath, ...argv].map((word) => `'${word}'`).join(" ");
  const startedAt = performance.now();
  const child = spawn("script", ["-qfec", `stty cols 80 rows 24; exec ${command}`, "/dev/null"], {
    env: { ...process.env, CHORALE_HOME: home },
    stdio: ["pipe", "pipe", "inherit"],
    timeout: LIMIT_MS,
  });
  let screen = "";
  let milliseconds = Number.NaN;
  child.stdout.on("data", (data: Buffer) => {
    screen += data;
    if (!screen.includes(EDITOR) || !Number.isNaN(milliseconds)) return;
    milliseconds = performance.now() - startedAt;
    child.stdin.write("\x04");
  });
  await new Promise((done, failed) => child.on("error", failed).on("close", done));
  if (Number.isNaN(milliseconds)) throw new Error(`${argv.join(" ")} showed no prompt: ${screen}`);
  return milliseconds;
}

/** The line above the text of the prompt. */
const EDITOR = "─".repeat(80);
