/** Writes a constraint in the notation of a server that keeps grammars itself. */
import type { TokenGrammar } from "../../token-grammar.ts";
import { gbnf } from "./gbnf.ts";
import type { GrammarNotation, ServerGrammar } from "./notation.ts";
import { NotCarried } from "./text-rules.ts";
import { xgrammar } from "./xgrammar.ts";

export type WrittenGrammar =
  | {
      readonly grammar: ServerGrammar /** What the masks alone keep. */;
      readonly leftOut: readonly string[];
    }
  | { readonly grammar: null /** Without a dot. */; readonly reason: string };

/** A longer one costs a server more than it saves. */
const MOST_CHARACTERS = 256 << 10;

const known = new WeakMap<TokenGrammar, Map<GrammarNotation, WrittenGrammar>>();

/** Written once for each grammar and notation. */
export function writeGrammar(grammar: TokenGrammar, notation: GrammarNotation): WrittenGrammar {
  const written = known.get(grammar) ?? new Map<GrammarNotation, WrittenGrammar>();
  known.set(grammar, written);
  const found = written.get(notation) ?? write(grammar, notation);
  written.set(notation, found);
  return found;
}

function write(tokens: TokenGrammar, notation: GrammarNotation): WrittenGrammar {
  const leftOut = new Set<string>();
  try {
    const grammar = notation === "gbnf" ? gbnf(tokens, leftOut) : xgrammar(tokens, leftOut);
    if (grammar.text.length > MOST_CHARACTERS) {
      return { grammar: null, reason: `it would have more than ${MOST_CHARACTERS} characters` };
    }
    return { grammar, leftOut: [...leftOut] };
  } catch (error) {
    if (error instanceof NotCarried) return { grammar: null, reason: error.message };
    throw error;
  }
}
