/**
 * Characters in categories, as bits: a token is described by the categories of its characters, and a state
 * of a grammar by those whose characters all lead on. Which characters share a category decides only how
 * many tokens are found at once, never which ones are allowed.
 */

const ASCII_GROUPS: readonly (readonly [first: string, last: string])[][] = [
  [["a", "f"]],
  [["g", "z"]],
  [["A", "F"]],
  [["G", "Z"]],
  [["0", "9"]],
  [["_", "_"]],
  [["-", "-"]],
  [[".", "."]],
  [[" ", " "]],
  [["/", "/"]],
  [[":", ":"]],
  [[",", ","]],
  [['"', '"']],
  [["\\", "\\"]],
  [["<", "<"]],
  [["&", "&"]],
  [[">", ">"]],
  [["'", "'"]],
  [["]", "]"]],
  [["\n", "\n"]],
  [["\r", "\r"]],
  [["\t", "\t"]],
  [["\u007f", "\u007f"]],
];
/** C0 controls besides line ends and tabs. */
const CONTROL = ASCII_GROUPS.length;
/** What else is ASCII. */
const PUNCTUATION = CONTROL + 1;
/** U+0080 … U+00BF: C1 controls, and some spaces and signs. */
const LATIN_SIGN = PUNCTUATION + 1;
/** U+2000 … U+207F: spaces, separators of lines, marks of direction. */
const GENERAL_PUNCTUATION = LATIN_SIGN + 1;
/** U+E000 … U+FFFF: private use, byte order mark, what XML leaves out. */
const PRIVATE = GENERAL_PUNCTUATION + 1;
/** U+10000 and above. */
const SUPPLEMENTARY = PRIVATE + 1;
/** All other characters outside ASCII. */
const OTHER = SUPPLEMENTARY + 1;
/** Bytes that are no UTF-8. Also what `pendingAfter` gives for them. */
export const BROKEN: number = OTHER + 1;

const ASCII: Int32Array = new Int32Array(128).map((_, byte) => {
  const group = ASCII_GROUPS.findIndex((ranges) =>
    ranges.some(([a, z]) => byte >= a.charCodeAt(0) && byte <= z.charCodeAt(0)),
  );
  return 1 << (group >= 0 ? group : byte < 0x20 ? CONTROL : PUNCTUATION);
});

/** The categories outside ASCII. */
export const NON_ASCII: readonly {
  readonly category: number;
  readonly ranges: readonly (readonly [number, number])[];
}[] = [
  { category: 1 << LATIN_SIGN, ranges: [[0x80, 0xbf]] },
  { category: 1 << GENERAL_PUNCTUATION, ranges: [[0x2000, 0x207f]] },
  { category: 1 << PRIVATE, ranges: [[0xe000, 0xffff]] },
  { category: 1 << SUPPLEMENTARY, ranges: [[0x10000, 0x10ffff]] },
  {
    category: 1 << OTHER,
    ranges: [
      [0xc0, 0x1fff],
      [0x2080, 0xd7ff],
    ],
  },
];

/** The category of an ASCII character, as a bit. */
export function categoryOfAscii(byte: number): number {
  return ASCII[byte]!;
}

/** The category, as a bit, of characters that begin with this byte, as far as it tells. */
export function leadCategory(byte: number): number {
  if (byte === 0xc2) return 1 << LATIN_SIGN;
  if (byte === 0xee || byte === 0xef) return 1 << PRIVATE;
  return 1 << (byte >= 0xf0 ? SUPPLEMENTARY : OTHER);
}

/** What the second byte of a character adds to the categories of its first. */
export function secondCategory(pending: number, byte: number): number {
  return pending === AFTER_E2 && byte <= 0x81 ? 1 << GENERAL_PUNCTUATION : 0;
}

// States of a character that is not complete: bytes that are missing, or a first byte that bounds its second.
const ONE = 1;
const TWO = 2;
const THREE = 3;
const AFTER_E0 = 4;
const AFTER_E2 = 5;
const AFTER_ED = 6;
const AFTER_F0 = 7;
const AFTER_F4 = 8;

/**
 * How far a character is read.
 * @param pending 0 between characters, else what the call for the byte before gave
 * @returns 0 when it is complete, `BROKEN` when the bytes are no UTF-8
 */
export function pendingAfter(pending: number, byte: number): number {
  if (pending === 0) {
    if (byte < 0x80) return 0;
    if (byte < 0xc2 || byte > 0xf4) return BROKEN;
    if (byte < 0xe0) return ONE;
    switch (byte) {
      case 0xe0:
        return AFTER_E0;
      case 0xe2:
        return AFTER_E2;
      case 0xed:
        return AFTER_ED;
      case 0xf0:
        return AFTER_F0;
      case 0xf4:
        return AFTER_F4;
    }
    return byte < 0xf0 ? TWO : THREE;
  }
  const least = pending === AFTER_E0 ? 0xa0 : pending === AFTER_F0 ? 0x90 : 0x80;
  const most = pending === AFTER_ED ? 0x9f : pending === AFTER_F4 ? 0x8f : 0xbf;
  if (byte < least || byte > most) return BROKEN;
  switch (pending) {
    case ONE:
      return 0;
    case THREE:
    case AFTER_F0:
    case AFTER_F4:
      return TWO;
    default:
      return ONE;
  }
}
