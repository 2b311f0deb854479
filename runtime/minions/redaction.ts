/**
 * What is taken out of a text before it leaves the machine. A value becomes a label with a number, the same one each
 * time, and is put back in what comes from outside. Rules see forms, not meanings: a name of one word without a
 * title, or a number that is written out, is not found; such values are named as private.
 */
import { UsageError } from "../errors.ts";

export type RedactionRule = "names" | "numbers" | "addresses";

export const REDACTION_RULES: readonly RedactionRule[] = ["names", "numbers", "addresses"];

/** A label (`NAME`) and what of a text gets it. Earlier patterns come first. */
type Pattern = { readonly label: string; readonly pattern: RegExp };

const NAME_WORD = String.raw`\p{Lu}[\p{L}'’-]+`;

const PATTERNS: Readonly<Record<RedactionRule, readonly Pattern[]>> = {
  addresses: [
    { label: "EMAIL", pattern: /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu },
    { label: "URL", pattern: /\b(?:https?|ftp):\/\/[^\s<>"')\]]+/giu },
    { label: "IP", pattern: /\b(?:\d{1,3}\.){3}\d{1,3}\b/gu },
    {
      // 12 Harbour Street, and Hafenstraße 12.
      label: "ADDRESS",
      pattern: new RegExp(
        String.raw`\b\d{1,5}[a-z]?,? (?:${NAME_WORD} ){1,4}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Square|Court|Ct|Place|Way|Boulevard|Blvd)\b\.?` +
          String.raw`|\p{Lu}[\p{L}-]*(?:straße|strasse|weg|platz|gasse|allee) \d{1,4}[a-z]?`,
        "gu",
      ),
    },
  ],
  names: [
    {
      label: "NAME",
      pattern: new RegExp(
        String.raw`\b(?:Mr|Mrs|Ms|Dr|Prof|Herr|Frau|Sir|Dame)\.? ${NAME_WORD}(?: ${NAME_WORD})*` +
          String.raw`|${NAME_WORD}(?: (?:\p{Lu}\.|van|von|de|da|der|${NAME_WORD}))* ${NAME_WORD}`,
        "gu",
      ),
    },
  ],
  numbers: [{ label: "NUMBER", pattern: /\d(?:[\d.,:/ -]*\d)?/gu }],
};

/** A label that this file wrote. */
const PLACEHOLDER = /\[[A-Z]+_\d+\]/g;

/** Fewest letters and digits of a value that is private: a shorter one would be found everywhere. */
const MIN_PRIVATE = 3;

export class Redactor {
  readonly #patterns: readonly Pattern[];
  readonly #private: readonly { readonly value: string; readonly bare: string }[];
  readonly #placeholders = new Map<string, string>();
  readonly #values = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  /**
   * @param privateValues texts that must not leave, in any case, spacing and punctuation
   * @throws UsageError for a private value with fewer than three letters and digits
   */
  constructor(rules: readonly RedactionRule[], privateValues: readonly string[]) {
    this.#private = privateValues.map((value) => ({ value, bare: bareText(value) }));
    for (const { value, bare } of this.#private) {
      if ([...bare].length >= MIN_PRIVATE) continue;
      throw new UsageError(
        `The private value ${JSON.stringify(value)} has fewer than ${MIN_PRIVATE} letters and digits; give more of it.`,
        { option: "private" },
      );
    }
    const marked = this.#private
      .toSorted((one, other) => other.bare.length - one.bare.length)
      .map(({ bare }): Pattern => ({ label: "PRIVATE", pattern: loosePattern(bare) }));
    // The order of the labels, not of the rules that were named: an address has a number in it.
    const chosen = (["addresses", "names", "numbers"] as const).filter((rule) =>
      rules.includes(rule),
    );
    this.#patterns = [...marked, ...chosen.flatMap((rule) => PATTERNS[rule])];
  }

  /** @returns the text with labels in the place of values, and how many of each */
  redact(text: string): { readonly text: string; readonly redactions: Record<string, number> } {
    const redactions: Record<string, number> = {};
    let redacted = text.normalize("NFC");
    for (const { label, pattern } of this.#patterns) {
      redacted = outsideOfPlaceholders(redacted, (part) =>
        part.replace(pattern, (value) => {
          redactions[label] = (redactions[label] ?? 0) + 1;
          return this.#placeholderOf(label, value);
        }),
      );
    }
    return { text: redacted, redactions };
  }

  /** The values in the place of the labels, for what stays on this machine. */
  restore(text: string): string {
    return text.replace(PLACEHOLDER, (label) => this.#values.get(label) ?? label);
  }

  /** Whether a text still has a private value in it, however it is written. */
  hasPrivate(text: string): boolean {
    const bare = bareText(text);
    return this.#private.some((marked) => bare.includes(marked.bare));
  }

  #placeholderOf(label: string, value: string): string {
    const key = `${label}\n${value}`;
    const known = this.#placeholders.get(key);
    if (known !== undefined) return known;
    const count = (this.#counts.get(label) ?? 0) + 1;
    this.#counts.set(label, count);
    const placeholder = `[${label}_${count}]`;
    this.#placeholders.set(key, placeholder);
    this.#values.set(placeholder, value);
    return placeholder;
  }
}

function outsideOfPlaceholders(text: string, change: (part: string) => string): string {
  return text
    .split(/(\[[A-Z]+_\d+\])/)
    .map((part, at) => (at % 2 === 1 ? part : change(part)))
    .join("");
}

/** Letters and digits alone, in one case. */
function bareText(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");
}

/** Finds the letters and digits in their order, with anything between them. */
function loosePattern(bare: string): RegExp {
  const letters = [...bare].map((letter) => letter.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(letters.join(String.raw`[^\p{L}\p{N}]*`), "giu");
}
