/** Sets of Unicode scalar values as ranges of code points. */

/** Code points, both ends included. */
export type Range = readonly [from: number, to: number];

const SURROGATES: Range = [0xd800, 0xdfff];
/** The last code point. */
export const LAST = 0x10ffff;

/** Sorted, merged, without surrogates. */
export function normaliseRanges(ranges: readonly Range[]): readonly Range[] {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged.flatMap(([from, to]): Range[] => {
    const below: Range = [from, Math.min(to, SURROGATES[0] - 1)];
    const above: Range = [Math.max(from, SURROGATES[1] + 1), Math.min(to, LAST)];
    return [below, above].filter(([a, b]) => a <= b);
  });
}

/** All scalar values but these. */
export function complementRanges(ranges: readonly Range[]): readonly Range[] {
  const gaps: Range[] = [];
  let next = 0;
  for (const [from, to] of normaliseRanges(ranges)) {
    if (from > next) gaps.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= LAST) gaps.push([next, LAST]);
  return normaliseRanges(gaps);
}

export function intersectRanges(a: readonly Range[], b: readonly Range[]): readonly Range[] {
  return complementRanges([...complementRanges(a), ...complementRanges(b)]);
}
