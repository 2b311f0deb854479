/**
 * Citations of an answer that comes in pieces: text from `【` to `】` waits until it is whole and is
 * then given out in its readable form; everything else passes at once. What is given out does not
 * depend on where the pieces are cut.
 */

const OPEN = "【";
const CLOSE = "】";

/** The longest citation; what is longer, or never closed, is text and passes as it is. */
export const LONGEST_CITATION = 256;

export class CitationRewriter {
  readonly #normalise: (text: string) => string;
  /** From an opening bracket on; shorter than the longest citation between two calls. */
  #held = "";
  /** The last unit given out: citations are set apart from the word they follow. */
  #last = "";

  /** @param normalise turns all citations in a text into their readable form */
  constructor(normalise: (text: string) => string) {
    this.#normalise = normalise;
  }

  /** @returns what can be shown now */
  push(text: string): string {
    const all = this.#held + text;
    this.#held = "";
    let shown = "";
    for (let at = 0; at < all.length; ) {
      const open = all.indexOf(OPEN, at);
      shown += this.#pass(all.slice(at, open === -1 ? all.length : open));
      if (open === -1) break;
      const limit = open + LONGEST_CITATION;
      const close = all.slice(open, limit).indexOf(CLOSE);
      if (close !== -1) {
        at = open + close + CLOSE.length;
        shown += this.#rewrite(all.slice(open, at));
      } else if (all.length < limit) {
        this.#held = all.slice(open);
        break;
      } else {
        at = open + OPEN.length;
        shown += this.#pass(OPEN);
      }
    }
    return shown;
  }

  /** The end of the answer. @returns what was held back */
  end(): string {
    const rest = this.#held;
    this.#held = "";
    return this.#pass(rest);
  }

  #rewrite(citation: string): string {
    const before = this.#last;
    return this.#pass(this.#normalise(before + citation).slice(before.length));
  }

  #pass(text: string): string {
    this.#last = text.at(-1) ?? this.#last;
    return text;
  }
}
