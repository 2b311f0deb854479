/**
 * Reading documents the way gpt-oss was trained to: `browser.search`, `browser.open`, `browser.find`,
 * pages of numbered lines, links by number, citations by cursor and line.
 */

export type { BrowserBackend, SearchHit } from "./backend.ts";
export {
  SearchConfigurationError,
  type SearchProblem,
  SearchProviderError,
} from "./backends/errors.ts";
export type { WebOptions } from "./backends/open-backend.ts";
export type { SearchProvider } from "./backends/provider.ts";
export { toolProvider } from "./backends/tool-provider.ts";
export {
  BrowserSession,
  type LineRange,
  type PageCache,
  type ShownPage,
  type ShownRecord,
  shownPage,
} from "./browser-session.ts";
export { type Attachment, readAttachment } from "./documents/attachment.ts";
export {
  type FolderBackend,
  type FolderLimits,
  type FolderOptions,
  type FolderSummary,
  openDocumentFolder,
  type SkippedFile,
} from "./documents/folder-backend.ts";
export { folderNotes } from "./documents/folder-notes.ts";
export type { ReadingProgress } from "./documents/read-folder.ts";
export {
  AttachmentError,
  BrowsingError,
  DocumentFolderError,
} from "./errors.ts";
export { matchingLines } from "./find.ts";
export type { LinkTarget, Page, PageContent, PageKind, PageLink } from "./page.ts";
export { stripLinks } from "./text/links.ts";
export type { Line as PageLine } from "./text/wrap.ts";
export {
  type BrowserTools,
  type BrowserToolsOptions,
  createBrowserTools,
} from "./tools.ts";
