/**
 * What grammars that are written as text have in common: named expressions, compiled to rules and
 * terminals. What is regular, and not too large, becomes one terminal, since the bytes of a terminal are
 * followed without the parser.
 */
import { GrammarError } from "../../errors.ts";
import { type Grammar, GrammarBuilder, type GrammarSymbol, type Regex } from "../grammar.ts";
import type { Scanner } from "./scanner.ts";

export type Expression =
  | { readonly kind: "regex"; readonly regex: Regex }
  /** `at`: its place in the text. */
  | { readonly kind: "name"; readonly name: string; readonly at: number }
  | { readonly kind: "sequence"; readonly items: readonly Expression[] }
  | { readonly kind: "either"; readonly options: readonly Expression[] }
  | {
      readonly kind: "repeat";
      readonly item: Expression;
      readonly min: number;
      readonly max: number | null;
    }
  /** What the first matches and the second does not; both regular. */
  | {
      readonly kind: "difference";
      readonly from: Expression;
      readonly without: Expression;
      readonly at: number;
    };

export type Definition = {
  readonly expression: Expression;
  readonly at: number;
  /** Must be regular; between its parts nothing is ignored. */
  readonly isTerminal: boolean;
};

export type TextGrammar = {
  readonly scanner: Scanner;
  readonly definitions: ReadonlyMap<string, Definition>;
  readonly root: string;
  /** What may stand between any two terminals, and around the whole. */
  readonly ignored: readonly Expression[];
};

/** Parts of a regular expression up to which a rule is put in place of its name. */
const LARGEST_INLINED = 4000;

export function textOf(text: string): Expression {
  return { kind: "regex", regex: { type: "bytes", bytes: new TextEncoder().encode(text) } };
}

/** @throws GrammarError for a name without definition, or a terminal that calls itself */
export function compileText(text: TextGrammar): Grammar {
  return new TextCompiler(text).compile();
}

type Regular = { readonly regex: Regex; readonly size: number };

class TextCompiler {
  readonly #text: TextGrammar;
  readonly #builder = new GrammarBuilder();
  /** null: not regular, or too large; "open": being found out. */
  readonly #regular: Map<string, Regular | null | "open"> = new Map();
  readonly #rules: Map<string, { readonly rule: number }> = new Map();
  readonly #ignored: readonly GrammarSymbol[];

  constructor(text: TextGrammar) {
    this.#text = text;
    const options = text.ignored.map((expression) => this.#terminal(expression, 0));
    this.#ignored =
      options.length === 0
        ? []
        : [
            this.#builder.terminal({
              type: "repeat",
              item: { type: "alternatives", options },
              min: 0,
              max: null,
            }),
          ];
  }

  compile(): Grammar {
    const { root, definitions, scanner } = this.#text;
    if (!definitions.has(root)) {
      throw new GrammarError(
        `Cannot use the grammar: it has no rule "${root}" to begin with. ` +
          `Its rules: ${[...definitions.keys()].slice(0, 20).join(", ") || "none"}.`,
      );
    }
    // Names that the root does not reach are checked as well.
    for (const { expression } of definitions.values()) this.#checkNames(expression);
    const symbols = this.#symbols({ kind: "name", name: root, at: 0 });
    const grammar = this.#builder.build(this.#builder.rule([[...this.#ignored, ...symbols]]));
    for (const [name, { isTerminal, at }] of definitions) {
      if (isTerminal && this.#ofName(name) === null) {
        throw scanner.error(`The terminal ${name} is not regular, or too large.`, at);
      }
    }
    return grammar;
  }

  #checkNames(expression: Expression): void {
    switch (expression.kind) {
      case "name":
        this.#definition(expression.name, expression.at);
        break;
      case "sequence":
        for (const item of expression.items) this.#checkNames(item);
        break;
      case "either":
        for (const option of expression.options) this.#checkNames(option);
        break;
      case "repeat":
        this.#checkNames(expression.item);
        break;
      case "difference":
        this.#terminal(expression, expression.at);
    }
  }

  #definition(name: string, at: number): Definition {
    const found = this.#text.definitions.get(name);
    if (found !== undefined) return found;
    throw this.#text.scanner.error(`There is no rule ${name}.`, at);
  }

  /** Symbols that together are the expression. */
  #symbols(expression: Expression): readonly GrammarSymbol[] {
    const regular = this.#mayJoin(expression) ? this.#regularOf(expression) : null;
    if (regular !== null) return [this.#builder.terminal(regular.regex), ...this.#ignored];
    switch (expression.kind) {
      case "name":
        return [this.#rule(expression.name, expression.at)];
      case "sequence":
        return this.#joined(expression.items).flatMap((item) => this.#symbols(item));
      case "either":
        return [this.#builder.rule(expression.options.map((option) => this.#symbols(option)))];
      case "repeat": {
        const { item, min, max } = expression;
        return [this.#builder.repeat(this.#symbols(item), min, max)];
      }
      case "regex":
        return [this.#builder.terminal(expression.regex), ...this.#ignored];
      case "difference":
        return [
          this.#builder.terminal(this.#terminal(expression, expression.at)),
          ...this.#ignored,
        ];
    }
  }

  /** Whether it may become one terminal: where something is ignored, only what is one anyway. */
  #mayJoin(expression: Expression): boolean {
    if (this.#ignored.length === 0) return true;
    if (expression.kind !== "name") return expression.kind === "regex";
    return this.#definition(expression.name, expression.at).isTerminal;
  }

  /** Neighbours that are regular as one expression. */
  #joined(items: readonly Expression[]): Expression[] {
    if (this.#ignored.length > 0) return [...items];
    const joined: Expression[] = [];
    let run: Regex[] = [];
    const flush = () => {
      if (run.length > 0) {
        joined.push({ kind: "regex", regex: { type: "concat", parts: run } });
      }
      run = [];
    };
    for (const item of items) {
      const regular = this.#regularOf(item);
      if (regular !== null) run.push(regular.regex);
      else {
        flush();
        joined.push(item);
      }
    }
    flush();
    return joined;
  }

  #rule(name: string, at: number): GrammarSymbol {
    const known = this.#rules.get(name);
    if (known !== undefined) return known;
    const rule = this.#builder.declare();
    this.#rules.set(name, rule);
    const { expression } = this.#definition(name, at);
    const options = expression.kind === "either" ? expression.options : [expression];
    this.#builder.define(
      rule,
      options.map((option) => this.#symbols(option)),
    );
    return rule;
  }

  /** @throws GrammarError when it is not regular */
  #terminal(expression: Expression, at: number): Regex {
    const regular = this.#regularOf(expression);
    if (regular !== null) return regular.regex;
    throw this.#text.scanner.error(
      "Here only what is regular can stand: nothing that calls itself, and nothing very large.",
      at,
    );
  }

  /** The expression as one regular expression; null where it is none, or too large. */
  #regularOf(expression: Expression): Regular | null {
    switch (expression.kind) {
      case "regex":
        return { regex: expression.regex, size: sizeOf(expression.regex) };
      case "name":
        return this.#ofName(expression.name, expression.at);
      case "sequence":
        return this.#all(expression.items, (parts) => ({ type: "concat", parts }));
      case "either":
        return this.#all(expression.options, (options) => ({ type: "alternatives", options }));
      case "repeat": {
        const item = this.#regularOf(expression.item);
        if (item === null) return null;
        const { min, max } = expression;
        return { regex: { type: "repeat", item: item.regex, min, max }, size: item.size + 1 };
      }
      case "difference": {
        const from = this.#regularOf(expression.from);
        const without = this.#regularOf(expression.without);
        if (from === null || without === null) return null;
        const not: Regex = { type: "not", item: without.regex };
        return {
          regex: { type: "and", parts: [from.regex, not] },
          size: from.size + without.size + 1,
        };
      }
    }
  }

  #ofName(name: string, at = 0): Regular | null {
    const known = this.#regular.get(name);
    if (known === "open") return null;
    if (known !== undefined) return known;
    this.#regular.set(name, "open");
    const { expression, isTerminal } = this.#definition(name, at);
    const loop = isTerminal ? undefined : withoutTailCalls(name, expression);
    const found = this.#regularOf(loop ?? expression);
    this.#regular.set(name, found);
    return found;
  }

  #all(parts: readonly Expression[], join: (regexes: Regex[]) => Regex): Regular | null {
    const regexes: Regex[] = [];
    let size = 1;
    for (const part of parts) {
      const regular = this.#regularOf(part);
      if (regular === null) return null;
      regexes.push(regular.regex);
      size += regular.size;
      if (size > LARGEST_INLINED) return null;
    }
    return { regex: join(regexes), size };
  }
}

/**
 * A rule whose alternatives call it at most at their end, all of them, is a repetition: `text ::= "" | [^<&] text` is
 * `[^<&]*`. The same where it is called at the beginning. Undefined for other rules.
 */
function withoutTailCalls(name: string, expression: Expression): Expression | undefined {
  if (expression.kind !== "either") return undefined;
  const options = expression.options.map((option) =>
    option.kind === "sequence" ? option.items : [option],
  );
  const isCall = (item: Expression | undefined) => item?.kind === "name" && item.name === name;
  for (const isLast of [true, false]) {
    const calls = options.filter((items) => isCall(items.at(isLast ? -1 : 0)));
    if (calls.length === 0) continue;
    const ends = options.filter((items) => !calls.includes(items));
    const steps = calls.map((items) => (isLast ? items.slice(0, -1) : items.slice(1)));
    const loop: Expression = { kind: "repeat", item: eitherOf(steps), min: 0, max: null };
    const end = eitherOf(ends);
    return { kind: "sequence", items: isLast ? [loop, end] : [end, loop] };
  }
  return undefined;
}

function eitherOf(options: readonly (readonly Expression[])[]): Expression {
  return { kind: "either", options: options.map((items) => ({ kind: "sequence", items })) };
}

function sizeOf(regex: Regex): number {
  switch (regex.type) {
    case "bytes":
      return 1 + regex.bytes.length;
    case "set":
      return 1 + regex.ranges.length;
    case "repeat":
    case "not":
      return 1 + sizeOf(regex.item);
    case "alternatives":
      return regex.options.reduce((sum, option) => sum + sizeOf(option), 1);
    default:
      return regex.parts.reduce((sum, part) => sum + sizeOf(part), 1);
  }
}
