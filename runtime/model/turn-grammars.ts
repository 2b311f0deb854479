/**
 * The grammars of what a model may write in a turn: the names of tools in headers, the arguments of each declared
 * tool, and the answer. Each is compiled once for a vocabulary, when it is first needed.
 */
import type { MessageHeader, Tokenizer } from "../../harmony/index.ts";
import {
  type CompiledGrammar,
  type Grammar,
  GrammarBuilder,
  GrammarCompiler,
  GrammarError,
  type GrammarMatcher,
  jsonSchemaGrammar,
  type Regex,
} from "../../inference/index.ts";
import { allowedTools } from "../calls/allowed-tools.ts";
import type { DeclaredTool, DeclaredTools } from "../calls/declared-tools.ts";
import { resolveCall } from "../calls/resolve.ts";
import type { ToolChoice, TurnSettings } from "../context.ts";
import { outputGrammar } from "./output-grammar.ts";

export type TurnGrammars = {
  /** For the text of a header up to its next special token; null: it is free. */
  readonly headerText: () => GrammarMatcher | null;
  /** For the body of a message; null: it is free. */
  readonly body: (header: MessageHeader) => GrammarMatcher | null;
  /** The grammar of `body`; the same object for equal ones. */
  readonly bodyGrammar: (header: MessageHeader) => Grammar | null;
  /** Whom a header may name, in all the ways that are understood; null: any. */
  readonly recipients: readonly string[] | null;
};

export type TurnGrammarsOptions = {
  readonly tokenizer: Tokenizer;
  readonly vocabSize: number;
  readonly tools: DeclaredTools;
  readonly settings: TurnSettings;
  readonly toolChoice: ToolChoice;
};

export function turnGrammars(options: TurnGrammarsOptions): TurnGrammars {
  const { tokenizer, vocabSize, tools, settings, toolChoice } = options;
  const { output, constrainHeaders, constrainContent = false } = settings;
  const library = libraryOf(tokenizer, vocabSize);
  /** Empty with the choice `none`: then a header has no recipient. */
  const names = allowedTools(toolChoice, tools).flatMap(({ recipient, name }) => [
    recipient,
    name,
    // Models leave the namespace out, and are understood.
    recipient.replace(/^functions\./, ""),
  ]);
  const namesKey = `names ${JSON.stringify(names)}`;
  const bodyOf = ({ channel, recipient }: MessageHeader): KeptGrammar | null => {
    if (!constrainContent) return null;
    if (!recipient) {
      if (channel !== "final" || output === null) return null;
      return library.kept(`output ${JSON.stringify(output)}`, () => outputGrammar(output).grammar);
    }
    const { call } = resolveCall(recipient, tools);
    const declared = tools.get(call.recipient);
    if (declared === undefined) return null;
    const { inputFormat, inputSchema } = declared.tool;
    if (inputFormat !== undefined) {
      return library.kept(
        `format ${JSON.stringify(inputFormat)}`,
        () => outputGrammar(inputFormat).grammar,
      );
    }
    if (call.isRaw || !isStrict(declared)) return null;
    return library.kept(`arguments ${JSON.stringify(inputSchema)}`, () =>
      argumentsGrammar(inputSchema),
    );
  };
  return {
    headerText: () => {
      if (!constrainHeaders || tools.list.length === 0) return null;
      return library.kept(namesKey, () => headerTextGrammar(names)).matcher();
    },
    body: (header) => bodyOf(header)?.matcher() ?? null,
    bodyGrammar: (header) => bodyOf(header)?.grammar ?? null,
    recipients: tools.list.length === 0 ? null : [...new Set(names)],
  };
}

/** Text without `=`, or with one recipient in it: what else a header may say is for its own grammar. */
function headerTextGrammar(names: readonly string[]): Grammar {
  const builder = new GrammarBuilder();
  const other: Regex = {
    type: "set",
    ranges: [
      [0, 0x3c],
      [0x3e, 0x10ffff],
    ],
  };
  const plain = builder.repeat([builder.terminal(other)], 0, null);
  if (names.length === 0) return builder.build(plain);
  const name = builder.rule([...new Set(names)].map((text) => [builder.text(text)]));
  const behind = builder.rule([[], [builder.text(" "), plain]]);
  return builder.build(builder.rule([[plain], [plain, builder.text("="), name, behind]]));
}

/** A tool says that it is not strict; one whose arguments are no JSON cannot be. */
function isStrict({ tool }: DeclaredTool): boolean {
  return tool.strict !== false && tool.inputSchema !== null;
}

/** null where no grammar carries the schema: the arguments are validated in any case. */
function argumentsGrammar(schema: unknown): Grammar | null {
  try {
    return jsonSchemaGrammar(withoutUndeclared(schema)).grammar;
  } catch (error) {
    if (GrammarError.isInstance(error)) return null;
    throw error;
  }
}

/** Keywords beside which other properties may be meant. */
const OPENS: readonly string[] = [
  ...["additionalProperties", "patternProperties", "unevaluatedProperties", "propertyNames"],
  ...["allOf", "anyOf", "oneOf", "not", "if", "$ref", "$dynamicRef", "dependentSchemas"],
];

/**
 * The schema with objects that take no properties but the declared ones. Authors leave `additionalProperties` out
 * without meaning that any are welcome, and a model that may write any goes on writing them.
 */
function withoutUndeclared(schema: unknown): unknown {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return schema;
  const { properties, items } = schema as { properties?: unknown; items?: unknown };
  const isObject = typeof properties === "object" && properties !== null;
  const isOpen = OPENS.some((keyword) => keyword in schema);
  return {
    ...schema,
    ...(isObject && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, held]) => [name, withoutUndeclared(held)]),
      ),
    }),
    ...(items !== undefined && { items: withoutUndeclared(items) }),
    ...(isObject && !isOpen && { additionalProperties: false }),
  };
}

/** Compiled grammars of one vocabulary that are kept; each holds the states that texts have needed. */
const MAX_KEPT = 64;

type KeptGrammar = {
  /** null: the text is free. */
  readonly grammar: Grammar | null;
  readonly matcher: () => GrammarMatcher | null;
};

class GrammarLibrary {
  readonly #compiler: GrammarCompiler;
  /** By the JSON of what they stand for, the one that was used last at the end. */
  readonly #kept = new Map<string, KeptGrammar>();

  constructor(tokenizer: Tokenizer, vocabSize: number) {
    const { bytes, offsets } = tokenizer.ordinaryTokens;
    this.#compiler = new GrammarCompiler({
      size: vocabSize,
      bytes,
      offsets,
      encode: (text) => tokenizer.encode(text),
    });
  }

  kept(key: string, make: () => Grammar | null): KeptGrammar {
    const kept = this.#kept.get(key) ?? this.#compiledLater(make());
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return kept;
  }

  #compiledLater(grammar: Grammar | null): KeptGrammar {
    let compiled: CompiledGrammar | undefined;
    return {
      grammar,
      matcher: () => {
        if (grammar === null) return null;
        compiled ??= this.#compiler.compile(grammar);
        return compiled.matcher();
      },
    };
  }
}

const libraries = new WeakMap<Tokenizer, Map<number, GrammarLibrary>>();

function libraryOf(tokenizer: Tokenizer, vocabSize: number): GrammarLibrary {
  const bySize = libraries.get(tokenizer) ?? new Map<number, GrammarLibrary>();
  libraries.set(tokenizer, bySize);
  const library = bySize.get(vocabSize) ?? new GrammarLibrary(tokenizer, vocabSize);
  bySize.set(vocabSize, library);
  return library;
}
