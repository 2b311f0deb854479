/**
 * V8 can join two neighbouring 128-bit operations into one of 256 bits while it optimises WebAssembly ("revectorization").
 * Its flag is experimental, so it is used only where a check finds that every kernel gives the same bits with it and that
 * the products are faster. The check runs in a process of its own: a fault of the compiler would end that one.
 */

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";

/** What the check has found. */
export type RevectorizeReport = {
  /** Whether each kernel left the same bytes. */
  readonly isSame: boolean;
  /** Time without over time with, of products with many columns. */
  readonly gain: number;
};

export const REVECTORIZE_FLAG = "--experimental-wasm-revectorize";
/** A gain that noise does not make. */
const MIN_GAIN = 1.05;
const TIMEOUT_MS = 20_000;
/** The optimising compiler at once, when a function is called first. */
const CHILD_FLAGS = ["--no-liftoff", "--no-warnings"];

let asked: Promise<boolean> | undefined;

/**
 * Whether this process optimises its kernels so, which it does from then on where it pays. Takes about half a second the
 * first time. `CHORALE_NO_REVECTORIZE` in the environment forbids it.
 */
export function revectorize(): Promise<boolean> {
  if (process.env["CHORALE_NO_REVECTORIZE"]) return Promise.resolve(false);
  asked ??= checkRevectorize().then((report) => {
    const pays = report?.isSame === true && report.gain >= MIN_GAIN;
    // The flag is the process's, and is read when a function is optimised.
    if (pays) setFlagsFromString(REVECTORIZE_FLAG);
    return pays;
  });
  return asked;
}

/** @returns null where the check did not come to its end */
export function checkRevectorize(): Promise<RevectorizeReport | null> {
  const entry = fileURLToPath(new URL("./revectorize-check.ts", import.meta.url));
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...CHILD_FLAGS, entry], {
      stdio: ["ignore", "pipe", "ignore"],
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
      env: {},
    });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
    });
    child.on("error", () => resolve(null));
    child.on("close", (code) => {
      try {
        resolve(code === 0 ? (JSON.parse(text) as RevectorizeReport) : null);
      } catch {
        resolve(null);
      }
    });
  });
}
