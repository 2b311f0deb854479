/** GPT-2's alphabet, in which vocabularies are written: one character for each byte. */

/** Printable Latin-1 stands for itself, every other byte for a character from U+0100 on. */
export const BYTE_OF_CHAR: ReadonlyMap<number, number> = (() => {
  const map = new Map<number, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const printable =
      (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    map.set(printable ? byte : next++, byte);
  }
  return map;
})();

/** By byte. */
export const CHAR_OF_BYTE: readonly string[] = (() => {
  const chars: string[] = [];
  for (const [code, byte] of BYTE_OF_CHAR) chars[byte] = String.fromCharCode(code);
  return chars;
})();
