/** Simple types of an XML Schema with their facets, as regular expressions over values. */
import { GrammarError } from "../../errors.ts";
import { complementRanges } from "../character-ranges.ts";
import type { Regex } from "../grammar.ts";
import { BUILTIN_TYPES, type BuiltinType, LIST_ITEMS, numberRegex } from "./builtin-types.ts";
import type { Bound } from "./decimal-range.ts";
import { all, alternatives, concat, literal, repeat, set } from "./regexes.ts";
import {
  type Component,
  type Element,
  keyOf,
  localName,
  type Name,
  nameFrom,
  type SchemaDocuments,
  XSD_NAMESPACE,
  xsdChild,
  xsdChildren,
} from "./schema-documents.ts";
import { parseXsdPattern } from "./xsd-pattern.ts";

/** A simple type: what its values look like, and what facets of types derived from it need to know. */
export type SimpleType = BuiltinType & {
  /** Lists only. */
  readonly item?: Regex;
};

/** A type whose only value is this one. */
export function fixedType(value: string): SimpleType {
  return { regex: literal(value), lengthUnit: null };
}

export class SimpleTypes {
  readonly #schema: SchemaDocuments;
  readonly #unchecked: (problem: string) => void;
  readonly #known = new Map<string, SimpleType>();
  /** Types that are being read: a schema may not refer to itself this way. */
  readonly #open = new Set<Element>();

  /** @param unchecked gets what of a type the grammar does not carry */
  constructor(schema: SchemaDocuments, unchecked: (problem: string) => void) {
    this.#schema = schema;
    this.#unchecked = unchecked;
  }

  /** @throws GrammarError for a type that is not there, or cannot be carried */
  named(name: Name): SimpleType {
    const key = keyOf(name);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const type = this.#read(name);
    this.#known.set(key, type);
    return type;
  }

  #read(name: Name): SimpleType {
    if (name.namespace === XSD_NAMESPACE) {
      const builtin = Object.hasOwn(BUILTIN_TYPES, name.local)
        ? BUILTIN_TYPES[name.local]
        : undefined;
      if (builtin === undefined) {
        throw new GrammarError(
          `The XSD names xs:${name.local}, which is no simple type of XML Schema.`,
        );
      }
      if (builtin.unchecked !== undefined) this.#unchecked(builtin.unchecked);
      const item = LIST_ITEMS[name.local];
      return { ...builtin, ...(item !== undefined && { item }) };
    }
    const found = this.#schema.find("simpleType", name);
    if (found === undefined) {
      throw new GrammarError(`The XSD names the simple type ${name.local}, which is not there.`);
    }
    return this.of(found);
  }

  /** A `simpleType` node. */
  of(component: Component): SimpleType {
    const { node, file } = component;
    if (this.#open.has(node)) {
      throw new GrammarError(
        `The simple type ${node.attribs["name"]} of the XSD is defined by itself.`,
      );
    }
    this.#open.add(node);
    try {
      const [way] = xsdChildren(node);
      if (way === undefined) throw new GrammarError("A simple type of the XSD is empty.");
      const inner = { node: way, file };
      switch (localName(way)) {
        case "restriction":
          return this.restricted(this.base(inner), inner);
        case "list":
          return this.#list(inner);
        default:
          return this.#union(inner);
      }
    } finally {
      this.#open.delete(node);
    }
  }

  /** The type that a `base`, `itemType` or nested `simpleType` names. */
  base(component: Component, attribute = "base"): SimpleType {
    const { node, file } = component;
    const nested = xsdChild(node, "simpleType");
    if (nested !== undefined) return this.of({ node: nested, file });
    const name = node.attribs[attribute];
    return name === undefined
      ? this.named({ namespace: XSD_NAMESPACE, local: "anySimpleType" })
      : this.named(nameFrom(name, component));
  }

  #list(component: Component): SimpleType {
    const { regex } = this.base(component, "itemType");
    // An item is at least one character without blanks, also of a type that allows more.
    const item = all([regex, repeat(set(complementRanges(BLANKS)), 1, null)]);
    return { regex: listRegex(item, 0, null), lengthUnit: "item", item };
  }

  #union(component: Component): SimpleType {
    const { node, file } = component;
    const names = (node.attribs["memberTypes"] ?? "").split(/\s+/).filter((name) => name !== "");
    const members = [
      ...names.map((name) => this.named(nameFrom(name, component))),
      ...xsdChildren(node).map((child) => this.of({ node: child, file })),
    ];
    return { regex: alternatives(members.map(({ regex }) => regex)), lengthUnit: null };
  }

  /** A base type with the facets that stand in a restriction. */
  restricted(base: SimpleType, { node }: Component): SimpleType {
    const facets = new Map<string, string[]>();
    for (const child of xsdChildren(node)) {
      const value = child.attribs["value"];
      if (value !== undefined)
        facets.set(localName(child), [...(facets.get(localName(child)) ?? []), value]);
    }
    let type = withNumberFacets(base, facets);
    const parts: Regex[] = [];
    const patterns = facets.get("pattern");
    // Several patterns of one restriction are alternatives.
    if (patterns !== undefined) parts.push(alternatives(patterns.map(parseXsdPattern)));
    const values = facets.get("enumeration");
    if (values !== undefined)
      parts.push(alternatives(values.map((value) => literal(value.trim()))));
    type = this.#withLength(type, facets);
    if (values !== undefined) {
      // Values of an enumeration are valid as they stand: the type itself may spell them differently.
      return { ...type, regex: all(parts) };
    }
    for (const name of ["minInclusive", "maxInclusive", "minExclusive", "maxExclusive"]) {
      if (facets.has(name) && base.decimal === undefined) {
        this.#unchecked(`xs:${name} of dates, times and durations`);
      }
    }
    return parts.length === 0 ? type : { ...type, regex: all([type.regex, ...parts]) };
  }

  #withLength(type: SimpleType, facets: ReadonlyMap<string, readonly string[]>): SimpleType {
    const number = (name: string): number | undefined => {
      const value = facets.get(name)?.at(-1);
      return value === undefined ? undefined : Number(value);
    };
    const length = number("length");
    const min = length ?? number("minLength");
    const max = length ?? number("maxLength");
    if (min === undefined && max === undefined) return type;
    const [from, to] = [min ?? 0, max ?? null];
    switch (type.lengthUnit) {
      case "character":
        return {
          ...type,
          regex: all([type.regex, repeat(set(complementRanges([])), from, to)]),
        };
      case "hex":
        return {
          ...type,
          regex: all([type.regex, repeat(parseXsdPattern("[0-9A-Fa-f]{2}"), from, to)]),
        };
      case "item":
        return type.item === undefined ? type : { ...type, regex: listRegex(type.item, from, to) };
      case null:
        this.#unchecked("length facets of xs:base64Binary and of unions");
        return type;
    }
  }

  /** The attributes of the XML namespace, which a schema may name without bringing their file. */
  xmlAttribute(local: string): SimpleType | undefined {
    switch (local) {
      case "lang":
        return this.named({ namespace: XSD_NAMESPACE, local: "language" });
      case "space":
        return { regex: parseXsdPattern("default|preserve"), lengthUnit: null };
      case "base":
        return this.named({ namespace: XSD_NAMESPACE, local: "anyURI" });
      case "id":
        return this.named({ namespace: XSD_NAMESPACE, local: "ID" });
      default:
        return undefined;
    }
  }
}

const BLANKS = [
  [0x09, 0x0a],
  [0x0d, 0x0d],
  [0x20, 0x20],
] as const;

function listRegex(item: Regex, min: number, max: number | null): Regex {
  const more = concat([literal(" "), item]);
  const some = concat([
    item,
    repeat(more, Math.max(0, min - 1), max === null ? null : Math.max(0, max - 1)),
  ]);
  if (max === 0) return literal("");
  return min === 0 ? repeat(some, 0, 1) : some;
}

function withNumberFacets(
  type: SimpleType,
  facets: ReadonlyMap<string, readonly string[]>,
): SimpleType {
  if (type.decimal === undefined) return type;
  const last = (name: string): string | undefined => facets.get(name)?.at(-1);
  const bound = (side: "min" | "max", before: Bound | null): Bound | null => {
    const inclusive = last(`${side}Inclusive`);
    const exclusive = last(`${side}Exclusive`);
    const value = inclusive ?? exclusive;
    // Float bounds may have an exponent, or be infinite: no bound at all.
    if (value === undefined || /INF/.test(value)) return before;
    return { value: withoutExponent(value), isExclusive: inclusive === undefined };
  };
  const { decimal } = type;
  const hasBound = ["min", "max"].some(
    (side) => last(`${side}Inclusive`) !== undefined || last(`${side}Exclusive`) !== undefined,
  );
  const digits = last("totalDigits");
  const fraction = last("fractionDigits");
  if (!hasBound && digits === undefined && fraction === undefined) return type;
  const narrowed = {
    ...decimal,
    min: bound("min", decimal.min),
    max: bound("max", decimal.max),
    totalDigits: Math.min(
      decimal.totalDigits,
      digits === undefined ? Number.POSITIVE_INFINITY : Number(digits),
    ),
    fractionDigits: Math.min(
      decimal.fractionDigits,
      fraction === undefined ? Number.POSITIVE_INFINITY : Number(fraction),
    ),
  };
  return { ...type, decimal: narrowed, regex: numberRegex(narrowed) };
}

/** `1.5E2` as `150`. */
function withoutExponent(value: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?\s*$/.exec(value) ?? [];
  const shift = Math.max(-MAX_SHIFT, Math.min(MAX_SHIFT, Number(exponent)));
  if (shift === 0) return `${sign}${whole || "0"}.${fraction}`;
  const digits = `${whole}${fraction}`;
  const point = whole.length + shift;
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  const padded = digits.padEnd(point, "0");
  return `${sign}${padded.slice(0, point)}.${padded.slice(point)}`;
}

/** Bounds beyond are none for the numbers that a model may write. */
const MAX_SHIFT = 400;
