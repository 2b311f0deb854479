/** `*` and `?` in texts and paths, matched without backtracking over more than the last star. */

/** Whether a whole text fits a pattern: `*` stands for any characters, `?` for one. */
export function fitsWildcard(pattern: string, text: string): boolean {
  return fits(
    [...pattern],
    [...text],
    (star) => star === "*",
    (p, c) => p === "?" || p === c,
  );
}

/**
 * Whether a path fits a pattern, both as segments: `**` stands for any number of segments, `*` and `?` stay
 * within one.
 */
export function fitsPath(pattern: readonly string[], path: readonly string[]): boolean {
  return fits(pattern, path, (segment) => segment === "**", fitsWildcard);
}

/**
 * Where a later star is reached, what an earlier one took never has to be reconsidered: at most
 * `pattern.length * items.length` comparisons.
 */
function fits<T>(
  pattern: readonly T[],
  items: readonly T[],
  isStar: (part: T) => boolean,
  isEqual: (part: T, item: T) => boolean,
): boolean {
  let p = 0;
  let i = 0;
  let star = -1;
  let taken = 0;
  while (i < items.length) {
    const part = pattern[p];
    if (part !== undefined && isStar(part)) {
      star = p++;
      taken = i;
    } else if (part !== undefined && isEqual(part, items[i] as T)) {
      p++;
      i++;
    } else if (star >= 0) {
      p = star + 1;
      i = ++taken;
    } else return false;
  }
  while (p < pattern.length && isStar(pattern[p] as T)) p++;
  return p === pattern.length;
}
