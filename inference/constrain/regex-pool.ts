/**
 * Regular expressions over bytes as nodes that exist once each, and their derivatives: what is left of an
 * expression behind a byte. With derivatives "and" and "not" cost nothing special, and a bounded
 * repetition is as large as its number (Brzozowski 1964; Owens, Reppy and Turon, "Regular-expression
 * derivatives re-examined", 2009).
 */
import { GrammarLimitError } from "../errors.ts";
import { type ByteClasses, NO_SETS, SetLists } from "./byte-classes.ts";
import type { Regex } from "./grammar.ts";
import { isText } from "./is-text.ts";
import { type ByteRange, utf8Sequences } from "./utf8-ranges.ts";
import type { Work } from "./work.ts";

/** Matches nothing. */
export const NOTHING = 0;
/** Matches the empty text. */
export const EMPTY = 1;
/** Matches all bytes. */
const ANYTHING = 2;

export const SET = 3;
export const LITERAL = 4;
export const CONCAT = 5;
export const ALTERNATIVES = 6;
export const REPEAT = 7;
export const AND = 8;
const NOT = 9;

/** No bound of a repetition. */
export const UNBOUNDED = -1;

/** From here on alternatives are looked up by their first byte. */
const MANY_OPTIONS = 24;

/** States that a search for any match may look at. */
const MAX_SEARCH = 20_000;

export class RegexPool {
  readonly #maxNodes: number;
  readonly #work: Work;
  readonly #kinds: number[] = [];
  /** Set: its place. Literal: its place in `#literals`. Concat: head. Repeat, not: item. */
  readonly #left: number[] = [];
  /** Literal: bytes that are read. Concat: tail. Repeat: least number. */
  readonly #right: number[] = [];
  /** Repeat: greatest number. */
  readonly #most: number[] = [];
  readonly #lists: (readonly number[])[] = [];
  readonly #nullable: boolean[] = [];
  /** Whether there is no "and" or "not" inside: such a node matches something unless it is `NOTHING`. */
  readonly #plain: boolean[] = [];
  readonly #nodeOfKey: Map<string, number> = new Map();
  readonly #sets: Uint8Array[] = [];
  readonly #setOfKey: Map<string, number> = new Map();
  readonly #literals: Uint8Array[] = [];
  readonly #derivatives: Map<number, number> = new Map();
  readonly #optionsOfByte: Map<number, readonly number[][]> = new Map();
  readonly #ranges: Map<number, number> = new Map();
  readonly #lowered: WeakMap<Regex, number> = new WeakMap();
  readonly #firstOfNode: (number | undefined)[] = [];
  readonly #setLists: SetLists;
  readonly #isEmpty: (boolean | undefined)[] = [];
  #anyText: number | undefined;

  /** @param maxNodes more are refused with a `GrammarLimitError` */
  constructor(maxNodes: number, work: Work) {
    this.#maxNodes = maxNodes;
    this.#work = work;
    this.#setLists = new SetLists(this.#sets);
    this.#add(NOTHING, 0, 0, 0, [], false, true);
    this.#add(EMPTY, 0, 0, 0, [], true, true);
    this.#add(ANYTHING, 0, 0, 0, [], true, true);
  }

  kind(node: number): number {
    return this.#kinds[node]!;
  }

  /** Head of a concatenation, item of a repetition. */
  left(node: number): number {
    return this.#left[node]!;
  }

  /** Tail of a concatenation, least number of a repetition. */
  right(node: number): number {
    return this.#right[node]!;
  }

  /** Greatest number of a repetition, or `UNBOUNDED`. */
  most(node: number): number {
    return this.#most[node]!;
  }

  /** Options of alternatives, parts of an "and". */
  list(node: number): readonly number[] {
    return this.#lists[node]!;
  }

  /** Whether it matches the empty text. */
  isNullable(node: number): boolean {
    return this.#nullable[node]!;
  }

  /** An expression as a node. */
  lower(regex: Regex): number {
    let node = this.#lowered.get(regex);
    if (node === undefined) {
      node = this.#lower(regex);
      this.#lowered.set(regex, node);
    }
    return node;
  }

  #lower(regex: Regex): number {
    switch (regex.type) {
      case "bytes":
        return this.literal(regex.bytes);
      case "set":
        return this.#scalars(regex.ranges);
      case "concat":
        return regex.parts.reduceRight((tail, part) => this.concat(this.lower(part), tail), EMPTY);
      case "alternatives":
        return this.alternatives(regex.options.map((option) => this.lower(option)));
      case "repeat":
        return this.repeat(this.lower(regex.item), regex.min, regex.max ?? UNBOUNDED);
      case "and": {
        const bounded = regex.parts.some((part) => part.type !== "not" && isText(part));
        const parts = regex.parts.map((part) =>
          part.type === "not" ? this.not(this.lower(part.item)) : this.lower(part),
        );
        return this.and(bounded ? parts : [...parts, this.anyText()]);
      }
      case "not":
        return this.and([this.anyText(), this.not(this.lower(regex.item))]);
    }
  }

  /** Every well-formed UTF-8 text. */
  anyText(): number {
    this.#anyText ??= this.repeat(this.#scalars([[0, 0x10ffff]]), 0, UNBOUNDED);
    return this.#anyText;
  }

  literal(bytes: Uint8Array): number {
    if (bytes.length === 0) return EMPTY;
    if (bytes.length === 1) return this.#range([bytes[0]!, bytes[0]!]);
    const key = `l${bytes.join()}`;
    let place = this.#setOfKey.get(key);
    if (place === undefined) {
      place = this.#literals.push(bytes) - 1;
      this.#setOfKey.set(key, place);
    }
    return this.#literalFrom(place, 0);
  }

  concat(head: number, tail: number): number {
    if (head === NOTHING || tail === NOTHING) return NOTHING;
    if (head === EMPTY) return tail;
    if (tail === EMPTY) return head;
    if (this.#kinds[head] === CONCAT) {
      return this.concat(this.#left[head]!, this.concat(this.#right[head]!, tail));
    }
    const nullable = this.#nullable[head]! && this.#nullable[tail]!;
    const plain = this.#plain[head]! && this.#plain[tail]!;
    return this.#intern(CONCAT, head, tail, 0, [], nullable, plain);
  }

  alternatives(options: readonly number[]): number {
    const flat = new Set<number>();
    let set: Uint8Array | undefined;
    let setNode = NOTHING;
    for (const option of this.#flat(ALTERNATIVES, options)) {
      if (option === ANYTHING) return ANYTHING;
      if (option === NOTHING || option === setNode) continue;
      if (this.#kinds[option] !== SET) flat.add(option);
      else if (setNode === NOTHING) setNode = option;
      else {
        set ??= this.#sets[this.#left[setNode]!]!.slice();
        const other = this.#sets[this.#left[option]!]!;
        for (let byte = 0; byte < 256; byte++) set[byte]! |= other[byte]!;
      }
    }
    if (set !== undefined) setNode = this.#set(set);
    if (setNode !== NOTHING) flat.add(setNode);
    if (flat.has(EMPTY)) {
      for (const option of flat) {
        if (option !== EMPTY && this.#nullable[option]) {
          flat.delete(EMPTY);
          break;
        }
      }
    }
    const list = flat.size > 1 ? this.#joinRepeats([...flat]) : [...flat];
    if (list.length <= 1) return list[0] ?? NOTHING;
    list.sort((a, b) => a - b);
    const nullable = list.some((option) => this.#nullable[option]);
    const plain = list.every((option) => this.#plain[option]);
    return this.#intern(ALTERNATIVES, 0, 0, 0, list, nullable, plain);
  }

  /** @param most `UNBOUNDED` for no bound */
  repeat(item: number, least: number, most: number): number {
    if (most === 0 || item === EMPTY) return EMPTY;
    if (item === NOTHING) return least === 0 ? EMPTY : NOTHING;
    if (least === 1 && most === 1) return item;
    if (item === ANYTHING && most === UNBOUNDED) return ANYTHING;
    const nullable = this.#nullable[item]!;
    const min = nullable ? 0 : least;
    if (this.#kinds[item] === REPEAT && min === 0 && most === UNBOUNDED) {
      if (this.#most[item] === UNBOUNDED && this.#right[item]! <= 1) {
        return this.repeat(this.#left[item]!, 0, UNBOUNDED);
      }
    }
    return this.#intern(REPEAT, item, min, most, [], min === 0, this.#plain[item]!);
  }

  and(parts: readonly number[]): number {
    const flat = new Set<number>();
    let setNode = -1;
    for (const part of this.#flat(AND, parts)) {
      if (part === NOTHING) return NOTHING;
      if (part === ANYTHING) continue;
      if (this.#kinds[part] !== SET) flat.add(part);
      else if (setNode < 0) setNode = part;
      else {
        const a = this.#sets[this.#left[setNode]!]!;
        const b = this.#sets[this.#left[part]!]!;
        setNode = this.#set(a.map((has, byte) => has & b[byte]!));
        if (setNode === NOTHING) return NOTHING;
      }
    }
    if (setNode >= 0) flat.add(setNode);
    if (flat.has(EMPTY)) {
      return [...flat].every((part) => this.#nullable[part]) ? EMPTY : NOTHING;
    }
    const list = [...flat];
    if (list.length <= 1) return list[0] ?? ANYTHING;
    list.sort((a, b) => a - b);
    const nullable = list.every((part) => this.#nullable[part]);
    return this.#intern(AND, 0, 0, 0, list, nullable, false);
  }

  /** All bytes that the item does not match. */
  not(item: number): number {
    if (item === NOTHING) return ANYTHING;
    if (item === ANYTHING) return NOTHING;
    if (this.#kinds[item] === NOT) return this.#left[item]!;
    return this.#intern(NOT, item, 0, 0, [], !this.#nullable[item]!, false);
  }

  /** What may follow the byte. */
  derivative(node: number, byte: number): number {
    switch (this.#kinds[node]) {
      case NOTHING:
      case EMPTY:
        return NOTHING;
      case ANYTHING:
        return ANYTHING;
      case SET:
        return this.#sets[this.#left[node]!]![byte] === 1 ? EMPTY : NOTHING;
      case LITERAL: {
        const place = this.#left[node]!;
        const read = this.#right[node]!;
        if (this.#literals[place]![read] !== byte) return NOTHING;
        return this.#literalFrom(place, read + 1);
      }
      case CONCAT: {
        // The common heads, without a look into the memory of results.
        const head = this.#left[node]!;
        const kind = this.#kinds[head];
        if (kind === SET) {
          return this.#sets[this.#left[head]!]![byte] === 1 ? this.#right[node]! : NOTHING;
        }
        if (kind === LITERAL) {
          return this.concat(this.derivative(head, byte), this.#right[node]!);
        }
      }
    }
    const key = node * 256 + byte;
    let found = this.#derivatives.get(key);
    if (found === undefined) {
      found = this.#derive(node, byte);
      this.#derivatives.set(key, found);
    }
    return found;
  }

  #derive(node: number, byte: number): number {
    const left = this.#left[node]!;
    const right = this.#right[node]!;
    switch (this.#kinds[node]) {
      case CONCAT: {
        const first = this.concat(this.derivative(left, byte), right);
        if (!this.#nullable[left]) return first;
        return this.alternatives([first, this.derivative(right, byte)]);
      }
      case ALTERNATIVES: {
        const options = this.#optionsWith(node, byte);
        this.#work.spend(options.length);
        return this.alternatives(options.map((option) => this.derivative(option, byte)));
      }
      case REPEAT: {
        const most = this.#most[node]!;
        const fewer = most === UNBOUNDED ? UNBOUNDED : most - 1;
        const rest = this.repeat(left, Math.max(0, right - 1), fewer);
        return this.concat(this.derivative(left, byte), rest);
      }
      case AND:
        return this.and(this.#lists[node]!.map((part) => this.derivative(part, byte)));
      default:
        return this.not(this.derivative(left, byte));
    }
  }

  /** The options that can begin with a byte, and perhaps others. */
  #optionsWith(node: number, byte: number): readonly number[] {
    const options = this.#lists[node]!;
    if (options.length < MANY_OPTIONS) return options;
    let ofByte = this.#optionsOfByte.get(node);
    if (ofByte === undefined) {
      ofByte = Array.from({ length: 256 }, (): number[] => []);
      for (const option of options) {
        const isBounded = this.#plain[option]! && option !== ANYTHING;
        const sets = isBounded ? this.#setLists.sets(this.#firstSets(option)) : undefined;
        for (let first = 0; first < 256; first++) {
          if (sets?.every((place) => this.#sets[place]![first] === 0)) continue;
          ofByte[first]!.push(option);
        }
      }
      this.#work.spend(options.length * 100);
      this.#optionsOfByte.set(node, ofByte);
    }
    return ofByte[byte]!;
  }

  /**
   * Whether it matches no text at all.
   * @throws GrammarLimitError when that takes too long to find out
   */
  isEmpty(node: number): boolean {
    if (this.#plain[node]) return node === NOTHING;
    const known = this.#isEmpty[node];
    if (known !== undefined) return known;
    let empty: boolean;
    switch (this.#kinds[node]) {
      case CONCAT:
        empty = this.isEmpty(this.#left[node]!) || this.isEmpty(this.#right[node]!);
        break;
      case ALTERNATIVES:
        empty = this.#lists[node]!.every((option) => this.isEmpty(option));
        break;
      case REPEAT:
        empty = this.#right[node]! > 0 && this.isEmpty(this.#left[node]!);
        break;
      default:
        return this.#search(node);
    }
    this.#isEmpty[node] = empty;
    return empty;
  }

  /** `isEmpty` of an "and" or a "not": looks for a way to a node that matches the empty text. */
  #search(start: number): boolean {
    const cameFrom = new Map<number, number>([[start, -1]]);
    const open = [start];
    let found = -1;
    search: for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (this.#nullable[node]) {
        found = node;
        break;
      }
      for (const byte of this.byteClasses([node]).samples) {
        const next = this.derivative(node, byte);
        if (cameFrom.has(next)) continue;
        const kind = this.#kinds[next];
        const known = kind === AND || kind === NOT ? this.#isEmpty[next] : this.isEmpty(next);
        if (known === true) continue;
        if (known === false) {
          found = node;
          break search;
        }
        cameFrom.set(next, node);
        if (cameFrom.size > MAX_SEARCH) {
          throw new GrammarLimitError(
            "states searched for a text that a combination of expressions matches",
            MAX_SEARCH,
          );
        }
        open.push(next);
      }
    }
    if (found < 0) for (const node of cameFrom.keys()) this.#isEmpty[node] = true;
    else for (let at = found; at >= 0; at = cameFrom.get(at)!) this.#isEmpty[at] = false;
    return found < 0;
  }

  /** The list of sets that decide which derivative of a node a byte gives. */
  #firstSets(node: number): number {
    const known = this.#firstOfNode[node];
    if (known !== undefined) return known;
    let list = NO_SETS;
    switch (this.#kinds[node]) {
      case NOTHING:
      case EMPTY:
      case ANYTHING:
        break;
      case SET:
        list = this.#setLists.list([this.#left[node]!]);
        break;
      case LITERAL: {
        const byte = this.#literals[this.#left[node]!]![this.#right[node]!]!;
        list = this.#setLists.list([this.#left[this.#range([byte, byte])]!]);
        break;
      }
      case CONCAT: {
        const left = this.#left[node]!;
        list = this.#firstSets(left);
        if (this.#nullable[left])
          list = this.#setLists.union(list, this.#firstSets(this.#right[node]!));
        break;
      }
      case REPEAT:
      case NOT:
        list = this.#firstSets(this.#left[node]!);
        break;
      default:
        for (const part of this.#lists[node]!)
          list = this.#setLists.union(list, this.#firstSets(part));
    }
    this.#firstOfNode[node] = list;
    return list;
  }

  /** The bytes in classes: bytes of one class give all of the nodes the same derivative. */
  byteClasses(nodes: readonly number[]): ByteClasses {
    let list = NO_SETS;
    for (const node of nodes) list = this.#setLists.union(list, this.#firstSets(node));
    return this.#setLists.classes(list);
  }

  /** 1 for each byte with which a match can begin; also 1 for some others where "and" or "not" is inside. */
  firstBytes(node: number): Uint8Array {
    const bytes = new Uint8Array(256);
    for (let byte = 0; byte < 256; byte++) {
      bytes[byte] = this.derivative(node, byte) === NOTHING ? 0 : 1;
    }
    return bytes;
  }

  /** Parts of the same kind in place of the whole. */
  *#flat(kind: number, parts: readonly number[]): Generator<number> {
    for (const part of parts) {
      if (this.#kinds[part] === kind) yield* this.#lists[part]!;
      else yield part;
    }
  }

  /** a{1,3}x | a{2,5}x is a{1,5}x: otherwise each way to have begun a repetition would be kept. */
  #joinRepeats(options: number[]): number[] {
    const groups = new Map<number, number[]>();
    for (const option of options) {
      const repeat = this.#kinds[option] === CONCAT ? this.#left[option]! : option;
      if (this.#kinds[repeat] !== REPEAT) continue;
      const tail = repeat === option ? EMPTY : this.#right[option]!;
      const key = this.#left[repeat]! * this.#maxNodes + tail;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [option]);
      else group.push(option);
    }
    let changed: Set<number> | undefined;
    for (const group of groups.values()) {
      if (group.length === 1) continue;
      changed ??= new Set(options);
      for (const option of group) changed.delete(option);
      for (const joined of this.#joined(group)) changed.add(joined);
    }
    return changed === undefined ? options : [...changed];
  }

  #joined(group: readonly number[]): number[] {
    const sample = group[0]!;
    const isConcat = this.#kinds[sample] === CONCAT;
    const item = this.#left[isConcat ? this.#left[sample]! : sample]!;
    const tail = isConcat ? this.#right[sample]! : EMPTY;
    const spans = group.map((option) => {
      const repeat = isConcat ? this.#left[option]! : option;
      const most = this.#most[repeat]!;
      return [this.#right[repeat]!, most === UNBOUNDED ? Number.POSITIVE_INFINITY : most] as const;
    });
    spans.sort((a, b) => a[0] - b[0]);
    const merged: [number, number][] = [];
    for (const [least, most] of spans) {
      const last = merged.at(-1);
      if (last !== undefined && least <= last[1] + 1) last[1] = Math.max(last[1], most);
      else merged.push([least, most]);
    }
    return merged.map(([least, most]) =>
      this.concat(this.repeat(item, least, Number.isFinite(most) ? most : UNBOUNDED), tail),
    );
  }

  #scalars(ranges: readonly (readonly [number, number])[]): number {
    return this.#sequences(utf8Sequences(ranges), 0);
  }

  /** Sequences of ranges of bytes from one place on; those that begin with the same range share it. */
  #sequences(sequences: readonly (readonly ByteRange[])[], at: number): number {
    const options: number[] = [];
    for (let from = 0; from < sequences.length; ) {
      const range = sequences[from]![at];
      if (range === undefined) return EMPTY;
      let to = from + 1;
      while (to < sequences.length && isSame(sequences[to]![at], range)) to++;
      const tail = this.#sequences(sequences.slice(from, to), at + 1);
      options.push(this.concat(this.#range(range), tail));
      from = to;
    }
    return this.alternatives(options);
  }

  #range([from, to]: readonly [number, number]): number {
    const key = from * 256 + to;
    let node = this.#ranges.get(key);
    if (node === undefined) {
      node = this.#set(new Uint8Array(256).fill(1, from, to + 1));
      this.#ranges.set(key, node);
    }
    return node;
  }

  #literalFrom(place: number, read: number): number {
    const bytes = this.#literals[place]!;
    const left = bytes.length - read;
    if (left === 0) return EMPTY;
    if (left === 1) return this.#range([bytes[read]!, bytes[read]!]);
    return this.#intern(LITERAL, place, read, 0, [], false, true);
  }

  #set(set: Uint8Array): number {
    const words = new Uint16Array(16);
    let count = 0;
    for (let byte = 0; byte < 256; byte++) {
      if (set[byte] === 0) continue;
      words[byte >>> 4]! |= 1 << (byte & 15);
      count++;
    }
    if (count === 0) return NOTHING;
    const key = String.fromCharCode(...words);
    let place = this.#setOfKey.get(key);
    if (place === undefined) {
      place = this.#sets.push(set) - 1;
      this.#setOfKey.set(key, place);
    }
    return this.#intern(SET, place, 0, 0, [], false, true);
  }

  #intern(
    kind: number,
    left: number,
    right: number,
    most: number,
    list: readonly number[],
    nullable: boolean,
    plain: boolean,
  ): number {
    const key = `${kind},${left},${right},${most}:${list.join()}`;
    let node = this.#nodeOfKey.get(key);
    if (node === undefined) {
      node = this.#add(kind, left, right, most, list, nullable, plain);
      this.#nodeOfKey.set(key, node);
    }
    return node;
  }

  #add(
    kind: number,
    left: number,
    right: number,
    most: number,
    list: readonly number[],
    nullable: boolean,
    plain: boolean,
  ): number {
    if (this.#kinds.length >= this.#maxNodes) {
      throw new GrammarLimitError("parts of regular expressions", this.#maxNodes);
    }
    this.#left.push(left);
    this.#right.push(right);
    this.#most.push(most);
    this.#lists.push(list);
    this.#nullable.push(nullable);
    this.#plain.push(plain);
    return this.#kinds.push(kind) - 1;
  }
}

function isSame(one: ByteRange | undefined, other: ByteRange): boolean {
  return one?.[0] === other[0] && one[1] === other[1];
}
