/** The citations in an answer, readable: addresses and lines in the place of cursors. */
import { BrowserSession, normaliseCitations } from "../../tools/index.ts";
import { type Thread, toolStatesOf } from "../index.ts";

/** @param thread whose calls showed the pages that are cited */
export function citedText(thread: Thread, text: string): string {
  // An answer without a citation, which most are, needs no pages.
  if (!text.includes("【")) return text;
  const session = BrowserSession.of(toolStatesOf(thread.state, "browser"));
  return normaliseCitations(text, (cursor) => session.page(cursor)).text;
}
