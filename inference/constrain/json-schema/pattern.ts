/**
 * From a regular expression of ECMAScript to the language of all texts in which it finds something:
 * unanchored as `pattern` is, with `^`, `$`, `\b` and look-ahead. Each part is compiled together with what
 * must follow it, so that an assertion is an intersection with the rest of the text.
 */

import { complementRanges, intersectRanges } from "../character-ranges.ts";
import type { Regex } from "../grammar.ts";
import { type Pattern, PatternError, parsePattern, WORD } from "./pattern-syntax.ts";
import {
  ANY,
  ANY_TEXT,
  both,
  concat,
  EMPTY,
  either,
  isNullable,
  NOTHING,
  not,
  repeat,
  set,
} from "./regex.ts";

/** What lies just before a position: the start of the text, a letter of a word, another character. */
type Before = "start" | "word" | "other" | "some";

/** What must follow, depending on what lies before it. */
type Rest = (before: Before) => Regex;

/** Copies of a part that are made where an assertion inside of it must see each of them. */
const MAX_COPIES = 8;

const known = new Map<string, Regex>();
const MAX_KNOWN = 2000;

/**
 * The texts in which a pattern finds something.
 * @throws PatternError for what has no regular language, or is no pattern
 */
export function patternLanguage(source: string, ignoreCase = false): Regex {
  const key = `${ignoreCase}:${source}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const language = searchLanguage(parsePattern(source, ignoreCase));
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(key, language);
  return language;
}

function searchLanguage(pattern: Pattern): Regex {
  const compiler = new PatternCompiler(pattern);
  const end: Rest = () => ANY_TEXT;
  const atStart = compiler.compile(pattern, end, "start");
  if (!hasAssertion(pattern)) return concat(ANY_TEXT, atStart);
  const later = compiler.seesWords
    ? either(
        concat(ANY_TEXT, set(WORD), compiler.compile(pattern, end, "word")),
        concat(ANY_TEXT, set(complementRanges(WORD)), compiler.compile(pattern, end, "other")),
      )
    : concat(ANY_TEXT, ANY, compiler.compile(pattern, end, "some"));
  return either(atStart, later);
}

class PatternCompiler {
  /** Whether an assertion depends on the kind of the character before. */
  readonly seesWords: boolean;

  constructor(pattern: Pattern) {
    this.seesWords = some(pattern, ({ kind }) => kind === "boundary");
  }

  compile(pattern: Pattern, rest: Rest, before: Before): Regex {
    if (!this.seesWords && !hasAssertion(pattern)) return this.#plain(pattern, rest, before);
    switch (pattern.kind) {
      case "set":
        return this.#after(pattern.ranges, (chars) => chars, rest);
      case "sequence":
        return this.#sequence(pattern.items, 0, rest, before);
      case "either":
        return either(...pattern.options.map((option) => this.compile(option, rest, before)));
      case "repeat":
        return this.#repeat(pattern, rest, before);
      case "start":
        return before === "start" ? rest(before) : NOTHING;
      case "end":
        return isNullable(rest(before)) ? EMPTY : NOTHING;
      case "ahead": {
        const ahead = this.compile(pattern.item, () => ANY_TEXT, before);
        return both(pattern.negative ? not(ahead) : ahead, rest(before));
      }
      case "boundary":
        return this.#boundary(pattern.negative, rest, before);
    }
  }

  /** Without assertions, the part is a language of its own, before the rest. */
  #plain(pattern: Pattern, rest: Rest, before: Before): Regex {
    const own = languageOf(pattern);
    const after = concat(own, rest("some"));
    if (before !== "start" || !isNullable(own)) return after;
    // What matches nothing leaves the rest at the start, where a ^ holds.
    const still = rest("start");
    return still === rest("some") ? after : either(still, after);
  }

  #sequence(items: readonly Pattern[], at: number, rest: Rest, before: Before): Regex {
    const item = items[at];
    if (item === undefined) return rest(before);
    const after = memo((next) => this.#sequence(items, at + 1, rest, next));
    return this.compile(item, after, before);
  }

  /** One of these characters as the last of `text`, then the rest. */
  #after(
    ranges: readonly (readonly [number, number])[],
    text: (last: Regex) => Regex,
    rest: Rest,
  ): Regex {
    if (!this.seesWords) return concat(text(set(ranges)), rest("some"));
    const words = set(intersectRanges(ranges, WORD));
    const others = set(intersectRanges(ranges, complementRanges(WORD)));
    return either(concat(text(words), rest("word")), concat(text(others), rest("other")));
  }

  #repeat(
    { item, min, max }: Extract<Pattern, { kind: "repeat" }>,
    rest: Rest,
    before: Before,
  ): Regex {
    if (max === 0) return rest(before);
    if (item.kind === "set") {
      const fewer = repeat(set(item.ranges), Math.max(0, min - 1), max === null ? null : max - 1);
      const some = this.#after(item.ranges, (last) => concat(fewer, last), rest);
      return min === 0 ? either(rest(before), some) : some;
    }
    if (max === null || max > MAX_COPIES) {
      throw new PatternError("it repeats a part with an assertion inside or after it");
    }
    const copies = Array.from({ length: max }, (_, index): Pattern => {
      return index < min ? item : { kind: "either", options: [item, NO_ITEMS] };
    });
    return this.#sequence(copies, 0, rest, before);
  }

  #boundary(negative: boolean, rest: Rest, before: Before): Regex {
    const word = concat(set(WORD), ANY_TEXT);
    const isAfterWord = before === "word";
    const next = isAfterWord === negative ? word : not(word);
    return both(next, rest(before));
  }
}

const NO_ITEMS: Pattern = { kind: "sequence", items: [] };

function memo(rest: Rest): Rest {
  const results = new Map<Before, Regex>();
  return (before) => {
    const found = results.get(before) ?? rest(before);
    results.set(before, found);
    return found;
  };
}

/** The language of a pattern without assertions. */
function languageOf(pattern: Pattern): Regex {
  switch (pattern.kind) {
    case "set":
      return set(pattern.ranges);
    case "sequence":
      return concat(...pattern.items.map(languageOf));
    case "either":
      return either(...pattern.options.map(languageOf));
    case "repeat":
      return repeat(languageOf(pattern.item), pattern.min, pattern.max);
    default:
      throw new PatternError("an assertion stands where it has no meaning");
  }
}

const assertions = new WeakMap<Pattern, boolean>();

function hasAssertion(pattern: Pattern): boolean {
  const found = assertions.get(pattern);
  if (found !== undefined) return found;
  const result = some(pattern, ({ kind }) => ASSERTIONS.has(kind));
  assertions.set(pattern, result);
  return result;
}

const ASSERTIONS: ReadonlySet<string> = new Set(["start", "end", "ahead", "boundary"]);

function some(pattern: Pattern, test: (one: Pattern) => boolean): boolean {
  if (test(pattern)) return true;
  switch (pattern.kind) {
    case "sequence":
      return pattern.items.some((item) => some(item, test));
    case "either":
      return pattern.options.some((option) => some(option, test));
    case "repeat":
    case "ahead":
      return some(pattern.item, test);
    default:
      return false;
  }
}
