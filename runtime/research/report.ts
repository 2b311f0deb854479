/** What a research came to, as Markdown. */
import { type CitedSources, FootnoteWriter } from "../citations/index.ts";
import type { Annotation } from "../events.ts";
import { noteList } from "./compose.ts";
import type { ResearchProgress } from "./research-model.ts";

export type ReportFacts = {
  readonly question: string;
  /** null: it was stopped before. */
  readonly answer: string | null;
  readonly annotations: readonly Annotation[];
  readonly progress: ResearchProgress;
  /** How far each budget was used, in words. */
  readonly spent: string;
};

/** Question, answer with footnotes, sources, and how it was found. Without an answer: the notes until then. */
export function researchReport(
  { question, answer, annotations, progress, spent }: ReportFacts,
  sources: CitedSources,
): string {
  const writer = new FootnoteWriter(() => sources);
  const written =
    answer ?? (progress.notes.length === 0 ? "No notes were taken." : noteList(progress.notes));
  const body = writer.push(written) + writer.end();
  const notes = writer.notes(answer === null ? undefined : annotations);
  const { searches, pages, leftOut } = progress;
  return [
    `# ${question.replace(/\s+/g, " ").trim()}`,
    ...(answer === null
      ? ["*This was stopped before there was an answer. The notes until then:*"]
      : []),
    body.trim(),
    ...(notes.length === 0 ? [] : ["## Sources", notes.join("\n\n")]),
    "## How it was found",
    [
      `- Searches: ${searches.length === 0 ? "none" : searches.map((query) => `“${query}”`).join(", ")}`,
      `- Pages read: ${pages.length === 0 ? "none" : pages.join(", ")}`,
      `- Notes: ${progress.notes.length}`,
      ...(leftOut === 0
        ? []
        : [`- Sentences left out, since their lines do not say them: ${leftOut}`]),
      `- Used: ${spent}`,
    ].join("\n"),
    "",
  ].join("\n\n");
}
