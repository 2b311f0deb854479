/**
 * Which sandbox the operating system has for a supervised process, around Node's own permission model.
 * Linux offers namespaces to every user, unless a container's rules or the administrator forbid them. What
 * is there is found by starting Node in it. `sandboxReport` says what holds.
 */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { type OsSandbox, osSandboxCommand } from "./os-sandbox-command.ts";
import { forgetSandbox, rememberedSandbox, rememberSandbox } from "./remembered-sandbox.ts";

/** The trial of a sandbox neither worked nor was refused: the machine lacks descriptors, memory or time. */
export class OsSandboxTrialError extends Error {
  override name = "OsSandboxTrialError";

  constructor(osSandbox: OsSandbox, why: string) {
    super(
      `whether this system lets a process run in ${osSandbox} could not be found out: ${why}; the next start tries again`,
    );
  }
}

export type Trial =
  | { readonly outcome: "works" }
  /** The program is missing, or the system refuses it: that stays so. */
  | { readonly outcome: "absent" }
  /** The machine could not try it now. */
  | { readonly outcome: "postponed"; readonly why: string }
  /** It ended with an error of another kind. */
  | { readonly outcome: "broken"; readonly why: string };

type Tried = Exclude<OsSandbox, "limits" | "none">;

const STRONGEST_FIRST: readonly Tried[] = ["bubblewrap", "namespaces", "network-namespace"];
const TRIAL_MS = 10_000;
/** What the trial may use: as little as Node starts with. */
const TRIAL_DATA_BYTES = 4 * 1024 ** 3;
const BROKEN_TRIALS = 3;

let found: OsSandbox | undefined;

/**
 * The strongest sandbox that works here, found by starting Node in it, which takes about 0.1 s, or remembered from
 * an earlier process that did.
 *
 * @throws OsSandboxTrialError when the machine cannot try one now; the next call tries again
 */
export function findOsSandbox(): OsSandbox {
  found ??= rememberedSandbox(process.env) ?? tryAll();
  return found;
}

function tryAll(): OsSandbox {
  let isSure = true;
  const result = strongest(tryOsSandbox, (sentence) => {
    isSure = false;
    process.emitWarning(sentence, { code: "CHORALE_SANDBOX_DOWNGRADED" });
  });
  if (isSure) rememberSandbox(result, process.env);
  return result;
}

/** A process did not start in the sandbox that was found: the next call tries the sandboxes again. */
export function doubtOsSandbox(): void {
  found = undefined;
  forgetSandbox(process.env);
}

/**
 * @param warn  gets a sentence for each sandbox that is there and does not work
 * @throws OsSandboxTrialError
 */
export function strongest(
  attempt: (osSandbox: Tried) => Trial,
  warn: (sentence: string) => void,
): OsSandbox {
  if (process.platform !== "linux") return "none";
  const broken: string[] = [];
  const working = STRONGEST_FIRST.find((osSandbox) => {
    let trial = attempt(osSandbox);
    for (let trials = 1; trial.outcome === "broken" && trials < BROKEN_TRIALS; trials++) {
      trial = attempt(osSandbox);
    }
    if (trial.outcome === "postponed") throw new OsSandboxTrialError(osSandbox, trial.why);
    if (trial.outcome === "broken") broken.push(`${osSandbox} does not work here (${trial.why})`);
    return trial.outcome === "works";
  });
  const result = working ?? "limits";
  for (const problem of broken) warn(`Sandboxed processes run in ${result}: ${problem}.`);
  return result;
}

export function worksHere(osSandbox: Tried): boolean {
  return tryOsSandbox(osSandbox).outcome === "works";
}

function tryOsSandbox(osSandbox: Tried): Trial {
  if (process.platform !== "linux") return { outcome: "absent" };
  const [command = "", ...args] = osSandboxCommand([process.execPath, "--version"], {
    osSandbox,
    readable: [],
    dataBytes: TRIAL_DATA_BYTES,
  });
  return readTrial(
    spawnSync(command, args, {
      cwd: "/",
      env: {},
      encoding: "utf8",
      timeout: TRIAL_MS,
      killSignal: "SIGKILL",
    }),
  );
}

const MISSING: ReadonlySet<string | undefined> = new Set(["ENOENT", "EACCES", "EPERM", "ENOSYS"]);
/** A shell's exit codes for what cannot be run and what is not there. */
const NOT_RUN: ReadonlySet<number | null> = new Set([126, 127]);
/** EPERM, EACCES, bubblewrap's own words for them, and options of newer versions of the program. */
const REFUSED =
  /not permitted|permission denied|no permissions|unrecognized option|invalid option/i;
/** EMFILE, ENFILE, EAGAIN, ENOMEM. */
const LACKING = /too many open files|temporarily unavailable|cannot allocate memory|cannot fork/i;

/** What the end of a trial means. */
export function readTrial(
  ended: Pick<SpawnSyncReturns<string>, "error" | "status" | "signal" | "stdout" | "stderr">,
): Trial {
  if (ended.error !== undefined) {
    const { code, message } = ended.error as NodeJS.ErrnoException;
    return MISSING.has(code) ? { outcome: "absent" } : { outcome: "postponed", why: message };
  }
  const { status, signal, stdout, stderr } = ended;
  if (status === 0 && stdout.trim() === process.version) return { outcome: "works" };
  if (signal !== null) return { outcome: "postponed", why: `it was ended by ${signal}` };
  const why = stderr.trim().split("\n").slice(-2).join(" ") || `it ended with code ${status}`;
  if (LACKING.test(stderr)) return { outcome: "postponed", why };
  return NOT_RUN.has(status) || REFUSED.test(stderr)
    ? { outcome: "absent" }
    : { outcome: "broken", why };
}
