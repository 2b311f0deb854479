/** A document as text, as a task of the worker pool. */
import { messageOf } from "../../core/text.ts";
import { decodeText } from "../convert/charset.ts";
import { type DocumentKind, documentKind } from "../convert/document-kind.ts";
import { extractPage } from "../convert/extract.ts";
import { LINK } from "../text/links.ts";
import { asDocument, readDocument } from "./read-document.ts";

export type FileToRead = {
  readonly name: string;
  /** A regular file, or what was read of a pipe. */
  readonly source: { readonly path: Uint8Array } | { readonly bytes: Uint8Array };
  readonly maxBytes: number;
};

/** The text, or why there is none. */
export type ReadText =
  | { readonly text: string; readonly warnings: readonly string[] }
  | { readonly reason: string };

/** Kinds that are no text to begin with, or hide it under markup; every other kind stays as it is written. */
const CONVERTED: ReadonlySet<DocumentKind> = new Set(["html", "notebook", "mime", "pdf", "docx"]);

/** The handler of the task. */
export default async function readText({ name, source, maxBytes }: FileToRead): Promise<ReadText> {
  const bytes =
    "bytes" in source ? asDocument(source.bytes, name) : readDocument(source.path, name, maxBytes);
  if (!(bytes instanceof Uint8Array)) return bytes;
  try {
    if (!CONVERTED.has(documentKind(name, bytes))) {
      const { text, warning } = await decodeText(bytes, undefined, false);
      return { text, warnings: warning === undefined ? [] : [warning] };
    }
    const { text, warnings = [] } = await extractPage({ url: name, bytes });
    return { text: text.replace(LINK, "$2"), warnings };
  } catch (error) {
    return { reason: messageOf(error) };
  }
}
