import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Bytes this process may still take: what the machine has left and what every control group above
 * it has left, whichever is least. Cached file pages count as free, because the kernel drops them
 * first; Node's own figure counts them as used, and after reading a checkpoint they are most of it.
 * @param root where /proc and /sys are, other than / only in tests
 */
export function availableMemory(root = "/"): number {
  const machine = field(read(join(root, "proc/meminfo")), /^MemAvailable:\s+(\d+) kB/m);
  // Not Linux: nothing more exact to ask.
  if (machine === undefined) return process.availableMemory();
  return Math.max(0, Math.min(machine * 1024, ...controlGroups(root)));
}

/** Bytes left in each control group of this process that has a limit. */
function controlGroups(root: string): number[] {
  const left: number[] = [];
  for (const line of read(join(root, "proc/self/cgroup")).split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const version = VERSIONS.find(({ controller }) =>
      controllers.split(",").some((name) => name === controller),
    );
    if (version === undefined) continue;
    // A limit binds all groups below it. Inside a container the path may name a group that is not
    // mounted here; what is mounted is then the container's own, at the top.
    for (let group = path; ; group = dirname(group)) {
      const bytes = leftIn(join(root, version.mount, group), version);
      if (bytes !== undefined) left.push(bytes);
      if (group === dirname(group)) break;
    }
  }
  return left;
}

type Version = {
  readonly controller: string;
  readonly mount: string;
  readonly limit: string;
  readonly used: string;
  readonly cached: RegExp;
};

const VERSIONS: readonly Version[] = [
  {
    controller: "",
    mount: "sys/fs/cgroup",
    limit: "memory.max",
    used: "memory.current",
    cached: /^(?:in)?active_file (\d+)$/gm,
  },
  {
    controller: "memory",
    mount: "sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    cached: /^total_(?:in)?active_file (\d+)$/gm,
  },
];

/** Undefined when the group has no limit or is not to be seen. */
function leftIn(group: string, version: Version): number | undefined {
  const limit = field(read(join(group, version.limit)), /^(\d+)$/m);
  const used = field(read(join(group, version.used)), /^(\d+)$/m);
  if (limit === undefined || used === undefined) return undefined;
  const cached = [...read(join(group, "memory.stat")).matchAll(version.cached)];
  return limit - used + cached.reduce((sum, match) => sum + Number(match[1]), 0);
}

function field(text: string, pattern: RegExp): number | undefined {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** A small text file, empty when it is not there. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
