/** Tries the walls of a supervised process from the inside and says what it found. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { Worker } from "node:worker_threads";
import { connectToParent } from "./ipc-client.ts";
import { loadIsolatedVm } from "./isolated-vm.ts";

export type ReportSetup = {
  /** The binary of isolated-vm; null where there is none. */
  readonly addon: string | null;
  /** A file that exists and may not be read. */
  readonly forbiddenFile: string;
  /** A path in a folder that the user could write. */
  readonly forbiddenTarget: string;
};

/** `true`: it is held back. */
export type ReportFindings = {
  /** What went wrong with an isolate, null when one computed. */
  readonly isolateProblem: string | null;
  readonly environment: boolean;
  readonly reading: boolean;
  readonly writing: boolean;
  readonly processes: boolean;
  readonly threads: boolean;
  readonly codeFromStrings: boolean;
  readonly network: boolean;
};

const link = connectToParent<ReportSetup>();
const { addon, forbiddenFile, forbiddenTarget } = link.setup;

function refused(attempt: () => unknown): boolean {
  try {
    attempt();
    return false;
  } catch {
    return true;
  }
}

async function tryIsolate(): Promise<string | null> {
  if (addon === null) return "there is no binary";
  try {
    const { Isolate } = loadIsolatedVm(addon);
    const isolate = new Isolate({ memoryLimit: 16 });
    const context = await isolate.createContext();
    const answer: unknown = await context.eval("typeof process + typeof require + 6 * 7");
    return answer === "undefinedundefined42" ? null : `it answered ${String(answer)}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

link.listen({ onMessage: () => undefined, onOutOfMemory: () => null });
link.send({
  isolateProblem: await tryIsolate(),
  environment: Object.keys(process.env).length === 0,
  reading: refused(() => readFileSync(forbiddenFile)),
  writing: refused(() => writeFileSync(forbiddenTarget, "")),
  processes: refused(() => {
    const { error } = spawnSync(process.execPath, ["--version"]);
    if (error) throw error;
  }),
  threads: refused(() => new Worker("", { eval: true })),
  codeFromStrings: refused(() => new Function("return 1")()),
  network: Object.values(networkInterfaces()).every((one) =>
    one?.every(({ internal }) => internal),
  ),
} satisfies ReportFindings);
