/** Files into pages, as a task of the worker pool. */
import { createHash } from "node:crypto";
import { messageOf } from "../../core/text.ts";
import { extractPage } from "../convert/extract.ts";
import type { PageContent } from "../page.ts";
import { readDocument } from "./read-document.ts";

export type FilesToExtract = {
  readonly files: readonly FileToExtract[];
  readonly maxBytes: number;
};

export type FileToExtract = {
  readonly url: string;
  readonly path: Uint8Array;
  /** Of the bytes that are known: where the file still has these, it is not converted again. */
  readonly knownHash?: string | undefined;
};

/** A page, or why there is none. */
export type Extraction =
  | { readonly hash: string; readonly page: PageContent }
  /** The file has the bytes that are known. */
  | { readonly hash: string; readonly isKnown: true }
  /** With a hash: it will be the same reason as long as the file is the same. The hash of what is no document is empty. */
  | { readonly hash?: string; readonly reason: string };

/** The handler of the task: results in the order of the files. */
export default async function extractFiles({
  files,
  maxBytes,
}: FilesToExtract): Promise<readonly Extraction[]> {
  const results: Extraction[] = [];
  for (const file of files) results.push(await extractFile(file, maxBytes));
  return results;
}

async function extractFile(
  { url, path, knownHash }: FileToExtract,
  maxBytes: number,
): Promise<Extraction> {
  const bytes = readDocument(path, url, maxBytes);
  if (!(bytes instanceof Uint8Array)) {
    const { reason, isLasting } = bytes;
    return isLasting ? { hash: "", reason } : { reason };
  }
  const hash = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
  if (hash === knownHash) return { hash, isKnown: true };
  try {
    return { hash, page: await extractPage({ url, bytes }) };
  } catch (error) {
    return { hash, reason: messageOf(error) };
  }
}
