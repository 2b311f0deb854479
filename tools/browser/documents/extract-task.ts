/** Files into pages, as a task of the worker pool. */
import { messageOf } from "../../core/text.ts";
import { extractPage } from "../convert/extract.ts";
import type { PageContent } from "../page.ts";
import { readDocument } from "./read-document.ts";

export type FilesToExtract = {
  readonly files: readonly { readonly url: string; readonly path: Uint8Array }[];
  readonly maxBytes: number;
};

/** A page, or why there is none. */
export type Extraction = { readonly page: PageContent } | { readonly reason: string };

/** The handler of the task: results in the order of the files. */
export default async function extractFiles({
  files,
  maxBytes,
}: FilesToExtract): Promise<readonly Extraction[]> {
  const results: Extraction[] = [];
  for (const { url, path } of files) {
    const bytes = readDocument(path, url, maxBytes);
    if (!(bytes instanceof Uint8Array)) results.push(bytes);
    else {
      results.push(
        await extractPage({ url, bytes }).then(
          (page) => ({ page }),
          (error: unknown) => ({ reason: messageOf(error) }),
        ),
      );
    }
  }
  return results;
}
