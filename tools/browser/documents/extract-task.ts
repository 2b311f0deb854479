/** Extraction as a task of the worker pool. */
import { type DocumentSource, extractPage } from "../convert/extract.ts";
import type { PageContent } from "../page.ts";

/** The handler of the task. */
export default function extract(document: DocumentSource): Promise<PageContent> {
  return extractPage(document);
}
