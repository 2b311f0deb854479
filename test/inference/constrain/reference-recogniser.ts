/**
 * The language of a grammar by definition, slow and plain: Earley's algorithm over bytes, each terminal an
 * expression that is derived byte by byte. The oracle of grammars, and of faster matchers.
 */
import type { Grammar, GrammarSymbol, Regex } from "../../../inference/constrain/grammar.ts";

type Node =
  | { readonly kind: "bytes"; readonly from: number; readonly to: number }
  | { readonly kind: "concat"; readonly first: number; readonly rest: number }
  | { readonly kind: "either" | "both"; readonly of: readonly number[] }
  | { readonly kind: "not"; readonly item: number }
  | { readonly kind: "repeat"; readonly item: number; readonly min: number; readonly max: number }
  | { readonly kind: "empty" };

const NOTHING = 0;
const EMPTY = 1;

/** Expressions over bytes, equal ones once. */
class Derivatives {
  readonly #nodes: Node[] = [];
  readonly #ids = new Map<string, number>();
  readonly #nullable: boolean[] = [];
  readonly #derived = new Map<number, number>();
  readonly #read = new WeakMap<Regex, number>();
  readonly #text: number;

  constructor() {
    this.#add("either:", { kind: "either", of: [] });
    this.#add("empty", { kind: "empty" });
    const any = this.#ranges([
      [0, 0xd7ff],
      [0xe000, 0x10ffff],
    ]);
    this.#text = this.#repeat(any, 0, Infinity);
  }

  isNullable(id: number): boolean {
    return this.#nullable[id] === true;
  }

  of(regex: Regex): number {
    const known = this.#read.get(regex);
    if (known !== undefined) return known;
    const id = this.#convert(regex);
    this.#read.set(regex, id);
    return id;
  }

  derive(id: number, byte: number): number {
    const key = id * 256 + byte;
    const known = this.#derived.get(key);
    if (known !== undefined) return known;
    const result = this.#derive(id, byte);
    this.#derived.set(key, result);
    return result;
  }

  #convert(regex: Regex): number {
    switch (regex.type) {
      case "bytes":
        return [...regex.bytes].reduceRight(
          (rest, byte) => this.#concat(this.#bytes(byte, byte), rest),
          EMPTY,
        );
      case "set":
        return this.#ranges(regex.ranges);
      case "concat":
        return regex.parts.reduceRight((rest, part) => this.#concat(this.of(part), rest), EMPTY);
      case "alternatives":
        return this.#join(
          "either",
          regex.options.map((one) => this.of(one)),
        );
      case "and":
        return this.#join(
          "both",
          regex.parts.map((one) => this.of(one)),
        );
      case "repeat":
        return this.#repeat(this.of(regex.item), regex.min, regex.max ?? Infinity);
      case "not": {
        const item = this.of(regex.item);
        return this.#join("both", [this.#text, this.#add(`not:${item}`, { kind: "not", item })]);
      }
    }
  }

  #derive(id: number, byte: number): number {
    const node = this.#nodes[id] as Node;
    switch (node.kind) {
      case "empty":
        return NOTHING;
      case "bytes":
        return byte >= node.from && byte <= node.to ? EMPTY : NOTHING;
      case "concat": {
        const head = this.#concat(this.derive(node.first, byte), node.rest);
        if (!this.isNullable(node.first)) return head;
        return this.#join("either", [head, this.derive(node.rest, byte)]);
      }
      case "either":
      case "both":
        return this.#join(
          node.kind,
          node.of.map((one) => this.derive(one, byte)),
        );
      case "not": {
        const item = this.derive(node.item, byte);
        return this.#add(`not:${item}`, { kind: "not", item });
      }
      case "repeat": {
        const rest = this.#repeat(node.item, Math.max(0, node.min - 1), node.max - 1);
        return this.#concat(this.derive(node.item, byte), rest);
      }
    }
  }

  /** Characters as their UTF-8 bytes, by splitting ranges where the bytes roll over. */
  #ranges(ranges: readonly (readonly [number, number])[]): number {
    const found: number[] = [];
    const visit = (from: number, to: number): void => {
      if (from > to) return;
      for (const edge of [0x7f, 0x7ff, 0xd7ff, 0xffff]) {
        if (from <= edge && to > edge) {
          visit(from, edge);
          visit(edge === 0xd7ff ? 0xe000 : edge + 1, to);
          return;
        }
      }
      for (const size of [0x40000, 0x1000, 0x40]) {
        if (to < 0x80 || Math.floor(from / size) === Math.floor(to / size)) continue;
        const aligned = Math.ceil(from / size) * size;
        const end = Math.floor((to + 1) / size) * size;
        const middle = aligned > from ? aligned : end;
        if (middle <= from || middle > to) continue;
        visit(from, middle - 1);
        visit(middle, to);
        return;
      }
      const low = Buffer.from(String.fromCodePoint(from));
      const high = Buffer.from(String.fromCodePoint(to));
      let id = EMPTY;
      for (let at = low.length - 1; at >= 0; at--) {
        id = this.#concat(this.#bytes(low[at] ?? 0, high[at] ?? 0), id);
      }
      found.push(id);
    };
    for (const [from, to] of ranges) visit(from, to);
    return this.#join("either", found);
  }

  #bytes(from: number, to: number): number {
    return this.#add(`bytes:${from},${to}`, { kind: "bytes", from, to });
  }

  #concat(first: number, rest: number): number {
    if (first === NOTHING || rest === NOTHING) return NOTHING;
    if (first === EMPTY) return rest;
    if (rest === EMPTY) return first;
    const node = this.#nodes[first] as Node;
    if (node.kind === "concat") return this.#concat(node.first, this.#concat(node.rest, rest));
    return this.#add(`concat:${first},${rest}`, { kind: "concat", first, rest });
  }

  #join(kind: "either" | "both", ids: readonly number[]): number {
    const flat = new Set<number>();
    for (const id of ids) {
      const node = this.#nodes[id] as Node;
      if (node.kind === kind) for (const one of node.of) flat.add(one);
      else flat.add(id);
    }
    if (kind === "both" && flat.has(NOTHING)) return NOTHING;
    const of = [...flat].sort((a, b) => a - b);
    if (of.length === 1) return of[0] as number;
    return this.#add(`${kind}:${of.join()}`, { kind, of });
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
    this.#nullable.push(this.#isNullableNode(node));
    return id;
  }

  #isNullableNode(node: Node): boolean {
    switch (node.kind) {
      case "bytes":
        return false;
      case "empty":
        return true;
      case "concat":
        return this.isNullable(node.first) && this.isNullable(node.rest);
      case "either":
        return node.of.some((id) => this.isNullable(id));
      case "both":
        return node.of.every((id) => this.isNullable(id));
      case "not":
        return !this.isNullable(node.item);
      case "repeat":
        return node.min === 0 || this.isNullable(node.item);
    }
  }
}

/** A place in an alternative that began at `origin`; `state` where a terminal is under way. */
type Item = {
  readonly rule: number;
  readonly alternative: number;
  readonly dot: number;
  readonly origin: number;
  readonly state: number;
};

const NO_STATE = -1;

export class ReferenceRecogniser {
  readonly #grammar: Grammar;
  readonly #derivatives = new Derivatives();

  constructor(grammar: Grammar) {
    this.#grammar = grammar;
  }

  /** Whether the text is in the language. */
  accepts(text: string): boolean {
    return this.read(text) === "accepted";
  }

  /** Where no text of the language goes on (UTF-8 bytes), or that the text is whole or a beginning. */
  read(text: string): "accepted" | "beginning" | number {
    const { rules, root } = this.#grammar;
    const sets: Map<string, Item>[] = [new Map()];
    const add = (at: number, item: Item): void => {
      const key = `${item.rule} ${item.alternative} ${item.dot} ${item.origin} ${item.state}`;
      const set = sets[at] as Map<string, Item>;
      if (!set.has(key)) set.set(key, item);
    };
    const predict = (at: number, rule: number): void => {
      for (const alternative of (rules[rule] ?? []).keys()) {
        add(at, { rule, alternative, dot: 0, origin: at, state: NO_STATE });
      }
    };
    predict(0, root);
    const bytes = Buffer.from(text);
    for (let at = 0; ; at++) {
      this.#close(sets, at, add, predict);
      const isWhole = [...(sets[at] as Map<string, Item>).values()].some(
        (item) => item.rule === root && item.origin === 0 && this.#next(item) === undefined,
      );
      if (at === bytes.length) return isWhole ? "accepted" : "beginning";
      sets.push(new Map());
      for (const item of (sets[at] as Map<string, Item>).values()) {
        if (item.state === NO_STATE) continue;
        const state = this.#derivatives.derive(item.state, bytes[at] ?? 0);
        if (state !== NOTHING) add(at + 1, { ...item, state });
      }
      if ((sets[at + 1] as Map<string, Item>).size === 0) return at;
    }
  }

  #next(item: Item): GrammarSymbol | undefined {
    return this.#grammar.rules[item.rule]?.[item.alternative]?.[item.dot];
  }

  #close(
    sets: readonly Map<string, Item>[],
    at: number,
    add: (at: number, item: Item) => void,
    predict: (at: number, rule: number) => void,
  ): void {
    // A map goes on over what is added to it; an empty rule may end before it is waited for, hence rounds.
    for (let before = -1; before !== sets[at]?.size; ) {
      before = sets[at]?.size ?? 0;
      for (const item of (sets[at] as Map<string, Item>).values()) {
        if (item.state !== NO_STATE) {
          if (this.#derivatives.isNullable(item.state)) {
            add(at, { ...item, dot: item.dot + 1, state: NO_STATE });
          }
          continue;
        }
        const next = this.#next(item);
        if (next === undefined) {
          for (const waiting of (sets[item.origin] as Map<string, Item>).values()) {
            if (waiting.state !== NO_STATE) continue;
            const wanted = this.#next(waiting);
            if (wanted !== undefined && "rule" in wanted && wanted.rule === item.rule) {
              add(at, { ...waiting, dot: waiting.dot + 1 });
            }
          }
        } else if ("rule" in next) predict(at, next.rule);
        else {
          const regex = this.#grammar.terminals[next.terminal];
          if (regex !== undefined) add(at, { ...item, state: this.#derivatives.of(regex) });
        }
      }
    }
  }
}
