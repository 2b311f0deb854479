/**
 * What stands between the brackets of a citation. The form that gpt-oss was trained with is `3†L5-L9`: cursor,
 * dagger, lines. Models also write it with other signs, in other digits, without the dagger, with several ranges.
 */

/** Lines of a page, both included. */
export type LineRange = { readonly first: number; readonly last: number };

export type CitedPlace = {
  readonly cursor: number;
  /** Empty: the page as a whole is cited. */
  readonly ranges: readonly LineRange[];
};

const LINE_WORD = "(?:lines?|ln|zeilen?|lignes?|líneas?|行|l)\\.?\\s*";
const RANGE = new RegExp(
  `^(?:${LINE_WORD})?(\\d{1,9})(?:\\s*(?:-|to|bis|through|\\.{2,3})\\s*(?:${LINE_WORD})?(\\d{1,9}))?(?![\\d\\p{L}])`,
  "iu",
);
const CURSOR = /^(?:cursor|page|seite)?\s*(\d{1,9})(?::\d{1,4})?\s*/i;
const LINES_FOLLOW = new RegExp(`^[:,]?\\s*(?=${LINE_WORD}\\d)`, "i");
/** A list goes on with another page rather than with more lines. */
const OTHER_PAGE = new RegExp(
  `^(?:cursor|page|seite)?\\s*\\d{1,9}(?::\\d{1,4})?\\s*(?:†|:?\\s*${LINE_WORD}\\d)`,
  "i",
);
const LIST_SIGN = /^\s*(?:[,;&+]|and\b|und\b)\s*/i;
/** Lines without a page. */
const WITHOUT_CURSOR = new RegExp(`^†?\\s*${LINE_WORD}\\d`, "i");

/**
 * @param isAscii the brackets are those of plain Markdown, where less is taken for a citation
 * @returns undefined for what is no citation; null for one that does not say what it cites
 */
export function parseCitation(
  body: string,
  isAscii: boolean,
): readonly CitedPlace[] | null | undefined {
  let rest = normalised(body);
  const places: CitedPlace[] = [];
  const unclear = isAscii ? undefined : null;
  if (!CURSOR.test(rest)) return WITHOUT_CURSOR.test(rest) ? unclear : undefined;
  while (rest !== "") {
    const cursor = CURSOR.exec(rest);
    if (cursor === null) return unclear;
    rest = rest.slice(cursor[0].length);
    const hasDagger = rest.startsWith("†");
    const follow = hasDagger ? /^†\s*/.exec(rest) : LINES_FOLLOW.exec(rest);
    // A number alone is a heading, a footnote or an index.
    if (follow === null) return places.length === 0 ? undefined : unclear;
    rest = rest.slice(follow[0].length);
    const { ranges, behind } = lineList(rest);
    if (ranges.length === 0 && (!hasDagger || /^(?:l\s*)?(?:[\d-]|$)/i.test(rest))) return unclear;
    places.push({ cursor: Number(cursor[1]), ranges });
    rest = behind;
    // The label of a page, or the host that the reference puts behind the lines.
    if (rest.startsWith("†") || ranges.length === 0) {
      const other = rest.search(/[;,]\s*\d{1,9}†/);
      rest = other === -1 ? "" : rest.slice(other);
    }
    const sign = LIST_SIGN.exec(rest);
    if (rest !== "" && sign === null) return unclear;
    rest = rest.slice(sign?.[0].length ?? 0);
  }
  return places;
}

function lineList(text: string): {
  readonly ranges: readonly LineRange[];
  readonly behind: string;
} {
  const ranges: LineRange[] = [];
  let rest = text;
  for (;;) {
    const match = RANGE.exec(rest);
    if (match === null) break;
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    ranges.push({ first: Math.min(first, last), last: Math.max(first, last) });
    rest = rest.slice(match[0].length).trimStart();
    const sign = LIST_SIGN.exec(rest);
    if (sign === null) break;
    const next = rest.slice(sign[0].length);
    if (OTHER_PAGE.test(next) || !RANGE.test(next)) break;
    rest = next;
  }
  return { ranges, behind: rest };
}

/** One sign for each kind of dagger, dash, digit and space. */
function normalised(body: string): string {
  return body
    .normalize("NFKC")
    .replace(/[\u200b-\u200d\u2060\ufeff]/g, "")
    .replace(/[†‡✝✞]/g, "†")
    .replace(/[‐‑‒–—―−~〜]/g, "-")
    .replace(/\p{Nd}/gu, (digit) => String(digitValue(digit)))
    .replace(/\s+/g, " ")
    .replace(/ ?† ?/g, "†")
    .trim();
}

/** The ten digits of a script follow each other, and what stands before its zero is no digit. */
function digitValue(digit: string): number {
  const code = digit.codePointAt(0) ?? 0;
  let value = 0;
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - value - 1))) value++;
  return code < 128 ? code - 48 : value;
}
