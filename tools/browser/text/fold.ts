/**
 * Texts compared as a reader compares them: case, kinds of blanks, dashes and quotation marks, composed
 * and decomposed letters, ligatures and wide forms, invisible characters and marks of formatting make no
 * difference. Accents do.
 */

export type FoldedText = {
  readonly text: string;
  /** `offsets[i]`: where the character `i` of the folded text comes from. */
  readonly offsets: Uint32Array;
};

/** Part of a text that is not compared. */
type Skipped = { readonly start: number; readonly end: number };

/** Reading marks of a page: code ticks, raised and lowered text. */
const MARKS = /`|[\^_]\{([^{}\n]{0,40})\}/g;

/** A character with all that is combined with it; conjoining Hangul as a syllable. */
const CLUSTER = /[\u1100-\u11ff]+|\P{M}\p{M}{0,8}|\p{M}/uy;

const SAME: Readonly<Record<string, string>> = {
  "‘": "'",
  "’": "'",
  "‚": "'",
  "‛": "'",
  ʼ: "'",
  "′": "'",
  "´": "'",
  "“": '"',
  "”": '"',
  "„": '"',
  "‟": '"',
  "″": '"',
  "‹": "'",
  "›": "'",
  "«": '"',
  "»": '"',
  "‐": "-",
  "‑": "-",
  "‒": "-",
  "–": "-",
  "—": "-",
  "―": "-",
  "−": "-",
  "﹘": "-",
  "﹣": "-",
  "－": "-",
  "⁄": "/",
  ß: "ss",
  ẞ: "ss",
  ς: "σ",
};

/** Not seen, or not written by everyone: soft hyphens, the vowel signs of Arabic and Hebrew, tatweel. */
const UNSEEN =
  /[\u00ad\u0591-\u05bd\u05bf-\u05c7\u0640\u064b-\u065f\u0670\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]/g;

/** @param skipped  parts that are not compared, in order: the markup of links */
export function foldText(source: string, skipped: readonly Skipped[] = []): FoldedText {
  const gaps = withMarks(source, skipped);
  let units = new Uint16Array(source.length + 16);
  let offsets = new Uint32Array(units.length);
  let length = 0;
  const push = (unit: number, offset: number): void => {
    if (length === units.length) {
      units = longer(units, new Uint16Array(2 * length));
      offsets = longer(offsets, new Uint32Array(2 * length));
    }
    units[length] = unit;
    offsets[length++] = offset;
  };
  let nextGap = 0;
  let afterBlank = false;
  for (let at = 0; at < source.length; ) {
    const gap = gaps[nextGap];
    if (gap !== undefined && at >= gap.start) {
      at = Math.max(at, gap.end);
      nextGap++;
      continue;
    }
    if (isPlain(source, at)) {
      // Most of most texts, so nothing is looked up or made for it.
      const unit = source.charCodeAt(at);
      const isBlank = unit === BLANK || (unit >= FIRST_CONTROL && unit <= LAST_CONTROL);
      if (!isBlank) push(unit >= UPPER_A && unit <= UPPER_Z ? unit + TO_LOWER : unit, at);
      else if (!afterBlank) push(BLANK, at);
      afterBlank = isBlank;
      at++;
      continue;
    }
    CLUSTER.lastIndex = at;
    const cluster = CLUSTER.exec(source)?.[0] ?? source.charAt(at);
    if (/^\s/.test(cluster)) {
      if (!afterBlank) push(BLANK, at);
      afterBlank = true;
    } else {
      const folded = foldCluster(cluster);
      for (let unit = 0; unit < folded.length; unit++) push(folded.charCodeAt(unit), at);
      if (folded !== "") afterBlank = false;
    }
    at += cluster.length;
  }
  return { text: textOf(units.subarray(0, length)), offsets: offsets.subarray(0, length) };
}

/** Blanks of ASCII: the space, and from the tab to the carriage return. */
const BLANK = 0x20;
const FIRST_CONTROL = 0x09;
const LAST_CONTROL = 0x0d;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;
const TO_LOWER = 0x20;

/** Units that are made into a text at once: arguments of one call. */
const PIECE = 8192;

function textOf(units: Uint16Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < units.length; at += PIECE) {
    pieces.push(String.fromCharCode(...units.subarray(at, at + PIECE)));
  }
  return pieces.join("");
}

function longer<T extends Uint16Array | Uint32Array>(values: T, place: T): T {
  place.set(values);
  return place;
}

/** An ASCII character with nothing combined. */
function isPlain(source: string, at: number): boolean {
  const next = source.charCodeAt(at + 1);
  return source.charCodeAt(at) < 0x80 && !(next >= 0x300);
}

function foldCluster(cluster: string): string {
  if (cluster.length === 1 && cluster.charCodeAt(0) < 0x80)
    return SAME[cluster] ?? cluster.toLowerCase();
  const same = SAME[cluster];
  if (same !== undefined) return same;
  const folded = cluster.replace(UNSEEN, "").normalize("NFKC").toLowerCase();
  return folded.replaceAll("⁄", "/");
}

function withMarks(source: string, skipped: readonly Skipped[]): readonly Skipped[] {
  const marks: Skipped[] = [];
  for (const match of source.matchAll(MARKS)) {
    const end = match.index + match[0].length;
    if (match[1] === undefined) marks.push({ start: match.index, end });
    else marks.push({ start: match.index, end: match.index + 2 }, { start: end - 1, end });
  }
  if (marks.length === 0) return skipped;
  return [...skipped, ...marks].sort((a, b) => a.start - b.start);
}

/** The text without reading marks, as it is indexed. */
export function withoutMarks(text: string): string {
  return text.replace(
    MARKS,
    (whole, inner: string | undefined) => inner ?? (whole === "`" ? "" : whole),
  );
}
