/** The resident memory of the processes that this one has started, from Linux's process list. */
import { readFileSync } from "node:fs";
import { descendantsOf } from "../../tools/isolate/index.ts";

const SAMPLE_MS = 25;

export type MemoryWatch = {
  /** @returns the largest sum that was seen, in bytes; 0 where there is no `/proc` */
  stop(): number;
};

/** @param endAbove  a process that has more is killed: the machine is for others too */
export function watchMemory(endAbove: number): MemoryWatch {
  let peak = 0;
  const sample = (): void => {
    let sum = 0;
    for (const pid of descendantsOf(process.pid)) {
      const resident = residentBytes(pid);
      sum += resident;
      if (resident > endAbove) process.kill(pid, "SIGKILL");
    }
    peak = Math.max(peak, sum);
  };
  const timer = setInterval(sample, SAMPLE_MS);
  return {
    stop() {
      sample();
      clearInterval(timer);
      return peak;
    },
  };
}

function residentBytes(pid: number): number {
  const [, kib = "0"] = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`)) ?? [];
  return Number(kib) * 1024;
}

/** Empty for a process that is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
