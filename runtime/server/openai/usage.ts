import type { TurnUsage } from "../turn/items.ts";

/** Tokens, as chat and text completions tell them. */
export function completionUsage(usage: TurnUsage): object {
  const { inputTokens, cachedTokens, outputTokens, reasoningTokens } = usage;
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  };
}
