/** The sentences of an answer that cite something, and what of them is claimed. */
import type { UrlCitation } from "../../events.ts";
import { isMonth } from "./dates.ts";
import { foldSigns } from "./fold.ts";

/** A sentence, an item of a list, or a cell or row of a table. Offsets are those of the answer. */
export type CitingSentence = {
  readonly start: number;
  readonly end: number;
  /**
   * The part of the answer from `start` to `end` with its signs folded; citations, marks of Markdown and addresses
   * are spaces, so that offsets hold.
   */
  readonly text: string;
  /** Up to here (from the beginning of `text`) stands a label: `Highest pressure:`. */
  readonly labelEnd: number;
  readonly citations: readonly UrlCitation[];
};

type Block = { readonly start: number; readonly end: number; readonly kind: "text" | "row" };

/** @param spans where citations stand, also those that do not hold */
export function citingSentences(
  answer: string,
  citations: readonly UrlCitation[],
  spans: readonly (readonly [start: number, end: number])[],
): readonly CitingSentence[] {
  if (citations.length === 0) return [];
  let plain = foldSigns(answer);
  for (const [start, end] of spans) {
    plain = `${plain.slice(0, start)}${" ".repeat(end - start)}${plain.slice(end)}`;
  }
  const blocks = blocksOf(answer);
  const blank = withoutMarks(plain);
  const units = blocks.flatMap((block) =>
    block.kind === "row" ? rowUnits(plain, block, citations) : sentencesOf(blank, block),
  );
  return sentencesWithCitations(blank, units, citations);
}

/** Of what is longer, the beginning is checked. */
const LONGEST_SENTENCE = 4000;

type Unit = { readonly start: number; readonly end: number };

function sentencesWithCitations(
  text: string,
  units: readonly Unit[],
  citations: readonly UrlCitation[],
): readonly CitingSentence[] {
  const cited = new Map<Unit, UrlCitation[]>();
  const isEmpty = ({ start, end }: Unit): boolean => !/[\p{L}\p{N}]/u.test(text.slice(start, end));
  for (const citation of citations) {
    const at = units.findIndex(
      ({ start, end }) => citation.start_index >= start && citation.start_index < end,
    );
    // A citation alone in its line belongs to what stands before it.
    let unit = units[at];
    for (let before = at; unit !== undefined && isEmpty(unit) && before > 0; )
      unit = units[--before];
    if (unit === undefined) continue;
    cited.set(unit, [...(cited.get(unit) ?? []), citation]);
  }
  return [...cited].map(([unit, own]) => {
    const part = text.slice(unit.start, unit.end);
    const label = /^\s*[^:.!?|]{1,60}:(?=\s)/u.exec(part);
    return {
      ...unit,
      text: part.slice(0, LONGEST_SENTENCE),
      labelEnd: label !== null && part.slice(label[0].length).trim() !== "" ? label[0].length : 0,
      citations: own,
    };
  });
}

/** Paragraphs, items of lists and rows of tables; code is left out. */
function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { start: number; end: number } | null = null;
  let fence: string | null = null;
  let at = 0;
  const close = (): void => {
    if (open !== null) blocks.push({ ...open, kind: "text" });
    open = null;
  };
  for (const line of text.split("\n")) {
    const [start, end] = [at, at + line.length + 1];
    at = end;
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark !== undefined && (fence === null || line.trim().startsWith(fence))) {
      close();
      fence = fence === null ? mark : null;
    } else if (fence !== null) continue;
    else if (line.trim() === "" || /^\s*(?:[-*_] ?){3,}$/.test(line)) close();
    else if (/^\s*\|.*\|/.test(line)) {
      close();
      blocks.push({ start, end, kind: "row" });
    } else if (/^\s*(?:[-*+•]|\d{1,3}[.)]|#{1,6}|>)\s/.test(line) || open === null) {
      close();
      open = { start, end };
    } else open.end = end;
  }
  close();
  return blocks;
}

/** Marks of Markdown, numbers of lists and addresses as spaces. */
function withoutMarks(text: string): string {
  const spaces = (part: string): string => part.replace(/[^\n]/g, " ");
  return text
    .replace(/^\s*(?:[-*+•]|\d{1,3}[.)]|#{1,6}|>)(?=\s)/gm, spaces)
    .replace(/\]\([^()\s]*(?:\s"[^"]*")?\)/g, spaces)
    .replace(/(?:https?:\/\/|www\.)[^\s)>\]]+/g, spaces)
    .replace(/\*{1,3}|(?<![\p{L}\p{N}])_{1,3}|_{1,3}(?![\p{L}\p{N}_])|~~/gu, spaces);
}

/** Behind these, a dot ends no sentence: initials, `e.g.`, titles, short words before names and numbers. */
const ABBREVIATION =
  /(?:^|[\s(])(?:(?<!\d\s)\p{Lu}|\p{L}(?:\.\s?\p{L})+|[Dd]r|[Mm]rs?|[Mm]s|[Pp]rof|[Ss]t|[Jj]r|[Ss]r|[Rr]ev|[Gg]en|[Cc]a|[Aa]pprox|[Bb]zw|[Vv]gl|[Ii]n[ck]l|[Ff]ig|[Nn]r|[Vv]ol|[Vv]s|[Mm]io|[Mm]rd|[Tt]sd)\.\s*$/u;

function sentencesOf(text: string, { start, end }: Block): readonly Unit[] {
  const units: Unit[] = [];
  const part = text.slice(start, end).replaceAll("\n", " ");
  for (const { segment, index } of segmenter().segment(part)) {
    const before = units.at(-1);
    const written =
      before === undefined ? "" : text.slice(Math.max(before.start, before.end - 24), before.end);
    // `3. Mai` and `Dr. Smith` are no ends of sentences.
    const isOrdinal =
      /(?:^|\s)\d{1,2}\.\s*$/.test(written) && (isMonth(segment) || /^Jahrhundert/.test(segment));
    const isGoingOn = before !== undefined && (isOrdinal || ABBREVIATION.test(written));
    const unit = { start: start + index, end: start + index + segment.length };
    if (isGoingOn) units.splice(-1, 1, { start: before.start, end: unit.end });
    else units.push(unit);
  }
  return units;
}

let made: Intl.Segmenter | undefined;

/** Made when it is needed first: it reads the rules of the language. */
function segmenter(): Intl.Segmenter {
  made ??= new Intl.Segmenter("en", { granularity: "sentence" });
  return made;
}

/** The cells that have a citation of their own; of a row whose citations stand apart, the row. */
function rowUnits(
  text: string,
  { start, end }: Block,
  citations: readonly UrlCitation[],
): readonly Unit[] {
  const cells: Unit[] = [];
  let from = start;
  for (let at = start; at < end; at++) {
    if (text[at] !== "|" && at !== end - 1) continue;
    cells.push({ start: from, end: at + 1 });
    from = at + 1;
  }
  const isCited = (cell: Unit): boolean =>
    citations.some(({ start_index }) => start_index >= cell.start && start_index < cell.end);
  const cited = cells.filter(isCited);
  const isOwn = cited.every((cell) => /[\p{L}\p{N}]/u.test(text.slice(cell.start, cell.end)));
  return isOwn && cited.length > 0 ? cited : [{ start, end }];
}
