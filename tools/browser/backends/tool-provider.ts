/** A tool, such as one of a plugin, as a search provider. */

import { nameOf } from "../../core/registry.ts";
import { messageOf } from "../../core/text.ts";
import type { Tool } from "../../core/tool.ts";
import { toToolOutput } from "../../core/tool-output.ts";
import type { SearchHit } from "../backend.ts";
import { isWeb } from "../text/address.ts";
import { SearchProviderError } from "./errors.ts";
import { at, isObject, objects, text } from "./json.ts";
import { cutSummary, type SearchProvider } from "./provider.ts";

const TIMEOUT_MS = 20_000;

/**
 * The tool gets `{ query, topn }` and returns a list of `{ url, title, summary }`, or an object with such a list
 * as `results`. Its name is that of the provider.
 */
export function toolProvider(tool: Tool): SearchProvider {
  const name = nameOf(tool.recipient);
  const fail = (problem: string, cause?: unknown): SearchProviderError =>
    new SearchProviderError("CHORALE_SEARCH_FAILED", name, problem, { cause });

  return {
    name,
    async search(query, topn, signal) {
      const late = AbortSignal.timeout(TIMEOUT_MS);
      let output: ReturnType<typeof toToolOutput>;
      try {
        output = toToolOutput(
          await tool.execute?.(
            { query, topn },
            {
              signal: AbortSignal.any([signal, late]),
              callId: "search",
              idempotencyKey: "search",
              context: undefined,
              countTokens: (text) => Math.ceil(text.length / 4),
              resultTokenLimit: Number.MAX_SAFE_INTEGER,
            },
          ),
        );
      } catch (error) {
        if (signal.aborted) throw error;
        throw fail(`does not search: ${messageOf(error)}`, error);
      }
      if (output.isError) throw fail(`does not search: ${output.text.slice(0, 200)}`);
      const results = resultsOf(output);
      if (results === null) {
        throw fail(
          "returned no results; accepted: a list of { url, title, summary }, which may be empty.",
        );
      }
      return results
        .map(
          (result): SearchHit => ({
            url: text(result["url"]),
            title: text(result["title"]),
            summary: cutSummary(text(result["summary"]) || text(result["snippet"])),
          }),
        )
        .filter(({ url }) => isWeb(url) && URL.canParse(url))
        .slice(0, topn);
    },
    close: async () => {},
  };
}

function resultsOf(output: ReturnType<typeof toToolOutput>): ReturnType<typeof objects> | null {
  const found = output.structuredContent ?? output.data ?? parsed(output.text);
  const list = isObject(found) ? at(found, "results") : found;
  return Array.isArray(list) ? objects(list) : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
