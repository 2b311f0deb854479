/** Names that a wrong name may have been meant as. */

/** Names in a list are looked at up to this many; a hostile schema may have a million. */
const MAX_CANDIDATES = 5_000;
const MAX_NAME_UNITS = 80;

/**
 * The candidates that look most like `name`, the nearest first: the same but for case and separators,
 * few letters apart, or one a part of the other.
 *
 * @param limit  most names that are wanted
 */
export function nearestNames(
  name: string,
  candidates: readonly string[],
  limit = 3,
): readonly string[] {
  if (name.length > MAX_NAME_UNITS) return [];
  const wanted = plainName(name);
  const most = Math.max(1, Math.floor(name.length / 3));
  const scored = candidates.slice(0, MAX_CANDIDATES).flatMap((candidate) => {
    const other = plainName(candidate);
    if (candidate.length > MAX_NAME_UNITS || other === "") return [];
    const isPart = Math.min(wanted.length, other.length) >= 4 && isWithin(wanted, other);
    const tooFar = Math.abs(other.length - wanted.length) > most;
    const distance = tooFar ? Number.POSITIVE_INFINITY : editDistance(wanted, other);
    if (distance <= most) return [{ candidate, distance }];
    return isPart ? [{ candidate, distance: most + 1 }] : [];
  });
  return scored
    .sort((a, b) => a.distance - b.distance)
    .slice(0, limit)
    .map(({ candidate }) => candidate);
}

/** The name that is meant as far as its letters go: `pageSize`, `page_size` and `Page-Size` are one. */
export function plainName(name: string): string {
  return name.toLowerCase().replace(/[\s_-]+/g, "");
}

const isWithin = (a: string, b: string): boolean => a.includes(b) || b.includes(a);

/**
 * Letters to insert, delete or replace, and neighbours to swap, to get from `a` to `b`: the distance of optimal
 * string alignment.
 */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  let before: readonly number[] = row;
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
