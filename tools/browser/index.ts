/**
 * Reading documents the way gpt-oss was trained to: `browser.search`, `browser.open`, `browser.find`,
 * pages of numbered lines, links by number, citations by cursor and line.
 */

export type { BrowserBackend, SearchHit } from "./backend.ts";
export { type Citation, type CitedText, normaliseCitations } from "./citations.ts";
export { BrowsingError, DocumentFolderError } from "./errors.ts";
export { type FolderLimits, type FolderSummary, openDocumentFolder } from "./folder-backend.ts";
export type { Page, PageContent, PageLink } from "./page.ts";
export {
  type BrowserTools,
  type BrowserToolsOptions,
  createBrowserTools,
} from "./tools.ts";
