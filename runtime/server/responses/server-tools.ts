/** Tools of this server that a request of the Responses API may ask for. */
import type { Tool } from "../../../tools/index.ts";
import type { WebSearchRequest } from "./request-tools.ts";

/** The tools of one response. */
export type ServerToolSession = {
  readonly tools: readonly Tool[];
  close(): Promise<void>;
};

export type ServerTools = {
  /** null: nothing can be searched here, or not without the live web where that was not asked for. */
  readonly openWebSearch?: (request: WebSearchRequest) => Promise<ServerToolSession | null>;
  /** An interpreter that nothing else uses. */
  readonly openCodeInterpreter?: () => Promise<ServerToolSession | null>;
};

/**
 * Opens what a request asks for, as far as this server has it. What it has not is left out without a word: Codex
 * declares a search with every request.
 */
export async function openServerTools(
  { openWebSearch, openCodeInterpreter }: ServerTools,
  asked: { readonly webSearch: WebSearchRequest | null; readonly hasCodeInterpreter: boolean },
): Promise<ServerToolSession> {
  const sessions: ServerToolSession[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(sessions.map((session) => session.close()));
  };
  try {
    const search = asked.webSearch === null ? null : await openWebSearch?.(asked.webSearch);
    if (search) sessions.push(search);
    const code = asked.hasCodeInterpreter ? await openCodeInterpreter?.() : null;
    if (code) sessions.push(code);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    tools: sessions.flatMap(({ tools }) => tools),
    close,
  };
}
