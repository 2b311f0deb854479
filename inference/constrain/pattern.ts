/** Regular expressions and lists of texts as grammars. */
import { GrammarError } from "../errors.ts";
import { type Grammar, GrammarBuilder, type Regex } from "./grammar.ts";
import { patternLanguage } from "./json-schema/pattern.ts";
import { PatternError } from "./json-schema/pattern-syntax.ts";

/**
 * The texts that a regular expression of ECMAScript matches as a whole.
 * @param flags `i`: letters of ASCII in either case; `s`: the dot is every character
 * @throws what `error` makes of the reason why it cannot be carried
 */
export function regexOfPattern(
  source: string,
  flags: string,
  error: (problem: string) => Error,
): Regex {
  const dots = flags.includes("s")
    ? source.replace(/\\.|\[(?:\\.|[^\]\\])*\]|\./gs, (part) => (part === "." ? "[^]" : part))
    : source;
  try {
    return patternLanguage(`^(?:${dots})$`, flags.includes("i"));
  } catch (cause) {
    if (cause instanceof PatternError) throw error(cause.message);
    throw cause;
  }
}

/**
 * A grammar of all texts that a regular expression matches from their first to their last character. The
 * syntax is that of ECMAScript with the flag `u`; look-behind and references back cannot be carried.
 * @throws GrammarError when it is no regular expression, or cannot be carried
 */
export function regexGrammar(
  pattern: string,
  { ignoreCase = false }: { ignoreCase?: boolean } = {},
): Grammar {
  const regex = regexOfPattern(
    pattern,
    ignoreCase ? "i" : "",
    (problem) =>
      new GrammarError(`Cannot use the regular expression ${JSON.stringify(pattern)}: ${problem}.`),
  );
  const builder = new GrammarBuilder();
  return builder.build(builder.rule([[builder.terminal(regex)]]));
}

/**
 * A grammar of exactly these texts.
 * @throws GrammarError when there are none
 */
export function choiceGrammar(choices: readonly string[]): Grammar {
  if (choices.length === 0) {
    throw new GrammarError("Cannot choose from no texts. Accepted: at least one.");
  }
  const encoder = new TextEncoder();
  const options = [...new Set(choices)].map(
    (choice): Regex => ({ type: "bytes", bytes: encoder.encode(choice) }),
  );
  const builder = new GrammarBuilder();
  return builder.build(builder.rule([[builder.terminal({ type: "alternatives", options })]]));
}
