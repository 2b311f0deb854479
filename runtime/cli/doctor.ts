/** `chorale doctor`: what this machine has of what Chorale uses, and what it means if something is missing. */
import { readdirSync, statfsSync, statSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join } from "node:path";
import { availableMemory, kernelBuild } from "../../inference/index.ts";
import { type SandboxReport, sandboxReport, verifyPythonPackages } from "../../tools/index.ts";
import { packageFolder } from "../environment.ts";
import { messageOf } from "../errors.ts";
import { openHome } from "../home.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { visibleText, wrapWords } from "./terminal-text.ts";

/** `note`: works, but less well than it could. `problem`: something is off, and the status is 1. */
export type CheckStatus = "ok" | "note" | "problem";

export type Check = {
  readonly name: string;
  readonly status: CheckStatus;
  /** A sentence. */
  readonly detail: string;
};

const NODE_MAJOR = 24;
const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
/** One Python or plugin process may take about this much beside the model. */
const SANDBOX_BYTES = 1 * GIB;
/** Less leaves no room for sessions and artifacts. */
const LITTLE_DISK_BYTES = 1 * GIB;

/** One line for each check, or with `json` one document. */
export async function doctorCommand(json: boolean, context: CommandContext): Promise<ExitCode> {
  const { output, env } = context;
  const sandbox = await sandboxReport();
  const checks = [
    nodeCheck(process.versions.node),
    kernelCheck(),
    threadCheck(),
    memoryCheck(),
    ...stateChecks(env),
    await packageCheck(env),
    ...sandboxChecks(sandbox),
  ];
  const isHealthy = checks.every(({ status }) => status !== "problem");
  if (json) output.jsonLine({ healthy: isHealthy, checks, sandbox });
  else {
    const columns = process.stdout.columns ?? Number.POSITIVE_INFINITY;
    const width = Math.max(...checks.map(({ name }) => name.length));
    for (const { name, status, detail } of checks) {
      const mark = output.paint(status.padEnd("problem".length), COLORS[status]);
      const begin = "problem".length + 2 + width + 2;
      const shown = wrapWords(" ".repeat(begin) + visibleText(detail), columns, " ".repeat(begin));
      output.line(`${mark}  ${name.padEnd(width)}  ${shown.slice(begin)}`);
    }
  }
  return isHealthy ? EXIT.ok : EXIT.failed;
}

const COLORS: Readonly<Record<CheckStatus, string>> = { ok: "32", note: "33", problem: "31" };

/** @param version  like 24.21.0 */
export function nodeCheck(version: string): Check {
  const isNew = Number(version.split(".")[0]) >= NODE_MAJOR;
  return {
    name: "node",
    status: isNew ? "ok" : "problem",
    detail: isNew
      ? `${version}, from ${process.execPath}.`
      : `${version} is too old; Chorale needs ${NODE_MAJOR} or newer.`,
  };
}

function kernelCheck(): Check {
  const build = kernelBuild();
  const name = "kernels";
  switch (build) {
    case "relaxed":
      return { name, status: "ok", detail: "wasm with relaxed SIMD." };
    case "baseline":
      return { name, status: "note", detail: "wasm SIMD without its relaxed part: slower." };
    case null:
      return {
        name,
        status: "problem",
        detail: "This Node has no wasm SIMD: no model runs.",
      };
  }
}

function threadCheck(): Check {
  const cores = availableParallelism();
  const detail = `${cores} ${cores === 1 ? "core" : "cores"}, one thread of computing on each.`;
  return { name: "threads", status: cores > 1 ? "ok" : "note", detail };
}

/** What this process may use, which in a container is less than the machine has. */
function memoryCheck(): Check {
  const limit = process.constrainedMemory();
  const isConstrained = limit > 0 && limit < totalmem();
  const most = isConstrained ? limit : totalmem();
  const free = availableMemory();
  const where = isConstrained ? "this container may use" : "this machine has";
  return {
    name: "memory",
    status: free < SANDBOX_BYTES ? "note" : "ok",
    detail: `${size(most)} is what ${where}; ${size(free)} is available now.`,
  };
}

function stateChecks(env: NodeJS.ProcessEnv): readonly Check[] {
  let problem: string | null = null;
  const home = openHome(env, (sentence) => {
    problem = sentence;
  });
  try {
    if (problem !== null) return [{ name: "state folder", status: "problem", detail: problem }];
    const { bavail, bsize } = statfsSync(home.path);
    const free = bavail * bsize;
    const state: Check = {
      name: "state folder",
      status: free < LITTLE_DISK_BYTES ? "note" : "ok",
      detail: `${home.path} can be written; ${size(free)} of disk are free.`,
    };
    return [state, snapshotCheck(home.path)];
  } finally {
    home.close();
  }
}

/** Python starts from it in a fraction of the time. */
function snapshotCheck(folder: string): Check {
  const files = readdirSync(folder).filter((name) => /^python-.*\.snapshot$/.test(name));
  const bytes = files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  return {
    name: "python snapshot",
    status: "ok",
    detail:
      files.length > 0
        ? `${files.length} in the state folder, ${size(bytes)}.`
        : "None yet; the first Python call makes it, and takes a few seconds longer.",
  };
}

/** What Python can import beside its standard library; hashed, since a broken one fails when it is used. */
async function packageCheck(env: NodeJS.ProcessEnv): Promise<Check> {
  const name = "python packages";
  try {
    const states = await verifyPythonPackages(packageFolder(env));
    const broken = states.filter(({ problems }) => problems.length > 0).map((one) => one.name);
    if (broken.length > 0) {
      const repair = `chorale python install ${broken.join(" ")}`;
      return { name, status: "note", detail: `Broken: ${broken.join(", ")}. To repair: ${repair}` };
    }
    const detail =
      states.length === 0
        ? "None; chorale python install brings numpy, pandas and others."
        : `${states.length} installed: ${states.map((one) => one.name).join(", ")}.`;
    return { name, status: "ok", detail };
  } catch (error) {
    return { name, status: "note", detail: messageOf(error) };
  }
}

/** Without the isolate, Python and plugins are off; of the other layers each that is missing is one less. */
export function sandboxChecks({ layers }: SandboxReport): readonly Check[] {
  return layers.map(({ name, enforced, detail }) => {
    const isNeeded = name === "isolate" || name === "process";
    const status = enforced ? "ok" : isNeeded ? "problem" : "note";
    return { name: `sandbox: ${name}`, status, detail };
  });
}

function size(bytes: number): string {
  return bytes >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${Math.round(bytes / MIB)} MiB`;
}
