/**
 * Token ids of a message's content into text, as they come. Half a character is a state, not an
 * error: its bytes wait for the next token. What can never become a character is one U+FFFD.
 */
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { characterLength } from "../tokenizer/utf8.ts";

const REPLACEMENT = "\uFFFD";

export class ContentDecoder {
  /** Whether a byte was replaced by U+FFFD; the reader sets it back where a message begins. */
  replaced = false;
  readonly #tokenizer: Tokenizer;
  /** What an id that the vocabulary lacks does: hold everything after it back (the reference), or not. */
  readonly #holdAfterUnknown: boolean;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** Bytes not yet given out: an unfinished character, or what came after an invalid sequence. */
  #pending: Uint8Array = new Uint8Array(0);
  #held = false;

  constructor(tokenizer: Tokenizer, holdAfterUnknown: boolean) {
    this.#tokenizer = tokenizer;
    this.#holdAfterUnknown = holdAfterUnknown;
  }

  /** Whether nothing is held back. */
  get isEmpty(): boolean {
    return this.#pending.length === 0 && !this.#held;
  }

  /** The text that this id completes, or null. */
  push(id: number): string | null {
    const text = this.#tokenizer.tokenText(id);
    if (typeof text === "string" && this.isEmpty) return text;
    return this.#pushSlowly(id, text);
  }

  #pushSlowly(id: number, text: string | null | undefined): string | null {
    if (this.#held) return null;
    if (text === undefined) {
      this.replaced = true;
      if (this.#holdAfterUnknown) {
        this.#held = true;
        return null;
      }
      return this.end() + REPLACEMENT;
    }
    const bytes = concat(this.#pending, this.#tokenizer.tokenBytes(id));
    const { valid, invalid } = scanUtf8(bytes);
    // As in the reference, what follows an invalid sequence waits for the next token.
    this.#pending = bytes.subarray(valid + invalid);
    if (invalid > 0) this.replaced = true;
    if (valid === 0 && invalid === 0) return null;
    const whole = this.#decoder.decode(bytes.subarray(0, valid));
    return invalid > 0 ? whole + REPLACEMENT : whole;
  }

  /** What is left at the end of a message; the decoder is then as new, but for `replaced`. */
  end(): string {
    if (this.isEmpty) return "";
    const rest = (this.#held ? REPLACEMENT : "") + this.#decoder.decode(this.#pending);
    if (rest.includes(REPLACEMENT)) this.replaced = true;
    this.#pending = new Uint8Array(0);
    this.#held = false;
    return rest;
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/**
 * How many bytes from the start are whole characters, and how many after them are the longest beginning
 * of a character that can no longer be completed (0: none, or it still may be).
 */
function scanUtf8(bytes: Uint8Array): { valid: number; invalid: number } {
  let at = 0;
  while (at < bytes.length) {
    const length = characterLength(bytes, at, bytes.length);
    if (length <= 0) return { valid: at, invalid: -length };
    at += length;
  }
  return { valid: at, invalid: 0 };
}
