/** Linux's process list, as far as it is about one's own children. */
import { readdirSync, readFileSync } from "node:fs";

/** Every process below `pid`, parents before their children; empty where there is no `/proc`. */
export function descendantsOf(pid: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const [child, parent] of parents()) {
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [child]);
    else siblings.push(child);
  }
  const found: number[] = [];
  let generation = children.get(pid) ?? [];
  while (generation.length > 0) {
    found.push(...generation);
    generation = generation.flatMap((one) => children.get(one) ?? []);
  }
  return found;
}

function* parents(): Generator<readonly [number, number]> {
  if (process.platform !== "linux") return;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      // The name, in brackets, may hold anything. After it: state, parent.
      const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state !== "Z") yield [Number(name), Number(parent)];
    } catch {
      // It has ended meanwhile.
    }
  }
}
