/** The timeline of a conversation, in the page and in a file. */
import { visibleText } from "../../visible-text.ts";
import type { TraceToken } from "../message-tokens.ts";
import type { Trace, TraceMessage, TracePart, TraceTurn } from "../trace.ts";
import { html, type Markup } from "./html.ts";
import type { ComponentChild } from "./preact.ts";

export type TraceViewProps = {
  readonly trace: Trace;
  /** What is shown where a message is opened, by the numbers of its turn and of the message. */
  readonly tokensOf: (turn: number, message: number) => ComponentChild;
};

/** A whole trace. */
export function TraceView({ trace, tokensOf }: TraceViewProps): Markup {
  return html`<div class="trace">
    ${trace.turns.map(
      (turn, at) => html`<section class="trace-turn" aria-label=${`Turn ${at + 1}`}>
        <h3 dir="auto">${at + 1}. ${shortened(turn.question, 200)}</h3>
        <${TurnFacts} turn=${turn} />
        <${Timeline} turn=${turn} />
        <details class="trace-messages">
          <summary>${turn.messages.length} messages, down to their tokens</summary>
          ${turn.messages.map(
            (message, index) =>
              html`<${MessageView} message=${message} tokens=${() => tokensOf(at, index)} />`,
          )}
        </details>
      </section>`,
    )}
  </div>`;
}

function TurnFacts({ turn }: { turn: TraceTurn }): Markup {
  const { timing, status, error, model, effort, seed, startedAt, version } = turn;
  const steps = turn.parts.filter((part) => part.type === "step");
  const sum = (of: (usage: (typeof steps)[number]["usage"]) => number): number =>
    steps.reduce((total, { usage }) => total + of(usage), 0);
  const input = sum(({ inputTokens }) => inputTokens);
  const cached = sum(({ cachedTokens }) => cachedTokens);
  const facts: readonly (readonly [string, string])[] = [
    ["status", error === null ? status : `${status}: ${error}`],
    ["begun", startedAt.replace("T", " ").slice(0, 19)],
    ["model", version === null ? model : `${model}, Chorale ${version}`],
    ["effort", effort],
    ["seed", String(seed)],
    ["tokens read", `${input}, ${percent(cached, input)} from the cache`],
    [
      "tokens written",
      `${sum(({ outputTokens }) => outputTokens)}, of which ${sum(({ reasoningTokens }) => reasoningTokens)} reasoning`,
    ],
    ...(timing === null
      ? []
      : ([
          ["time", timeText(timing.total_ms)],
          ["prefill", timeText(timing.prefill_ms)],
          ["decode", timeText(timing.decode_ms)],
          ["tools", timeText(timing.tools_ms)],
          [
            "tokens/s",
            timing.decode_tokens_per_second === null
              ? "–"
              : timing.decode_tokens_per_second.toFixed(1),
          ],
        ] as const)),
  ];
  return html`<dl class="facts">
    ${facts.map(
      ([name, value]) => html`<div><dt>${name}</dt><dd dir="auto">${visibleText(value)}</dd></div>`,
    )}
  </dl>`;
}

const WIDTH = 1000;

function Timeline({ turn }: { turn: TraceTurn }): Markup {
  const total = Math.max(
    1,
    turn.totalMs,
    ...turn.parts.map(({ startMs, durationMs }) => startMs + durationMs),
  );
  return html`<div class="scrolls" tabindex="0" role="region" aria-label="Timeline">
    <table class="timeline">
      <thead><tr><th scope="col">what</th><th scope="col">when</th><th scope="col">time</th><th scope="col">tokens</th><th scope="col">how</th></tr></thead>
      <tbody>${turn.parts.map((part) => html`<${PartRow} part=${part} total=${total} />`)}</tbody>
    </table>
  </div>`;
}

function PartRow({ part, total }: { part: TracePart; total: number }): Markup {
  const x = (ms: number): number => Math.round((ms / total) * WIDTH);
  const { startMs, durationMs } = part;
  const bars =
    part.type === "step"
      ? [
          { kind: "prefill", from: startMs, ms: part.prefillMs },
          { kind: "decode", from: startMs + part.prefillMs, ms: part.decodeMs },
        ]
      : [{ kind: part.type, from: startMs, ms: durationMs }];
  return html`<tr>
    <th scope="row" dir="auto">${visibleText(titleOf(part))}</th>
    <td>
      <svg viewBox="0 0 ${WIDTH} 12" preserveAspectRatio="none" aria-hidden="true">
        ${bars.map(
          ({ kind, from, ms }) =>
            html`<rect class=${`bar-${kind}`} x=${Math.min(x(from), WIDTH - 3)} y="0" height="12" width=${Math.max(3, x(ms))} />`,
        )}
      </svg>
    </td>
    <td class="figure">${part.type === "note" ? "" : timeText(durationMs)}</td>
    <td class="figure">${part.type === "step" ? tokenText(part) : ""}</td>
    <td dir="auto">${visibleText(shortened(howText(part), 300))}</td>
  </tr>`;
}

function titleOf(part: TracePart): string {
  switch (part.type) {
    case "step":
      return part.wrote.join(", ") || "step";
    case "call":
      return part.tool;
    case "note":
      return part.name;
  }
}

function tokenText({ usage }: TracePart & { type: "step" }): string {
  return `${usage.cachedTokens} + ${usage.inputTokens - usage.cachedTokens} → ${usage.outputTokens}`;
}

function howText(part: TracePart): string {
  switch (part.type) {
    case "step":
      return `ended by ${part.finish}; prefill ${timeText(part.prefillMs)}, decode ${timeText(part.decodeMs)}; ${percent(part.usage.cachedTokens, part.usage.inputTokens)} of the prompt from the cache`;
    case "call":
      return part.allowedBy === null ? part.status : `${part.status}, allowed by ${part.allowedBy}`;
    case "note":
      return part.text;
  }
}

function MessageView({
  message,
  tokens,
}: {
  message: TraceMessage;
  tokens: () => ComponentChild;
}): Markup {
  const { role, name, channel, recipient, text, isSampled } = message;
  const title = [name ?? role, channel, recipient === null ? null : `to ${recipient}`]
    .filter((part) => part !== null)
    .join(" · ");
  return html`<details class="trace-message">
    <summary>
      <span dir="auto">${visibleText(title)}</span>
      <span class="quiet" dir="auto">${isSampled ? "sampled: " : ""}${shortened(text, 80)}</span>
    </summary>
    <pre dir="auto" tabindex="0">${visibleText(text)}</pre>
    ${tokens()}
  </details>`;
}

/** Tokens with their ids. */
export function TokenList({ tokens }: { tokens: readonly TraceToken[] }): Markup {
  return html`<ol class="tokens" aria-label=${`${tokens.length} tokens`}>
    ${tokens.map(
      ({ id, text, isSpecial }) =>
        html`<li class=${isSpecial ? "special" : ""}><bdi>${spaceShown(visibleText(text))}</bdi><small>${id}</small></li>`,
    )}
  </ol>`;
}

const spaceShown = (text: string): string =>
  text.replaceAll(" ", "·").replaceAll("\n", "⏎").replaceAll("\t", "⇥");

function percent(part: number, whole: number): string {
  return whole === 0 ? "0 %" : `${Math.round((100 * part) / whole)} %`;
}

/** Milliseconds for people. */
export function timeText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** One line of at most so many characters. */
export function shortened(text: string, limit: number): string {
  const line = visibleText(text.slice(0, 4 * limit))
    .replace(/\s+/g, " ")
    .trim();
  const characters = [...line];
  return characters.length > limit ? `${characters.slice(0, limit).join("")}…` : line;
}
