/** From what a link or a model calls a document to the document. */
import { cleanAddress, decodeEscapes, splitFragment } from "../text/address.ts";

/** The document that a path means, also as sites write it: without an extension, or as a folder. */
export function findDocument(path: string, has: (url: string) => boolean): string | null {
  const folder = path === "" || path.endsWith("/") ? path : `${path}/`;
  const candidates = [
    path,
    `${path}.html`,
    `${path}.md`,
    `${folder}index.html`,
    `${folder}index.md`,
    `${folder}README.md`,
  ];
  return candidates.find(has) ?? null;
}

/**
 * The address under which a file of a folder is shown. Line ends, controls and brackets of the page
 * format are escaped, and so is `%` where it would be taken for an escape, and bytes that are no UTF-8.
 */
export function documentUrl(names: readonly Uint8Array[]): string {
  return names.map(readableName).join("/");
}

function readableName(name: Uint8Array): string {
  const text = new TextDecoder().decode(name);
  const escaped = text.includes("\ufffd")
    ? withEscapedBytes(name)
    : text.replace(/%(?=[0-9a-f]{2})/gi, "%25");
  return cleanAddress(escaped);
}

/** Valid UTF-8 as it is, every other byte as an escape. */
function withEscapedBytes(name: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < name.length; ) {
    const byte = name[at] ?? 0;
    const length = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    const part = name.subarray(at, at + length);
    const character = new TextDecoder().decode(part);
    const isValid = byte !== 0x25 && part.length === length && !character.includes("\ufffd");
    parts.push(isValid ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`);
    at += isValid ? length : 1;
  }
  return parts.join("");
}

/** What a model may have written for the document with this address: escapes decoded, a fragment taken off. */
export function addressForms(address: string): readonly string[] {
  const { url } = splitFragment(address.replace(/\?.*$/s, ""));
  return [...new Set([address, url, decodeEscapes(url), cleanAddress(decodeEscapes(url))])];
}
