/** Code in colours, with a button that copies it. */
import { codeReader } from "../../../code-colors/index.ts";
import { html, type Markup } from "../../../tracing/view/html.ts";
import { useMemo, useState } from "../../../tracing/view/preact.ts";
import { visibleText } from "./text.ts";

/** More is shown in one colour: a person reads no further, and it would hold the page up. */
const MAX_COLOURED = 60_000;
/** More is not shown before it is asked for. */
const MAX_SHOWN = 200_000;

export function CodeView({ text, language }: { text: string; language: string }): Markup {
  const [isWhole, setWhole] = useState(false);
  const [isCopied, setCopied] = useState(false);
  const shown = isWhole ? text : text.slice(0, MAX_SHOWN);
  const content = useMemo(() => coloured(shown, language), [shown, language]);
  const copy = (): void => {
    void navigator.clipboard?.writeText(text).then(() => setCopied(true));
  };
  const name = visibleText(language.slice(0, 40));
  return html`<figure class="code">
    <figcaption>
      <span dir="auto">${name || "text"}</span>
      <button type="button" class="plain" onClick=${copy}>${isCopied ? "Copied" : "Copy"}</button>
    </figcaption>
    <pre tabindex="0" role="region" aria-label=${`Code: ${name || "text"}`} dir="ltr"><code>${content}</code></pre>
    ${
      shown.length < text.length &&
      html`<button type="button" onClick=${() => setWhole(true)}>Show all ${text.length} characters</button>`
    }
  </figure>`;
}

function coloured(text: string, language: string): unknown {
  const reader = text.length > MAX_COLOURED ? null : codeReader(language);
  if (reader === null) return visibleText(text);
  return reader
    .read(text.split("\n"))
    .map((spans, at) => [
      at === 0 ? "" : "\n",
      spans.map(({ text: piece, kind }) =>
        kind === null
          ? visibleText(piece)
          : html`<span class=${`code-${kind}`}>${visibleText(piece)}</span>`,
      ),
    ]);
}
