/**
 * Grammars as plain data. A `Grammar` is one of texts: its terminals are regular expressions over bytes, and it knows
 * no tokens. A `TokenGrammar` puts such texts between special tokens, so that a server that keeps grammars itself can
 * be told what a matcher allows.
 */

/** A regular expression over bytes. Plain data, so that a grammar can be stored and sent. */
export type Regex =
  /** These bytes, in this order; none: the empty text. */
  | { readonly type: "bytes"; readonly bytes: Uint8Array }
  /** One Unicode scalar value out of these ranges (both ends included), as UTF-8. No ranges: nothing. */
  | { readonly type: "set"; readonly ranges: readonly (readonly [from: number, to: number])[] }
  | { readonly type: "concat"; readonly parts: readonly Regex[] }
  | { readonly type: "alternatives"; readonly options: readonly Regex[] }
  /** `min` to `max` times; null: any number of times from `min` on. */
  | {
      readonly type: "repeat";
      readonly item: Regex;
      readonly min: number;
      readonly max: number | null;
    }
  /** What all parts match. */
  | { readonly type: "and"; readonly parts: readonly Regex[] }
  /** Every well-formed UTF-8 text that the item does not match. */
  | { readonly type: "not"; readonly item: Regex };

/** A terminal, by its place in `Grammar.terminals`, or a rule, by its place in `Grammar.rules`. */
export type GrammarSymbol = { readonly terminal: number } | { readonly rule: number };

export type Grammar = {
  readonly terminals: readonly Regex[];
  /** Rule → its alternatives → symbols in order; an empty alternative is the empty text. */
  readonly rules: readonly (readonly (readonly GrammarSymbol[])[])[];
  /** The rule that derives whole texts. */
  readonly root: number;
  /**
   * Texts are JSON whose objects have each key once, which rules cannot say where names are free: matchers see to
   * it. `bounded`: so many names at most that there may be none left.
   */
  readonly distinctKeys?: "unbounded" | "bounded" | undefined;
};

/** A token that no text has, such as the end of a message. */
export type SpecialToken = {
  readonly id: number;
  /** As vocabularies write it. */
  readonly text: string;
};

export type TokenSymbol =
  | { readonly token: SpecialToken }
  /** Exactly this, in ordinary tokens. */
  | { readonly literal: string }
  /** A text of the grammar, in ordinary tokens. */
  | { readonly text: Grammar }
  /** By its place in `TokenGrammar.rules`. */
  | { readonly rule: number };

export type TokenRule =
  | {
      readonly type: "alternatives";
      /** Each is its symbols in order; an empty one is nothing at all. */
      readonly options: readonly (readonly TokenSymbol[])[];
    }
  /**
   * Any tokens, up to the first of these beginnings, behind which its rule follows. All may be over before one has
   * come. Stands at the end of an alternative.
   */
  | {
      readonly type: "free";
      readonly until: readonly {
        readonly begin: readonly (SpecialToken | string)[];
        readonly rule: number;
      }[];
      /** Behind the rule it is free again. */
      readonly loops: boolean;
    };

/**
 * What may be written, as rules over special tokens and texts. Where a text of it may be over, ids that stop a
 * generation may come.
 */
export type TokenGrammar = {
  readonly rules: readonly TokenRule[];
  /** The rule of everything. */
  readonly root: number;
};
