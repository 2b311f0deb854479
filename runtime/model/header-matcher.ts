import type { Tokenizer } from "../../harmony/index.ts";
import type { TokenEngine, TokenMatcher } from "../../inference/index.ts";
import type { DeclaredTools } from "../calls/declared-tools.ts";

export function headerMatcher(
  _engine: TokenEngine,
  _tokenizer: Tokenizer,
  _tools: DeclaredTools,
  _isWanted: boolean,
): TokenMatcher | undefined {
  return undefined;
}
