/** Answers that are texts of a certain form: one of several, of a regular expression, of a grammar. */
import {
  type CompiledGrammar,
  type Grammar,
  GrammarCompiler,
  GrammarError,
} from "../../inference/index.ts";
import type { TextFormat } from "../context.ts";
import { UsageError } from "../errors.ts";
import { outputGrammar } from "../model/output-grammar.ts";
import { invalid } from "../options.ts";
import type { OutputValidator, ValidatedAnswer } from "./output-validator.ts";

export type TextOutput =
  /** Exactly one of these texts. */
  | { readonly choices: readonly string[] }
  /** ECMAScript with the flag `u`, about the whole text; look-behind and references back cannot be carried. */
  | { readonly regex: string }
  | { readonly grammar: { readonly syntax: "ebnf" | "lark"; readonly text: string } };

export function isTextOutput(output: object): output is TextOutput {
  return "choices" in output || "regex" in output || "grammar" in output;
}

/** @throws UsageError for what is no such form */
export function textOutputValidator(output: TextOutput): OutputValidator {
  const format = formatOf(output);
  const compiled = BYTES.compile(grammarOf(format));
  return { format, validate: async (text) => validate(compiled, format, text) };
}

function formatOf(output: TextOutput): TextFormat {
  if ("choices" in output) {
    const { choices } = output;
    const isList = Array.isArray(choices) && choices.every((choice) => typeof choice === "string");
    if (!isList || choices.length === 0 || choices.includes("")) {
      throw invalid("output.choices", choices, "a list of texts that are not empty");
    }
    return { type: "choice", choices };
  }
  if ("regex" in output) {
    if (typeof output.regex !== "string") throw invalid("output.regex", output.regex, "a text");
    return { type: "regex", pattern: output.regex };
  }
  const { syntax, text } = output.grammar ?? {};
  if ((syntax !== "ebnf" && syntax !== "lark") || typeof text !== "string") {
    throw invalid("output.grammar", output.grammar, '{ syntax: "ebnf" or "lark", text }');
  }
  return { type: "grammar", syntax, text };
}

function grammarOf(format: TextFormat): Grammar {
  try {
    // Of these formats there is always one.
    return outputGrammar(format).grammar as Grammar;
  } catch (cause) {
    if (!GrammarError.isInstance(cause)) throw cause;
    throw new UsageError(`The option output cannot be used. ${cause.message}`, {
      option: "output",
      cause,
    });
  }
}

/** A vocabulary with a token for each byte. */
const BYTES = new GrammarCompiler({
  size: 256,
  bytes: Uint8Array.from({ length: 256 }, (_, byte) => byte),
  offsets: Uint32Array.from({ length: 257 }, (_, id) => id),
});

function validate(compiled: CompiledGrammar, format: TextFormat, text: string): ValidatedAnswer {
  let accepted = 0;
  for (const candidate of [text, text.trim()]) {
    const end = acceptedBytes(compiled, candidate);
    if (end === null) return { answer: { text: candidate } };
    accepted = end;
  }
  const fits = Buffer.from(text.trim()).subarray(0, accepted).toString();
  const rest = text.trim().slice(fits.length);
  const where = rest === "" ? "it ends too early" : `it goes wrong at ${JSON.stringify(cut(rest))}`;
  const problem =
    format.type === "choice"
      ? `the text is none of ${format.choices.map((choice) => JSON.stringify(choice)).join(", ")}`
      : `the text is not of the ${format.type === "regex" ? "regular expression" : "grammar"}: ${where}`;
  return {
    problems: [problem],
    feedback: `The final message is not valid.\n- ${problem}\nWrite the final message again, whole, and nothing else.`,
  };
}

/** null: the text belongs to the grammar; else how many bytes of it a text of the grammar begins with. */
function acceptedBytes(compiled: CompiledGrammar, text: string): number | null {
  const matcher = compiled.matcher();
  let count = 0;
  for (const byte of Buffer.from(text)) {
    if (!matcher.allows(byte)) return count;
    matcher.accept(byte);
    count++;
  }
  return matcher.isAccepting ? null : count;
}

const MAX_SHOWN = 40;

function cut(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}
