/** What a client says about which of its requests belong together. */
import type { ServerEnv } from "./connection.ts";
import type { Context } from "./hono.ts";

/** Codex, opencode and Claude Code name their session so. */
const HEADERS: readonly string[] = ["session-id", "x-session-affinity", "x-claude-code-session-id"];
const MAX_LENGTH = 512;

/** @param given `prompt_cache_key` of the body */
export function cacheKeyOf(c: Context<ServerEnv>, given: string | null | undefined): string | null {
  const named = [given, ...HEADERS.map((name) => c.req.header(name))];
  return named.find((key) => key)?.slice(0, MAX_LENGTH) ?? null;
}
