/**
 * The built-in simple types of XML Schema (XSD 1.0 part 2), as the spellings that a constrained model may
 * write: valid always, and a part of what the type allows where the whole of it is of no use (`INF`,
 * surrounding blanks, years before 1).
 */

import { complementRanges, type Range } from "../character-ranges.ts";
import type { Regex } from "../grammar.ts";
import { anyDecimal, type DecimalBounds, decimalsWithin, MAX_DIGITS } from "./decimal-range.ts";
import {
  all,
  alternatives,
  between,
  concat,
  literal,
  oneOf,
  optional,
  repeat,
  set,
} from "./regexes.ts";
import { parseXsdPattern } from "./xsd-pattern.ts";

/** How a type's length facets count. */
export type LengthUnit = "character" | "hex" | "item" | null;

export type BuiltinType = {
  readonly regex: Regex;
  readonly lengthUnit: LengthUnit;
  /** Numbers: facets of range and digits are read from it. */
  readonly decimal?: DecimalBounds & { readonly isFloat: boolean };
  /** What the grammar does not check about a value of the type. */
  readonly unchecked?: string;
};

const MAX_FRACTION_DIGITS = 9;

const EVERY: readonly Range[] = complementRanges([]);
const text = repeat(set(EVERY), 0, null);
const visible = set(
  complementRanges([
    [0x09, 0x0a],
    [0x0d, 0x0d],
    [0x20, 0x20],
  ]),
);
/** Without blanks at its ends or two in a row: what is left when white space is collapsed. */
const collapsed: Regex = optional(
  concat([
    repeat(visible, 1, null),
    repeat(concat([literal(" "), repeat(visible, 1, null)]), 0, null),
  ]),
);
const normalised = repeat(
  set(
    complementRanges([
      [0x09, 0x0a],
      [0x0d, 0x0d],
    ]),
  ),
  0,
  null,
);

const zone = optional(
  alternatives([
    literal("Z"),
    concat([
      oneOf("+-"),
      alternatives([
        concat([literal("0"), between("0", "9")]),
        concat([literal("1"), between("0", "3")]),
      ]),
      literal(":"),
      between("0", "5"),
      between("0", "9"),
    ]),
  ]),
);
const year = all([repeat(between("0", "9"), 4, 4), { type: "not", item: literal("0000") }]);
const month = parseXsdPattern("0[1-9]|1[0-2]");
const dayOfMonth = parseXsdPattern("0[1-9]|[12][0-9]|3[01]");
const monthDay = parseXsdPattern(
  "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])",
);
/** Years of four digits that are divisible by 4, and by 400 where they are by 100. */
const leapYear = parseXsdPattern(
  "[0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00",
);
const date = alternatives([
  concat([year, literal("-"), monthDay]),
  concat([leapYear, literal("-02-29")]),
]);
const time = parseXsdPattern("([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?");
const duration = parseXsdPattern(
  "-?P(([0-9]{1,6}Y([0-9]{1,6}M)?([0-9]{1,6}D)?|[0-9]{1,6}M([0-9]{1,6}D)?|[0-9]{1,6}D)" +
    "(T([0-9]{1,6}H([0-9]{1,6}M)?([0-9]{1,6}S)?|[0-9]{1,6}M([0-9]{1,6}S)?|[0-9]{1,6}S))?" +
    "|T([0-9]{1,6}H([0-9]{1,6}M)?([0-9]{1,6}S)?|[0-9]{1,6}M([0-9]{1,6}S)?|[0-9]{1,6}S))",
);
const base64 = concat([
  repeat(parseXsdPattern("[A-Za-z0-9+/]{4}"), 0, null),
  optional(parseXsdPattern("[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==")),
]);
/** Without a colon: a prefix would have to be declared. */
const noColonName = parseXsdPattern("[\\i-[:]][\\c-[:]]*");
const nameToken = parseXsdPattern("\\c+");
/** What is a URI reference beyond doubt: RFC 3986 without percent signs and brackets. */
const uri = parseXsdPattern(
  "([A-Za-z][A-Za-z0-9+.\\-]*:)?[A-Za-z0-9\\-._~/?@!$&'()*+,;=]*(#[A-Za-z0-9\\-._~/?@!$&'()*+,;=]*)?",
);

const integers = (min: string | null, max: string | null): BuiltinType => {
  const bound = (value: string | null) => (value === null ? null : { value, isExclusive: false });
  return numeric({
    min: bound(min),
    max: bound(max),
    fractionDigits: 0,
    totalDigits: min === null || max === null ? MAX_DIGITS : Math.max(min.length, max.length),
    isFloat: false,
  });
};

function numeric(decimal: DecimalBounds & { readonly isFloat: boolean }): BuiltinType {
  return { regex: numberRegex(decimal), lengthUnit: null, decimal };
}

/** The literals of a number type after its facets. */
export function numberRegex(decimal: DecimalBounds & { readonly isFloat: boolean }): Regex {
  const { min, max, fractionDigits, totalDigits, isFloat } = decimal;
  const isFree = min === null && max === null && totalDigits >= MAX_DIGITS;
  return isFree
    ? anyDecimal(Math.min(fractionDigits, MAX_FRACTION_DIGITS), isFloat)
    : decimalsWithin({ ...decimal, fractionDigits: Math.min(fractionDigits, MAX_FRACTION_DIGITS) });
}

const decimals = (isFloat: boolean): BuiltinType =>
  numeric({
    min: null,
    max: null,
    fractionDigits: MAX_FRACTION_DIGITS,
    totalDigits: MAX_DIGITS,
    isFloat,
  });

const named = (regex: Regex, unchecked?: string): BuiltinType => ({
  regex,
  lengthUnit: "character",
  ...(unchecked !== undefined && { unchecked }),
});
const plain = (regex: Regex): BuiltinType => ({ regex, lengthUnit: null });
const listOf = (item: Regex, unchecked?: string): BuiltinType => ({
  regex: concat([item, repeat(concat([literal(" "), item]), 0, null)]),
  lengthUnit: "item",
  ...(unchecked !== undefined && { unchecked }),
});

/** The item of list types, so that they can be counted. */
export const LIST_ITEMS: Readonly<Record<string, Regex>> = {
  NMTOKENS: nameToken,
  IDREFS: noColonName,
  ENTITIES: noColonName,
};

export const BUILTIN_TYPES: Readonly<Record<string, BuiltinType>> = {
  anySimpleType: named(text),
  string: named(text),
  normalizedString: named(normalised),
  token: named(collapsed),
  language: named(parseXsdPattern("[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*")),
  Name: named(parseXsdPattern("\\i\\c*")),
  NCName: named(noColonName),
  NMTOKEN: named(nameToken),
  NMTOKENS: listOf(nameToken),
  ID: named(noColonName, "xs:ID values differ from each other"),
  IDREF: named(noColonName, "xs:IDREF values name an xs:ID of the document"),
  IDREFS: listOf(noColonName, "xs:IDREFS values name xs:ID values of the document"),
  ENTITY: named(noColonName, "xs:ENTITY values name an entity"),
  ENTITIES: listOf(noColonName, "xs:ENTITIES values name entities"),
  QName: named(noColonName),
  NOTATION: named(noColonName, "xs:NOTATION values name a notation"),
  anyURI: named(uri),
  boolean: plain(parseXsdPattern("true|false|1|0")),
  decimal: decimals(false),
  float: decimals(true),
  double: decimals(true),
  integer: integers(null, null),
  long: integers("-9223372036854775808", "9223372036854775807"),
  int: integers("-2147483648", "2147483647"),
  short: integers("-32768", "32767"),
  byte: integers("-128", "127"),
  nonNegativeInteger: integers("0", null),
  positiveInteger: integers("1", null),
  nonPositiveInteger: integers(null, "0"),
  negativeInteger: integers(null, "-1"),
  unsignedLong: integers("0", "18446744073709551615"),
  unsignedInt: integers("0", "4294967295"),
  unsignedShort: integers("0", "65535"),
  unsignedByte: integers("0", "255"),
  dateTime: plain(concat([date, literal("T"), time, zone])),
  date: plain(concat([date, zone])),
  time: plain(concat([time, zone])),
  duration: plain(duration),
  gYear: plain(concat([year, zone])),
  gYearMonth: plain(concat([year, literal("-"), month, zone])),
  gMonth: plain(concat([literal("--"), month, zone])),
  gMonthDay: plain(concat([literal("--"), monthDay, zone])),
  gDay: plain(concat([literal("---"), dayOfMonth, zone])),
  hexBinary: {
    regex: repeat(parseXsdPattern("[0-9A-Fa-f]{2}"), 0, null),
    lengthUnit: "hex",
  },
  base64Binary: plain(base64),
};
