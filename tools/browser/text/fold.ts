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
  const parts: string[] = [];
  let offsets = new Uint32Array(source.length + 16);
  let length = 0;
  const push = (folded: string, offset: number): void => {
    parts.push(folded);
    if (length + folded.length > offsets.length) {
      const longer = new Uint32Array(2 * (length + folded.length));
      longer.set(offsets);
      offsets = longer;
    }
    offsets.fill(offset, length, length + folded.length);
    length += folded.length;
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
    CLUSTER.lastIndex = at;
    const cluster = isPlain(source, at)
      ? source.charAt(at)
      : (CLUSTER.exec(source)?.[0] ?? source.charAt(at));
    if (/^\s/.test(cluster)) {
      if (!afterBlank) push(" ", at);
      afterBlank = true;
    } else {
      const folded = foldCluster(cluster);
      if (folded !== "") {
        push(folded, at);
        afterBlank = false;
      }
    }
    at += cluster.length;
  }
  return { text: parts.join(""), offsets: offsets.subarray(0, length) };
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
