/** One turn: the question, its parts, and what it costs. */
import { html, type Markup } from "../../../tracing/view/html.ts";
import { timeText } from "../../../tracing/view/trace-view.ts";
import type { TurnView as Turn } from "./conversation.ts";
import { PartView } from "./items.ts";
import type { Store } from "./store.ts";
import { visibleText } from "./text.ts";

export function TurnView({
  turn,
  number,
  store,
}: {
  turn: Turn;
  number: number;
  store: Store;
}): Markup {
  const { id, run, turns } = store.conversation;
  const isLast = number === turns.length;
  const isRunning = isLast && run !== null;
  const isOpen = isLast && !isRunning && (turn.status === "open" || turn.status === "pending");
  return html`<article class="turn" aria-label=${`Turn ${number}`} aria-busy=${isRunning}>
    <h2 class="hidden">Turn ${number}</h2>
    <div class="question" dir="auto">${visibleText(turn.question)}</div>
    ${turn.parts.map(
      (part) =>
        html`<${PartView} key=${part.kind === "item" ? part.item.id : undefined} part=${part} threadId=${id} onDecide=${isRunning ? store.decide : null} />`,
    )}
    ${isRunning && html`<${Meter} turn=${turn} since=${store.conversation.since} />`}
    ${turn.error !== null && html`<p class="problem" dir="auto">${visibleText(turn.error)}</p>`}
    ${isOpen && html`<p class="note">This turn is not over. <button type="button" onClick=${() => store.resume()}>Go on with it</button></p>`}
    ${!isRunning && html`<${TurnFoot} turn=${turn} number=${number} store=${store} isOpen=${isOpen} />`}
  </article>`;
}

function Meter({ turn, since }: { turn: Turn; since: number | null }): Markup {
  const { prefill, written, context, opening } = turn;
  const seconds = since === null ? 0 : (Date.now() - since) / 1000;
  const facts = [
    opening !== null && `opening ${visibleText(opening)}`,
    prefill !== null && `reading ${prefill.done} of ${prefill.total} tokens`,
    written > 0 && `${written} tokens`,
    seconds > 1 && `${(written / seconds).toFixed(1)} tokens/s`,
    context !== null && `context ${context.tokens} of ${context.length}`,
  ].filter((fact) => fact !== false);
  return html`<p class="meter">${facts.join(" · ") || "waiting for the model"}</p>`;
}

function TurnFoot({
  turn,
  number,
  store,
  isOpen,
}: {
  turn: Turn;
  number: number;
  store: Store;
  isOpen: boolean;
}): Markup {
  const { usage, timing, status, context } = turn;
  const rate = timing?.decode_tokens_per_second ?? null;
  const facts = [
    status !== "completed" && status,
    usage !== null &&
      `${usage.input_tokens} read (${usage.cached_input_tokens} cached), ${usage.output_tokens} written in all`,
    timing !== null && timeText(timing.total_ms),
    rate !== null && `${rate.toFixed(1)} tokens/s`,
    context !== null && `context ${context.tokens} of ${context.length}`,
  ].filter((fact) => fact !== false);
  return html`<footer class="quiet">
    <span>${facts.join(" · ")}</span>
    ${!isOpen && html`<button type="button" class="plain" onClick=${() => store.fork(number)}>Fork here<span class="hidden">, behind turn ${number}</span></button>`}
  </footer>`;
}
