/** Citations of an answer, held against the pages that were shown. */
export { FootnoteWriter, sourceText, supportText, withFootnotes } from "./footnotes.ts";
export type { CitedPlace } from "./parse.ts";
export { resolveCitations } from "./resolve.ts";
export {
  CitationScanner,
  findCitations,
  type ScannedPiece,
  type WrittenCitation,
} from "./scan.ts";
export { type CitedKind, type CitedPage, type CitedSources, citedSources } from "./sources.ts";
export { sharedWords, tokensOf } from "./verify/overlap.ts";
export { type VerifiedCitations, verifyCitations } from "./verify/verify.ts";
