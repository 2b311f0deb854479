/** Special tokens as written, found in whole texts and in texts that arrive in pieces. */

export type SpecialMatch = { readonly start: number; readonly end: number; readonly id: number };

export class SpecialMatcher {
  readonly #ids: ReadonlyMap<string, number>;
  /** What all special tokens begin with, `<|` in practice. */
  readonly #prefix: string;
  /** Their lengths, longest first. */
  readonly #lengths: readonly number[];

  constructor(ids: ReadonlyMap<string, number>) {
    this.#ids = ids;
    const texts = [...ids.keys()];
    let prefix = texts[0] ?? "";
    for (const text of texts) {
      while (!text.startsWith(prefix)) prefix = prefix.slice(0, -1);
    }
    this.#prefix = prefix;
    this.#lengths = [...new Set(texts.map((text) => text.length))].sort((a, b) => b - a);
  }

  /** The first special token at or after `from`, or null. */
  find(text: string, from: number, allowed: ReadonlySet<string> | "all"): SpecialMatch | null {
    if (this.#ids.size === 0) return null;
    let start = text.indexOf(this.#prefix, from);
    while (start !== -1 && start < text.length) {
      for (const length of this.#lengths) {
        const candidate = text.slice(start, start + length);
        const id = this.#ids.get(candidate);
        if (id !== undefined && (allowed === "all" || allowed.has(candidate))) {
          return { start, end: start + length, id };
        }
      }
      start = text.indexOf(this.#prefix, start + 1);
    }
    return null;
  }

  /** Where, at or after `from`, a special token begins that the end of `text` cuts off; else its length. */
  heldBack(text: string, from: number): number {
    const longest = this.#lengths[0] ?? 0;
    for (let start = Math.max(from, text.length - longest + 1); start < text.length; start++) {
      if (text[start] !== this.#prefix[0] && this.#prefix !== "") continue;
      const tail = text.slice(start);
      for (const special of this.#ids.keys()) {
        if (special.startsWith(tail)) return start;
      }
    }
    return text.length;
  }
}
