/** `chorale sessions show ID --source N`: a page that a conversation was shown, as it was read. */
import { BrowserSession, type LineRange, type ShownPage } from "../../tools/index.ts";
import { UsageError } from "../errors.ts";
import {
  annotationsOf,
  conversationOf,
  type LogEntry,
  type ThreadState,
  toolStatesOf,
} from "../index.ts";
import type { Output } from "./output.ts";
import { visibleText } from "./terminal-text.ts";

/**
 * Prints the page of a cursor with its line numbers. A line that an answer cites has a `>` in front; one that the
 * model never saw is dimmed.
 * @throws UsageError where there is no such page
 */
export function showSource(
  cursor: number,
  { state, entries }: { readonly state: ThreadState; readonly entries: readonly LogEntry[] },
  { output, json }: { readonly output: Output; readonly json: boolean },
): void {
  const session = BrowserSession.of(toolStatesOf(state, "browser"));
  const page = session.page(cursor);
  if (page === undefined) throw noSource(cursor, session, state);
  const shown = session.shownLines(cursor);
  const cited = citedLines(cursor, state, entries);
  const { url, title, kind, sha256 } = page;
  const lines = page.lines.map(({ text }) => text);
  if (json) {
    const about = { thread_id: state.threadId, cursor, kind, url, title, sha256 };
    output.jsonLine({ ...about, shown, cited: [...cited], lines });
    return;
  }
  output.line(
    output.paint(visibleText(`[${cursor}] ${title}${url === "" ? "" : ` (${url})`}`), "1"),
  );
  const parts = shown.map(({ first, last }) => `${first}–${last}`).join(", ");
  output.line(
    output.paint(`sha256 ${sha256}; the model saw lines ${parts} of ${lines.length - 1}`, "2"),
  );
  output.line("");
  for (const [number, line] of lines.entries()) {
    const text = visibleText(`${cited.has(number) ? ">" : " "} L${number}: ${line}`);
    output.line(isIn(shown, number) ? text : output.paint(text, "2"));
  }
}

function noSource(cursor: number, session: BrowserSession, { threadId }: ThreadState): UsageError {
  const pages = Array.from({ length: session.length }, (_, at) => [at, session.page(at)] as const)
    .filter((entry): entry is readonly [number, ShownPage] => entry[1] !== undefined)
    .map(([at, { title, kind }]) => `${at} (${kind === "search" ? `search for ${title}` : title})`);
  const most = 20;
  const named = pages.slice(0, most).join(", ");
  const rest = pages.length > most ? ` and ${pages.length - most} more` : "";
  return new UsageError(
    `--source is ${cursor}, and thread ${threadId} was ` +
      `${pages.length === 0 ? "shown no page" : `shown the pages ${named}${rest}`}.`,
  );
}

/** The lines of the page that answers cite, also under another cursor of the same page. */
function citedLines(
  cursor: number,
  state: ThreadState,
  entries: readonly LogEntry[],
): ReadonlySet<number> {
  const sha256 = BrowserSession.of(toolStatesOf(state, "browser")).page(cursor)?.sha256;
  const lines = new Set<number>();
  for (const { messages } of conversationOf(entries)) {
    for (const { message } of messages) {
      if (message.role !== "assistant" || message.channel !== "final") continue;
      const text = message.content.map((part) => (part.type === "text" ? part.text : "")).join("");
      for (const annotation of annotationsOf(text, state)) {
        if (annotation.type !== "url_citation" || annotation.sha256 !== sha256) continue;
        for (const { first, last } of annotation.lines) {
          for (let at = first; at <= last; at++) lines.add(at);
        }
      }
    }
  }
  return lines;
}

function isIn(ranges: readonly LineRange[], number: number): boolean {
  return ranges.some(({ first, last }) => number >= first && number <= last);
}
