/** What an answer must be, as a grammar of the texts that it may be. */
import {
  choiceGrammar,
  ebnfGrammar,
  type Grammar,
  GrammarError,
  jsonSchemaGrammar,
  type KeywordNote,
  larkGrammar,
  regexGrammar,
  xsdGrammar,
} from "../../inference/index.ts";
import type { OutputFormat } from "../context.ts";

export type OutputGrammar = {
  /** null: no grammar carries the format, so that it is checked afterwards alone. */
  readonly grammar: Grammar | null;
  /** What the format demands and the grammar does not, one sentence each. */
  readonly checkedAfterwards: readonly string[];
  /** What the format allows and the grammar never writes. */
  readonly restrictions: readonly string[];
};

/** @throws GrammarError for a regular expression or a grammar that cannot be read; a schema says so in the value */
export function outputGrammar(format: OutputFormat): OutputGrammar {
  switch (format.type) {
    case "json": {
      const { grammar, checkedAfterwards, restrictions } = jsonSchemaGrammar(format.schema, {
        uncarried: "validate",
      });
      return {
        grammar,
        checkedAfterwards: checkedAfterwards.map(noteText),
        restrictions: restrictions.map(noteText),
      };
    }
    case "xml":
      return xmlGrammar(format);
    case "choice":
      return carried(choiceGrammar(format.choices));
    case "regex":
      return carried(regexGrammar(format.pattern));
    case "grammar":
      return carried(
        format.syntax === "lark" ? larkGrammar(format.text) : ebnfGrammar(format.text),
      );
  }
}

function xmlGrammar({
  xsd,
  name,
  files,
  root,
}: Extract<OutputFormat, { type: "xml" }>): OutputGrammar {
  try {
    return xsdGrammar({ xsd, name, files }, { root });
  } catch (error) {
    if (!GrammarError.isInstance(error)) throw error;
    return { grammar: null, checkedAfterwards: [error.message], restrictions: [] };
  }
}

function carried(grammar: Grammar): OutputGrammar {
  return { grammar, checkedAfterwards: [], restrictions: [] };
}

function noteText({ pointer, keyword, reason }: KeywordNote): string {
  return `${keyword} at ${pointer === "" ? "the root" : pointer}: ${reason}`;
}
