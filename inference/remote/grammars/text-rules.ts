/**
 * A grammar of texts as rules in the notation that llama.cpp (GBNF) and XGrammar (EBNF) have in common. Both match
 * characters, not bytes, and know neither intersection nor complement: what a grammar has of these is left out, so
 * that the rules derive more than the grammar, never less.
 */
import type { Grammar, Regex } from "../../token-grammar.ts";

/** No rules say it. The message is the reason, without a dot. */
export class NotCarried extends Error {}

/** Rules as they are written, and what they leave out, one phrase each. */
export type RuleText = { readonly lines: string[]; readonly leftOut: Set<string> };

/** llama.cpp refuses more repetitions than 2000, those of a repeated group taken together. */
const MOST_TIMES = 1000;
const MOST_LEAST_TIMES = 100;

/**
 * Adds the rules of a grammar.
 * @param prefix  of the names of its rules: letters, digits, `-`
 * @returns the name of its root
 * @throws NotCarried
 */
export function addTextRules(
  grammar: Grammar,
  prefix: string,
  { lines, leftOut }: RuleText,
): string {
  const { terminals, rules, root, distinctKeys } = grammar;
  if (distinctKeys !== undefined) leftOut.add("that an object has each key once");
  checkRecursion(grammar);
  const used = usedRules(grammar);
  const ofTerminal = new Set<number>();
  for (const rule of used) {
    const options = (rules[rule] ?? []).map((symbols) => {
      const names = symbols.map((symbol) => {
        if ("rule" in symbol) return `${prefix}r${symbol.rule}`;
        ofTerminal.add(symbol.terminal);
        return `${prefix}t${symbol.terminal}`;
      });
      return names.length === 0 ? '""' : names.join(" ");
    });
    lines.push(`${prefix}r${rule} ::= ${options.join(" | ")}`);
  }
  for (const terminal of ofTerminal) {
    const regex = terminals[terminal];
    if (regex !== undefined) lines.push(`${prefix}t${terminal} ::= ${written(regex, leftOut)}`);
  }
  return `${prefix}r${root}`;
}

/** Characters between quotes, as both notations read them. */
export function quoted(text: string): string {
  return `"${[...text].map((char) => escaped(char.codePointAt(0) ?? 0)).join("")}"`;
}

function usedRules({ rules, root }: Grammar): ReadonlySet<number> {
  const used = new Set([root]);
  for (const rule of used) {
    for (const symbol of (rules[rule] ?? []).flat()) if ("rule" in symbol) used.add(symbol.rule);
  }
  return used;
}

function written(regex: Regex, leftOut: Set<string>): string {
  switch (regex.type) {
    case "bytes":
      return quoted(textOf(regex.bytes));
    case "set":
      return classOf(regex.ranges);
    case "concat":
      return regex.parts.length === 0
        ? '""'
        : regex.parts.map((part) => grouped(part, leftOut)).join(" ");
    case "alternatives":
      if (regex.options.length === 0) throw new NotCarried("a part of it has no text");
      return regex.options.map((option) => grouped(option, leftOut)).join(" | ");
    case "repeat":
      return `${grouped(regex.item, leftOut)}${timesOf(regex.min, regex.max, leftOut)}`;
    case "and": {
      const [first, ...others] = regex.parts.filter(({ type }) => type !== "not");
      if (first === undefined) throw new NotCarried("it says only what a text must not be");
      if (others.length > 0) leftOut.add("all but one of several conditions on a text");
      if (others.length + 1 < regex.parts.length) leftOut.add("what a text must not be");
      return written(first, leftOut);
    }
    case "not":
      throw new NotCarried("it says only what a text must not be");
  }
}

function grouped(regex: Regex, leftOut: Set<string>): string {
  const text = written(regex, leftOut);
  return regex.type === "set" || regex.type === "bytes" ? text : `(${text})`;
}

function timesOf(min: number, max: number | null, leftOut: Set<string>): string {
  if (min > MOST_LEAST_TIMES) {
    leftOut.add(`least counts above ${MOST_LEAST_TIMES}`);
    return timesOf(MOST_LEAST_TIMES, max, leftOut);
  }
  if (max !== null && max > MOST_TIMES) {
    leftOut.add(`counts above ${MOST_TIMES}`);
    return timesOf(min, null, leftOut);
  }
  if (max === null) return min === 0 ? "*" : min === 1 ? "+" : `{${min},}`;
  return min === 0 && max === 1 ? "?" : `{${min},${max}}`;
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new NotCarried("it has parts of characters");
  }
}

/**
 * What goes up to the last character is written as what it leaves out: XGrammar 0.1.27 misreads such ranges, and it is
 * shorter.
 */
function classOf(ranges: readonly (readonly [from: number, to: number])[]): string {
  // Neither of them has NUL in a text.
  const parts = merged(ranges.flatMap(([from, to]) => scalars(Math.max(1, from), to)));
  if (parts.length === 0) throw new NotCarried("a part of it has no text");
  const isOpen = parts.at(-1)?.[1] === LAST;
  const listed = isOpen ? gaps(parts) : parts;
  const text = listed.map(([from, to]) =>
    from === to ? inClass(from) : `${inClass(from)}-${inClass(to)}`,
  );
  // `[^]` is not a class everywhere.
  return isOpen ? `[^${text.join("") || "\\u0000"}]` : `[${text.join("")}]`;
}

const LAST = 0x10ffff;

/** In order, those that touch as one. Ranges below and above the surrogates touch. */
function merged(ranges: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const found: [number, number][] = [];
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = found.at(-1);
    const next = last?.[1] === 0xd7ff ? 0xe000 : (last?.[1] ?? 0) + 1;
    if (last !== undefined && from <= next) last[1] = Math.max(last[1], to);
    else found.push([from, to]);
  }
  return found;
}

/** What lies between ranges, from 1 on. */
function gaps(ranges: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const before = [0, ...ranges.map(([, to]) => to)];
  return ranges.flatMap(([from], at) => scalars((before[at] ?? 0) + 1, from - 1));
}

/** A range without surrogates. */
function scalars(from: number, to: number): readonly (readonly [number, number])[] {
  const below: readonly [number, number] = [from, Math.min(to, 0xd7ff)];
  const above: readonly [number, number] = [Math.max(from, 0xe000), to];
  return [below, above].filter(([first, last]) => first <= last);
}

function inClass(point: number): string {
  const char = String.fromCodePoint(point);
  return /[0-9A-Za-z]/.test(char) ? char : hex(point);
}

function escaped(point: number): string {
  const isPlain = point >= 0x20 && point < 0x7f && point !== 0x22 && point !== 0x5c;
  return isPlain ? String.fromCodePoint(point) : hex(point);
}

/** Of fixed length in both notations, which `\x` is not. */
function hex(point: number): string {
  const digits = point.toString(16).toUpperCase();
  return point > 0xffff ? `\\U${digits.padStart(8, "0")}` : `\\u${digits.padStart(4, "0")}`;
}

/**
 * Neither reads rules that begin with themselves, or repetitions of what may be nothing, in all versions.
 * @throws NotCarried
 */
function checkRecursion({ terminals, rules }: Grammar): void {
  const emptyTerminals = terminals.map(mayBeEmpty);
  const emptyRules = rules.map(() => false);
  const isEmpty = (symbol: (typeof rules)[number][number][number]): boolean =>
    "rule" in symbol
      ? (emptyRules[symbol.rule] ?? false)
      : (emptyTerminals[symbol.terminal] ?? false);
  for (let hasChanged = true; hasChanged; ) {
    hasChanged = false;
    for (const [rule, options] of rules.entries()) {
      if (emptyRules[rule] || !options.some((symbols) => symbols.every(isEmpty))) continue;
      emptyRules[rule] = true;
      hasChanged = true;
    }
  }
  const state: ("open" | "done" | undefined)[] = [];
  /** Depth first, without the stack of the language: grammars may be deep. */
  for (const first of rules.keys()) {
    const path: { readonly rule: number; readonly next: number[] }[] = [];
    const enter = (rule: number): void => {
      if (state[rule] === "done") return;
      if (state[rule] === "open") throw new NotCarried("a rule of it begins with itself");
      state[rule] = "open";
      const next: number[] = [];
      for (const symbols of rules[rule] ?? []) {
        for (const symbol of symbols) {
          if ("rule" in symbol) next.push(symbol.rule);
          if (!isEmpty(symbol)) break;
        }
      }
      path.push({ rule, next });
    };
    enter(first);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.next.pop();
      if (next !== undefined) enter(next);
      else {
        state[top.rule] = "done";
        path.pop();
      }
    }
  }
}

/** @throws NotCarried for a repetition without end of what may be nothing */
function mayBeEmpty(regex: Regex): boolean {
  switch (regex.type) {
    case "bytes":
      return regex.bytes.length === 0;
    case "set":
      return false;
    case "concat":
      return regex.parts.map(mayBeEmpty).every((one) => one);
    case "alternatives":
      return regex.options.map(mayBeEmpty).some((one) => one);
    case "repeat": {
      const isEmpty = mayBeEmpty(regex.item);
      if (isEmpty && regex.max === null) {
        throw new NotCarried("it repeats without end what may be nothing");
      }
      return isEmpty || regex.min === 0;
    }
    case "and": {
      const first = regex.parts.find(({ type }) => type !== "not");
      return first !== undefined && mayBeEmpty(first);
    }
    case "not":
      return true;
  }
}
