/** Pages that were shown, made up for tests. */
import type { CitedSources } from "../../../runtime/citations/sources.ts";

export type MadePage = {
  readonly url: string;
  readonly title?: string;
  readonly kind?: "document" | "search" | "find";
  readonly lines: readonly string[];
  /** Numbers of the lines that were shown; default all. */
  readonly shown?: readonly number[];
};

/** Pages by cursor. */
export function madeSources(pages: readonly MadePage[]): CitedSources {
  const isShown = (page: MadePage, number: number): boolean =>
    page.shown?.includes(number) ?? number < page.lines.length;
  return {
    cursors: pages.map((_, cursor) => cursor),
    page: (cursor) => {
      const page = pages[cursor];
      if (page === undefined) return undefined;
      const { url, title = url, kind = "document", lines } = page;
      return { url, title, kind, lastLine: lines.length - 1, sha256: `hash of ${url}` };
    },
    line: (cursor, number) => {
      const page = pages[cursor];
      return page && isShown(page, number) ? page.lines[number] : undefined;
    },
    shownLines: (cursor) => {
      const page = pages[cursor];
      return (page?.lines ?? []).map((_, at) => at).filter((at) => page && isShown(page, at));
    },
  };
}
