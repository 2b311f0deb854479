/** Citations of an answer, held against the pages that were shown. */
export { FootnoteWriter, footnote, sourceText, withFootnotes } from "./footnotes.ts";
export type { CitedPlace, LineRange } from "./parse.ts";
export { resolveCitations } from "./resolve.ts";
export { findCitations, type WrittenCitation } from "./scan.ts";
export { type CitedKind, type CitedPage, type CitedSources, citedSources } from "./sources.ts";
