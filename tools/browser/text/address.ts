/** Addresses of documents as they may stand in a page. */

/**
 * What must not stand in an address that is shown: line ends and controls, the brackets of the page
 * format, characters without a glyph, halves of pairs.
 */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /[\ufe00-\ufe0f\u0000-\u001f\u007f-\u00a0\u00ad\u180e\u200b-\u200f\u2020\u2028-\u202e\u2060-\u206f\u25fc\u3010\u3011\ufeff\ufff9-\uffff\u{e0000}-\u{e0fff}]/gu;

const PLAIN = /^[ -~]*$/;

/** The address with everything escaped that could forge a line, a link or a terminal's command. */
export function cleanAddress(address: string): string {
  if (PLAIN.test(address)) return address;
  return address.toWellFormed().replace(UNSAFE, (character) => encodeURIComponent(character));
}

export function isWeb(address: string): boolean {
  return /^https?:\/\//i.test(address);
}

/** Escapes decoded where they are valid; otherwise the text as it is. */
export function decodeEscapes(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** An address without its fragment, and the fragment's name. */
export function splitFragment(address: string): {
  readonly url: string;
  readonly fragment: string;
} {
  const hash = address.indexOf("#");
  if (hash < 0) return { url: address, fragment: "" };
  return { url: address.slice(0, hash), fragment: decodeEscapes(address.slice(hash + 1)) };
}
