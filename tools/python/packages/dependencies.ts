/** The order in which packages are installed or loaded. */
import type { LockedPackage } from "./lock.ts";

type Named = Pick<LockedPackage, "name" | "depends">;

/**
 * The packages and all that they need, each once; what is needed comes before what needs it, except
 * around a cycle. Without recursion, since a lock file may hold a chain as long as it likes.
 *
 * @param find  the package of a normalised name
 * @param onMissing  gets the names from a package of `asked` to one that `find` does not know; where it
 *   returns, that one is left out
 */
export function withDependencies<P extends Named>(
  asked: readonly P[],
  find: (name: string) => P | undefined,
  onMissing: (chain: readonly string[]) => void,
): readonly P[] {
  const resolved = new Set<P>();
  const seen = new Set<P>();
  for (const first of asked) {
    if (seen.has(first)) continue;
    seen.add(first);
    const path: { readonly one: P; next: number }[] = [{ one: first, next: 0 }];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const need = top.one.depends[top.next++];
      if (need === undefined) {
        resolved.add(top.one);
        path.pop();
        continue;
      }
      const found = find(need);
      if (found === undefined) onMissing([...path.map(({ one }) => one.name), need]);
      else if (!seen.has(found)) {
        seen.add(found);
        path.push({ one: found, next: 0 });
      }
    }
  }
  return [...resolved];
}
