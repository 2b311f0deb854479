import { readFileSync } from "node:fs";
import { createMemory } from "../wasm/memory-bank.ts";

/** What the system charges for the first touch of memory, by which a model is loaded. */
export type PageCost = {
  /** Bytes that one page fault brings: 4096, or more where the system gives larger pages. */
  readonly pageBytes: number;
  /** Processor time of one page fault, microseconds. */
  readonly microseconds: number;
  /** Processor time for a GiB, seconds. */
  readonly secondsPerGiB: number;
  /** The system's setting for huge pages: `always`, `madvise`, `never`; undefined where it has none. */
  readonly hugePages: string | undefined;
};

const BYTES = 64 << 20;
const GIB = 2 ** 30;
/** No page is smaller. */
const SMALLEST_PAGE = 4096;
const SETTING = "/sys/kernel/mm/transparent_hugepage/enabled";

/**
 * Touches 64 MiB of a memory like those of weights, page by page, on this thread: some 40 ms of processor time.
 *
 * @returns undefined where the system does not count page faults
 * @throws EngineFailedError when the memory cannot be had
 */
export function measurePageCost(): PageCost | undefined {
  const bytes = new Uint8Array(createMemory(BYTES).buffer);
  const before = faults();
  const from = process.threadCpuUsage();
  for (let at = 0; at < BYTES; at += SMALLEST_PAGE) bytes[at] = 1;
  const { user, system } = process.threadCpuUsage(from);
  const count = faults() - before;
  if (count <= 0) return undefined;
  const took = user + system;
  return {
    // Other faults of the process are counted as well, a few.
    pageBytes: 2 ** Math.round(Math.log2(BYTES / count)),
    microseconds: took / count,
    secondsPerGiB: (took / 1e6) * (GIB / BYTES),
    hugePages: hugePages(),
  };
}

function faults(): number {
  return process.resourceUsage().minorPageFault;
}

function hugePages(): string | undefined {
  try {
    return /\[(\w+)\]/.exec(readFileSync(SETTING, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}
