/** Texts in one way of writing, so that an answer and a page can be compared. */

/**
 * One character for each kind of digit, dash, space and apostrophe. Every UTF-16 unit stays at its place, so offsets
 * hold.
 */
export function foldSigns(text: string): string {
  return text.replace(/[^\p{ASCII}]/gu, (character) => {
    if (character.length !== 1) return character;
    if (/[‐‑‒–—―−﹣－]/.test(character)) return "-";
    if (/[’‘ʼ＇′]/.test(character)) return "'";
    if (/\s/.test(character)) return " ";
    const folded = character.normalize("NFKC");
    // Half a number, and exponents, are no digits of the number before them.
    return folded.length === 1 && !/\p{No}/u.test(character) ? folded : character;
  });
}

/** Letters without marks and case: `Müller` → `muller`, `ß` → `ss`. The length may change. */
export function foldLetters(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll("ß", "ss")
    .replaceAll("ø", "o")
    .replaceAll("æ", "ae")
    .replaceAll("œ", "oe")
    .replaceAll("ł", "l");
}

/** The same, with German umlauts as two letters: `Müller` → `mueller`. */
export function foldUmlauts(text: string): string {
  return foldLetters(
    text.normalize("NFC").replace(/[äöüÄÖÜ]/g, (letter) => `${foldLetters(letter)}e`),
  );
}

const WORD = /[\p{L}\p{M}\p{N}]+/gu;

/** Words without marks, case and possessive endings. */
export function wordsOf(text: string): readonly string[] {
  const words = foldSigns(text).replace(/'s?\b/g, "").match(WORD) ?? [];
  return words.map(foldLetters);
}
