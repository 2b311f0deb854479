/** `browser.find`: where a phrase stands on a page, shown as a page of its own. */
import { linkMarkup, type Page, type PageContent, type PageLink, stripLinks } from "./page.ts";

/** Lines shown of each match; the next match is looked for after them. */
const LINES_PER_MATCH = 4;
const MAX_MATCHES = 50;

/**
 * Lists the matches of `pattern`, each with a link that opens the page there. Case and the kind of
 * blank space do not matter, and a match may run over a line's end, since lines are only how the page
 * was wrapped. Link markup is not searched.
 */
export function findInPage(page: Page, pattern: string): PageContent {
  const blocks: string[] = [];
  const links: PageLink[] = [];
  for (const line of matchingLines(page, pattern)) {
    const shown = page.lines.slice(line, line + LINES_PER_MATCH).map(({ text }) => text);
    blocks.push(`# 【${links.length}†match at L${line}】\n${stripLinks(shown.join("\n"))}`);
    links.push({ url: page.url, target: { line, kind: "match" } });
  }
  return {
    url: `${page.url}/find?pattern=${encodeURIComponent(pattern.toWellFormed())}`,
    title: `Find results for text: \`${pattern}\` in \`${page.title}\``,
    text:
      blocks.length > 0 ? blocks.join("\n\n") : `No \`find\` results for pattern: \`${pattern}\``,
    links,
  };
}

function matchingLines(page: Page, pattern: string): readonly number[] {
  const { text, offsets } = searchableText(page.text);
  const wanted = searchableText(pattern).text;
  const lines: number[] = [];
  if (wanted.trim() === "") return lines;
  let line = 0;
  let skipTo = 0;
  for (let at = text.indexOf(wanted); at >= 0 && lines.length < MAX_MATCHES; ) {
    const offset = offsets[at] ?? 0;
    while ((page.lines[line + 1]?.start ?? Infinity) <= offset) line++;
    if (line >= skipTo) {
      lines.push(line);
      skipTo = line + LINES_PER_MATCH;
    }
    at = text.indexOf(wanted, at + 1);
  }
  return lines;
}

/**
 * Lower case, one space for any blank space, no link markup; `offsets[i]` is where character `i` comes
 * from. Lower case may be longer than the original, so characters are mapped one by one.
 */
function searchableText(source: string): { text: string; offsets: Uint32Array } {
  const parts: string[] = [];
  let offsets = new Uint32Array(source.length + 16);
  let length = 0;
  const push = (character: string, offset: number): void => {
    parts.push(character);
    if (length + character.length > offsets.length) {
      const longer = new Uint32Array(offsets.length * 2);
      longer.set(offsets);
      offsets = longer;
    }
    offsets.fill(offset, length, length + character.length);
    length += character.length;
  };
  const markup = linkMarkup(source);
  let nextMarkup = 0;
  let afterBlank = false;
  for (let at = 0; at < source.length; ) {
    const skipped = markup[nextMarkup];
    if (skipped !== undefined && at >= skipped.start) {
      at = skipped.end;
      nextMarkup++;
      continue;
    }
    const character = String.fromCodePoint(source.codePointAt(at) ?? 0);
    const blank = /\s/.test(character);
    if (!blank) push(character.toLowerCase(), at);
    else if (!afterBlank) push(" ", at);
    afterBlank = blank;
    at += character.length;
  }
  return { text: parts.join(""), offsets };
}
