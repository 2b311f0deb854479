/**
 * Grammars in the notation of Lark: rules in small letters, terminals in capitals, strings, regular
 * expressions, `?`, `*`, `+`, `~n..m`, `[ ]`, `%ignore`, `%import common`. What shapes a tree (aliases, `!`, `?` before
 * a name, priorities) is read and left aside, since only the language counts. That is the one of Lark's
 * Earley parser with its dynamic lexer: terminals are cut in every way, not by the longest match.
 */
import type { Grammar } from "../grammar.ts";
import { regexOfPattern } from "../pattern.ts";
import { compileText, type Definition, type Expression, textOf } from "./expression.ts";
import { COMMON_TERMINALS } from "./lark-terminals.ts";
import { Scanner } from "./scanner.ts";

const BLANK = /(?:[ \t\r\f]|\/\/[^\n]*|#[^\n]*|\\\n)+/y;
const NAME = /_?(?:[a-z][a-z0-9_]*|[A-Z][A-Z0-9_]*)/y;
const BEGINS_STATEMENT = /[!?]*_?[A-Za-z]\w*(?:\.-?\d+)?[ \t]*:|%/y;
const REGEX = /\/((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+)\/([a-z]*)/y;

const MAX_DEPTH = 200;
/** As large as bounds of repetitions may be. */
const MAX_COUNT = 100_000;

/**
 * A grammar in Lark's notation.
 * @param start the rule that derives whole texts
 * @throws GrammarError with line and column
 */
export function larkGrammar(text: string, { start = "start" }: { start?: string } = {}): Grammar {
  const scanner = new Scanner(text);
  const reader = new LarkReader(scanner);
  reader.read();
  const { definitions, ignored } = reader;
  return compileText({ scanner, definitions, root: start, ignored });
}

class LarkReader {
  readonly definitions: Map<string, Definition> = new Map();
  readonly ignored: Expression[] = [];
  readonly #scanner: Scanner;
  #depth = 0;

  constructor(scanner: Scanner) {
    this.#scanner = scanner;
  }

  read(): void {
    const scanner = this.#scanner;
    for (;;) {
      this.#skipLines();
      if (scanner.isAtEnd) return;
      if (scanner.next === "%") this.#directive();
      else this.#definition();
    }
  }

  #definition(): void {
    const scanner = this.#scanner;
    scanner.take(/[!?]+/y);
    const at = scanner.at;
    const name = scanner.take(NAME)?.[0];
    if (name === undefined) throw scanner.expected("the name of a rule or terminal, or %");
    if (scanner.next === "{") throw scanner.error("Templates of rules cannot be carried.", at);
    scanner.take(/\.-?\d+/y);
    this.#skip();
    if (!scanner.takeText(":")) throw scanner.expected(`: behind the name ${name}`);
    this.#define(name, this.#either(), at);
  }

  #define(name: string, expression: Expression, at: number): void {
    if (this.definitions.has(name)) {
      throw this.#scanner.error(`${name} is defined twice.`, at);
    }
    this.definitions.set(name, { expression, at, isTerminal: isTerminal(name) });
  }

  #directive(): void {
    const scanner = this.#scanner;
    const at = scanner.at;
    const name = scanner.take(/%\w+/y)?.[0];
    this.#skip();
    if (name === "%ignore") this.ignored.push(this.#either());
    else if (name === "%import") this.#import(at);
    else {
      throw scanner.error(
        `${name ?? "%"} cannot be carried. Accepted: %ignore and %import common.`,
        at,
      );
    }
  }

  #import(at: number): void {
    const scanner = this.#scanner;
    const list = scanner.take(/common[ \t]*\(([^)]*)\)/y);
    if (list !== null) {
      for (const name of (list[1] ?? "").split(",")) this.#common(name.trim(), name.trim(), at);
      return;
    }
    const one = scanner.take(/common\.(\w+)(?:[ \t]*->[ \t]*(\w+))?/y);
    if (one === null) {
      throw scanner.error("Accepted: %import common.NAME, or %import common (NAME, …).", at);
    }
    this.#common(one[1] ?? "", one[2] ?? one[1] ?? "", at);
  }

  #common(name: string, alias: string, at: number): void {
    if (COMMON_TERMINALS[name] === undefined || name.startsWith("_")) {
      const known = Object.keys(COMMON_TERMINALS).filter((one) => !one.startsWith("_"));
      throw this.#scanner.error(
        `common has no terminal ${JSON.stringify(name)}. It has ${known.join(", ")}.`,
        at,
      );
    }
    this.#define(alias, commonTerminal(name), at);
  }

  #either(): Expression {
    if (++this.#depth > MAX_DEPTH) throw this.#scanner.error("It is nested too deep.");
    const options = [this.#sequence()];
    while (this.#takeBar()) options.push(this.#sequence());
    this.#depth--;
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: "either", options };
  }

  /** A bar, also at the beginning of a further line. */
  #takeBar(): boolean {
    const scanner = this.#scanner;
    const from = scanner.at;
    this.#skipLines();
    if (scanner.takeText("|")) return true;
    // Inside of brackets lines mean nothing.
    if (this.#depth === 1) scanner.at = from;
    return false;
  }

  #sequence(): Expression {
    const scanner = this.#scanner;
    const items: Expression[] = [];
    for (;;) {
      if (this.#depth > 1) this.#skipLines();
      else this.#skip();
      const { next } = scanner;
      if (next === "" || next === "\n" || next === "|" || next === ")" || next === "]") break;
      if (scanner.take(/->[ \t]*\w+/y) !== null) continue;
      if (items.length > 0 && scanner.peek(BEGINS_STATEMENT)?.[0].endsWith(":")) {
        throw scanner.expected("the end of the line before another definition");
      }
      items.push(this.#quantified());
    }
    const [only] = items;
    return items.length === 1 && only !== undefined ? only : { kind: "sequence", items };
  }

  #quantified(): Expression {
    const scanner = this.#scanner;
    let item = this.#atom();
    for (;;) {
      this.#skip();
      if (scanner.takeText("?")) item = { kind: "repeat", item, min: 0, max: 1 };
      else if (scanner.takeText("*")) item = { kind: "repeat", item, min: 0, max: null };
      else if (scanner.takeText("+")) item = { kind: "repeat", item, min: 1, max: null };
      else if (scanner.next === "~") {
        const from = scanner.at;
        const found = scanner.take(/~[ \t]*(\d+)(?:[ \t]*\.\.[ \t]*(\d+))?/y);
        const min = Number(found?.[1]);
        const max = Number(found?.[2] ?? found?.[1]);
        if (found === null || max < min || max > MAX_COUNT) {
          throw scanner.error(
            `Expected ~count or ~least..most with least ≤ most ≤ ${MAX_COUNT}.`,
            from,
          );
        }
        item = { kind: "repeat", item, min, max };
      } else return item;
    }
  }

  #atom(): Expression {
    const scanner = this.#scanner;
    const { at, next } = scanner;
    if (next === '"') return this.#string();
    if (next === "(" || next === "[") {
      scanner.at++;
      const inner = this.#either();
      if (!scanner.takeText(next === "(" ? ")" : "]")) {
        throw scanner.error(`The ${next} is not closed.`, at);
      }
      return next === "(" ? inner : { kind: "repeat", item: inner, min: 0, max: 1 };
    }
    if (next === "/") return this.#regex();
    const name = scanner.take(NAME)?.[0];
    if (name !== undefined) {
      if (scanner.next === "{") throw scanner.error("Templates of rules cannot be carried.", at);
      return { kind: "name", name, at };
    }
    if (next === "<") throw scanner.error("Special tokens as terminals cannot be carried.", at);
    throw scanner.expected("a string, a regular expression, a name or a group");
  }

  #string(): Expression {
    const scanner = this.#scanner;
    const at = scanner.at++;
    const text = scanner.string('"');
    if (scanner.take(/i(?![\w])/y) !== null) {
      const escaped = text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
      return { kind: "regex", regex: this.#pattern(escaped, "i", at) };
    }
    if (!scanner.takeText("..")) return textOf(text);
    if (!scanner.takeText('"')) throw scanner.expected('a character in " behind ..');
    const from = text.codePointAt(0) ?? -1;
    const last = scanner.string('"');
    const to = last.codePointAt(0) ?? -1;
    if ([...text].length !== 1 || [...last].length !== 1 || to < from) {
      throw scanner.error("A range goes from one character to a later one.", at);
    }
    return { kind: "regex", regex: { type: "set", ranges: [[from, to]] } };
  }

  #regex(): Expression {
    const scanner = this.#scanner;
    const at = scanner.at;
    const found = scanner.take(REGEX);
    if (found === null) throw scanner.error("The regular expression is not closed.", at);
    const [, source = "", flags = ""] = found;
    return { kind: "regex", regex: this.#pattern(source, flags, at) };
  }

  #pattern(source: string, flags: string, at: number) {
    if (/[^isu]/.test(flags)) {
      throw this.#scanner.error(
        `Of the flags ${flags} of a regular expression i, s and u can be carried.`,
        at,
      );
    }
    return regexOfPattern(source, flags, (problem) =>
      this.#scanner.error(`The regular expression cannot be carried: ${problem}.`, at),
    );
  }

  #skip(): void {
    this.#scanner.take(BLANK);
  }

  #skipLines(): void {
    do this.#skip();
    while (this.#scanner.take(/\n+/y) !== null);
  }
}

function isTerminal(name: string): boolean {
  return /^_?[A-Z]/.test(name);
}

const commonTerminals = new Map<string, Expression>();

/** A terminal of the library with those that it names in their places. */
function commonTerminal(name: string): Expression {
  let found = commonTerminals.get(name);
  if (found === undefined) {
    const reader = new LarkReader(new Scanner(`${name}: ${COMMON_TERMINALS[name]}`));
    reader.read();
    found = resolved((reader.definitions.get(name) as Definition).expression);
    commonTerminals.set(name, found);
  }
  return found;
}

function resolved(expression: Expression): Expression {
  switch (expression.kind) {
    case "name":
      return commonTerminal(expression.name);
    case "sequence":
      return { kind: "sequence", items: expression.items.map(resolved) };
    case "either":
      return { kind: "either", options: expression.options.map(resolved) };
    case "repeat":
      return { ...expression, item: resolved(expression.item) };
    default:
      return expression;
  }
}
