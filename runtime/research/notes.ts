/** Notes: what a page says about the question, each with the lines that say it. */
import {
  type CitedSources,
  resolveCitations,
  sharedWords,
  tokensOf,
  verifyCitations,
} from "../citations/index.ts";
import { type Asker, plainText } from "./ask.ts";

export type ResearchNote = {
  readonly fact: string;
  readonly cursor: number;
  readonly first: number;
  readonly last: number;
};

/** Notes of one page. */
const MOST_NOTES = 4;
/** Lines that one note may cite. */
const MOST_LINES = 8;
const FACT_CHARACTERS = 320;

export type ShownLine = { readonly number: number; readonly text: string };

/** `【3†L5-L9】` */
function citationOf({ cursor, first, last }: Omit<ResearchNote, "fact">): string {
  return first === last ? `【${cursor}†L${first}】` : `【${cursor}†L${first}-L${last}】`;
}

/**
 * Has the model take notes of the lines of a page. A note that its lines do not support is left out; where fewer
 * than half are left, the lines that have most of the question's words are notes as well, word by word.
 */
export async function takeNotes(
  question: string,
  cursor: number,
  lines: readonly ShownLine[],
  sources: CitedSources,
  asker: Asker,
): Promise<readonly ResearchNote[]> {
  const [first, last] = [lines[0]?.number, lines.at(-1)?.number];
  if (first === undefined || last === undefined) return [];
  const page = lines.map(({ number, text }) => `L${number}: ${text}`).join("\n");
  const line = { type: "integer", minimum: first, maximum: last };
  const value = await asker.ask(
    `Question: ${question}\n\nA page that was found is opened, with numbered lines. ` +
      `Write up to ${MOST_NOTES} facts of this page that help to answer the question, each as a whole sentence with ` +
      "its numbers, names and dates, and the first and last line that say it. No facts where the page has none.",
    { recipient: "browser.open", text: page },
    {
      type: "object",
      properties: {
        notes: {
          type: "array",
          maxItems: MOST_NOTES,
          items: {
            type: "object",
            properties: { fact: { type: "string" }, from: line, to: line },
            required: ["fact", "from", "to"],
            additionalProperties: false,
          },
        },
      },
      required: ["notes"],
      additionalProperties: false,
    },
    700,
  );
  const facts = written(value);
  const notes = facts.flatMap(({ fact, from, to }): ResearchNote[] => {
    const text = plainText(fact, FACT_CHARACTERS);
    const ends = [Number(from), Number(to)].toSorted((a, b) => a - b);
    const place = {
      cursor,
      first: ends[0] ?? first,
      last: Math.min(ends[1] ?? last, (ends[0] ?? 0) + MOST_LINES - 1),
    };
    if (text === "" || !isAbout(question, text, lines)) return [];
    const note = supportedNote(text, place, lines, sources);
    return note === null ? [] : [note];
  });
  const isTrusted = notes.length > 0 && notes.length * 2 >= facts.length;
  return isTrusted ? notes : [...notes, ...extracted(question, cursor, lines)];
}

/** Whether a fact has a word of the question; in another language than that of the page, it cannot be told. */
function isAbout(question: string, fact: string, lines: readonly ShownLine[]): boolean {
  const page = lines.map(({ text }) => text).join("\n");
  if (sharedWords(question, page) === null) return true;
  return (relevances(question, [fact])[0] ?? 0) > 0;
}

function written(value: unknown): readonly { fact?: unknown; from?: unknown; to?: unknown }[] {
  const { notes } = (value ?? {}) as { readonly notes?: unknown };
  return Array.isArray(notes)
    ? notes.filter((note) => typeof note === "object" && note !== null)
    : [];
}

/** The note with the lines that it names, else with other lines that say it; null where none do. */
function supportedNote(
  fact: string,
  place: Omit<ResearchNote, "fact">,
  lines: readonly ShownLine[],
  sources: CitedSources,
): ResearchNote | null {
  if (isSupported(fact, [place], sources)) return { fact, ...place };
  if (!hasFacts(fact)) return null;
  const end = lines.at(-1)?.number ?? 0;
  for (const length of [1, 2, 3]) {
    for (const { number } of lines) {
      const other = { cursor: place.cursor, first: number, last: number + length - 1 };
      if (other.last <= end && isSupported(fact, [other], sources)) return { fact, ...other };
    }
  }
  return null;
}

/** Without a number or a name, any lines would do. */
function hasFacts(text: string): boolean {
  return /\d|(?<=\S )\p{Lu}/u.test(text);
}

/** Fewer words are no sentence; a few more are one where they begin as one does. */
const LEAST_WORDS = 4;
const SURE_WORDS = 6;
/** A sentence of which fewer words stand in its lines was made up, where both are in one language. */
const LEAST_SHARED = 0.5;

function isSentence(text: string): boolean {
  // Scripts without spaces have one long word.
  const words = text.match(/\p{Lo}|[\p{L}\p{N}]+/gu)?.length ?? 0;
  return words >= SURE_WORDS || (words >= LEAST_WORDS && !/^\p{Ll}/u.test(text));
}

/** Whether a sentence passes the check of `--verify-citations`, and has its words of the lines as well. */
export function isSupported(
  sentence: string,
  places: readonly Omit<ResearchNote, "fact">[],
  sources: CitedSources,
): boolean {
  if (!isSentence(sentence)) return false;
  const lines = places.flatMap(({ cursor, first, last }) =>
    Array.from({ length: last - first + 1 }, (_, at) => sources.line(cursor, first + at) ?? ""),
  );
  const shared = sharedWords(sentence, lines.join("\n"));
  if (shared === null ? !hasFacts(sentence) : shared < LEAST_SHARED) return false;
  const text = withCitations(sentence, places);
  const { annotations } = verifyCitations(text, resolveCitations(text, sources), sources);
  return annotations.every(
    (annotation) => annotation.type === "url_citation" && annotation.support !== "unsupported",
  );
}

/** The citations stand before the sign that ends the sentence. */
export function withCitations(
  sentence: string,
  places: readonly Omit<ResearchNote, "fact">[],
): string {
  const cited = [...new Set(places.map(citationOf))].join("");
  if (sentence.endsWith("…")) return `${sentence} ${cited}`;
  const end = /[.!?。！？]+$/u.exec(sentence)?.[0] ?? "";
  return `${sentence.slice(0, sentence.length - end.length)}${cited}${end || "."}`;
}

/** Longer words with so many letters in common are taken for forms of one word. */
const STEM = 6;
/** Words of questions that say nothing of what is asked. */
const ASKING: ReadonlySet<string> = new Set(
  (
    "when what which where whom whose does have been from with that this there their about many much long your " +
    "wann welche welcher welches wird wurde sind eine einen einer viele diese dieser nach quel quelle dans pour avec"
  ).split(" "),
);

/** Words of three letters or more, and pairs of characters where words are not set apart. */
function contentWords(text: string): readonly string[] {
  const isContent = (word: string): boolean =>
    (word.length > 2 || /\p{Lo}/u.test(word)) && !ASKING.has(word);
  return [...new Set(tokensOf(text).filter(isContent))];
}

/** `open` and `opening`, `lens` and `lenses`: forms of one word, as far as beginnings tell. */
function isForm(one: string, other: string): boolean {
  if (one === other) return true;
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  return (
    short.length >= 4 && (long.startsWith(short) || long.slice(0, STEM) === short.slice(0, STEM))
  );
}

/** How much of the question each of several texts has: rare words count more than those that most texts have. */
export function relevances(question: string, texts: readonly string[]): readonly number[] {
  const read = texts.map(contentWords);
  const scores = texts.map(() => 0);
  for (const asked of contentWords(question)) {
    const has = read.map((words) => words.some((word) => isForm(asked, word)));
    const count = has.filter(Boolean).length;
    const weight = Math.log(1 + (texts.length - count + 0.5) / (count + 0.5)) + 0.1;
    for (const [at, isThere] of has.entries()) if (isThere) scores[at] = (scores[at] ?? 0) + weight;
  }
  return scores;
}

/** Lines that have most of the question's words, as they are. */
function extracted(
  question: string,
  cursor: number,
  lines: readonly ShownLine[],
): readonly ResearchNote[] {
  const read = paragraphs(lines).map((paragraph) => ({
    paragraph,
    // A word that was broken at its hyphen goes on.
    text: paragraph
      .map((line) => line.text.trim())
      .join(" ")
      .replace(/(?<=\p{L}-) (?=\p{Ll})/gu, ""),
  }));
  const scores = relevances(
    question,
    read.map(({ text }) => text),
  );
  const scored = read.map((each, at) => ({ ...each, score: scores[at] ?? 0 }));
  const best = Math.max(0, ...scored.map(({ score }) => score));
  if (best === 0) return [];
  return scored
    .filter(({ score }) => score >= best * 0.6)
    .toSorted((a, b) => b.score - a.score)
    .slice(0, 2)
    .flatMap(({ paragraph, text }): ResearchNote[] => {
      const [first, last] = [paragraph[0]?.number, paragraph.at(-1)?.number];
      const anchors = text.replace(/【\d+†([^†】]*)(?:†[^】]*)?】/g, "$1");
      const fact = plainText(anchors.replace(/^[#*\-|> ]+/, ""), FACT_CHARACTERS);
      return first === undefined || last === undefined || fact === ""
        ? []
        : [{ fact, cursor, first, last }];
    });
}

/** Lines up to the next empty one or the next item of a list, at most as many as one note may cite. */
function paragraphs(lines: readonly ShownLine[]): readonly (readonly ShownLine[])[] {
  const groups: ShownLine[][] = [];
  let open: ShownLine[] | null = null;
  for (const line of lines) {
    const isHeading = /^\s*(?:#|URL: )/.test(line.text);
    if (line.text.trim() === "" || isHeading) {
      open = null;
      continue;
    }
    const begins = /^\s*(?:[-*•|]|\d+[.)] )/.test(line.text);
    if (open === null || begins || open.length >= MOST_LINES) {
      open = [];
      groups.push(open);
    }
    open.push(line);
  }
  return groups;
}
