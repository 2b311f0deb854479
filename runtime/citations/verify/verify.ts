/** Citations held against what they cite: whether the cited lines say what the sentence says. */
import type { Annotation, UrlCitation } from "../../events.ts";
import { withoutLinks } from "../footnotes.ts";
import { asRanges, lineNumbers, lineWords } from "../resolve.ts";
import type { CitedSources } from "../sources.ts";
import { foldLetters } from "./fold.ts";
import { type CitingSentence, citingSentences } from "./sentences.ts";
import { type CitedText, citedText, type Missing, missingClaims } from "./support.ts";

export type VerifiedCitations = {
  /** The same, with what the check came to. */
  readonly annotations: readonly Annotation[];
  /** What a model is told of the citations that do not hold, or do not say it; null: nothing. */
  readonly feedback: string | null;
  /** The same in one line for people. */
  readonly problems: readonly string[];
};

/** @param annotations what `resolveCitations` gave for the text */
export function verifyCitations(
  text: string,
  annotations: readonly Annotation[],
  sources: CitedSources,
): VerifiedCitations {
  const citations = annotations.filter((each): each is UrlCitation => each.type === "url_citation");
  const spans = annotations.map((each) => [each.start_index, each.end_index] as const);
  const reader = new CitedReader(sources);
  const found = new Map<Annotation, readonly Missing[]>();
  const problems: string[] = [];
  for (const annotation of annotations) {
    if (annotation.type !== "broken_citation") continue;
    const written = text.slice(annotation.start_index, annotation.end_index);
    problems.push(`${written}: ${annotation.message}`);
  }
  for (const sentence of citingSentences(text, citations, spans)) {
    const cited = reader.read(sentence.citations);
    const missing = missingClaims(sentence, cited, (word) => reader.isKnownName(word));
    const byCitation = attributed(sentence, missing);
    for (const citation of sentence.citations) {
      found.set(citation, byCitation.get(citation) ?? []);
    }
    const unsupported = missing.filter(({ isComputed }) => !isComputed);
    if (unsupported.length > 0) problems.push(problemOf(text, sentence, unsupported, reader));
  }
  return {
    annotations: annotations.map((annotation) => {
      const missing = found.get(annotation);
      return missing === undefined ? annotation : { ...annotation, ...supportOf(missing) };
    }),
    problems,
    feedback: problems.length === 0 ? null : feedbackOf(problems),
  };
}

function supportOf(missing: readonly Missing[]): Pick<UrlCitation, "support" | "missing"> {
  if (missing.length === 0) return { support: "supported" };
  const isComputed = missing.every((each) => each.isComputed);
  return {
    support: isComputed ? "computed" : "unsupported",
    missing: [...new Set(missing.map(({ text }) => text))],
  };
}

/** What is missing belongs to the citation that follows it, else to the last. */
function attributed(
  { start, citations }: CitingSentence,
  missing: readonly Missing[],
): ReadonlyMap<UrlCitation, readonly Missing[]> {
  const groups = new Map<UrlCitation, Missing[]>();
  for (const each of missing) {
    const own = citations.find(({ start_index }) => start_index >= start + each.start);
    const citation = own ?? citations.at(-1);
    if (citation !== undefined) groups.set(citation, [...(groups.get(citation) ?? []), each]);
  }
  return groups;
}

/** Problems that a model is told of; the others are like them. */
const MOST_PROBLEMS = 8;

function feedbackOf(problems: readonly string[]): string {
  const shown = problems.slice(0, MOST_PROBLEMS);
  const rest = problems.length - shown.length;
  return [
    "The citations of the final message were checked against the pages, and these do not hold:",
    ...shown.map((problem) => `- ${problem}`),
    ...(rest > 0 ? [`- ${rest} more like these`] : []),
    "Write the final message again, whole. Correct what is said or the lines that are cited, leave out what no page " +
      "says, and cite as 【cursor†L1-L2】. You may open or search pages before that.",
  ].join("\n");
}

/** Of what a page says nothing is repeated: what is told is no tool's output. */
const SHOWN_SENTENCE = 160;

function problemOf(
  text: string,
  { start, end, citations }: CitingSentence,
  missing: readonly Missing[],
  reader: CitedReader,
): string {
  const sentence = text.slice(start, end).replace(/\s+/g, " ").trim();
  const what = [...new Set(missing.map((each) => each.text))].join(", ");
  const where = citations.map((citation) => placeOf(citation)).join(" and ");
  const elsewhere = missing.flatMap((each) => reader.whereIs(each, citations));
  const hint =
    elsewhere.length === 0
      ? ""
      : ` It stands in ${[...new Set(elsewhere)].slice(0, 2).join(" and ")}.`;
  return `“${cut(sentence, SHOWN_SENTENCE)}”: ${what} is not in ${where}.${hint}`;
}

function placeOf({ cursor, lines }: UrlCitation): string {
  return lines.length === 0 ? `page ${cursor}` : `${lineWords(lines)} of page ${cursor}`;
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most).toWellFormed()}…`;
}

/** Lines of a page in which is looked for what is missing. */
const MOST_SEARCHED = 500;

/** Reads cited lines, each place once. */
class CitedReader {
  readonly #sources: CitedSources;
  readonly #read = new Map<string, CitedText>();
  #names: { readonly large: ReadonlySet<string>; readonly small: ReadonlySet<string> } | null =
    null;

  constructor(sources: CitedSources) {
    this.#sources = sources;
  }

  read(citations: readonly UrlCitation[]): CitedText {
    const key = JSON.stringify(citations.map(({ cursor, lines }) => [cursor, lines]));
    const known = this.#read.get(key);
    if (known !== undefined) return known;
    const text = citations.map((citation) => this.linesOf(citation)).join("\n");
    const context = citations.map((citation) => this.#contextOf(citation)).join("\n");
    const read = citedText(text, context);
    this.#read.set(key, read);
    return read;
  }

  /** The cited lines; of a page that is cited as a whole, those that were shown. */
  linesOf({ cursor, lines }: UrlCitation): string {
    const numbers = lines.length === 0 ? this.#sources.shownLines(cursor) : lineNumbers(lines);
    return withoutLinks(numbers.map((at) => this.#sources.line(cursor, at) ?? "").join("\n"));
  }

  /** Title, address and the headings above the lines. */
  #contextOf({ cursor, title, url, lines }: UrlCitation): string {
    const first = lines[0]?.first ?? 0;
    const headings: string[] = [];
    let level = 7;
    for (let at = first - 1; at >= 0 && level > 1; at--) {
      const line = this.#sources.line(cursor, at) ?? "";
      const own = /^(#{1,6}) /.exec(line)?.[1]?.length ?? 7;
      if (own >= level) continue;
      level = own;
      headings.push(line);
    }
    return withoutLinks([title, url.replace(/[/._-]+/g, " "), ...headings].join("\n"));
  }

  /** A word that pages write large inside of sentences and nowhere small. */
  isKnownName(word: string): boolean {
    this.#names ??= this.#knownNames();
    const folded = foldLetters(word);
    return this.#names.large.has(folded) && !this.#names.small.has(folded);
  }

  #knownNames(): { readonly large: ReadonlySet<string>; readonly small: ReadonlySet<string> } {
    const [large, small] = [new Set<string>(), new Set<string>()];
    for (const text of this.#documents()) {
      for (const { 0: word } of text.matchAll(/(?<=[\p{Ll}\p{N},] )\p{Lu}[\p{L}\p{M}]+/gu)) {
        large.add(foldLetters(word));
      }
      for (const { 0: word } of text.matchAll(/(?<![\p{L}\p{M}])\p{Ll}[\p{L}\p{M}]+/gu)) {
        small.add(foldLetters(word));
      }
    }
    return { large, small };
  }

  *#documents(): Generator<string> {
    const seen = new Set<string>();
    for (const cursor of this.#sources.cursors) {
      const page = this.#sources.page(cursor);
      if (page === undefined || page.kind === "search" || seen.has(page.sha256)) continue;
      seen.add(page.sha256);
      const numbers = this.#sources.shownLines(cursor);
      yield withoutLinks(numbers.map((at) => this.#sources.line(cursor, at) ?? "").join("\n"));
    }
  }

  /** Lines that were shown and say what is missing, in words. */
  whereIs({ text }: Missing, citations: readonly UrlCitation[]): readonly string[] {
    const wanted = { text, labelEnd: 0 };
    const cursors = [...new Set(citations.map(({ cursor }) => cursor))];
    return cursors.flatMap((cursor) => {
      const found = this.#sources
        .shownLines(cursor)
        .slice(0, MOST_SEARCHED)
        .filter((at) => {
          const line = this.#lineOf(cursor, at);
          return line !== null && missingClaims(wanted, line, () => true).length === 0;
        });
      // What nearly every line says is no hint.
      if (found.length === 0 || found.length > 3) return [];
      return [`${lineWords(asRanges(found))} of page ${cursor}`];
    });
  }

  /** One line by itself; null for an empty one. */
  #lineOf(cursor: number, at: number): CitedText | null {
    const key = `${cursor}:${at}`;
    const known = this.#read.get(key);
    if (known !== undefined) return known;
    const line = withoutLinks(this.#sources.line(cursor, at) ?? "");
    if (line.trim() === "") return null;
    const read = citedText(line, "");
    this.#read.set(key, read);
    return read;
  }
}
