/** Words as the index compares them. */

/** Lower case without accents. */
export function foldWord(text: string): string {
  const lower = text.toLowerCase();
  return /[^\0-\x7f]/.test(lower)
    ? basicLetters(lower).normalize("NFD").replace(/\p{M}/gu, "")
    : lower;
}

/** Letters that are no letter with an accent to Unicode, as they are written where they cannot be typed. */
export function basicLetters(text: string): string {
  return text.replace(/[ßæÆøØðÐþÞœŒłŁđĐı]/g, (letter) => BASIC_LETTERS[letter] ?? letter);
}

const BASIC_LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  Æ: "AE",
  ø: "o",
  Ø: "O",
  ð: "d",
  Ð: "D",
  þ: "th",
  Þ: "TH",
  œ: "oe",
  Œ: "OE",
  ł: "l",
  Ł: "L",
  đ: "d",
  Đ: "D",
  ı: "i",
};
