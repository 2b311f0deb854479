/** Which tools are declared at once, and which are found by a search. */
import { DuplicateToolError, namespaceOf, type Tool } from "../../tools/index.ts";
import { allowedTools } from "../calls/allowed-tools.ts";
import { type DeclaredTool, DeclaredTools } from "../calls/declared-tools.ts";
import { signatureText } from "../calls/signature.ts";
import { TOOL_SEARCH, ToolSearch } from "../calls/tool-search.ts";
import type { ToolChoice } from "../context.ts";
import type { LanguageModel } from "../model/language-model.ts";

const DEFAULT_BUDGET = 6_000;
const MIN_DEFAULT_BUDGET = 1_500;
const CONTEXT_SHARE = 0.25;
/** The other part of the budget is left for what is found. */
const DECLARED_SHARE = 0.5;

/** What knows a vocabulary. */
export type TokenCounter = Pick<LanguageModel, "countTokens">;

/** Tokens of signatures, which do not change. */
const counted = new WeakMap<TokenCounter, WeakMap<Tool, number>>();

export function defaultToolTokenBudget(contextLength: number): number {
  const share = Math.floor(contextLength * CONTEXT_SHARE);
  return Math.min(DEFAULT_BUDGET, Math.max(MIN_DEFAULT_BUDGET, share));
}

/** Tokens of a tool's signature in a model's vocabulary. */
export function signatureTokens(model: TokenCounter, declared: DeclaredTool): number {
  const known = counted.get(model) ?? new WeakMap<Tool, number>();
  counted.set(model, known);
  const tokens = known.get(declared.tool) ?? model.countTokens(signatureText(declared));
  known.set(declared.tool, tokens);
  return tokens;
}

/**
 * @param budget tokens for the signatures of function tools
 * @returns the tools, with a search among them where some are not declared at once
 * @throws DuplicateToolError where one has the name of the search
 */
export function withDeferredTools(
  tools: readonly Tool[],
  model: TokenCounter,
  budget: number,
  toolChoice: ToolChoice,
): { readonly tools: DeclaredTools; readonly deferredTools: readonly string[] } {
  const all = new DeclaredTools(tools);
  const functions = all.list.filter(({ recipient }) => !isTrained(recipient));
  const total = functions.reduce((sum, one) => sum + signatureTokens(model, one), 0);
  if (total <= budget) return { tools: all, deferredTools: [] };
  const named = typeof toolChoice === "object" ? allowedTools(toolChoice, all) : [];
  let used = 0;
  let isFull = false;
  const deferred = functions.filter((one) => {
    if (named.includes(one)) return false;
    const tokens = signatureTokens(model, one);
    isFull ||= used + tokens > budget * DECLARED_SHARE;
    if (!isFull) used += tokens;
    return isFull;
  });
  if (all.get(TOOL_SEARCH) !== undefined) throw new DuplicateToolError(TOOL_SEARCH);
  const search = new ToolSearch(deferred);
  return {
    tools: new DeclaredTools([...tools, search.tool], search),
    deferredTools: deferred.map(({ recipient }) => recipient),
  };
}

/** The model knows these namespaces; they are short. */
function isTrained(recipient: string): boolean {
  return ["python", "browser"].includes(namespaceOf(recipient));
}
