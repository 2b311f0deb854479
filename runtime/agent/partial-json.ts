/**
 * The part of a JSON text that is certain while the rest is still being written: values that have ended, in the
 * objects and lists that hold them. A string or a number that may go on is left out.
 */

/** An object or a list that has not ended. */
type Open = {
  readonly value: Record<string, unknown> | unknown[];
  /** Objects only: the key whose value comes next. */
  key: string | null;
};

type Reading =
  | { readonly at: "value" | "between" }
  /** `from`: where its first character stands in `#text`. */
  | { readonly at: "string"; readonly from: number; readonly isEscaped: boolean }
  | { readonly at: "scalar"; readonly from: number };

/** Below it every change is told; above it only growth is, so that telling takes no more time than writing. */
const SHORT_UNITS = 2048;
const GROWTH = 1.1;

export class PartialJson {
  #text = "";
  #at = 0;
  #reading: Reading = { at: "value" };
  readonly #open: Open[] = [];
  #root: { readonly value: unknown } | null = null;
  #isBroken = false;
  #hasChanged = false;
  #toldAt = 0;

  /** Takes what was written since the last call. @returns whether there is more to tell */
  push(text: string): boolean {
    if (this.#isBroken) return false;
    this.#text += text;
    try {
      while (this.#at < this.#text.length) this.#step(this.#text[this.#at] as string);
    } catch {
      // What is no JSON is for the validator to tell.
      this.#isBroken = true;
      return false;
    }
    const { length } = this.#text;
    const isDue = length <= SHORT_UNITS || length >= this.#toldAt * GROWTH;
    if (!this.#hasChanged || !isDue) return false;
    this.#hasChanged = false;
    this.#toldAt = length;
    return true;
  }

  /** A copy of what is certain; undefined before there is anything. */
  get value(): unknown {
    return this.#root === null ? undefined : structuredClone(this.#root.value);
  }

  #step(character: string): void {
    const reading = this.#reading;
    if (reading.at === "string") {
      this.#at++;
      if (reading.isEscaped || character === "\\") {
        this.#reading = { ...reading, isEscaped: !reading.isEscaped };
      } else if (character === '"') {
        this.#reading = { at: "between" };
        this.#take(JSON.parse(this.#text.slice(reading.from, this.#at)));
      }
      return;
    }
    if (reading.at === "scalar") {
      if (/[\w.+-]/.test(character)) {
        this.#at++;
        return;
      }
      this.#reading = { at: "between" };
      this.#take(JSON.parse(this.#text.slice(reading.from, this.#at)));
      return;
    }
    this.#at++;
    switch (character) {
      case '"':
        this.#reading = { at: "string", from: this.#at - 1, isEscaped: false };
        break;
      case "{":
      case "[":
        this.#begin(character === "{" ? {} : []);
        break;
      case "}":
      case "]":
        this.#open.pop();
        break;
      case ",":
      case ":":
      case " ":
      case "\n":
      case "\r":
      case "\t":
        break;
      default:
        this.#reading = { at: "scalar", from: this.#at - 1 };
    }
  }

  #begin(value: Open["value"]): void {
    this.#take(value);
    this.#open.push({ value, key: null });
  }

  #take(value: unknown): void {
    const holder = this.#open.at(-1);
    if (holder === undefined) {
      if (this.#root !== null) throw new SyntaxError("there is a second value");
      this.#root = { value };
    } else if (Array.isArray(holder.value)) holder.value.push(value);
    else if (holder.key === null) {
      holder.key = String(value);
      return;
    } else {
      Object.defineProperty(holder.value, holder.key, {
        value,
        enumerable: true,
        writable: true,
        configurable: true,
      });
      holder.key = null;
    }
    this.#hasChanged = true;
  }
}
