/** A trace as one HTML file: nothing of it is fetched, and no script runs. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Tokenizer } from "../../harmony/index.ts";
import type { LogEntry } from "../thread/entry.ts";
import { type MessageTokens, messageTokens } from "./message-tokens.ts";
import { type Trace, traceOf } from "./trace.ts";
import { html } from "./view/html.ts";
import { h } from "./view/preact.ts";
import { renderToString } from "./view/render-to-string.ts";
import { shortened, TokenList, TraceView } from "./view/trace-view.ts";

/** Tokens of all messages that are in the file; those behind are left out, and it says so. */
const MAX_TOKENS = 200_000;

const FILE_STYLE = `
:root { color-scheme: light dark; --line: #d0d5da; --soft: #f2f4f6; --quiet: #57606a; --accent: #0757b8; --text: #1b1f23; --ground: #fff; }
@media (prefers-color-scheme: dark) { :root { --line: #3a424b; --soft: #20262d; --quiet: #a3adb8; --accent: #7ab7ff; --text: #e6e9ec; --ground: #14181d; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--ground); max-width: 70rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.3rem; overflow-wrap: anywhere; }
`;

/**
 * @param tokenizer of the model; null: messages are there without their tokens
 * @throws ThreadLogError when the entries are no log
 */
export function traceFile(entries: readonly LogEntry[], tokenizer: Tokenizer | null): string {
  const trace = traceOf(entries);
  const tokens = tokenizer === null ? null : messageTokens(entries, tokenizer);
  const style = FILE_STYLE + traceStyle();
  const hash = createHash("sha256").update(style).digest("base64");
  const title = `Trace of ${trace.turns[0] ? shortened(trace.turns[0].question, 80) : trace.threadId}`;
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const body = renderToString(
    h(
      "body",
      null,
      h("main", null, h("h1", { dir: "auto" }, title), factsOf(trace), view(trace, tokens)),
    ),
  );
  const head = renderToString(
    h(
      "head",
      null,
      h("meta", { charset: "utf-8" }),
      h("meta", { "http-equiv": "Content-Security-Policy", content: policy }),
      h("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
      h("meta", { name: "referrer", content: "no-referrer" }),
      h("title", null, title),
      h("style", { dangerouslySetInnerHTML: { __html: style } }),
    ),
  );
  return `<!doctype html>\n<html lang="en">${head}${body}</html>\n`;
}

/** The style sheet of a trace, also for the page. */
export function traceStyle(): string {
  return readFileSync(new URL("./view/trace.css", import.meta.url), "utf8");
}

function view(trace: Trace, tokens: MessageTokens | null): ReturnType<typeof h> {
  let left = MAX_TOKENS;
  return html`<${TraceView}
    trace=${trace}
    tokensOf=${(turn: number, message: number) => {
      const list = tokens?.(turn, message) ?? null;
      if (list === null) return null;
      left -= list.length;
      if (left < 0) {
        return html`<p>${list.length} tokens, which this file leaves out for its size; the page shows them.</p>`;
      }
      return html`<${TokenList} tokens=${list} />`;
    }}
  />`;
}

function factsOf({ threadId, parent, folder }: Trace): ReturnType<typeof h> {
  const facts = [
    threadId,
    ...(folder === null ? [] : [`begun in ${folder}`]),
    ...(parent === null ? [] : [`a copy of ${parent}`]),
  ];
  return h("p", { dir: "auto" }, shortened(facts.join(", "), 1000));
}
