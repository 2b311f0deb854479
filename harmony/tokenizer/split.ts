/**
 * How o200k cuts a text into pieces before byte pairs are merged; merges never cross a cut. Written
 * as a scanner because it is the hottest loop of encoding: one pass, no backtracking, no substring.
 *
 * The rule it implements (tiktoken, o200k), alternatives tried in this order:
 *
 *   1. [^\r\n\p{L}\p{N}]? [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]* [\p{Ll}\p{Lm}\p{Lo}\p{M}]+ ('s|'t|…)?
 *   2. [^\r\n\p{L}\p{N}]? [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+ [\p{Ll}\p{Lm}\p{Lo}\p{M}]* ('s|'t|…)?
 *   3. \p{N}{1,3}
 *   4. ␠?[^\s\p{L}\p{N}]+ [\r\n/]*
 *   5. \s*[\r\n]+
 *   6. \s+(?!\S)
 *   7. \s+
 */

/** The same rule as it stands in a `tokenizer.json`. */
export const O200K_PATTERN: string = [
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
  "\\p{N}{1,3}",
  " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*",
  "\\s*[\\r\\n]+",
  "\\s+(?!\\S)",
  "\\s+",
].join("|");

const UPPER = 1; // Lu Lt Lm Lo M
const LOWER = 2; // Ll Lm Lo M
const LETTER = 4;
const NUMBER = 8;
const SPACE = 16;
const NEWLINE = 32; // \r \n, which are SPACE too

const CASELESS = UPPER | LOWER; // Lm Lo M: may stand in both halves of a word

/** Classes of 256 code points each, made when one of them is first read. */
const pages: (Uint8Array | undefined)[] = new Array(0x1100).fill(undefined);

const CLASSES: readonly (readonly [RegExp, number])[] = [
  [/[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]/u, UPPER],
  [/[\p{Ll}\p{Lm}\p{Lo}\p{M}]/u, LOWER],
  [/\p{L}/u, LETTER],
  [/\p{N}/u, NUMBER],
  [/\p{White_Space}/u, SPACE], // not JavaScript's \s, which has U+FEFF and lacks U+0085
  [/[\r\n]/u, NEWLINE],
];

function makePage(index: number): Uint8Array {
  const page = new Uint8Array(256);
  for (let i = 0; i < 256; i++) {
    const char = String.fromCodePoint(index * 256 + i);
    for (const [pattern, bit] of CLASSES) if (pattern.test(char)) page[i]! |= bit;
  }
  pages[index] = page;
  return page;
}

const ascii = makePage(0);

function classOf(code: number): number {
  if (code < 256) return ascii[code]!;
  const page = pages[code >> 8] ?? makePage(code >> 8);
  return page[code & 255]!;
}

/** Class of the code point at `at`; 0 at the end of the text (and for punctuation). */
function classAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit < 256) return ascii[unit]!;
  if (unit >= 0xd800 && unit < 0xdc00) return classOf(text.codePointAt(at)!);
  return Number.isNaN(unit) ? 0 : classOf(unit); // NaN: past the end
}

/** Units (1 or 2) of the code point at `at`. */
function widthAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit < 0xdc00 && at + 1 < text.length ? 2 : 1;
}

/**
 * End of the word that starts at `start`, or -1: alternative 1 and, if `orUpper`, alternative 2, both
 * without the leading character and the suffix.
 */
function wordEnd(text: string, start: number, orUpper: boolean): number {
  let at = start;
  let lastCaselessEnd = -1;
  let kind = classAt(text, at);
  while ((kind & UPPER) !== 0) {
    at += widthAt(text, at);
    if ((kind & CASELESS) === CASELESS) lastCaselessEnd = at;
    kind = classAt(text, at);
  }
  if ((kind & LOWER) !== 0) {
    do {
      at += widthAt(text, at);
      kind = classAt(text, at);
    } while ((kind & LOWER) !== 0);
    return at;
  }
  // The lower half must have at least one character: it takes the last one that may stand there.
  if (lastCaselessEnd !== -1) return lastCaselessEnd;
  return orUpper && at > start ? at : -1;
}

/** Skips an English contraction at `at`, in either case; `s` also as U+017F, its third case. */
function skipContraction(text: string, at: number): number {
  if (text.charCodeAt(at) !== 0x27) return at;
  const first = text.charCodeAt(at + 1);
  if (first === 0x17f) return at + 2;
  const second = text.charCodeAt(at + 2) | 0x20;
  switch (first | 0x20) {
    case 0x73: // s
    case 0x74: // t
    case 0x6d: // m
    case 0x64: // d
      return at + 2;
    case 0x72: // re
    case 0x76: // ve
      return second === 0x65 ? at + 3 : at;
    case 0x6c: // ll
      return second === 0x6c ? at + 3 : at;
    default:
      return at;
  }
}

/**
 * End of the piece that starts at `start`.
 * @param text well-formed UTF-16
 * @param start less than `text.length`, at a code point
 */
export function o200kPieceEnd(text: string, start: number): number {
  const first = classAt(text, start);
  if ((first & NUMBER) !== 0) {
    let at = start + widthAt(text, start);
    for (let count = 1; count < 3 && (classAt(text, at) & NUMBER) !== 0; count++) {
      at += widthAt(text, at);
    }
    return at;
  }
  const afterFirst = start + widthAt(text, start);
  if ((first & (LETTER | NEWLINE)) === 0) {
    // Any one character but a newline may lead a word. A combining mark may also begin one, which
    // alternative 1 tries before alternative 2 has its turn.
    const end = wordEnd(text, afterFirst, (first & CASELESS) === 0);
    if (end !== -1) return skipContraction(text, end);
  }
  if ((first & CASELESS) !== 0) {
    return skipContraction(text, wordEnd(text, start, true));
  }
  const at = text.charCodeAt(start) === 0x20 ? afterFirst : start;
  if (at < text.length && (classAt(text, at) & (SPACE | LETTER | NUMBER)) === 0) {
    return punctuationEnd(text, at);
  }
  return spaceEnd(text, start, afterFirst);
}

function punctuationEnd(text: string, start: number): number {
  let at = start;
  do at += widthAt(text, at);
  while (at < text.length && (classAt(text, at) & (SPACE | LETTER | NUMBER)) === 0);
  for (;;) {
    const unit = text.charCodeAt(at);
    if (unit !== 0x0a && unit !== 0x0d && unit !== 0x2f) return at;
    at++;
  }
}

function spaceEnd(text: string, start: number, second: number): number {
  let at = start;
  let newlineEnd = -1;
  for (let kind = classAt(text, at); (kind & SPACE) !== 0; kind = classAt(text, at)) {
    at++; // all white space is in the basic plane
    if ((kind & NEWLINE) !== 0) newlineEnd = at;
  }
  if (newlineEnd !== -1) return newlineEnd;
  if (at === text.length || at === second) return at;
  return at - 1; // the last space goes with what follows
}
