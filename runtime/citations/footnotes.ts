/**
 * An answer for a reader: each citation becomes the number of a footnote, and the footnotes stand behind the answer.
 * The text may come in pieces; what is given out does not depend on where they are cut.
 */
import type { Annotation, UrlCitation } from "../events.ts";
import { lineWords, resolveCitation } from "./resolve.ts";
import { CitationScanner, type ScannedPiece } from "./scan.ts";
import type { CitedSources } from "./sources.ts";

/** Characters of the cited lines that a footnote repeats. */
const QUOTED_CHARACTERS = 160;

export class FootnoteWriter {
  readonly #sources: () => CitedSources;
  readonly #scanner = new CitationScanner();
  /** By what is cited: its number. */
  readonly #numbers = new Map<string, number>();
  readonly #annotations: Annotation[] = [];
  /** The last character given out, and whether it ends a number of a footnote. */
  #last = "";
  #isBehindNumber = false;

  /** @param sources what was shown until now; asked once for each citation */
  constructor(sources: () => CitedSources) {
    this.#sources = sources;
  }

  /** @returns what can be shown now */
  push(text: string): string {
    return this.#scanner
      .push(text)
      .map((piece) => this.#write(piece))
      .join("");
  }

  /** The end of the answer. @returns what was held back */
  end(): string {
    return this.#scanner
      .end()
      .map((piece) => this.#write(piece))
      .join("");
  }

  /**
   * The footnotes, one paragraph each.
   * @param verified the same citations, with what their check came to
   */
  notes(verified: readonly Annotation[] = this.#annotations): readonly string[] {
    const byNumber = new Map<number, Annotation>();
    for (const annotation of verified) {
      const number = this.#numbers.get(keyOf(annotation));
      if (number === undefined) continue;
      const before = byNumber.get(number);
      if (before === undefined || isWorse(annotation, before)) byNumber.set(number, annotation);
    }
    return [...byNumber].map(([number, annotation]) => footnote(number, annotation));
  }

  #write(piece: ScannedPiece): string {
    if (piece.type === "text") {
      this.#isBehindNumber = false;
      this.#last = piece.text.at(-1) ?? this.#last;
      return piece.text;
    }
    const annotations = resolveCitation(piece.citation, this.#sources());
    this.#annotations.push(...annotations);
    const marks = annotations.map((annotation) => mark(this.#numberOf(annotation), annotation));
    // Behind a word or a sign, not behind an opening bracket.
    const gap = this.#isBehindNumber || !/[^\s([{“„«]/.test(this.#last) ? "" : " ";
    this.#last = "]";
    this.#isBehindNumber = true;
    return gap + marks.join("");
  }

  #numberOf(annotation: Annotation): number {
    const key = keyOf(annotation);
    const number = this.#numbers.get(key) ?? this.#numbers.size + 1;
    this.#numbers.set(key, number);
    return number;
  }
}

/** An answer with its footnotes behind it; without a citation, the text as it is. */
export function withFootnotes(
  text: string,
  sources: CitedSources,
  verified?: readonly Annotation[],
): string {
  const writer = new FootnoteWriter(() => sources);
  const body = writer.push(text) + writer.end();
  const notes = writer.notes(verified);
  return notes.length === 0 ? body : `${body.trimEnd()}\n\n${notes.join("\n")}\n`;
}

/** One footnote: number, title, address, lines and the beginning of what they say. */
function footnote(number: number, annotation: Annotation): string {
  const label = mark(number, annotation);
  if (annotation.type === "broken_citation") {
    return `${label} Does not hold: ${plain(annotation.message)}.`;
  }
  return `${label} ${sourceText(annotation)}${supportText(annotation)}`;
}

/** Title, address, lines and the beginning of what they say, in one line. */
export function sourceText({ title, url, lines, quote }: UrlCitation): string {
  const name = title === url || title === "" ? [] : [plain(title)];
  const place = [...name, plain(url), ...(lines.length === 0 ? [] : [lineWords(lines)])].join(", ");
  const said = plain(withoutLinks(quote));
  return said === "" ? `${place}.` : `${place}: “${cut(said)}”`;
}

/** What a check has found missing, with a space in front; empty where nothing is. */
export function supportText({ support, missing = [] }: UrlCitation): string {
  const what = missing.map(plain).join(", ");
  if (support === "unsupported") return ` Not supported: ${what} is not there.`;
  return support === "computed" ? ` Computed, or not said there: ${what}.` : "";
}

/** What does not hold has a question mark. */
function mark(number: number, annotation: Annotation): string {
  return isDoubtful(annotation) ? `[${number}?]` : `[${number}]`;
}

function isDoubtful(annotation: Annotation): boolean {
  return annotation.type === "broken_citation" || annotation.support === "unsupported";
}

function isWorse(one: Annotation, other: Annotation): boolean {
  const rank = (annotation: Annotation): number =>
    isDoubtful(annotation)
      ? 2
      : "support" in annotation && annotation.support === "computed"
        ? 1
        : 0;
  return rank(one) > rank(other);
}

function keyOf(annotation: Annotation): string {
  return annotation.type === "broken_citation"
    ? JSON.stringify([annotation.reason, annotation.message])
    : JSON.stringify([annotation.sha256, annotation.lines]);
}

/** Marks of links, `【3†anchor†host】`, become their anchors. */
export function withoutLinks(text: string): string {
  return text.replace(/【\d+†([^†】]*)(?:†[^】]*)?】/g, "$1");
}

/** In one line, without what a terminal or a reader cannot show. */
function plain(text: string): string {
  return text.replace(/\s+/g, " ").replace(/\p{C}/gu, "").trim();
}

function cut(text: string): string {
  if (text.length <= QUOTED_CHARACTERS) return text;
  return `${text
    .slice(0, QUOTED_CHARACTERS)
    .replace(/\s\S*$/, "")
    .toWellFormed()} …`;
}
