/**
 * Reads a printed signature back, as a model has to: the TypeScript-like type with the marks of its
 * comments (`minimum: 3`, `items.pattern: "…"`). Says whether a value is one of the type, and makes
 * values of it. Independent of the printer, so that a test can hold what is shown against a validator.
 */
import { Ajv2020 } from "ajv/dist/2020.js";
import formats, { type FormatsPlugin } from "ajv-formats";

type Mark = {
  readonly path: readonly string[];
  readonly keyword: string;
  readonly value: unknown;
};

export type Printed = {
  readonly type: PrintedType;
  readonly marks: readonly Mark[];
};

type PrintedType =
  | { readonly kind: "word"; readonly word: string }
  | { readonly kind: "literal"; readonly value: unknown }
  | { readonly kind: "array"; readonly items: Printed }
  | {
      readonly kind: "tuple";
      readonly items: readonly Printed[];
      readonly required: number;
      readonly rest: Printed | null;
    }
  | {
      readonly kind: "object";
      readonly properties: ReadonlyMap<
        string,
        { readonly type: Printed; readonly isRequired: boolean }
      >;
      readonly free: readonly { readonly keys: Printed; readonly values: Printed }[];
    }
  | { readonly kind: "union"; readonly variants: readonly Printed[] };

type Token = {
  readonly text: string;
  readonly kind: "comment" | "json" | "word" | "sign";
  /** Whether it is the first of its line. */
  readonly isFirst: boolean;
  readonly column: number;
};

const TOKEN =
  /(?<comment>\/\/.*)|(?<json>"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w$@#.-]))|(?<word>Array<any>|[\p{L}\p{M}\p{N}_$@#-][\p{L}\p{M}\p{N}_$@#.-]*)|(?<sign>\.\.\.|[{}[\]()|:,?])/gu;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    const between = text.slice(end, match.index);
    if (between.trim() !== "") throw new Error(`Unreadable: ${between} in\n${text}`);
    end = match.index + match[0].length;
    const [kind = "sign"] = Object.entries(match.groups ?? {}).find(([, part]) => part) ?? [];
    const isFirst = between.includes("\n") || match.index === 0;
    const column = match.index - (text.lastIndexOf("\n", match.index) + 1);
    tokens.push({ text: match[0], kind: kind as Token["kind"], isFirst, column });
  }
  if (text.slice(end).trim() !== "") throw new Error(`Unreadable: ${text.slice(end)}`);
  return tokens;
}

export class PrintedSignature {
  readonly root: Printed;
  readonly #tokens: readonly Token[];
  #at = 0;
  readonly #names = new Map<string, Printed>();

  /** @throws Error when the text is no type */
  constructor(text: string) {
    this.#tokens = tokensOf(text);
    const marks: Mark[] = [];
    // Those of a first variant are indented.
    while (this.#peek()?.kind === "comment" && this.#peek()?.column === 0) {
      marks.push(...marksOf(this.#next().text));
    }
    const root = this.#type();
    this.root = withMarks(root, marks);
    if (this.#peek() !== undefined) throw new Error(`Left over: ${this.#peek()?.text} in\n${text}`);
  }

  /** All names of properties, at any depth. */
  propertyNames(): ReadonlySet<string> {
    const names = new Set<string>();
    const visit = ({ type }: Printed): void => {
      if (type.kind === "array") visit(type.items);
      if (type.kind === "union") type.variants.forEach(visit);
      if (type.kind === "tuple") [...type.items, ...(type.rest ? [type.rest] : [])].forEach(visit);
      if (type.kind !== "object") return;
      for (const [name, property] of type.properties) {
        names.add(name);
        visit(property.type);
      }
      for (const { values } of type.free) visit(values);
    };
    visit(this.root);
    return names;
  }

  /**
   * Whether a value is one of the type.
   * @param isOpen keys that are not shown may be there, and one variant of an exclusive union is enough
   */
  matches(value: unknown, isOpen: boolean, printed: Printed = this.root): boolean {
    const { type, marks } = printed;
    return (
      this.#hasShape(
        value,
        isOpen,
        type,
        marks.some(({ keyword }) => keyword === "exactly one of these"),
      ) && marks.every((mark) => holds(value, mark))
    );
  }

  #hasShape(value: unknown, isOpen: boolean, type: PrintedType, isExclusive: boolean): boolean {
    switch (type.kind) {
      case "word":
        return this.#isOfWord(value, isOpen, type.word);
      case "literal":
        return JSON.stringify(value) === JSON.stringify(type.value);
      case "array":
        return Array.isArray(value) && value.every((one) => this.matches(one, isOpen, type.items));
      case "tuple": {
        if (!Array.isArray(value) || value.length < type.required) return false;
        return value.every((one, at) => {
          const place = type.items[at] ?? type.rest;
          return place !== null && this.matches(one, isOpen, place);
        });
      }
      case "object": {
        if (!isObject(value)) return false;
        for (const [name, { isRequired }] of type.properties) {
          if (isRequired && !Object.hasOwn(value, name)) return false;
        }
        return Object.entries(value).every(([key, one]) => {
          const known = type.properties.get(key);
          if (known !== undefined) return this.matches(one, isOpen, known.type);
          const free = type.free.filter(({ keys }) => this.matches(key, isOpen, keys));
          if (free.length === 0) return isOpen;
          // Keys with a pattern first; what none of them is about belongs to the others.
          const chosen = free.filter(({ keys }) => keys.marks.length > 0);
          return (chosen.length > 0 ? chosen : free).every(({ values }) =>
            this.matches(one, isOpen, values),
          );
        });
      }
      case "union": {
        const some = type.variants.some((variant) => this.matches(value, isOpen, variant));
        if (!some || isOpen || !isExclusive) return some;
        return type.variants.filter((variant) => this.matches(value, true, variant)).length === 1;
      }
    }
  }

  #isOfWord(value: unknown, isOpen: boolean, word: string): boolean {
    switch (word) {
      case "any":
        return true;
      case "never":
        return false;
      case "null":
        return value === null;
      case "object":
        return isObject(value);
      case "string":
      case "number":
      case "boolean":
        return typeof value === word;
      default: {
        const named = this.#names.get(word);
        if (named === undefined) throw new Error(`No type ${word}`);
        return this.matches(value, isOpen, named);
      }
    }
  }

  /**
   * A value that has the shape of the type; whether the marks hold is not looked at. Undefined where
   * there is none.
   */
  sample(random: () => number, depth: number = 0, printed: Printed = this.root): unknown {
    const { type } = printed;
    const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random() * list.length)];
    const isDeep = depth > 4;
    switch (type.kind) {
      case "word": {
        const named = this.#names.get(type.word);
        if (named !== undefined) return isDeep ? null : this.sample(random, depth + 1, named);
        if (type.word === "any") return pick(ANYTHING);
        if (type.word === "object") return pick([{}, { zz: 1 }]);
        return pick(ANYTHING.filter((value) => this.#isOfWord(value, false, type.word)));
      }
      case "literal":
        return type.value;
      case "array": {
        const length = isDeep ? 0 : Math.floor(random() * 4);
        return Array.from({ length }, () => this.sample(random, depth + 1, type.items) ?? null);
      }
      case "tuple": {
        const { items, required, rest } = type;
        const length = required + Math.floor(random() * (items.length - required + 1));
        const places = items.slice(0, length);
        const isLonger = rest !== null && length === items.length && random() < 0.5;
        return [...places, ...(isLonger ? [rest] : [])].map(
          (one) => this.sample(random, depth + 1, one) ?? null,
        );
      }
      case "object": {
        const entries: [string, unknown][] = [];
        for (const [name, { type: one, isRequired }] of type.properties) {
          if (!isRequired && (isDeep || random() < 0.5)) continue;
          const value = this.sample(random, depth + 1, one);
          if (value !== undefined) entries.push([name, value]);
        }
        for (const { keys, values } of isDeep ? [] : type.free) {
          const key = this.sample(random, depth + 1, keys);
          entries.push([String(key), this.sample(random, depth + 1, values) ?? null]);
        }
        return Object.fromEntries(entries);
      }
      case "union": {
        const variant = pick(type.variants);
        return variant === undefined ? null : this.sample(random, depth + 1, variant);
      }
    }
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #next(): Token {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new Error("The type ends too early");
    return token;
  }

  #take(text: string): boolean {
    if (this.#peek()?.text !== text || this.#peek()?.kind === "comment") return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    const { text: found } = this.#next();
    if (found !== text) throw new Error(`Expected ${text}, found ${found}`);
  }

  /** Comments on their own lines. */
  #commentsAbove(): Mark[] {
    const marks: Mark[] = [];
    while (this.#peek()?.kind === "comment") marks.push(...marksOf(this.#next().text));
    return marks;
  }

  /** A comment behind what stands on the line. */
  #commentBehind(): Mark[] {
    const token = this.#peek();
    if (token?.kind !== "comment" || token.isFirst) return [];
    this.#at++;
    return marksOf(token.text);
  }

  #label(): string | null {
    const token = this.#peek();
    const name = token?.kind === "comment" ? /^\/\/ type (\S+)$/.exec(token.text)?.[1] : undefined;
    if (name === undefined) return null;
    this.#at++;
    return name;
  }

  #named(name: string | null, printed: Printed): Printed {
    if (name !== null) this.#names.set(name, printed);
    return printed;
  }

  #type(): Printed {
    const name = this.#label();
    const ahead = this.#tokens.slice(this.#at).find(({ kind }) => kind !== "comment");
    if (ahead?.text === "|" && ahead.isFirst) {
      const variants: Printed[] = [];
      for (;;) {
        const start = this.#at;
        const above = this.#commentsAbove();
        if (!(this.#peek()?.isFirst && this.#take("|"))) {
          this.#at = start;
          break;
        }
        const variant = this.#inline();
        variants.push(withMarks(variant, [...above, ...this.#commentBehind()]));
      }
      return this.#named(name, { type: { kind: "union", variants }, marks: [] });
    }
    return this.#inline();
  }

  #inline(): Printed {
    const variants = [this.#postfix()];
    while (this.#peek()?.text === "|" && this.#peek()?.isFirst === false) {
      this.#at++;
      variants.push(this.#postfix());
    }
    const [only] = variants;
    if (variants.length === 1 && only !== undefined) return only;
    return { type: { kind: "union", variants }, marks: [] };
  }

  #postfix(): Printed {
    let printed = this.#atom();
    while (this.#peek()?.text === "[" && this.#tokens[this.#at + 1]?.text === "]") {
      this.#at += 2;
      printed = { type: { kind: "array", items: printed }, marks: [] };
    }
    return printed;
  }

  #atom(): Printed {
    const token = this.#next();
    if (token.text === "(") {
      const inner = this.#type();
      this.#expect(")");
      return inner;
    }
    if (token.text === "{") return this.#object();
    if (token.text === "[") return this.#tuple();
    if (token.kind === "json") {
      return { type: { kind: "literal", value: JSON.parse(token.text) }, marks: [] };
    }
    if (token.text === "true" || token.text === "false") {
      return { type: { kind: "literal", value: token.text === "true" }, marks: [] };
    }
    if (token.kind !== "word") throw new Error(`No type begins with ${token.text}`);
    const word = (name: string): Printed => ({ type: { kind: "word", word: name }, marks: [] });
    if (token.text !== "Array<any>") return word(token.text);
    return { type: { kind: "array", items: word("any") }, marks: [] };
  }

  #tuple(): Printed {
    const items: Printed[] = [];
    let required: number | null = null;
    let rest: Printed | null = null;
    while (!this.#take("]")) {
      if (this.#take("...")) {
        const { type } = this.#inline();
        if (type.kind !== "array") throw new Error("The rest of a tuple is no list");
        rest = type.items;
      } else {
        items.push(this.#inline());
        if (this.#take("?")) required ??= items.length - 1;
      }
      if (!this.#take(",") && this.#peek()?.text !== "]") throw new Error("A tuple has no end");
    }
    required ??= items.length;
    return { type: { kind: "tuple", items, required, rest }, marks: [] };
  }

  #object(): Printed {
    const name = this.#label();
    const properties = new Map<string, { type: Printed; isRequired: boolean }>();
    const free: { keys: Printed; values: Printed }[] = [];
    for (;;) {
      const above = this.#commentsAbove();
      if (this.#take("}")) break;
      let keys: Printed | null = null;
      let key = "";
      if (this.#take("[")) {
        this.#expect("key");
        this.#expect(":");
        keys = this.#inline();
        this.#expect("]");
      } else {
        const token = this.#next();
        key = token.kind === "json" ? String(JSON.parse(token.text)) : token.text;
      }
      const isRequired = !this.#take("?");
      this.#expect(":");
      const type = this.#type();
      const marks = above;
      if (this.#take(",")) marks.push(...this.#commentBehind());
      if (keys === null) {
        properties.set(key, { type: withMarks(type, marks), isRequired });
        continue;
      }
      const ofKey = marks.filter(({ path }) => path[0] === "key");
      free.push({
        keys: withMarks(
          keys,
          ofKey.map((mark) => ({ ...mark, path: mark.path.slice(1) })),
        ),
        values: withMarks(
          type,
          marks.filter((mark) => !ofKey.includes(mark)),
        ),
      });
    }
    return this.#named(name, { type: { kind: "object", properties, free }, marks: [] });
  }
}

const MARK = /^((?:(?:items|keys?|values|\[\d+\])\.)*)([A-Za-z]+(?: one of these)?)(: )?/;
const WORDS: ReadonlySet<string> = new Set([
  "integer",
  "uniqueItems",
  "deprecated",
  "exactly one of these",
]);

/** The marks of a comment; none if it is a text for people. */
function marksOf(comment: string): Mark[] {
  const text = comment.replace(/^\/\/ ?/, "");
  // Behind a description they follow a semicolon.
  for (const from of [0, ...[...text.matchAll(/; /g)].map(({ index }) => index + 2)]) {
    const marks = readMarks(text.slice(from));
    if (marks !== null) return marks;
  }
  return [];
}

function readMarks(text: string): Mark[] | null {
  const marks: Mark[] = [];
  let rest = text;
  while (rest !== "") {
    const match = MARK.exec(rest);
    if (match === null) return null;
    const [whole, path = "", keyword = "", colon] = match;
    rest = rest.slice(whole.length);
    let value: unknown = true;
    if (colon === undefined) {
      if (!WORDS.has(keyword)) return null;
    } else {
      const json = readJson(rest, keyword === "default");
      if (json === null) return null;
      value = json.value;
      rest = rest.slice(json.length);
    }
    const condition = marks.at(-1);
    if ((keyword === "then" || keyword === "else") && condition?.keyword === "if") {
      // Only together they say something.
      marks[marks.length - 1] = {
        ...condition,
        value: { ...(condition.value as object), [keyword]: value },
      };
    } else if (keyword === "if") {
      marks.push({ path: path.split(".").slice(0, -1), keyword, value: { if: value } });
    } else marks.push({ path: path.split(".").slice(0, -1), keyword, value });
    if (rest === "") return marks;
    if (!rest.startsWith(", ")) return null;
    rest = rest.slice(2);
  }
  return null;
}

/** The JSON that a text begins with. */
function readJson(text: string, orWord: boolean): { value: unknown; length: number } | null {
  const ends = [...text.matchAll(/, /g)].map(({ index }) => index);
  for (const length of [...ends, text.length]) {
    try {
      return { value: JSON.parse(text.slice(0, length)), length };
    } catch {
      // It goes on behind this comma.
    }
  }
  const word = orWord ? /^[\w.-]+/.exec(text) : null;
  return word === null ? null : { value: word[0], length: word[0].length };
}

const ajv = new Ajv2020({ strict: false, multipleOfPrecision: 9 });
(formats as unknown as FormatsPlugin)(ajv, { mode: "full" });
const compiled = new Map<string, (value: unknown) => boolean>();

/** The type with marks, each put to the part that it is about. */
function withMarks({ type, marks }: Printed, more: readonly Mark[]): Printed {
  const own = [...marks, ...more.filter(({ path }) => path.length === 0)];
  const deeper = more.filter(({ path }) => path.length > 0);
  const at = (step: string, part: Printed): Printed =>
    withMarks(
      part,
      deeper
        .filter(({ path }) => path[0] === step)
        .map((mark) => ({ ...mark, path: mark.path.slice(1) })),
    );
  switch (type.kind) {
    case "array":
      return { type: { ...type, items: at("items", type.items) }, marks: own };
    case "tuple": {
      const items = type.items.map((item, place) => at(`[${place}]`, item));
      const rest = type.rest === null ? null : at("items", type.rest);
      return { type: { ...type, items, rest }, marks: own };
    }
    case "object": {
      const free = type.free.map(({ keys, values }) => ({
        keys: at("keys", keys),
        values: at("values", values),
      }));
      return { type: { ...type, free }, marks: own };
    }
    case "union": {
      const variants = type.variants.map((variant) => withMarks(variant, deeper));
      return { type: { ...type, variants }, marks: own };
    }
    default:
      return { type, marks: own };
  }
}

function holds(value: unknown, { keyword, value: limit }: Mark): boolean {
  if (["default", "examples", "deprecated", "exactly one of these"].includes(keyword)) return true;
  if (keyword === "integer") return typeof value !== "number" || Number.isInteger(value);
  const key = `${keyword}:${JSON.stringify(limit)}`;
  let check = compiled.get(key);
  if (check === undefined) {
    check = ajv.compile(keyword === "if" ? (limit as object) : { [keyword]: limit });
    compiled.set(key, check);
  }
  return check(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Values of every JSON type; the texts and numbers are those that limits in tests are about. */
export const ANYTHING: readonly unknown[] = [
  ...[null, true, false, [], ["a"], [1, 2], {}, { a: 1 }, { b: "x", a: 2 }],
  ...[-40, -1, 0, 0.5, 1, 1.5, 2, 3, 4, 6, 9, 10, 45, 90, 100, 1000.25],
  ...["", "a", "ab", "abc", "port", "abcdef", "AB-12", "x1", "2026-03-01", "a@example.org", "\n"],
];
