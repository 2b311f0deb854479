/** Values as they are written into an XML document: as text between tags, or inside of an attribute. */

import { intersectRanges, type Range } from "../character-ranges.ts";
import type { Regex } from "../grammar.ts";
import { alternatives, concat, literal, set } from "./regexes.ts";

export type Place = "text" | "attribute";

/** Characters of XML 1.0 (production 2) that a parser hands on unchanged, and that need no escape. */
const PLAIN: Readonly<Record<Place, readonly Range[]>> = {
  // Without `>`, so that `]]>` never appears; without a carriage return, which is read as a line feed.
  text: [
    [0x09, 0x0a],
    [0x20, 0x25],
    [0x27, 0x3b],
    [0x3d, 0x3d],
    [0x3f, 0xd7ff],
    [0xe000, 0xfffd],
    [0x10000, 0x10ffff],
  ],
  // Without tabs and line feeds, which are read as blanks.
  attribute: [
    [0x20, 0x21],
    [0x23, 0x25],
    [0x27, 0x3b],
    [0x3d, 0x3d],
    [0x3f, 0xd7ff],
    [0xe000, 0xfffd],
    [0x10000, 0x10ffff],
  ],
};

const ESCAPES: readonly {
  readonly code: number;
  readonly text: string;
  readonly at: Place | "both";
}[] = [
  { code: 0x26, text: "&amp;", at: "both" },
  { code: 0x3c, text: "&lt;", at: "both" },
  { code: 0x3e, text: "&gt;", at: "both" },
  { code: 0x22, text: "&quot;", at: "attribute" },
];

/**
 * A regular expression over values, as one over what is written. Each character has exactly one spelling, so
 * that intersections and complements keep their meaning.
 */
export function written(value: Regex, place: Place): Regex {
  switch (value.type) {
    case "bytes":
      return literal(escapeXml(new TextDecoder().decode(value.bytes), place));
    case "set":
      return writtenSet(value.ranges, place);
    case "concat":
      return { ...value, parts: value.parts.map((part) => written(part, place)) };
    case "alternatives":
      return { ...value, options: value.options.map((option) => written(option, place)) };
    case "repeat":
      return { ...value, item: written(value.item, place) };
    case "and":
      return { ...value, parts: value.parts.map((part) => written(part, place)) };
    case "not":
      return {
        type: "and",
        parts: [anyText(place), { type: "not", item: written(value.item, place) }],
      };
  }
}

export function escapeXml(text: string, place: Place): string {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return place === "attribute" ? escaped.replaceAll('"', "&quot;") : escaped;
}

function anyText(place: Place): Regex {
  return { type: "repeat", item: writtenSet([[0, 0x10ffff]], place), min: 0, max: null };
}

function writtenSet(ranges: readonly Range[], place: Place): Regex {
  const plain = intersectRanges(ranges, PLAIN[place]);
  const escapes = ESCAPES.filter(
    ({ code, at }) =>
      (at === "both" || at === place) && ranges.some(([from, to]) => from <= code && code <= to),
  );
  return alternatives([
    ...(plain.length > 0 ? [set(plain)] : []),
    ...escapes.map(({ text }) => concat([literal(text)])),
  ]);
}
