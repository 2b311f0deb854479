/** `browser.find`: where a phrase stands on a page, shown as a page of its own. */
import type { Page, PageContent, PageLink } from "./page.ts";
import { cleanText } from "./text/clean-text.ts";
import { foldText } from "./text/fold.ts";
import { linkMarkup, stripLinks } from "./text/links.ts";

/** Lines shown of each match; the next match is looked for after them. */
const LINES_PER_MATCH = 4;
const MAX_MATCHES = 50;

/**
 * Lists the matches of `pattern`, each with a link that opens the page there. A match may run over a
 * line's end, since lines are only how the page was wrapped; what is equal for a reader is equal here.
 * Link markup is not searched.
 */
export function findInPage(page: Page, pattern: string): PageContent {
  const blocks: string[] = [];
  const links: PageLink[] = [];
  const found = matchingLines(page, pattern);
  for (const line of found.slice(0, MAX_MATCHES)) {
    const shown = page.lines.slice(line, line + LINES_PER_MATCH).map(({ text }) => text);
    blocks.push(`# 【${links.length}†match at L${line}】\n${stripLinks(shown.join("\n"))}`);
    links.push({ url: page.url, target: { line, kind: "match" } });
  }
  const quoted = cleanText(pattern);
  const more = found.length - MAX_MATCHES;
  if (more > 0) {
    blocks.push(
      `[${more} more matches behind L${found[MAX_MATCHES - 1]}; these are the first ${MAX_MATCHES}.]`,
    );
  }
  return {
    url: `${page.url}/find?pattern=${encodeURIComponent(pattern.toWellFormed())}`,
    title: `Find results for text: \`${quoted}\` in \`${page.title}\``,
    text:
      blocks.length > 0 ? blocks.join("\n\n") : `No \`find\` results for pattern: \`${quoted}\``,
    links,
  };
}

/** The line of the first match, if there is one. */
export function firstMatch(page: Page, pattern: string): number | undefined {
  return matchingLines(page, pattern)[0];
}

/** First lines of the matches of a phrase, each behind the lines that are shown of the one before. */
export function matchingLines(page: Page, pattern: string): readonly number[] {
  const wanted = foldText(pattern).text;
  const lines: number[] = [];
  if (wanted.trim() === "") return lines;
  const { text, offsets } = foldText(page.text, linkMarkup(page.text));
  let line = 0;
  let skipTo = 0;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    const offset = offsets[at] ?? 0;
    while ((page.lines[line + 1]?.start ?? Infinity) <= offset) line++;
    if (line >= skipTo) {
      lines.push(line);
      skipTo = line + LINES_PER_MATCH;
    }
  }
  return lines;
}
