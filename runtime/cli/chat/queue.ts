/** What a person said while the model works. */

/** `step`: told to the model after its current step; `turn`: a question of its own after this turn. */
export type QueuedAt = "step" | "turn";

export type Queued = { readonly text: string; readonly at: QueuedAt };

export class InputQueue {
  #items: Queued[] = [];

  get items(): readonly Queued[] {
    return this.#items;
  }

  add(text: string, at: QueuedAt): void {
    this.#items.push({ text, at });
  }

  /** What is to be told now, in its order. */
  takeSteering(): readonly string[] {
    const texts = this.#items.filter(({ at }) => at === "step").map(({ text }) => text);
    this.#items = this.#items.filter(({ at }) => at !== "step");
    return texts;
  }

  /** The next question: what came too late for its step comes with it. */
  takeTurn(): string | null {
    return this.#items.shift()?.text ?? null;
  }

  /** Everything, to be edited. */
  takeAll(): string {
    const text = this.#items.map((item) => item.text).join("\n\n");
    this.#items = [];
    return text;
  }
}
