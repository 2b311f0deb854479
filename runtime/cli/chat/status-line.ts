/** The last line of a chat: what happens now, and what it has cost so far. */
import { seconds, spinner } from "./clock-text.ts";
import type { Phase, TurnMeter } from "./meter.ts";
import { type Component, truncateToWidth, visibleWidth } from "./terminal-library.ts";
import { shownText } from "./text-block.ts";
import type { Theme } from "./theme.ts";
import { plainToolName } from "./tool-name.ts";

export type StatusFacts = {
  readonly meter: TurnMeter;
  /** What is loaded at the moment; null when everything is ready. */
  readonly loading: string | null;
  readonly isStopping: boolean;
  /** null: not known yet. */
  readonly model: string | null;
  readonly contextLength: number | null;
  readonly effort: string;
  /** A word about keys, while it is of use: it takes the place of the figures. */
  readonly hint: string | null;
};

export class StatusLine implements Component {
  readonly #facts: () => StatusFacts;
  readonly #theme: Theme;

  constructor(facts: () => StatusFacts, theme: Theme) {
    this.#facts = facts;
    this.#theme = theme;
  }

  render(width: number): string[] {
    const facts = this.#facts();
    const { dim, accent } = this.#theme;
    const left = activity(facts);
    // On a narrow terminal what happens now counts more than what it has cost.
    const space = width - visibleWidth(left) - 4;
    const right =
      facts.hint !== null && visibleWidth(facts.hint) <= space
        ? facts.hint
        : fitting(figures(facts), space).join(" · ");
    const gap = " ".repeat(Math.max(1, space + 2 - visibleWidth(right)));
    return [truncateToWidth(` ${accent(left)}${gap}${dim(right)}`, width)];
  }

  invalidate(): void {}
}

/** As many parts as fit, those at the front first. */
function fitting(parts: readonly string[], width: number): readonly string[] {
  let used = 0;
  return parts.filter((part) => {
    const wanted = visibleWidth(part) + (used === 0 ? 0 : 3);
    if (used + wanted > width) return false;
    used += wanted;
    return true;
  });
}

function activity({ meter, loading, isStopping }: StatusFacts): string {
  const now = performance.now();
  if (loading !== null && meter.isIdle) return `${spinner(now)} ${shownText(loading)}`;
  if (meter.isIdle) return "ready";
  const ms = now - meter.phaseSince;
  const turn = `${seconds(now - meter.turnSince)}`;
  return `${spinner(now)} ${isStopping ? "stopping" : phaseText(meter.phase, ms)} · ${turn}`;
}

function phaseText(phase: Phase, ms: number): string {
  switch (phase.type) {
    case "idle":
      return "ready";
    case "starting":
      return "starting";
    case "reading": {
      const { done, total } = phase;
      const left =
        done === 0 || done >= total ? "" : `, ${seconds(((total - done) * ms) / done + 999)} left`;
      return `reading ${count(done)} of ${count(total)} tokens${left}`;
    }
    case "writing":
      return "writing";
    case "asking":
      return "waiting for your answer";
    case "calling":
      return `running ${shownText(plainToolName(phase.tool))}`;
  }
}

/** From what matters most to what matters least. */
function figures({ meter, model, contextLength, effort }: StatusFacts): string[] {
  const parts: string[] = [];
  if (contextLength !== null) {
    const left = Math.max(0, contextLength - meter.contextNow);
    parts.push(`${count(left)} tokens left (${Math.round((left / contextLength) * 100)}%)`);
  }
  if (meter.tokensPerSecond !== null) parts.push(`${meter.tokensPerSecond.toFixed(1)} tokens/s`);
  if (meter.usage !== null) {
    parts.push(`${count(meter.usage.input_tokens)} in, ${count(meter.usage.output_tokens)} out`);
  }
  if (model !== null) parts.push(`${shownText(model)}, ${effort}`);
  return parts;
}

/** `12,345` */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}
