/** What waits to be said, above the editor. */
import type { InputQueue } from "./queue.ts";
import { type Component, truncateToWidth } from "./terminal-library.ts";
import { shownText } from "./text-block.ts";
import type { Theme } from "./theme.ts";

/** More of them are counted. */
const SHOWN = 4;

export class QueueView implements Component {
  readonly #queue: InputQueue;
  readonly #theme: Theme;

  constructor(queue: InputQueue, theme: Theme) {
    this.#queue = queue;
    this.#theme = theme;
  }

  render(width: number): string[] {
    const { items } = this.#queue;
    if (items.length === 0) return [];
    const lines = items.slice(0, SHOWN).map(({ text, at }) => {
      const when = at === "step" ? "after this step" : "after this turn";
      const [first = ""] = shownText(text).split("\n");
      return this.#theme.dim(truncateToWidth(` ↳ ${when}: ${first}`, width));
    });
    const more = items.length - SHOWN;
    return ["", ...lines, ...(more > 0 ? [this.#theme.dim(` ↳ ${more} more`)] : [])];
  }

  invalidate(): void {}
}
