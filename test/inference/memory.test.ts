import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { availableMemory } from "../../inference/local/memory.ts";
import { measurePageCost } from "../../inference/local/page-cost.ts";

const GIB = 2 ** 30;
const MEMINFO = "MemTotal:       16777216 kB\nMemFree:  1 kB\nMemAvailable:    8388608 kB\n";

/** What `availableMemory` says on a machine with these files. */
function availableWith(files: Readonly<Record<string, string>>): number {
  const root = mkdtempSync(join(tmpdir(), "chorale-memory-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return availableMemory(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

test("without control groups it is what the machine has", () => {
  expect(availableWith({ "proc/meminfo": MEMINFO })).toBe(8 * GIB);
});

test("a control group's limit binds, cached files in it do not", () => {
  const files = {
    "proc/meminfo": MEMINFO,
    "proc/self/cgroup": "0::/app.slice/chorale\n",
    "sys/fs/cgroup/app.slice/chorale/memory.max": `${4 * GIB}\n`,
    "sys/fs/cgroup/app.slice/chorale/memory.current": `${3 * GIB}\n`,
    "sys/fs/cgroup/app.slice/chorale/memory.stat": `anon 5\ninactive_file ${GIB}\nactive_file ${GIB / 2}\n`,
  };
  expect(availableWith(files)).toBe(2.5 * GIB);
});

test("a group above with less left binds, one without a limit does not", () => {
  const files = {
    "proc/meminfo": MEMINFO,
    "proc/self/cgroup": "0::/outer/inner\n",
    "sys/fs/cgroup/outer/inner/memory.max": "max\n",
    "sys/fs/cgroup/outer/inner/memory.current": "5\n",
    "sys/fs/cgroup/outer/memory.max": `${GIB}\n`,
    "sys/fs/cgroup/outer/memory.current": `${GIB / 4}\n`,
  };
  expect(availableWith(files)).toBe(0.75 * GIB);
});

test("version 1 in a container, where the group's path is not mounted", () => {
  const files = {
    "proc/meminfo": MEMINFO,
    "proc/self/cgroup": "4:memory:/docker/0123\n1:name=systemd:/\n0::/\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": `${2 * GIB}\n`,
    "sys/fs/cgroup/memory/memory.usage_in_bytes": `${2 * GIB}\n`,
    "sys/fs/cgroup/memory/memory.stat": `inactive_file 7\ntotal_inactive_file ${GIB}\n`,
  };
  expect(availableWith(files)).toBe(GIB);
});

test("a group that is over its limit has nothing left", () => {
  const files = {
    "proc/meminfo": MEMINFO,
    "proc/self/cgroup": "0::/\n",
    "sys/fs/cgroup/memory.max": "100\n",
    "sys/fs/cgroup/memory.current": "200\n",
  };
  expect(availableWith(files)).toBe(0);
});

test("on this machine it is some of the memory", () => {
  expect(availableMemory()).toBeGreaterThan(0);
});

test.runIf(process.platform === "linux")("what a page costs is measured by touching some", () => {
  const cost = measurePageCost() ?? expect.unreachable();
  expect(cost.pageBytes).toBeGreaterThanOrEqual(4096);
  expect(cost.microseconds).toBeGreaterThan(0);
  // A page's cost, as often as there are pages in a GiB.
  expect(cost.secondsPerGiB).toBeLessThan((2 * cost.microseconds * 2 ** 30) / cost.pageBytes / 1e6);
  expect([undefined, "always", "madvise", "never"]).toContain(cost.hugePages);
});
