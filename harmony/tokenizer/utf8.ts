/** UTF-8, one character at a time: what is whole, what is cut off, what can never become a character. */

/** The first bytes of a character whose others are missing. */
const INCOMPLETE = 0;

/**
 * The character that begins at `at`.
 * @returns its bytes; INCOMPLETE if the end cuts it off; less than 0 if these bytes are no character: so
 *   many of them (negated) are the longest beginning of one
 */
export function characterLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at]!;
  if (lead < 0x80) return 1;
  const length =
    lead >= 0xc2 && lead < 0xe0
      ? 2
      : lead >= 0xe0 && lead < 0xf0
        ? 3
        : lead >= 0xf0 && lead < 0xf5
          ? 4
          : 0;
  if (length === 0) return -1;
  // The second byte is narrower for some leads: no overlong forms, no surrogates, nothing past U+10FFFF.
  let low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  let high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  let read = 1;
  for (; read < length && at + read < end; read++) {
    const byte = bytes[at + read]!;
    if (byte < low || byte > high) return -read;
    low = 0x80;
    high = 0xbf;
  }
  return read < length ? INCOMPLETE : length;
}

/** The code point of a whole character. */
export function codePointAt(bytes: Uint8Array, at: number, length: number): number {
  if (length === 1) return bytes[at]!;
  let point = bytes[at]! & (0x7f >> length);
  for (let read = 1; read < length; read++) point = (point << 6) | (bytes[at + read]! & 0x3f);
  return point;
}
