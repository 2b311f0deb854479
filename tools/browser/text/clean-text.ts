/** Characters: what may stand in a page, and what only confuses a reader or forges the page format. */

/**
 * Characters that are looked at more closely. ASCII, Latin, Greek, Cyrillic and most other letters are
 * not among them, so that ordinary text costs one test.
 */
const SUSPECT =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /[\ufe00-\ufe0f\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u25fc\u3010\u3011\u3164\ud800-\udfff\ue000-\uf8ff\ufeff\uffa0\ufff9-\uffff]/;

/** Line separators of other systems. */
const LINE_ENDS = /\r\n?|[\u2028\u2029\f\v]/g;

/**
 * Invisible or without a meaning as text: control characters, soft hyphens, zero-width spaces, marks of
 * direction, fillers, variation selectors, private use (the glyphs of icon fonts), pictures of the
 * supplementary plane (the model was trained without them), and the tag characters and supplementary
 * selectors, in which text can be smuggled that no reader sees.
 */
const REMOVED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
  /[\ufe00-\ufe0f\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ue000-\uf8ff\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\u{1f000}-\u{1faff}\u{e0000}-\u{e0fff}\u{f0000}-\u{10ffff}]/gu;

/** Joiners are spelling between letters (Persian, Indic scripts) and nothing elsewhere. */
const STRAY_JOINERS = /(?<![\p{L}\p{M}])[\u200c\u200d]|[\u200c\u200d](?!\p{L})/gu;

/** Letters and digits of mathematical alphabets mean the plain ones. */
const MATHEMATICAL = /[\u{1d400}-\u{1d7ff}]/gu;

/** Text that can be hidden in characters without a glyph. */
const SMUGGLED = /[\u{e0000}-\u{e0fff}]/gu;

/**
 * Makes a text safe to stand in a page: brackets and the square that the page format uses for itself
 * become look-alikes, line ends become line feeds, and characters without a glyph go.
 */
export function cleanText(text: string): string {
  if (!SUSPECT.test(text)) return text;
  return text
    .toWellFormed()
    .replace(LINE_ENDS, "\n")
    .replaceAll("【", "〖")
    .replaceAll("】", "〗")
    .replaceAll("◼", "◾")
    .replace(MATHEMATICAL, (character) => character.normalize("NFKC"))
    .replace(REMOVED, "")
    .replace(STRAY_JOINERS, "");
}

/** What begins like a citation in other brackets than those of the page format, and its dagger. */
const DAGGERS = ["†", "‡", "✝", "✞"];
const CITATION = /([〖〔［[]\s*\p{N}{1,9}\s*)[†‡✝✞]/gu;

/**
 * The same text, in which nothing can be taken for a citation where a model repeats it: `[1†L5]` becomes
 * `[1*L5]`. Of the same length.
 */
export function disarmCitations(text: string): string {
  const hasDagger = DAGGERS.some((dagger) => text.includes(dagger));
  return hasDagger ? text.replace(CITATION, "$1*") : text;
}

/** Characters of a text that have no glyph and can carry a message. */
export function countSmuggled(text: string): number {
  return text.includes("\udb40") ? (text.match(SMUGGLED)?.length ?? 0) : 0;
}

/** A clean text on one line. */
export function oneLine(text: string): string {
  return disarmCitations(cleanText(text).replace(/\s+/g, " ").trim());
}

/** Characters of a title: it heads every view of the page. */
const MAX_TITLE_CHARACTERS = 200;

/** The first of some texts that has anything to show, on one line. */
export function chooseTitle(candidates: readonly (string | undefined)[]): string {
  for (const candidate of candidates) {
    // A hostile title may be megabytes long; nothing behind this can matter.
    const title = oneLine((candidate ?? "").slice(0, 20 * MAX_TITLE_CHARACTERS));
    if (title.length > MAX_TITLE_CHARACTERS) {
      return `${title.slice(0, MAX_TITLE_CHARACTERS).toWellFormed()} …`;
    }
    if (title !== "") return title;
  }
  return "";
}
