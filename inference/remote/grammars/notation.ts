/** A constraint as a server that keeps grammars itself wants it. */

/** `gbnf`: llama-server; `xgrammar`: vLLM, SGLang. */
export type GrammarNotation = "gbnf" | "xgrammar";

export type ServerGrammar =
  | {
      readonly type: "gbnf";
      readonly text: string;
      /** Regular expressions of texts that begin with what the grammar says; null: all is said by it. */
      readonly triggers: readonly string[] | null;
    }
  | { readonly type: "ebnf"; readonly text: string }
  /** JSON. */
  | { readonly type: "structural_tag"; readonly text: string };
