/**
 * What a conversation was shown of pages, by cursor. A citation is held against these alone, so it is resolved from
 * the log, without the browser's backend.
 */
import type { BrowserSession } from "../../tools/index.ts";

/** `search`: a list of hits. `find`: passages of a document around a phrase. */
export type CitedKind = "document" | "search" | "find";

export type CitedPage = {
  /** Address of the page, the path of a local document; empty for a list of hits. */
  readonly url: string;
  readonly title: string;
  readonly kind: CitedKind;
  /** Number of the last line; lines are numbered from 0. */
  readonly lastLine: number;
  /** Of the page as it was read. */
  readonly sha256: string;
};

/** The pages that an answer may cite. */
export type CitedSources = {
  /** Cursors that have a page, in order. */
  readonly cursors: readonly number[];
  page(cursor: number): CitedPage | undefined;
  /** A line as it was shown; undefined where the model never saw it, under any cursor of the same page. */
  line(cursor: number, number: number): string | undefined;
  /** Numbers of the lines of the page that were shown, in order. */
  shownLines(cursor: number): readonly number[];
};

/** @param session which may know more calls later; it is asked each time */
export function citedSources(
  session: Pick<BrowserSession, "length" | "page" | "shownLines">,
): CitedSources {
  return {
    get cursors() {
      const all = Array.from({ length: session.length }, (_, at) => at);
      return all.filter((cursor) => session.page(cursor) !== undefined);
    },
    page: (cursor) => {
      const page = session.page(cursor);
      if (page === undefined) return undefined;
      const { url, title, kind, sha256, lines } = page;
      return { url, title, kind, sha256, lastLine: lines.length - 1 };
    },
    line: (cursor, number) =>
      session.shownLines(cursor).some(({ first, last }) => number >= first && number <= last)
        ? session.page(cursor)?.lines[number]?.text
        : undefined,
    shownLines: (cursor) =>
      session
        .shownLines(cursor)
        .flatMap(({ first, last }) =>
          Array.from({ length: last - first + 1 }, (_, at) => first + at),
        ),
  };
}
