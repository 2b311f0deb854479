/**
 * Grammars in EBNF: the notation of the W3C (`rule ::= "a" | [b-c]+`, `#x20`, `A - B`, comments in slashes and stars) and
 * GBNF of llama.cpp, which vLLM and XGrammar read as well (comments with #, `{m,n}`, `.`).
 */
import type { Grammar } from "../grammar.ts";
import { ANY_CHARACTER, readCharClass, readCodePoint } from "./char-class.ts";
import { compileText, type Definition, type Expression, textOf } from "./expression.ts";
import { Scanner } from "./scanner.ts";

const NAME = /[A-Za-z_][\w.-]*/y;
const BEGINS_RULE = /[A-Za-z_][\w.-]*\s*::=/y;
/** White space and comments; `#x20` is a character. */
const BLANK = /(?:\s|\/\*[\s\S]*?\*\/|#(?!x[0-9a-fA-F])[^\n]*)+/y;

const MAX_DEPTH = 200;
/** As large as bounds of repetitions may be. */
const MAX_COUNT = 100_000;

/**
 * A grammar in EBNF.
 * @param root the rule that derives whole texts
 * @throws GrammarError with line and column
 */
export function ebnfGrammar(text: string, { root = "root" }: { root?: string } = {}): Grammar {
  const scanner = new Scanner(text);
  const definitions = new Map<string, Definition>();
  const reader = new EbnfReader(scanner);
  reader.skip();
  while (!scanner.isAtEnd) {
    const at = scanner.at;
    const name = scanner.take(NAME)?.[0];
    if (name === undefined) throw scanner.expected("the name of a rule");
    if (definitions.has(name)) throw scanner.error(`The rule ${name} is defined twice.`, at);
    reader.skip();
    if (!scanner.takeText("::=")) throw scanner.expected(`::= behind the name ${name}`);
    definitions.set(name, { expression: reader.either(), at, isTerminal: false });
  }
  return compileText({ scanner, definitions, root, ignored: [] });
}

class EbnfReader {
  readonly #scanner: Scanner;
  #depth = 0;

  constructor(scanner: Scanner) {
    this.#scanner = scanner;
  }

  skip(): void {
    this.#scanner.take(BLANK);
    if (this.#scanner.peek(/\/\*/y) !== null)
      throw this.#scanner.error("The comment is not closed.");
  }

  either(): Expression {
    if (++this.#depth > MAX_DEPTH) throw this.#scanner.error("It is nested too deep.");
    const options = [this.#sequence()];
    while (this.#scanner.takeText("|")) options.push(this.#sequence());
    this.#depth--;
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: "either", options };
  }

  #sequence(): Expression {
    const items: Expression[] = [];
    for (;;) {
      this.skip();
      const { next } = this.#scanner;
      if (next === "" || next === "|" || next === ")") break;
      if (this.#scanner.peek(BEGINS_RULE) !== null) break;
      items.push(this.#item());
    }
    const [only] = items;
    return items.length === 1 && only !== undefined ? only : { kind: "sequence", items };
  }

  #item(): Expression {
    const from = this.#quantified();
    this.skip();
    const at = this.#scanner.at;
    if (!this.#scanner.takeText("-")) return from;
    this.skip();
    return { kind: "difference", from, without: this.#quantified(), at };
  }

  #quantified(): Expression {
    let item = this.#atom();
    for (;;) {
      this.skip();
      const bounds = this.#bounds();
      if (bounds === undefined) return item;
      item = { kind: "repeat", item, min: bounds[0], max: bounds[1] };
    }
  }

  #bounds(): readonly [number, number | null] | undefined {
    const scanner = this.#scanner;
    if (scanner.takeText("?")) return [0, 1];
    if (scanner.takeText("*")) return [0, null];
    if (scanner.takeText("+")) return [1, null];
    const from = scanner.at;
    if (!scanner.takeText("{")) return undefined;
    const found = scanner.take(/\s*(\d*)\s*(?:(,)\s*(\d*)\s*)?\}/y);
    const [, low = "", comma, high = ""] = found ?? [];
    if (found === null || (low === "" && high === "")) {
      throw scanner.error("Expected {count}, {least,}, {,most} or {least,most}.", from);
    }
    const min = Number(low);
    const max = comma === undefined ? min : high === "" ? null : Number(high);
    if (min > MAX_COUNT || (max !== null && (max > MAX_COUNT || max < min))) {
      throw scanner.error(`Accepted are bounds with least ≤ most ≤ ${MAX_COUNT}.`, from);
    }
    return [min, max];
  }

  #atom(): Expression {
    const scanner = this.#scanner;
    const { at, next } = scanner;
    if (next === '"' || next === "'") {
      scanner.at++;
      return textOf(scanner.string(next));
    }
    if (next === "[") {
      scanner.at++;
      return { kind: "regex", regex: readCharClass(scanner) };
    }
    if (next === ".") {
      scanner.at++;
      return { kind: "regex", regex: ANY_CHARACTER };
    }
    if (next === "(") {
      scanner.at++;
      if (scanner.next === "=") throw scanner.error("A look-ahead (= …) cannot be carried.", at);
      const inner = this.either();
      if (!scanner.takeText(")")) throw scanner.error("The ( is not closed.", at);
      return inner;
    }
    const code = readCodePoint(scanner);
    if (code !== undefined) return textOf(String.fromCodePoint(code));
    const name = scanner.take(NAME)?.[0];
    if (name !== undefined) return { kind: "name", name, at };
    if (next === "<" || next === "!") {
      throw scanner.error("Tokens as terminals (<[id]>, <name>) cannot be carried.", at);
    }
    throw scanner.expected("a string, a class of characters, a name or a group");
  }
}
