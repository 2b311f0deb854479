/**
 * What servers say about themselves and their tools. A model reads it before any tool is called, and a
 * person when asked to trust a server: it is bounded, hides nothing, and looks like no special token.
 */
import type { JsonSchema } from "../../harmony/index.ts";

/** C0 without tab and newline, DEL, C1. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters it is about
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** Direction controls, other invisible format characters, tags, line separators, private use. */
const INVISIBLE =
  /[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e01ef}\p{Co}]|[\ufe00-\ufe0e]/gu;
/** Delimiters of special tokens, in Harmony and elsewhere. */
const SPECIAL_OPEN = /<(?=[|\uff5c])/g;
const SPECIAL_CLOSE = /(?<=[|\uff5c])>/g;

/** @param mostUnits  UTF-16 units that are kept */
export function untrustedText(text: string, mostUnits: number): string {
  // Cut first: what is not kept is not worked on. What comes of a character is up to nine times as long.
  const head = text.slice(0, mostUnits + 1).toWellFormed();
  const shown = head
    .replace(/\r\n?/g, "\n")
    .replace(CONTROL, (character) => {
      const code = character.charCodeAt(0);
      return code < 0x20 ? String.fromCharCode(0x2400 + code) : codePointName(code);
    })
    .replace(INVISIBLE, (character) => codePointName(character.codePointAt(0) ?? 0xfffd))
    .replace(SPECIAL_OPEN, "< ")
    .replace(SPECIAL_CLOSE, " >");
  if (head.length <= mostUnits && shown.length <= mostUnits) return shown;
  return `${shown.slice(0, Math.max(0, mostUnits - 1)).toWellFormed()}…`;
}

/** The same on one line. */
export function untrustedLine(text: string, mostUnits: number): string {
  return untrustedText(text.slice(0, mostUnits + 1).replace(/\s+/g, " "), mostUnits).trim();
}

function codePointName(code: number): string {
  return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
}

const MOST_SCHEMA_DEPTH = 40;
const MOST_SCHEMA_VALUES = 5_000;
const MOST_TEXT_UNITS = 1_000;
const MOST_SCHEMA_UNITS = 64 * 1024;
/** Keywords whose text is for readers; everything else decides what is valid and must stay as it is. */
const FOR_READERS: ReadonlySet<string> = new Set(["description", "title", "$comment"]);

/** A schema that no model should be shown; the message is the end of a sentence. */
export class SchemaBoundsError extends Error {}

/**
 * A tool's schema with its texts for readers made harmless.
 * @throws SchemaBoundsError for a schema that is too large or too deep
 */
export function untrustedSchema(schema: unknown): JsonSchema {
  let values = 0;
  const copy = (value: unknown, key: string, depth: number): unknown => {
    if (++values > MOST_SCHEMA_VALUES) {
      throw new SchemaBoundsError(`its schema has more than ${MOST_SCHEMA_VALUES} parts`);
    }
    if (depth > MOST_SCHEMA_DEPTH) {
      throw new SchemaBoundsError(`its schema is deeper than ${MOST_SCHEMA_DEPTH} levels`);
    }
    if (typeof value === "string") {
      return FOR_READERS.has(key) ? untrustedText(value, MOST_TEXT_UNITS) : value;
    }
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map((item) => copy(item, "", depth + 1));
    const entries = Object.entries(value).map(([name, item]) => [
      name,
      copy(item, name, depth + 1),
    ]);
    // A property named __proto__ must stay a property.
    return Object.fromEntries(entries);
  };
  const copied = copy(schema, "", 0) as JsonSchema;
  if (JSON.stringify(copied).length > MOST_SCHEMA_UNITS) {
    throw new SchemaBoundsError(`its schema is longer than ${MOST_SCHEMA_UNITS} characters`);
  }
  return copied;
}
