/**
 * Markdown of a model as elements. There is no markup of its own in it: HTML is text, links are http and https alone
 * and say where they lead, pictures are named and not loaded.
 */
import type { Annotation } from "../../../events.ts";
import { html } from "../../../tracing/view/html.ts";
import { type ComponentChild, h } from "../../../tracing/view/preact.ts";
import { CitationMark } from "./citation.ts";
import { CodeView } from "./code-view.ts";
import { createMarkdownIt, type MarkdownIt, type Token } from "./markdown-it.ts";
import { safeUrl, visibleText } from "./text.ts";

/** More is shown as it was written. */
const MAX_MARKDOWN = 200_000;
/** Stand for a citation while the text is read; in the text itself they are replaced. */
const OPEN = "\ue000";
const CLOSE = "\ue001";

const parser: MarkdownIt = createMarkdownIt({ html: false, linkify: false, typographer: false });
// Which addresses may be followed is decided where the link is made.
parser.validateLink = () => true;

const TAGS: ReadonlySet<string> = new Set([
  ...["p", "ul", "ol", "li", "blockquote", "hr", "br", "em", "strong", "s"],
  ...["table", "thead", "tbody", "tr", "th", "td"],
]);

/** @param annotations of the text, by their places in it */
export function markdown(
  text: string,
  annotations: readonly Annotation[] = [],
): readonly ComponentChild[] {
  if (text.length > MAX_MARKDOWN)
    return [html`<pre dir="auto" tabindex="0">${visibleText(text)}</pre>`];
  const tokens = parser.parse(marked(text, annotations), {});
  return new Elements(annotations).of(tokens);
}

/** The text with its citations replaced by their numbers between marks. */
function marked(text: string, annotations: readonly Annotation[]): string {
  let result = "";
  let at = 0;
  for (const [index, { start_index: start, end_index: end }] of annotations.entries()) {
    if (start < at || end > text.length) continue;
    result += `${withoutMarks(text.slice(at, start))}${OPEN}${index}${CLOSE}`;
    at = end;
  }
  return result + withoutMarks(text.slice(at));
}

const withoutMarks = (text: string): string => text.replace(/[\ue000\ue001]/g, "\ufffd");

type Open = { readonly type: string; readonly props: object; readonly children: ComponentChild[] };

class Elements {
  readonly #annotations: readonly Annotation[];
  /** Citations of the same lines have the same number. */
  readonly #numbers = new Map<string, number>();

  constructor(annotations: readonly Annotation[]) {
    this.#annotations = annotations;
  }

  of(tokens: readonly Token[]): readonly ComponentChild[] {
    const root: Open = { type: "", props: {}, children: [] };
    const open: Open[] = [root];
    for (const token of tokens) {
      if (token.hidden) continue;
      const parent = open.at(-1) ?? root;
      if (token.nesting === 1) {
        open.push({ ...this.#element(token), children: [] });
      } else if (token.nesting === -1) {
        const done = open.length > 1 ? open.pop() : undefined;
        if (done !== undefined) (open.at(-1) ?? root).children.push(elementOf(done));
      } else parent.children.push(...this.#leaf(token));
    }
    return root.children;
  }

  #element(token: Token): Omit<Open, "children"> {
    if (token.type === "link_open") return linkOf(String(token.attrGet("href") ?? ""));
    const heading = /^h([1-6])$/.exec(token.tag)?.[1];
    // The page has headings of its own above these.
    if (heading !== undefined) {
      return { type: `h${Math.min(6, Number(heading) + 2)}`, props: { dir: "auto" } };
    }
    if (!TAGS.has(token.tag)) return { type: "span", props: {} };
    const align = /text-align:(left|right|center)/.exec(String(token.attrGet("style") ?? ""))?.[1];
    const start = Number(token.attrGet("start") ?? 1);
    return {
      type: token.tag,
      props: {
        dir: "auto",
        ...(align !== undefined && { class: `align-${align}` }),
        ...(token.tag === "ol" && Number.isSafeInteger(start) && start !== 1 && { start }),
      },
    };
  }

  #leaf(token: Token): readonly ComponentChild[] {
    switch (token.type) {
      case "inline":
        return this.of(token.children ?? []);
      case "fence":
      case "code_block":
        return [
          h(CodeView, { text: this.#plain(token.content), language: languageOf(token.info) }),
        ];
      case "code_inline":
        return [html`<code dir="auto">${visibleText(this.#plain(token.content))}</code>`];
      case "image": {
        const src = String(token.attrGet("src") ?? "");
        const name = this.#plain(token.content) || "without a name";
        return [
          html`<span class="picture">Picture “${visibleText(name)}”, not loaded: ${addressOf(src)}</span>`,
        ];
      }
      case "softbreak":
        return ["\n"];
      case "hardbreak":
        return [h("br", null)];
      case "hr":
        return [h("hr", null)];
      default:
        return this.#text(token.content);
    }
  }

  /** Text with its citations. */
  #text(text: string): readonly ComponentChild[] {
    return text.split(/(\ue000\d+\ue001)/).map((piece) => {
      const index = /^\ue000(\d+)\ue001$/.exec(piece)?.[1];
      const annotation = index === undefined ? undefined : this.#annotations[Number(index)];
      if (annotation === undefined) return visibleText(piece);
      return html`<${CitationMark} annotation=${annotation} number=${this.#numberOf(annotation)} />`;
    });
  }

  /** A citation inside of code stays as it was. */
  #plain(text: string): string {
    return text.replace(/\ue000(\d+)\ue001/g, "[$1]");
  }

  #numberOf(annotation: Annotation): number {
    const key =
      annotation.type === "url_citation"
        ? JSON.stringify([annotation.cursor, annotation.lines])
        : JSON.stringify([annotation.start_index]);
    const known = this.#numbers.get(key) ?? this.#numbers.size + 1;
    this.#numbers.set(key, known);
    return known;
  }
}

function elementOf({ type, props, children }: Open): ComponentChild {
  if (type === "table") {
    return html`<div class="scrolls" tabindex="0" role="region" aria-label="Table">${h(type, props, ...children)}</div>`;
  }
  if (type !== "a") return h(type, props, ...children);
  const { host } = props as { readonly host?: string };
  return h("span", null, h("a", { ...props, host: undefined }, ...children), ` (${host})`);
}

function linkOf(href: string): Omit<Open, "children"> {
  const url = safeUrl(href);
  if (url === null) return { type: "span", props: { class: "no-link", title: visibleText(href) } };
  return { type: "a", props: { ...linkProps(url), host: new URL(url).host } };
}

/** What every link out of the page has. */
function linkProps(url: string): object {
  return {
    href: url,
    target: "_blank",
    rel: "noopener noreferrer nofollow",
    title: visibleText(url),
  };
}

function addressOf(text: string): ComponentChild {
  const url = safeUrl(text);
  const shown = visibleText(text.slice(0, 200));
  return url === null ? shown : h("a", linkProps(url), shown);
}

function languageOf(info: string): string {
  return info.trim().split(/\s/, 1)[0] ?? "";
}
