/** A value of JSON as a tree that opens and closes. */
import { html, type Markup } from "../../../tracing/view/html.ts";
import { useState } from "../../../tracing/view/preact.ts";
import { visibleText } from "./text.ts";

/** Entries of one value that are shown before more are asked for. */
const STEP = 100;
const OPEN_LEVELS = 2;
/** Nothing that is read by a person is deeper. */
const MAX_LEVELS = 60;
const MAX_TEXT = 5000;

export function JsonTree({
  value,
  name = null,
  level = 0,
}: {
  value: unknown;
  name?: string | null;
  level?: number;
}): Markup {
  const [shown, setShown] = useState(STEP);
  const label =
    name === null ? null : html`<span class="json-name"><bdi>${visibleText(name)}</bdi>: </span>`;
  if (typeof value !== "object" || value === null) {
    return html`<div class="json-leaf" dir="auto">${label}${leafOf(value)}</div>`;
  }
  const isList = Array.isArray(value);
  const entries = Object.entries(value);
  const size = `${isList ? "[" : "{"}${entries.length}${isList ? "]" : "}"}`;
  if (level >= MAX_LEVELS) return html`<div class="json-leaf">${label}${size}</div>`;
  return html`<details class="json" open=${level < OPEN_LEVELS}>
    <summary>${label}<span class="quiet">${size}</span></summary>
    ${entries
      .slice(0, shown)
      .map(
        ([key, item]) =>
          html`<${JsonTree} key=${key} name=${key} value=${item} level=${level + 1} />`,
      )}
    ${
      entries.length > shown &&
      html`<button type="button" onClick=${() => setShown(shown + 10 * STEP)}>${entries.length - shown} more</button>`
    }
  </details>`;
}

function leafOf(value: unknown): Markup {
  const type = value === null ? "null" : typeof value;
  const text = typeof value === "string" ? value : String(value);
  const short =
    text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (${text.length} characters)` : text;
  return html`<bdi class=${`json-${type}`}>${visibleText(short)}</bdi>`;
}
