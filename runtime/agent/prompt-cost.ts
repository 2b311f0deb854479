/** What the beginning of every prompt costs in tokens, part by part. */
import { MODEL_HEADER_STYLE, renderConversation, type Tokenizer } from "../../harmony/index.ts";
import { namespaceOf, type Tool } from "../../tools/index.ts";
import { DeclaredTools } from "../calls/declared-tools.ts";
import type { OutputFormat, TurnSettings } from "../context.ts";
import { openingMessages } from "../model/opening.ts";
import type { TurnOptions } from "../options.ts";
import { defaultToolTokenBudget, signatureTokens, withDeferredTools } from "./defer-tools.ts";
import { resolveSettings } from "./settings.ts";

export type PromptPart = {
  /**
   * `system`: the system message without tools. `builtin`: a namespace that the model was trained with. `tool`: the
   * signature of a function. `frame`: what stands around the signatures.
   */
  readonly kind: "system" | "builtin" | "instructions" | "output" | "tool" | "frame";
  /** The tool's own name; of a part that is no tool, its kind. */
  readonly name: string;
  readonly tokens: number;
  /** It is not in the prompt until the model finds it. */
  readonly isDeferred: boolean;
};

export type PromptCost = {
  readonly parts: readonly PromptPart[];
  /** Tokens of the prompt before the first message of the conversation. */
  readonly total: number;
  /** Tokens that signatures of functions may take before some are deferred. */
  readonly toolTokenBudget: number;
};

/**
 * @param contextLength  tokens of the model's context, which the default of `toolTokenBudget` depends on
 * @throws UsageError, DuplicateToolError for options and tools that cannot be run
 */
export function promptCost(
  tokenizer: Tokenizer,
  contextLength: number,
  {
    tools,
    output = null,
    ...options
  }: TurnOptions & {
    readonly tools: readonly Tool[];
    readonly output?: OutputFormat | null;
  },
): PromptCost {
  const counter = { countTokens: (text: string) => tokenizer.countTokens(text) };
  const { toolTokenBudget = defaultToolTokenBudget(contextLength), toolChoice = "auto" } = options;
  const chosen = withDeferredTools(tools, counter, toolTokenBudget, toolChoice);
  const { deferredTools } = chosen;
  const settings = { ...resolveSettings(options, chosen.tools, output, {}), deferredTools };
  const tokensOf = (changes: Partial<TurnSettings>, declared: DeclaredTools): number => {
    const messages = openingMessages({ ...settings, ...changes }, declared);
    return renderConversation(tokenizer, messages, { headerStyle: MODEL_HEADER_STYLE }).length;
  };
  const none = new DeclaredTools([]);
  const bare = { instructions: null, output: null };
  const system = tokensOf(bare, none);
  // Each with those before it: they share a heading.
  const trained = builtin(chosen.tools).map(
    ([name, declared]) => [name, declared, tokensOf(bare, declared)] as const,
  );
  const part = (kind: PromptPart["kind"], tokens: number, name: string = kind): PromptPart[] =>
    tokens === 0 ? [] : [{ kind, name, tokens, isDeferred: false }];
  const parts = [
    ...part("system", system),
    ...trained.flatMap(([name, , tokens], at) =>
      part("builtin", tokens - (trained[at - 1]?.[2] ?? system), name),
    ),
    ...part("instructions", tokensOf({ output: null }, none) - system),
    ...part("output", tokensOf({ instructions: null }, none) - system),
    ...chosen.tools.list
      .filter(({ recipient }) => !BUILTIN.includes(namespaceOf(recipient)))
      .map((one) => ({
        kind: "tool" as const,
        name: one.name,
        tokens: signatureTokens(counter, one),
        isDeferred: deferredTools.includes(one.recipient),
      })),
  ];
  const total = tokensOf({}, chosen.tools);
  const told = parts.reduce((sum, { tokens, isDeferred }) => sum + (isDeferred ? 0 : tokens), 0);
  return { parts: [...parts, ...part("frame", total - told)], total, toolTokenBudget };
}

const BUILTIN: readonly string[] = ["python", "browser"];

/** The namespaces that the model was trained with, each with the tools of it and of those before it. */
function builtin(tools: DeclaredTools): readonly (readonly [string, DeclaredTools])[] {
  const sofar: Tool[] = [];
  return BUILTIN.flatMap((name) => {
    const own = tools.inNamespace(name).map(({ tool }) => tool);
    sofar.push(...own);
    return own.length === 0 ? [] : [[name, new DeclaredTools(sofar)] as const];
  });
}
