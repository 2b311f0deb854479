/**
 * Markdown is readable as it is; only its links and pictures become those of a page. Code is left alone.
 */
import type { LinkResolver } from "./html.ts";
import { chooseTitle, cleanText, LinkTable, type PageContent, withUrlHeading } from "./page.ts";

export type MarkdownSource = {
  readonly markdown: string;
  readonly url: string;
  readonly fallbackTitle: string;
  readonly resolve: LinkResolver;
};

/** `[label]: target "title"` on a line of its own. */
const DEFINITION = /^ {0,3}\[([^\]]{1,999})\]:[ \t]*<?([^\s>]+)>?(?:[ \t]+["'(].*)?$/;
/** In order: code span, picture, link with its target, link by name, link in angle brackets. */
const INLINE = new RegExp(
  [
    "(`+)(?:(?!\\1).){1,2000}\\1(?!`)",
    "!\\[([^\\]]{0,999})\\]\\(<?([^\\s()<>]{0,2000})>?(?:\\s+[\"'][^\"'\\n]{0,999}[\"'])?\\)",
    "\\[([^\\[\\]]{1,999})\\]\\(<?([^\\s()<>]{0,2000}(?:\\([^\\s()<>]{0,500}\\)[^\\s()<>]{0,500})?)>?(?:\\s+[\"'][^\"'\\n]{0,999}[\"'])?\\)",
    "\\[([^\\[\\]]{1,999})\\]\\[([^\\[\\]]{0,999})\\]",
    "<(https?://[^\\s<>]{1,2000})>",
  ].join("|"),
  "g",
);

export function markdownToPage(source: MarkdownSource): PageContent {
  const { front, body } = splitFrontMatter(cleanText(source.markdown));
  const links = new LinkTable();
  const definitions = readDefinitions(body);
  let images = 0;
  const link = (href: string, anchor: string): string | null => {
    const target = href === "" || href.startsWith("#") ? null : source.resolve(href);
    return target === null ? null : links.mark(target.url, anchor, target.domain);
  };
  const replaceInline = (line: string): string =>
    line.replace(INLINE, (whole: string, ...groups: (string | undefined)[]) => {
      const [ticks, alt, , label, target = "", name, reference = "", address] = groups;
      if (ticks !== undefined) return whole;
      if (alt !== undefined) return `[Image ${images++}${alt === "" ? "" : `: ${alt}`}]`;
      if (label !== undefined) return link(target, label) ?? label;
      if (name !== undefined) {
        const href = definitions.get((reference || name).toLowerCase());
        return href === undefined ? whole : (link(href, name) ?? name);
      }
      return (address && link(address, address)) || whole;
    });

  const lines: string[] = [];
  for (const { line, code } of withCodeBlocks(body)) {
    if (code) lines.push(line);
    else if (!DEFINITION.test(line)) lines.push(replaceInline(line));
  }
  return {
    url: source.url,
    title: chooseTitle([front, firstHeading(body), source.fallbackTitle]),
    text: withUrlHeading(source.url, lines.join("\n").trim()),
    links: links.links,
  };
}

/** The title of a leading YAML block, and the text after it. */
function splitFrontMatter(markdown: string): { front: string | undefined; body: string } {
  const block = /^---\n([\s\S]{0,10000}?)\n---(?:\n|$)/.exec(markdown);
  if (block === null) return { front: undefined, body: markdown };
  const title = /^title:[ \t]*(["']?)(.+?)\1[ \t]*$/m.exec(block[1] ?? "");
  return { front: title?.[2], body: markdown.slice(block[0].length) };
}

function firstHeading(body: string): string | undefined {
  for (const { line, code } of withCodeBlocks(body)) {
    const heading = code ? null : /^ {0,3}#{1,6}[ \t]+(\S.*)$/.exec(line);
    if (heading === null) continue;
    return (heading[1] ?? "")
      .replace(/[ \t]+#+[ \t]*$/, "")
      .replace(/\[([^[\]]{1,999})\]\([^()]{0,2000}\)/g, "$1")
      .trim();
  }
  return undefined;
}

function readDefinitions(body: string): ReadonlyMap<string, string> {
  const definitions = new Map<string, string>();
  for (const { line, code } of withCodeBlocks(body)) {
    const [, name, target] = (code ? null : DEFINITION.exec(line)) ?? [];
    if (name !== undefined && target !== undefined) definitions.set(name.toLowerCase(), target);
  }
  return definitions;
}

/** The lines, each with whether it belongs to a fenced block of code. */
function* withCodeBlocks(body: string): Generator<{ line: string; code: boolean }> {
  let fence: string | null = null;
  for (const line of body.split("\n")) {
    const mark: string | undefined = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    const wasIn = fence !== null;
    if (fence === null) fence = mark ?? null;
    else if (mark?.startsWith(fence)) fence = null;
    yield { line, code: wasIn || fence !== null };
  }
}
