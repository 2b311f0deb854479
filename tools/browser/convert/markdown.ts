/**
 * Markdown (CommonMark with GFM's tables, strikethrough and bare addresses) by way of HTML, so that a
 * page reads the same in whichever of the two it was written. markdown-it is the parser: micromark read
 * the same documents 25 times slower.
 */

import { CORE_SCHEMA, load as loadYaml } from "../../core/js-yaml.ts";
import type { PageContent } from "../page.ts";
import { escapeHtml } from "./escape-html.ts";
import { htmlToPage } from "./html.ts";
import { createMarkdownIt, type Env, type MarkdownIt } from "./markdown-it.ts";

export type MarkdownSource = {
  readonly markdown: string;
  readonly url: string;
  /** Used when the document has no title of its own. */
  readonly fallbackTitle: string;
};

export function markdownToPage(source: MarkdownSource): PageContent {
  const { title, body } = splitFrontMatter(source.markdown);
  return htmlToPage({
    html: markdownToHtml(body),
    url: source.url,
    title,
    fallbackTitle: source.fallbackTitle,
    anyHeadingIsTitle: true,
  });
}

let parser: MarkdownIt | undefined;

export function markdownToHtml(markdown: string): string {
  parser ??= createParser();
  const environment: Environment = { used: new Set(), slugs: new Map() };
  return parser.render(markdown, { [ENVIRONMENT]: environment });
}

function createParser(): MarkdownIt {
  const markdown = createMarkdownIt({ html: true, linkify: true });
  // Only addresses that are written as such: a file name is no host.
  markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
  // What is a link here is decided when the page is made.
  markdown.validateLink = () => true;
  keepDefinitions(markdown);
  keepFormulas(markdown);
  nameHeadings(markdown);
  return markdown;
}

/**
 * A definition of a link that nothing refers to is text of the page, and a footnote is no definition:
 * `[^1]: …` stays the paragraph that it is.
 */
function keepDefinitions(markdown: MarkdownIt): void {
  const rule = markdown.block.ruler.getRules("").find(({ name }) => name === "reference");
  if (rule === undefined) throw new Error("markdown-it has no rule for definitions of links");
  markdown.block.ruler.at("reference", (state, start, end, silent) => {
    const from = (state.bMarks[start] ?? 0) + (state.tShift[start] ?? 0);
    return !state.src.startsWith("[^", from) && rule(state, start, end, silent);
  });
  markdown.core.ruler.disable("strip_references");
  markdown.core.ruler.before("inline", "note_used_definitions", (state) => {
    const { used } = environmentOf(state.env);
    state.env.references = new Proxy(state.env.references ?? {}, {
      get: (target, label) => {
        if (typeof label === "string") used.add(label);
        return Reflect.get(target, label);
      },
    });
    const lines = state.src.split("\n");
    for (const token of state.tokens) {
      if (token.type !== "reference_definition" || token.map === null) continue;
      token.content = lines
        .slice(...token.map)
        .join(" ")
        .replace(/^[\s>]+/, "");
    }
  });
  markdown.renderer.rules["reference_definition"] = (tokens, index, _options, env = {}) => {
    const token = tokens[index];
    const isUsed = environmentOf(env).used.has(String(token?.meta?.["label"]));
    // `[//]: # (note)` is how a comment is written.
    const isShown =
      token !== undefined && !isUsed && !/^\[[^\]]*\]:\s*<?#>?(?:\s|$)/.test(token.content);
    return isShown ? `<p>${escapeHtml(token.content)}</p>\n` : "";
  };
}

/** What the rules note while a document is read. */
type Environment = { readonly used: Set<string>; readonly slugs: Map<string, number> };

const ENVIRONMENT = Symbol("environment");

function environmentOf(env: Env): Environment {
  return env[ENVIRONMENT] as Environment;
}

/** TeX between dollars or in `\(…\)` and `\[…\]` is left alone: its underscores and stars mean no emphasis. */
function keepFormulas(markdown: MarkdownIt): void {
  markdown.inline.ruler.before("escape", "formula", (state, silent) => {
    const { src, pos } = state;
    const close = closingMark(src, pos);
    if (close === null) return false;
    // A bounded piece: a page of opening marks must not cost the square of its length.
    const piece = src.slice(pos, pos + MAX_FORMULA_CHARACTERS);
    const end = pos + piece.indexOf(close, close.length);
    if (end < pos) return false;
    const body = src.slice(pos + close.length, end);
    const isMoney = close === "$" && (/^\s|\s$/.test(body) || /^\d/.test(src.slice(end + 1)));
    if (body === "" || isMoney) return false;
    if (!silent) state.pending += src.slice(pos, end + close.length);
    state.pos = end + close.length;
    return true;
  });
}

const MAX_FORMULA_CHARACTERS = 1000;

function closingMark(src: string, at: number): string | null {
  if (src[at] === "$") return src[at + 1] === "$" ? "$$" : "$";
  if (src[at] !== "\\") return null;
  return src[at + 1] === "(" ? "\\)" : src[at + 1] === "[" ? "\\]" : null;
}

/** Headings get the ids by which sites and editors link to them, or the one in `{#id}`. */
function nameHeadings(markdown: MarkdownIt): void {
  markdown.core.ruler.push("name_headings", (state) => {
    const { slugs } = environmentOf(state.env);
    state.tokens.forEach((token, at) => {
      if (token.type !== "heading_open") return;
      const inline = state.tokens[at + 1];
      const last = inline?.children?.at(-1);
      const given =
        last?.type === "text"
          ? /\s*\{:?\s*#([\w:.-]{1,100})[^{}]{0,100}\}\s*$/.exec(last.content)
          : null;
      if (last !== undefined && given !== null) last.content = last.content.slice(0, given.index);
      const text = (inline?.children ?? [])
        .map(({ type, content }) => (type === "html_inline" ? "" : content))
        .join("");
      token.attrSet("id", given?.[1] ?? uniqueSlug(text, slugs));
    });
  });
}

/** As code forges make them: lower case, punctuation dropped, blanks as hyphens, repetitions numbered. */
function uniqueSlug(heading: string, slugs: Map<string, number>): string {
  const slug = heading
    .toLowerCase()
    .trim()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
    .replaceAll(" ", "-");
  const count = slugs.get(slug) ?? 0;
  slugs.set(slug, count + 1);
  return count === 0 ? slug : `${slug}-${count}`;
}

const MAX_FRONT_MATTER_CHARACTERS = 20_000;

/** The title of a leading block of YAML or TOML, and the text after it. */
function splitFrontMatter(markdown: string): { title: string | undefined; body: string } {
  const source = markdown.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n");
  const fence = source.startsWith("---\n") ? "---" : source.startsWith("+++\n") ? "+++" : null;
  // Before a blank line it is a rule.
  if (fence === null || source.startsWith("\n", fence.length + 1)) {
    return { title: undefined, body: source };
  }
  const head = source.slice(0, MAX_FRONT_MATTER_CHARACTERS);
  const closing = fence === "---" ? /\n(?:---|\.\.\.)[ \t]*(?=\n|$)/ : /\n\+\+\+[ \t]*(?=\n|$)/;
  const end = head.slice(fence.length).search(closing) + fence.length;
  const after = end + fence.length + 1;
  if (end < fence.length) return { title: undefined, body: source };
  const block = head.slice(fence.length + 1, end);
  const title =
    fence === "---" ? yamlTitle(block) : /^title\s*=\s*(["'])(.+?)\1\s*$/m.exec(block)?.[2];
  return { title, body: source.slice(after).replace(/^[^\n]*\n?/, "") };
}

function yamlTitle(block: string): string | undefined {
  try {
    const value = loadYaml(block, { schema: CORE_SCHEMA });
    if (typeof value !== "object" || value === null || !("title" in value)) return undefined;
    return value.title === null ? undefined : String(value.title);
  } catch {
    // Templates and other near-YAML: the plain form is read all the same.
    return /^title:[ \t]*(["']?)(.+?)\1[ \t]*$/m.exec(block)?.[2];
  }
}
