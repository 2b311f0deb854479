/**
 * Text of the model, of tools and of documents, for people. It is hostile data: escape sequences could rewrite a
 * screen or the clipboard, direction controls could make a command read as another one, invisible characters could
 * hide instructions. They are shown instead of obeyed.
 */

/** Direction controls, other invisible format characters, tags, line separators, lone surrogates. */
const INVISIBLE =
  /[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Surrogate}]/gu;
/** C0 without tab and newline, DEL, C1. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters it is about
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * The same text with everything that a terminal or a page would obey made visible: `ESC` becomes `␛`, other
 * control characters their picture, the rest `<U+202E>`. Newline and tab stay. Text without such
 * characters is returned as it is.
 */
export function visibleText(text: string): string {
  return text
    .replace(CONTROL, (character) => {
      const code = character.charCodeAt(0);
      if (code < 0x20) return String.fromCharCode(0x2400 + code);
      return code === 0x7f ? "␡" : codePointName(code);
    })
    .replace(INVISIBLE, (character) => codePointName(character.codePointAt(0) ?? 0xfffd));
}

function codePointName(code: number): string {
  return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
}
