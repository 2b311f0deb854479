/** From sets of values to rules of a grammar over JSON text. */
import { JsonSchemaConstraintError } from "../../errors.ts";
import type { Grammar, Regex } from "../grammar.ts";
import { emitArray } from "./emit-array.ts";
import {
  ascii,
  type EmitContext,
  type EmitOptions,
  type FreeNames,
  isScalar,
  type Marks,
} from "./emit-context.ts";
import { emitObject } from "./emit-object.ts";
import { type NumberLanguage, type NumberSet, numberLanguage } from "./numbers.ts";
import { RawGrammar, type RawSymbol } from "./raw-grammar.ts";
import { concat, either, isBounded, isNothing, NOTHING, repeat, set } from "./regex.ts";
import type { SchemaSets } from "./schema-sets.ts";
import { quoted, quotedText } from "./spelling.ts";
import { hasNoString, type StringSet, stringLanguage } from "./strings.ts";
import type { Expression, ValueSet } from "./value-sets.ts";

const MAX_RULES = 30_000;

const WHITE_SPACE = set([
  [0x09, 0x0a],
  [0x0d, 0x0d],
  [0x20, 0x20],
]);

function marksWith(whitespace: number): Marks {
  const space = repeat(WHITE_SPACE, 0, whitespace);
  return {
    space,
    openArray: concat(ascii("["), space),
    emptyArray: concat(ascii("["), space, ascii("]")),
    closeArray: concat(space, ascii("]")),
    comma: concat(space, ascii(","), space),
    emptyObject: concat(ascii("{"), space, ascii("}")),
    closeObject: concat(space, ascii("}")),
  };
}

export class Emitter implements EmitContext {
  readonly sets: SchemaSets;
  readonly options: EmitOptions;
  readonly marks: Marks;
  readonly raw: RawGrammar;
  freeNames: FreeNames = "none";
  readonly #symbols = new Map<string, RawSymbol>();

  constructor(sets: SchemaSets, options: EmitOptions) {
    this.sets = sets;
    this.options = options;
    this.marks = marksWith(options.whitespace);
    this.raw = new RawGrammar(
      MAX_RULES,
      () => new JsonSchemaConstraintError(`its grammar has more than ${MAX_RULES} rules`),
    );
  }

  /** @throws JsonSchemaConstraintError when no value is valid */
  grammar(): Grammar {
    const top = this.raw.declare();
    this.raw.add(top, this.value(this.sets.of(this.sets.index.root)));
    const grammar = this.raw.build(top);
    if (grammar === undefined) throw new JsonSchemaConstraintError("no value is valid");
    return grammar;
  }

  /** The texts of the values of an expression. */
  value(expression: Expression): RawSymbol {
    const key = expression.join();
    const known = this.#symbols.get(key);
    if (known !== undefined) return known;
    this.sets.notes.step(5);
    const all = this.sets.expand(expression);
    const scalars = scalarTerminal(all);
    for (const one of all) {
      if (one.type !== "number") continue;
      if (one.set.only === "fractions") {
        const reason =
          "numbers that are nearly whole, or have ten digits before the point, are not written";
        this.note("restrictions", expression, "type", reason);
      }
      for (const step of numberTexts(one.set).unchecked) {
        const reason = `multiples of ${step} among these numbers have no grammar of useful size`;
        this.note("checkedAfterwards", expression, "multipleOf", reason);
      }
    }
    if (all.every(isScalar)) {
      const symbol = { terminal: scalars };
      this.#symbols.set(key, symbol);
      return symbol;
    }
    const rule = this.raw.declare();
    this.#symbols.set(key, rule);
    if (!isNothing(scalars)) this.raw.add(rule, { terminal: scalars });
    for (const one of all) {
      if (one.type === "array") emitArray(this, rule, one.set, expression);
      else if (one.type === "object") emitObject(this, rule, one.set, expression);
    }
    return rule;
  }

  /** The terminal of the one value of a set of scalars. */
  scalar(one: ValueSet): Regex {
    return scalarTerminal([one]);
  }

  noteFreeNames(names: Regex): void {
    if (isBounded(names)) this.freeNames = "bounded";
    else if (this.freeNames === "none") this.freeNames = "unbounded";
  }

  note(
    kind: "checkedAfterwards" | "restrictions",
    expression: Expression,
    keyword: string,
    reason: string,
  ): void {
    const [first = 0] = expression;
    const places = expression.map((literal) => this.sets.index.at(Math.abs(literal) - 1));
    const place =
      places.find(({ schema }) => typeof schema === "object" && Object.hasOwn(schema, keyword)) ??
      this.sets.index.at(Math.max(0, Math.abs(first) - 1));
    this.sets.notes.add(kind, place.pointer, keyword, reason);
  }
}

const terminals = new WeakMap<StringSet, Regex>();
const numbers = new WeakMap<NumberSet, NumberLanguage>();

function numberTexts(set: NumberSet): NumberLanguage {
  const known = numbers.get(set) ?? numberLanguage(set);
  numbers.set(set, known);
  return known;
}

function scalarTerminal(sets: readonly ValueSet[]): Regex {
  return either(
    ...sets.map((one): Regex => {
      switch (one.type) {
        case "null":
          return ascii("null");
        case "boolean":
          return either(...one.values.map((value) => ascii(String(value))));
        case "number": {
          return numberTexts(one.set).regex;
        }
        case "string": {
          const known = terminals.get(one.set) ?? stringTerminal(one.set);
          terminals.set(one.set, known);
          return known;
        }
        default:
          return NOTHING;
      }
    }),
  );
}

function stringTerminal(strings: StringSet): Regex {
  if (strings.values !== undefined && strings.languages.length === 0) {
    return either(...strings.values.map(quotedText));
  }
  if (hasNoString(strings)) return NOTHING;
  const isFree = strings.languages.length === 0;
  return quoted(stringLanguage(strings), isFree ? "all" : "needed");
}
