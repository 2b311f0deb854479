/**
 * Questions about regular languages: is a text in one, is there any text in one, which texts are in a
 * small one. By derivatives (Brzozowski 1964; Owens, Reppy, Turon 2009), over interned expressions.
 */

import type { Range } from "../character-ranges.ts";
import type { Regex } from "../grammar.ts";

type Node =
  | { readonly kind: "set"; readonly ranges: readonly Range[] }
  | { readonly kind: "concat"; readonly first: number; readonly rest: number }
  | { readonly kind: "either"; readonly options: readonly number[] }
  | { readonly kind: "both"; readonly parts: readonly number[] }
  | { readonly kind: "not"; readonly item: number }
  | { readonly kind: "repeat"; readonly item: number; readonly min: number; readonly max: number }
  | { readonly kind: "empty" };

const NOTHING = 0;
const EMPTY = 1;
const EVERYTHING = 2;

/** Expressions are kept from one question to the next, up to this many. */
const MAX_NODES = 60_000;

class Languages {
  readonly #nodes: Node[] = [];
  readonly #ids = new Map<string, number>();
  readonly #nullable: boolean[] = [];
  readonly #starts: (readonly number[])[] = [];
  readonly #known = new WeakMap<Regex, number>();
  readonly #derived = new Map<string, number>();

  constructor() {
    this.#add("either:", { kind: "either", options: [] });
    this.#add("empty", { kind: "empty" });
    this.#add(`not:${NOTHING}`, { kind: "not", item: NOTHING });
  }

  get size(): number {
    return this.#nodes.length;
  }

  of(regex: Regex): number {
    const known = this.#known.get(regex);
    if (known !== undefined) return known;
    const id = this.#read(regex);
    this.#known.set(regex, id);
    return id;
  }

  isNullable(id: number): boolean {
    return this.#nullable[id] as boolean;
  }

  /** What may follow `char` in the texts of `id` that begin with it. */
  derive(id: number, char: number): number {
    const key = `${id}:${this.#classOf(id, char)}`;
    const known = this.#derived.get(key);
    if (known !== undefined) return known;
    const result = this.#derive(id, char);
    this.#derived.set(key, result);
    return result;
  }

  /** The first characters of the classes within which all derivatives of `id` are the same. */
  starts(id: number): readonly number[] {
    const known = this.#starts[id];
    if (known !== undefined) return known;
    const found = new Set<number>([0]);
    const node = this.#nodes[id] as Node;
    const add = (of: number): void => {
      for (const start of this.starts(of)) found.add(start);
    };
    switch (node.kind) {
      case "set":
        for (const [from, to] of node.ranges) found.add(from).add(to + 1);
        break;
      case "concat":
        add(node.first);
        if (this.isNullable(node.first)) add(node.rest);
        break;
      case "either":
        node.options.forEach(add);
        break;
      case "both":
        node.parts.forEach(add);
        break;
      case "not":
      case "repeat":
        add(node.item);
        break;
      case "empty":
        break;
    }
    const sorted = [...found].sort((a, b) => a - b);
    this.#starts[id] = sorted;
    return sorted;
  }

  #classOf(id: number, char: number): number {
    const starts = this.starts(id);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= char) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #read(regex: Regex): number {
    switch (regex.type) {
      case "bytes":
        throw new TypeError("the content of a string has characters, not bytes");
      case "set":
        return this.#set(regex.ranges);
      case "concat":
        return regex.parts.reduceRight<number>(
          (rest, part) => this.#concat(this.of(part), rest),
          EMPTY,
        );
      case "alternatives":
        return this.#either(regex.options.map((option) => this.of(option)));
      case "and":
        return this.#both(regex.parts.map((part) => this.of(part)));
      case "not":
        return this.#not(this.of(regex.item));
      case "repeat":
        return this.#repeat(this.of(regex.item), regex.min, regex.max ?? Infinity);
    }
  }

  #derive(id: number, char: number): number {
    const node = this.#nodes[id] as Node;
    switch (node.kind) {
      case "empty":
        return NOTHING;
      case "set":
        return node.ranges.some(([from, to]) => char >= from && char <= to) ? EMPTY : NOTHING;
      case "concat": {
        const head = this.#concat(this.derive(node.first, char), node.rest);
        if (!this.isNullable(node.first)) return head;
        return this.#either([head, this.derive(node.rest, char)]);
      }
      case "either":
        return this.#either(node.options.map((option) => this.derive(option, char)));
      case "both":
        return this.#both(node.parts.map((part) => this.derive(part, char)));
      case "not":
        return this.#not(this.derive(node.item, char));
      case "repeat": {
        const rest = this.#repeat(node.item, Math.max(0, node.min - 1), node.max - 1);
        return this.#concat(this.derive(node.item, char), rest);
      }
    }
  }

  #set(ranges: readonly Range[]): number {
    if (ranges.length === 0) return NOTHING;
    return this.#add(`set:${ranges.map(([a, b]) => `${a}-${b}`).join()}`, { kind: "set", ranges });
  }

  #concat(first: number, rest: number): number {
    if (first === NOTHING || rest === NOTHING) return NOTHING;
    if (first === EMPTY) return rest;
    if (rest === EMPTY) return first;
    const node = this.#nodes[first] as Node;
    if (node.kind === "concat") return this.#concat(node.first, this.#concat(node.rest, rest));
    return this.#add(`concat:${first},${rest}`, { kind: "concat", first, rest });
  }

  #either(options: readonly number[]): number {
    const flat = new Set<number>();
    for (const option of options) {
      const node = this.#nodes[option] as Node;
      if (node.kind === "either") for (const inner of node.options) flat.add(inner);
      else flat.add(option);
    }
    if (flat.has(EVERYTHING)) return EVERYTHING;
    const sorted = [...flat].sort((a, b) => a - b);
    if (sorted.length === 1) return sorted[0] as number;
    return this.#add(`either:${sorted.join()}`, { kind: "either", options: sorted });
  }

  #both(parts: readonly number[]): number {
    const flat = new Set<number>();
    for (const part of parts) {
      const node = this.#nodes[part] as Node;
      if (node.kind === "both") for (const inner of node.parts) flat.add(inner);
      else flat.add(part);
    }
    flat.delete(EVERYTHING);
    if (flat.has(NOTHING)) return NOTHING;
    if (flat.size === 0) return EVERYTHING;
    const sorted = [...flat].sort((a, b) => a - b);
    if (sorted.length === 1) return sorted[0] as number;
    if (flat.has(EMPTY)) return sorted.every((id) => this.isNullable(id)) ? EMPTY : NOTHING;
    return this.#add(`both:${sorted.join()}`, { kind: "both", parts: sorted });
  }

  #not(item: number): number {
    const node = this.#nodes[item] as Node;
    if (node.kind === "not") return node.item;
    return this.#add(`not:${item}`, { kind: "not", item });
  }

  #repeat(item: number, min: number, max: number): number {
    if (max === 0 || item === EMPTY) return EMPTY;
    if (item === NOTHING) return min === 0 ? EMPTY : NOTHING;
    if (min === 1 && max === 1) return item;
    return this.#add(`repeat:${item},${min},${max}`, { kind: "repeat", item, min, max });
  }

  #add(key: string, node: Node): number {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#nodes.push(node) - 1;
    this.#ids.set(key, id);
    this.#nullable.push(this.#isNullable(node));
    return id;
  }

  #isNullable(node: Node): boolean {
    switch (node.kind) {
      case "set":
        return false;
      case "empty":
        return true;
      case "concat":
        return this.isNullable(node.first) && this.isNullable(node.rest);
      case "either":
        return node.options.some((option) => this.isNullable(option));
      case "both":
        return node.parts.every((part) => this.isNullable(part));
      case "not":
        return !this.isNullable(node.item);
      case "repeat":
        return node.min === 0 || this.isNullable(node.item);
    }
  }
}

let shared = new Languages();

function languages(): Languages {
  if (shared.size > MAX_NODES) shared = new Languages();
  return shared;
}

export function matches(regex: Regex, text: string): boolean {
  const all = languages();
  let state = all.of(regex);
  for (const char of text) state = all.derive(state, char.codePointAt(0) ?? 0);
  return all.isNullable(state);
}

const MAX_STATES = 1500;

/** No class of characters that begins in the surrogates has a scalar value of its own. */
const isScalar = (char: number): boolean => char < 0xd800 || char > 0xdfff;
const representative = (start: number): number => (isScalar(start) ? start : 0xe000);
const LAST = 0x10ffff;

/** Whether no text is in a language; false also where that cannot be told in some 1,500 states. */
export function isEmptyLanguage(regex: Regex): boolean {
  const all = languages();
  const first = all.of(regex);
  const seen = new Set([first]);
  // The newest first: most languages with a text in them show one on the straight way.
  const open = [first];
  for (;;) {
    const state = open.pop();
    if (state === undefined) return true;
    if (all.isNullable(state)) return false;
    for (const start of all.starts(state)) {
      if (start > LAST) continue;
      const next = all.derive(state, representative(start));
      if (next === NOTHING || seen.has(next)) continue;
      if (seen.size >= MAX_STATES) return false;
      seen.add(next);
      open.push(next);
    }
  }
}

/** The texts of a language with at most `most` of them; undefined: it has more, or it cannot be told. */
export function textsOf(regex: Regex, most: number): readonly string[] | undefined {
  const all = languages();
  const found: string[] = [];
  let open: (readonly [state: number, text: string])[] = [[all.of(regex), ""]];
  for (let steps = 0; open.length > 0; ) {
    const next: (readonly [number, string])[] = [];
    for (const [state, text] of open) {
      if (all.isNullable(state)) found.push(text);
      const starts = all.starts(state);
      for (const [index, start] of starts.entries()) {
        if (start > LAST) continue;
        const after = all.derive(state, representative(start));
        if (after === NOTHING) continue;
        const end = starts[index + 1] ?? LAST + 1;
        if (end - start > most) return undefined;
        for (let char = start; char < end; char++) {
          if (isScalar(char)) next.push([after, text + String.fromCodePoint(char)]);
        }
      }
      if (found.length > most || next.length > most || ++steps > MAX_STATES) return undefined;
    }
    open = next;
  }
  return found;
}
