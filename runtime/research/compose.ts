/** From notes to an answer whose every sentence cites notes that support it. */
import type { CitedSources } from "../citations/index.ts";
import { type Asker, plainText } from "./ask.ts";
import { isSupported, type ResearchNote, relevances, withCitations } from "./notes.ts";

export type Composed = {
  readonly text: string;
  /** Sentences that the model wrote and that their notes do not support. */
  readonly leftOut: number;
};

/** Notes that a question shows the model. */
const MOST_NOTES = 24;
const MOST_SENTENCES = 12;
const SENTENCE_CHARACTERS = 600;

/**
 * Has the model write an answer sentence by sentence, each with the numbers of its notes. Sentences that their notes
 * do not support are left out; where fewer than half are left, the answer is the list of notes.
 */
export async function compose(
  question: string,
  notes: readonly ResearchNote[],
  sources: CitedSources,
  asker: Asker,
): Promise<Composed> {
  const shown = notes.slice(0, MOST_NOTES);
  const list = shown.map(({ fact }, at) => `[${at + 1}] ${fact}`).join("\n");
  const value = await asker.ask(
    `Question: ${question}\n\nRead the notes and answer the question from these notes alone, in up to ` +
      `${MOST_SENTENCES} sentences that belong together. The first sentence answers the question. Keep numbers, names ` +
      "and dates as they are, and give with each sentence the numbers of the notes that say it.",
    { recipient: "functions.read_notes", text: list },
    {
      type: "object",
      properties: {
        sentences: {
          type: "array",
          minItems: 1,
          maxItems: MOST_SENTENCES,
          items: {
            type: "object",
            properties: {
              text: { type: "string" },
              notes: {
                type: "array",
                minItems: 1,
                maxItems: 4,
                items: { type: "integer", minimum: 1, maximum: shown.length },
              },
            },
            required: ["text", "notes"],
            additionalProperties: false,
          },
        },
      },
      required: ["sentences"],
      additionalProperties: false,
    },
    1200,
  );
  const sentences = written(value);
  const kept = sentences.flatMap(({ text, notes: numbers }) => {
    const sentence = plainText(text, SENTENCE_CHARACTERS).replace(/\s*\[\d+(?:, ?\d+)*\]/g, "");
    const cited = numbers.flatMap((number) => shown[number - 1] ?? []);
    const isFine = sentence !== "" && cited.length > 0 && isSupported(sentence, cited, sources);
    return isFine ? [withCitations(sentence, cited)] : [];
  });
  const leftOut = sentences.length - kept.length;
  // A model that makes up more than it reads is not believed in the rest.
  if (kept.length > 0 && kept.length >= leftOut) return { text: kept.join(" "), leftOut };
  return { text: noteList(mostRelevant(question, shown, sources)), leftOut };
}

/** Notes of an answer that is a list of them. */
const LISTED_NOTES = 3;

/** Notes with most of the question's words, in that order. */
function mostRelevant(
  question: string,
  notes: readonly ResearchNote[],
  sources: CitedSources,
): readonly ResearchNote[] {
  const texts = notes.map(({ fact, cursor }) => `${sources.page(cursor)?.title ?? ""} ${fact}`);
  const scores = relevances(question, texts);
  const scored = notes.map((note, at) => ({ note, score: scores[at] ?? 0 }));
  const best = Math.max(...scored.map(({ score }) => score));
  return scored
    .filter(({ score }) => score >= best * 0.6)
    .toSorted((a, b) => b.score - a.score)
    .slice(0, LISTED_NOTES)
    .map(({ note }) => note);
}

/** The notes as they are, one a line. */
export function noteList(notes: readonly ResearchNote[]): string {
  return notes.map((note) => `- ${withCitations(note.fact, [note])}`).join("\n");
}

function written(
  value: unknown,
): readonly { readonly text: unknown; readonly notes: readonly number[] }[] {
  const { sentences } = (value ?? {}) as { readonly sentences?: unknown };
  if (!Array.isArray(sentences)) return [];
  return sentences.flatMap((sentence: { text?: unknown; notes?: unknown } | null) => {
    const { text, notes } = sentence ?? {};
    const numbers = Array.isArray(notes) ? notes.filter(Number.isSafeInteger) : [];
    return [{ text, notes: numbers as number[] }];
  });
}
