/**
 * `bench start [--rounds N] [--only NAME,NAME] [--before FOLDER]`: how long the command takes to say something, the
 * chat to show its prompt, and the embedded model to answer, without a tool and with Python, beside `node -e 0` in
 * the same round. A clone is measured with a state folder and without one, and the built package if `npm run build`
 * has made it; `--before` measures another clone, such as a commit before, in turn with this one.
 *
 * Where the command runs to its end, the processor time of it and of its children is measured as well: other work
 * on the machine changes that less.
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
const LAUNCHER = "runtime/cli/launcher.js";
const SOURCES = repository(LAUNCHER);
const BUILT = repository(`dist/${LAUNCHER}`);
const LIMIT_MS = 60_000;

/** What one start took. */
type Took = {
  readonly ms: number;
  /** User and system time, of children too; absent where it was not measured. */
  readonly cpuMs?: number;
};
type Subject = () => Took | Promise<Took>;

export const bench: Bench = async (args) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "20" },
      only: { type: "string" },
      before: { type: "string" },
    },
  });
  const only = values.only?.split(",");
  const folder = mkdtempSync(join(tmpdir(), "chorale-bench-start-"));
  try {
    const home = join(folder, "home");
    mkdirSync(home);
    const none = join(folder, "none");
    const all: Record<string, Subject> = {
      node: () => start(["-e", "0"], none),
      ...subjects("", SOURCES, { home, none }),
      ...(existsSync(BUILT) && subjects("_built", BUILT, { home, none })),
      ...(values.before !== undefined &&
        subjects("_before", join(values.before, LAUNCHER), { home, none })),
    };
    const chosen = Object.entries(all).filter(
      ([name]) =>
        name === "node" ||
        only === undefined ||
        only.includes(name.replace(/_(?:built|before)$/, "")),
    );
    // What is compiled once is compiled now, and Python's memory image is made.
    for (const [, run] of chosen) await run();
    const taken = new Map(chosen.map(([name]) => [name, [] as Took[]]));
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const [name, run] of chosen) taken.get(name)?.push(await run());
      console.error(`round ${round + 1} of ${values.rounds}`);
    }
    const nodeMs = (taken.get("node") ?? []).map(({ ms }) => ms);
    const figures = [...taken].map(([name, own]) => {
      const before = taken.get(`${name}_before`);
      return [name, { ...figuresOf(own, nodeMs), ...(before && comparison(own, before)) }];
    });
    return {
      rounds: nodeMs.length,
      ...Object.fromEntries(figures),
      goals: { help_ms: 120, chat_ms: 300, answer_ms: 1000, answer_python_ms: 1600 },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** A question that is answered at once, and one for which Python is called. */
const QUESTIONS = { answer: "Good morning", answer_python: "What is 17 times 23?" };

function subjects(
  suffix: string,
  launcher: string,
  { home, none }: { readonly home: string; readonly none: string },
): Record<string, Subject> {
  const own: Record<string, Subject> = {
    help: () => start([launcher, "--help"], home),
    help_without_state: () => start([launcher, "--help"], none),
    help_of_run: () => start([launcher, "run", "--help"], home),
    version: () => start([launcher, "--version"], home),
    unknown_flag: () => start([launcher, "run", "--bogus"], home, 2),
    chat: () => promptStart([launcher, "chat"], home),
    answer: () => start([launcher, "run", QUESTIONS.answer], home),
    answer_python: () => start([launcher, "run", QUESTIONS.answer_python], home),
  };
  return Object.fromEntries(Object.entries(own).map(([name, run]) => [name + suffix, run]));
}

function figuresOf(own: readonly Took[], nodeMs: readonly number[]): object {
  const ms = own.map((took) => took.ms);
  const cpu = own.flatMap(({ cpuMs }) => cpuMs ?? []);
  return {
    median_ms: median(ms),
    // Of a machine with other work, the least says most.
    least_ms: rounded(Math.min(...ms)),
    ratio: median(ms.map((time, round) => rounded(time / (nodeMs[round] ?? Number.NaN)))),
    ...(cpu.length > 0 && { cpu_median_ms: median(cpu), cpu_least_ms: rounded(Math.min(...cpu)) }),
  };
}

/** Medians of the ratios round by round, to what `--before` measured. */
function comparison(own: readonly Took[], before: readonly Took[]): object {
  const ratio = (of: (took: Took) => number): number =>
    median(own.map((took, round) => rounded(of(took) / of(before[round] ?? { ms: Number.NaN }))));
  const isMeasured = own.every(({ cpuMs }) => cpuMs !== undefined);
  return {
    to_before: {
      ms: ratio(({ ms }) => ms),
      ...(isMeasured && { cpu: ratio(({ cpuMs = Number.NaN }) => cpuMs) }),
    },
  };
}

/** What a process took from its start to its end. */
function start(argv: readonly string[], home: string, status = 0): Took {
  const startedAt = performance.now();
  // The shell's `times` says what its children took, and theirs: two lines, "0m0.1s 0m0.0s" each, its own first.
  const script = '"$@"; status=$?; times >&2; exit $status';
  const hasTimes = process.platform !== "win32";
  const command = [process.execPath, ...argv];
  const [program = "", ...rest] = hasTimes ? ["/bin/sh", "-c", script, "sh", ...command] : command;
  const ran = spawnSync(program, rest, {
    env: { ...process.env, CHORALE_HOME: home },
    encoding: "utf8",
    timeout: LIMIT_MS,
  });
  const ms = performance.now() - startedAt;
  if (ran.status !== status) {
    throw new Error(`${argv.join(" ")} ended with ${ran.status}: ${ran.stderr}`);
  }
  if (!hasTimes) return { ms };
  const ofChildren = ran.stderr.trimEnd().split("\n").at(-1) ?? "";
  const seconds = [...ofChildren.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, rest]) => Number(minutes) * 60 + Number(rest),
  );
  return { ms, cpuMs: 1000 * seconds.reduce((sum, part) => sum + part, 0) };
}

/** Milliseconds from the start of the chat to its prompt, in a terminal of its own (`script` of util-linux). */
async function promptStart(argv: readonly string[], home: string): Promise<Took> {
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
  return { ms: milliseconds };
}

/** The line above the text of the prompt. */
const EDITOR = "─".repeat(80);
