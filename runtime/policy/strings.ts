/** The texts of a call's arguments, wherever they stand. */
import { canonicalJson } from "./fingerprint.ts";

export type FoundText = {
  readonly text: string;
  /** The nearest name around it; null where there is none, and for a name itself. */
  readonly key: string | null;
  /** It is a program or a command line, in which paths and addresses stand among other words. */
  readonly isCommand: boolean;
};

export type FoundTexts = {
  readonly texts: readonly FoundText[];
  /** false: there are more than are looked at. */
  readonly isComplete: boolean;
};

export type FoundValues = {
  readonly values: readonly unknown[];
  readonly isComplete: boolean;
};

const MAX_VALUES = 50_000;
/** Of all values of one pattern. */
const MAX_UNITS = 4 * 1024 * 1024;
/** JSON in a text in JSON in a text … */
const MAX_QUOTED_DEPTH = 4;
const COMMAND_KEY =
  /^(?:cmd|commands?|command_?line|script|shell|bash|code|args|argv|program|exec|run)$/i;

type Place = {
  readonly value: unknown;
  readonly key: string | null;
  readonly quotedDepth: number;
};

/** Every text in a JSON value, with the names of its objects; a text that is JSON itself is looked into. */
export function textsIn(value: unknown): FoundTexts {
  const texts: FoundText[] = [];
  const left: Place[] = [{ value, key: null, quotedDepth: 0 }];
  let seen = 0;
  for (let place = left.pop(); place !== undefined; place = left.pop()) {
    if (++seen > MAX_VALUES) return { texts, isComplete: false };
    const { value: found, key, quotedDepth } = place;
    if (typeof found === "string") {
      // A call whose body is a text, not JSON, is a program.
      const isCommand = (key !== null && COMMAND_KEY.test(key)) || found === value;
      texts.push({ text: found, key, isCommand });
      const quoted = quotedDepth < MAX_QUOTED_DEPTH ? jsonIn(found) : undefined;
      if (quoted !== undefined) left.push({ value: quoted, key, quotedDepth: quotedDepth + 1 });
    } else if (Array.isArray(found)) {
      for (const item of found) left.push({ value: item, key, quotedDepth });
    } else if (typeof found === "object" && found !== null) {
      for (const [name, member] of Object.entries(found)) {
        texts.push({ text: name, key: null, isCommand: false });
        left.push({ value: member, key: name, quotedDepth });
      }
    }
  }
  return { texts, isComplete: true };
}

/** The object or list that a text is; undefined for any other text. */
function jsonIn(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The values at a JSON pointer (RFC 6901), in which the segment `*` stands for every name and index and `**` for
 * any number of segments.
 *
 * @param pointer `""`, or segments that begin with `/`
 */
export function valuesAt(pointer: string, value: unknown): FoundValues {
  const segments = pointerSegments(pointer);
  const values: unknown[] = [];
  const left: { readonly value: unknown; readonly at: number }[] = [{ value, at: 0 }];
  let seen = 0;
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (++seen > MAX_VALUES) return { values, isComplete: false };
    const segment = segments[next.at];
    if (segment === undefined) {
      values.push(next.value);
      continue;
    }
    const members =
      typeof next.value === "object" && next.value !== null ? Object.entries(next.value) : [];
    if (segment === "**") left.push({ value: next.value, at: next.at + 1 });
    for (const [name, member] of members) {
      if (segment === "**") left.push({ value: member, at: next.at });
      else if (segment === "*" || segment === name) left.push({ value: member, at: next.at + 1 });
    }
  }
  return { values, isComplete: true };
}

/** The names in a pointer, unescaped. */
function pointerSegments(pointer: string): readonly string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/**
 * Values as the texts that patterns are held against; null where they are longer together than is looked at: parts of
 * one another, they can be very long.
 */
export function textsOfValues(values: readonly unknown[]): readonly string[] | null {
  const texts: string[] = [];
  let left = MAX_UNITS;
  for (const value of values) {
    const text = typeof value === "string" ? value : canonicalJson(value, left);
    left -= text.length;
    if (left < 0) return null;
    texts.push(text);
  }
  return texts;
}

/**
 * The ways in which a text may be read by what gets it: as it stands, with its characters composed, and without
 * what is not seen (compatibility forms, zero-width characters).
 */
export function spellingsOf(text: string): readonly string[] {
  const composed = text.normalize("NFC");
  const plain = text.normalize("NFKC").replace(/\p{Default_Ignorable_Code_Point}/gu, "");
  return [...new Set([text, composed, plain])];
}
