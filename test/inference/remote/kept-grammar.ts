/**
 * How servers keep a grammar, with web-xgrammar: EBNF and structural tags as vLLM and SGLang do, and llama.cpp's grammars
 * as the EBNF that says the same.
 */
import { loadXGrammar } from "../constrain/xgrammar.ts";

/** One answer that is kept to a grammar. */
export type KeptAnswer = {
  /** Ids that may come. */
  allowed(): Promise<readonly number[]>;
  accept(id: number): void;
};

export type GrammarKeeper = {
  /**
   * @param fields  of a request
   * @returns null where it has no grammar
   * @throws what is wrong with the grammar
   */
  begin(fields: Readonly<Record<string, unknown>>): Promise<KeptAnswer | null>;
};

/**
 * @param tokens  by id in GPT-2's alphabet of bytes, special ones as text
 * @param stopIds  those that end an answer
 */
export async function grammarKeeper(
  tokens: readonly string[],
  stopIds: readonly number[],
): Promise<GrammarKeeper> {
  const { TokenizerInfo, GrammarCompiler, GrammarMatcher } = loadXGrammar();
  const info = await TokenizerInfo.createTokenizerInfo(
    [...tokens],
    "byte_level",
    false,
    tokens.length,
    [...stopIds],
  );
  const compiler = await GrammarCompiler.createGrammarCompiler(info);
  return {
    begin: async (fields) => {
      const sampling = record(fields["sampling_params"] ?? fields);
      const outputs = record(sampling["structured_outputs"] ?? {});
      const tag = outputs["structural_tag"] ?? sampling["structural_tag"];
      const gbnf = fields["grammar"];
      const ebnf =
        outputs["grammar"] ??
        sampling["ebnf"] ??
        (typeof gbnf === "string" ? ebnfOf(gbnf, tokens, fields["grammar_triggers"]) : undefined);
      if (typeof tag !== "string" && typeof ebnf !== "string") return null;
      const compiled =
        typeof tag === "string"
          ? await compiler.compileStructuralTag(tag)
          : await compiler.compileGrammar(String(ebnf));
      const matcher = await GrammarMatcher.createGrammarMatcher(compiled);
      return {
        allowed: async () => {
          const mask = new Uint32Array(await matcher.getNextTokenBitmask());
          return tokens.flatMap((_, id) => (((mask[id >>> 5] ?? 0) >>> (id & 31)) & 1 ? [id] : []));
        },
        accept: (id) => {
          if (!matcher.acceptToken(id)) throw new Error(`The grammar does not take ${id}.`);
        },
      };
    },
  };
}

/** Tokens by id become their text, and all tokens but one a tag dispatch. */
function ebnfOf(gbnf: string, tokens: readonly string[], triggers: unknown): string {
  if (triggers !== undefined) throw new Error("Lazy grammars are for the real server to keep.");
  // Below 128 the ids of the model are the characters.
  const textOf = (id: string): string =>
    JSON.stringify(Number(id) < 128 ? String.fromCharCode(Number(id)) : tokens[Number(id)]);
  return gbnf
    .replace(
      /\(!<\[(\d+)\]>\)\* \(<\[\1\]> (\w+)\)\?/g,
      (_, id: string, rule: string) =>
        `TagDispatch((${textOf(id)}, ${rule}), loop_after_dispatch=false)`,
    )
    .replace(/<\[(\d+)\]>/g, (_, id: string) => textOf(id));
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return value as Readonly<Record<string, unknown>>;
}
