/** The body of a response into a page, as a task of the worker pool: a hostile page costs its thread's time alone. */
import { extractPage } from "../convert/extract.ts";
import { asDocument } from "../documents/read-document.ts";
import type { PageContent } from "../page.ts";

export type PageToConvert = {
  readonly url: string;
  readonly bytes: Uint8Array;
  readonly contentType: string | null;
};

/** A page, or why there is none. */
export type ConvertedPage = { readonly page: PageContent } | { readonly reason: string };

/** The handler of the task. @throws what the conversion throws, whose message says why there is no text */
export default async function convertPage({
  url,
  bytes,
  contentType,
}: PageToConvert): Promise<ConvertedPage> {
  const document = asDocument(bytes, new URL(url).pathname);
  if (!(document instanceof Uint8Array)) return { reason: document.reason };
  return {
    page: await extractPage({ url, bytes: document, ...(contentType !== null && { contentType }) }),
  };
}
