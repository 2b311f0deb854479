/** What a call of the browser is in the words of `web_search_call`. */
import type { OutputItem } from "../turn/items.ts";
import type { WebSearchAction } from "./wire.ts";

/** @param item the call, with its result where that is known */
export function webSearchAction({
  tool,
  arguments: text,
  result,
}: Extract<OutputItem, { type: "tool" }>): WebSearchAction {
  const given = objectOf(text);
  switch (tool) {
    case "browser.open":
      return { type: "open_page", url: urlIn(result?.data) ?? asUrl(given["id"]) };
    case "browser.find": {
      const url = urlIn(result?.data);
      return { type: "find_in_page", url, pattern: String(given["pattern"] ?? "") };
    }
    default:
      return { type: "search", query: String(given["query"] ?? "") };
  }
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function urlIn(data: unknown): string | null {
  return typeof data === "object" && data !== null && "url" in data ? asUrl(data.url) : null;
}

/** A page that is opened by the number of a link has its address only in the result. */
function asUrl(value: unknown): string | null {
  return typeof value === "string" && /^[a-z][a-z0-9+.-]*:/i.test(value) ? value : null;
}
