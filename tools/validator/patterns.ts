/**
 * Regular expressions as JSON Schema wants them: those of ECMAScript, with the flag `u`. Many schemas
 * come from Python, Java, PHP or Go and are written in the dialect of their language; where every part of
 * a pattern has a counterpart in ECMAScript, the pattern is translated.
 *
 * Sources: Python's `re`, PCRE2's pcre2syntax, java.util.regex.Pattern, RE2's syntax page.
 */

export type CompiledPattern = {
  readonly regExp: RegExp;
  /** Set when the pattern is not read exactly as it stands. */
  readonly warning?: string;
};

/** A pattern that another language has a meaning for, which ECMAScript cannot express. */
export class ForeignPatternError extends SyntaxError {}

/** @throws SyntaxError for a pattern that is none, ForeignPatternError for one that cannot be translated */
export function compilePattern(pattern: string): CompiledPattern {
  try {
    return { regExp: new RegExp(pattern, "u") };
  } catch (error) {
    const translated = translatePattern(pattern);
    try {
      const regExp = new RegExp(translated, "u");
      const warning = `The pattern ${pattern} is no regular expression of ECMAScript and is read as ${translated}.`;
      return { regExp, warning };
    } catch {
      // What is left are forms of ECMAScript that only the flag u forbids, such as octal escapes.
      if (FOREIGN.test(pattern)) throw error;
      const regExp = new RegExp(pattern);
      return {
        regExp,
        warning: `The pattern ${pattern} is no Unicode expression and is read as an older one.`,
      };
    }
  }
}

/** Without the flag u, ECMAScript reads these escapes as plain letters, which is never meant. */
const FOREIGN = /\\[ACE-NOQRTUVX-Zaeg-jloqyz]|\[\[:/;

/**
 * The same pattern in ECMAScript with the flag `u`.
 * @throws SyntaxError for a construct without a counterpart; its message names the construct
 */
function translatePattern(pattern: string): string {
  return new Translator(pattern).translate();
}

const TEXT_START = "(?<![\\s\\S])";
const TEXT_END = "(?![\\s\\S])";
const LINE_BREAK = "(?:\\r\\n|[\\n\\v\\f\\r\\x85\\u2028\\u2029])";

/** Escapes of letters outside of a class that ECMAScript lacks, or reads as something else. */
const ESCAPES: Readonly<Record<string, string>> = {
  A: TEXT_START,
  Z: TEXT_END,
  z: TEXT_END,
  h: "[\\t\\p{Zs}]",
  H: "[^\\t\\p{Zs}]",
  R: LINE_BREAK,
  N: "[^\\n]",
  X: "(?:\\P{M}\\p{M}*)",
  a: "\\x07",
  e: "\\x1b",
  E: "",
};
const ESCAPES_IN_CLASS: Readonly<Record<string, string>> = {
  h: "\\t\\p{Zs}",
  a: "\\x07",
  e: "\\x1b",
  E: "",
};
/** Letters whose escape means the same in ECMAScript. */
const SHARED_ESCAPES = "bBcdDfknrsStuvwWx";
/** What may stand behind a backslash with the flag u, beside letters and digits. */
const SYNTAX = "^$\\.*+?()[]{}|/";

/** Names of POSIX and Java as the inside of a class. */
const CLASSES: Readonly<Record<string, string>> = {
  alpha: "\\p{Alphabetic}",
  digit: "0-9",
  alnum: "\\p{Alphabetic}\\p{Nd}",
  upper: "\\p{Lu}",
  lower: "\\p{Ll}",
  punct: "\\p{P}\\p{S}",
  space: "\\s",
  blank: "\\t\\p{Zs}",
  xdigit: "0-9A-Fa-f",
  cntrl: "\\p{Cc}",
  graph: "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}",
  print: "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Zs}",
  word: "\\p{Alphabetic}\\p{M}\\p{N}_",
  ascii: "\\x00-\\x7f",
  any: "\\s\\S",
  "l&": "\\p{LC}",
};

/** A group that is open, or the whole pattern. */
type Group = {
  /** Where its translation begins. */
  readonly start: number;
  readonly close: string;
  /** Flags that were switched on inside of it, each by an opened `(?…:`. */
  readonly flags: string[];
  /** Blanks and comments count for nothing. */
  verbose: boolean;
};

class Translator {
  readonly #text: string;
  #at = 0;
  readonly #out: string[] = [];
  /** Index in `#out` of what a quantifier would repeat. */
  #atom = 0;
  #atomics = 0;
  readonly #groups: Group[] = [{ start: 0, close: "", flags: [], verbose: false }];

  constructor(text: string) {
    this.#text = text;
  }

  translate(): string {
    while (this.#at < this.#text.length) this.#next();
    if (this.#groups.length > 1) throw new SyntaxError("a group is not closed");
    this.#closeFlags(this.#group);
    if (this.#atomics > 0 && /\\[1-9]/.test(this.#text)) {
      throw unsupported("an atomic group beside a numbered reference");
    }
    return this.#out.join("");
  }

  get #group(): Group {
    return this.#groups.at(-1) as Group;
  }

  #next(): void {
    const unit = this.#text[this.#at] as string;
    const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\}|\{,\d+\})/.exec(this.#text.slice(this.#at))?.[0];
    if (quantifier !== undefined) this.#quantify(quantifier);
    else if (unit === "\\") this.#escape();
    else if (unit === "[") this.#class();
    else if (unit === "(") this.#open();
    else if (unit === ")") this.#close();
    else if (unit === "|") this.#alternative();
    else if (this.#group.verbose && /[\s#]/.test(unit)) this.#skip(/^(?:\s+|#[^\n]*)/);
    else {
      // Half of a quantifier or of a class means itself elsewhere.
      const character = this.#character();
      this.#take(character.length, "{}]".includes(unit) ? `\\${unit}` : character);
    }
  }

  #skip(pattern: RegExp): void {
    this.#at += pattern.exec(this.#text.slice(this.#at))?.[0].length ?? 0;
  }

  /** A whole character: half of a surrogate pair is nothing that could be repeated. */
  #character(): string {
    return String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
  }

  /** Moves on and writes an atom. */
  #take(units: number, atom: string): void {
    this.#at += units;
    this.#atom = this.#out.push(atom) - 1;
  }

  #quantify(quantifier: string): void {
    this.#at += quantifier.length;
    const written = quantifier.replace("{,", "{0,");
    if (this.#text[this.#at] === "+") {
      // Possessive: what it took is not given back.
      this.#at++;
      const atom = this.#out.splice(this.#atom).join("");
      this.#out.push(this.#atomic(atom + written));
      return;
    }
    this.#out.push(written);
    if (this.#text[this.#at] === "?") this.#out.push(this.#text[this.#at++] as string);
  }

  /** A lookahead gives nothing back, and the reference then takes what it saw. */
  #atomic(inside: string): string {
    const name = `atomic${this.#atomics++}`;
    return `(?:(?=(?<${name}>${inside}))\\k<${name}>)`;
  }

  #escape(): void {
    const rest = this.#text.slice(this.#at);
    const letter = rest[1];
    if (letter === undefined) throw new SyntaxError("it ends with a backslash");
    const quoted = /^\\Q([\s\S]*?)(?:\\E|$)/.exec(rest);
    if (quoted !== null) {
      for (const character of quoted[1] as string) this.#take(0, literal(character));
      this.#at += quoted[0].length;
      return;
    }
    const reference = /^\\(?:k\{(\w+)\}|k'(\w+)'|g\{([A-Za-z_]\w*)\}|g\{(\d+)\}|g(\d+))/.exec(rest);
    if (reference !== null) {
      const [whole, ...names] = reference;
      const name = names.find((one) => one !== undefined) as string;
      this.#take(whole.length, /^\d/.test(name) ? `\\${name}` : `\\k<${name}>`);
      return;
    }
    const simple = this.#escapedCharacter(rest) ?? this.#property(rest, false);
    if (simple !== undefined) {
      this.#take(simple.units, simple.atom);
      return;
    }
    const known = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
    if (known === undefined || /^\\N\{/.test(rest)) throw unsupported(rest.slice(0, 2));
    this.#take(2, known);
  }

  /** What is the same inside and outside of a class. */
  #escapedCharacter(rest: string): { units: number; atom: string } | undefined {
    const code = /^\\(?:x\{([0-9A-Fa-f]{1,6})\}|U([0-9A-Fa-f]{8}))/.exec(rest);
    if (code !== null) {
      const hex = (code[1] ?? code[2] ?? "").replace(/^0+(?=.)/, "");
      return { units: code[0].length, atom: `\\u{${hex}}` };
    }
    const octal = /^\\0[0-7]{1,2}/.exec(rest)?.[0];
    if (octal !== undefined) {
      const hex = Number.parseInt(octal.slice(1), 8).toString(16).padStart(2, "0");
      return { units: octal.length, atom: `\\x${hex}` };
    }
    const letter = rest[1] as string;
    if (SHARED_ESCAPES.includes(letter) || /\d/.test(letter) || SYNTAX.includes(letter)) {
      return { units: 2, atom: `\\${letter}` };
    }
    return /[A-Za-z]/.test(letter) ? undefined : { units: 2, atom: letter };
  }

  #property(rest: string, inClass: boolean): { units: number; atom: string } | undefined {
    const match = /^\\([pP])(?:\{(\^?)([^{}]+)\}|([A-Z]))/.exec(rest);
    if (match === null) return undefined;
    const [whole, letter, caret, long, short] = match;
    const name = (long ?? short) as string;
    const negated = (letter === "P") !== (caret === "^");
    const inside = propertyOf(name);
    if (inside === undefined) throw unsupported(whole);
    if (!negated) return { units: whole.length, atom: inClass ? inside : `[${inside}]` };
    const single = /^\\p(\{[^}]*\})$/.exec(inside)?.[1];
    if (!inClass) return { units: whole.length, atom: `[^${inside}]` };
    if (single === undefined) throw unsupported(whole);
    return { units: whole.length, atom: `\\P${single}` };
  }

  #class(): void {
    const start = this.#at;
    const out = [this.#text[++this.#at] === "^" ? "[^" : "["];
    if (out[0] === "[^") this.#at++;
    // A bracket that comes first is one of the characters.
    if (this.#text[this.#at] === "]") {
      out.push("\\]");
      this.#at++;
    }
    for (;;) {
      const rest = this.#text.slice(this.#at);
      if (rest === "") throw new SyntaxError(`the class at ${start} is not closed`);
      if (rest.startsWith("]")) break;
      if (rest.startsWith("&&[")) throw unsupported("&&");
      const { units, atom } = this.#classPart(rest);
      out.push(atom);
      this.#at += units;
    }
    this.#take(1, `${out.join("")}]`);
  }

  #classPart(rest: string): { units: number; atom: string } {
    const posix = /^\[:(\^?)(\w+):\]/.exec(rest);
    if (posix !== null) {
      const [whole, caret, name] = posix as unknown as [string, string, string];
      const inside = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
      if (inside === undefined) throw unsupported(whole);
      if (caret === "") return { units: whole.length, atom: inside };
      const opposite = /^\\p\{[^}]*\}$/.test(inside) ? inside.replace("p", "P") : NEGATED[name];
      if (opposite === undefined) throw unsupported(whole);
      return { units: whole.length, atom: opposite };
    }
    if (!rest.startsWith("\\")) {
      const character = this.#character();
      return { units: character.length, atom: character === "[" ? "\\[" : character };
    }
    const quoted = /^\\Q([\s\S]*?)\\E/.exec(rest);
    if (quoted !== null) {
      const characters = Array.from(quoted[1] as string, literal).join("");
      return { units: quoted[0].length, atom: characters };
    }
    const simple = this.#escapedCharacter(rest) ?? this.#property(rest, true);
    if (simple !== undefined) return simple.atom === "-" ? { ...simple, atom: "\\-" } : simple;
    const letter = rest[1] ?? "";
    const known = Object.hasOwn(ESCAPES_IN_CLASS, letter) ? ESCAPES_IN_CLASS[letter] : undefined;
    if (known === undefined) throw unsupported(`${rest.slice(0, 2)} in a class`);
    return { units: 2, atom: known };
  }

  #open(): void {
    const rest = this.#text.slice(this.#at);
    const reference = /^\(\?P=(\w+)\)/.exec(rest);
    const flags = /^\(\?([A-Za-z]*)(?:-([A-Za-z]+))?([:)])/.exec(rest);
    const named = /^\(\?(?:P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/.exec(rest);
    if (rest.startsWith("(?#")) this.#skip(/^\(\?#[^)]*\)?/);
    else if (reference !== null) this.#take(reference[0].length, `\\k<${reference[1]}>`);
    else if (flags !== null)
      this.#flags(flags[0], flags[1] ?? "", flags[2] ?? "", flags[3] === ")");
    else if (named !== null) this.#begin(named[0].length, `(?<${named[1] ?? named[2]}>`, ")");
    else if (rest.startsWith("(?>")) {
      const name = `atomic${this.#atomics++}`;
      this.#begin(3, `(?:(?=(?<${name}>`, `))\\k<${name}>)`);
    } else {
      const plain = /^\((?:\?(?:[=!]|<[=!]))?/.exec(rest)?.[0] ?? "";
      if (plain === "(" && /^\([?*]/.test(rest)) throw unsupported(rest.slice(0, 3));
      this.#begin(plain.length, plain, ")");
    }
  }

  #begin(units: number, open: string, close: string): void {
    this.#at += units;
    const start = this.#out.push(open) - 1;
    this.#groups.push({ start, close, flags: [], verbose: this.#group.verbose });
  }

  /** `(?i)` holds to the end of its group, `(?i:…)` for what is inside. */
  #flags(whole: string, on: string, off: string, isOpen: boolean): void {
    const unknown = /[^imsxuaL]/.exec(on + off)?.[0];
    if (unknown !== undefined) throw unsupported(`the flag ${unknown}`);
    const known = (flags: string): string => [...new Set(flags.replace(/[^ims]/g, ""))].join("");
    const minus = known(off);
    const opened = `(?${known(on)}${minus === "" ? "" : `-${minus}`}:`;
    const verbose = on.includes("x") || (this.#group.verbose && !off.includes("x"));
    if (!isOpen) {
      this.#begin(whole.length, opened, ")");
      this.#group.verbose = verbose;
      return;
    }
    this.#at += whole.length;
    this.#group.verbose = verbose;
    if (opened === "(?:") return;
    this.#group.flags.push(opened);
    this.#out.push(opened);
  }

  #closeFlags({ flags }: Group): void {
    this.#out.push(")".repeat(flags.length));
  }

  #alternative(): void {
    this.#at++;
    this.#closeFlags(this.#group);
    this.#out.push("|", ...this.#group.flags);
  }

  #close(): void {
    const group = this.#groups.length > 1 ? this.#groups.pop() : undefined;
    if (group === undefined) throw new SyntaxError("a ) has no (");
    this.#at++;
    this.#closeFlags(group);
    this.#out.push(group.close);
    // The group as a whole is what a quantifier repeats.
    this.#atom = this.#out.push(this.#out.splice(group.start).join("")) - 1;
  }
}

/** Opposites that are no property. */
const NEGATED: Readonly<Record<string, string>> = { digit: "\\D", space: "\\S" };

/** The inside of a class for a name of Unicode, POSIX or Java; undefined where there is none. */
function propertyOf(name: string): string | undefined {
  const bare = name.replace(/^(?:Is|In|java)(?=[A-Z])/, "");
  const posix = Object.hasOwn(CLASSES, bare.toLowerCase())
    ? CLASSES[bare.toLowerCase()]
    : undefined;
  if (posix !== undefined) return posix;
  const candidates = [name, bare, `Script=${bare}`, bare.replace(/Case$/, "case")];
  const found = candidates.find((candidate) => {
    try {
      return new RegExp(`\\p{${candidate}}`, "u") !== undefined;
    } catch {
      return false;
    }
  });
  return found === undefined ? undefined : `\\p{${found}}`;
}

function literal(character: string): string {
  return SYNTAX.includes(character) ? `\\${character}` : character;
}

function unsupported(what: string): ForeignPatternError {
  return new ForeignPatternError(`${what} has no counterpart in ECMAScript`);
}
