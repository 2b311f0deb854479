/** What the machine has: Node, kernels, cores, memory. */
import { availableParallelism, totalmem } from "node:os";
import { availableMemory, kernelBuild } from "../../../inference/index.ts";
import { type Check, size } from "./check.ts";

const NODE_MAJOR = 24;
/** One Python or plugin process may take about this much beside the model. */
const SANDBOX_BYTES = 1024 ** 3;

export function machineChecks(): readonly Check[] {
  return [nodeCheck(process.versions.node), kernelCheck(), threadCheck(), memoryCheck()];
}

/** @param version  like 24.21.0 */
export function nodeCheck(version: string): Check {
  const isNew = Number(version.split(".")[0]) >= NODE_MAJOR;
  return {
    name: "node",
    status: isNew ? "ok" : "problem",
    detail: isNew
      ? `${version}, from ${process.execPath}.`
      : `${version} is too old; Chorale needs ${NODE_MAJOR} or newer.`,
    ...(!isNew && { mend: `Install Node ${NODE_MAJOR} from https://nodejs.org.` }),
  };
}

function kernelCheck(): Check {
  const build = kernelBuild();
  const name = "kernels";
  switch (build) {
    case "relaxed":
      return { name, status: "ok", detail: "wasm with relaxed SIMD." };
    case "baseline":
      return {
        name,
        status: "note",
        detail: "wasm SIMD without its relaxed part: slower.",
        mend: "Run it with Node 24 or newer, on a processor of the last ten years.",
      };
    case null:
      return {
        name,
        status: "problem",
        detail: "This Node has no wasm SIMD: no model runs.",
        mend: "Use a build of Node from https://nodejs.org, on a 64-bit processor with SSE4.1 or NEON.",
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
  // The engine's own figure: a model is refused by it.
  const free = availableMemory();
  const where = isConstrained ? "this container may use" : "this machine has";
  const isLow = free < SANDBOX_BYTES;
  return {
    name: "memory",
    status: isLow ? "note" : "ok",
    detail: `${size(most)} is what ${where}; ${size(free)} is available now.`,
    ...(isLow && { mend: "Close other programs: Python alone may take 1 GiB." }),
  };
}
