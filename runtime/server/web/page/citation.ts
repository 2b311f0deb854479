/** A citation in an answer: a number, and what it cites where one looks closer. */
import type { Annotation } from "../../../events.ts";
import { html, type Markup } from "../../../tracing/view/html.ts";
import { useState } from "../../../tracing/view/preact.ts";
import { safeUrl, visibleText } from "./text.ts";

let count = 0;

export function CitationMark({
  annotation,
  number,
}: {
  annotation: Annotation;
  number: number;
}): Markup {
  const [id] = useState(() => `citation-${++count}`);
  const [isOpen, setOpen] = useState(false);
  const isBroken = annotation.type === "broken_citation";
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") {
      setOpen(false);
      event.stopPropagation();
    }
  };
  return html`<span class=${`citation${isOpen ? " open" : ""}`} onKeyDown=${onKeyDown}>
    <button type="button" class="mark" aria-expanded=${isOpen} aria-controls=${id} onClick=${() => setOpen(!isOpen)}
      aria-label=${`Source ${number}${isBroken ? ", which does not hold" : ""}`}>[${number}${isBroken ? "?" : ""}]</button>
    <span class="source" id=${id} role="note" dir="auto">${
      annotation.type === "broken_citation"
        ? visibleText(annotation.message)
        : html`<${Source} annotation=${annotation} />`
    }</span>
  </span>`;
}

function Source({ annotation }: { annotation: Annotation & { type: "url_citation" } }): Markup {
  const { title, url, lines, quote, support, missing = [] } = annotation;
  const address = safeUrl(url);
  const range = lines.map(({ first, last }) => (first === last ? first : `${first}–${last}`));
  return html`<span>
    <strong dir="auto">${visibleText(title)}</strong>
    ${
      address === null
        ? html`<span class="address" dir="auto">${visibleText(url)}</span>`
        : html`<a class="address" href=${address} target="_blank" rel="noopener noreferrer nofollow">${visibleText(url)}</a>`
    }
    ${range.length > 0 && html`<span class="quiet">line ${range.join(", ")}</span>`}
    <q dir="auto">${visibleText(quote)}</q>
    ${support === "unsupported" && html`<span class="problem">Not in these lines: ${visibleText(missing.join(", "))}</span>`}
  </span>`;
}
