/** A document that a person hands to the model: its text, in a readable form. */
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { FileReadError, readFileOrPipe } from "../../core/read-file.ts";
import { messageOf } from "../../core/text.ts";
import { runInWorker, TaskEndedError } from "../../core/worker-pool.ts";
import { AttachmentError } from "../errors.ts";
import type { FileToRead, ReadText } from "./attachment-task.ts";
import { reasonOf } from "./folder.ts";

const TASK = new URL("./attachment-task.ts", import.meta.url);
/** More than any context holds. */
const MAX_BYTES = 32 * 1024 * 1024;
const TIMEOUT_MS = 60_000;

export type Attachment = {
  readonly path: string;
  /** The last part of the path. */
  readonly name: string;
  /** Plain text, code, Markdown, JSON and CSV as they are; HTML, PDF, Word, notebooks and mails as their text. */
  readonly text: string;
  /** What a person should know of how it was read. */
  readonly warnings: readonly string[];
};

/** @throws AttachmentError saying why a file has no text */
export async function readAttachment(path: string): Promise<Attachment> {
  const name = basename(path);
  const source = await sourceOf(path);
  const read = await textOf({ name, source, maxBytes: MAX_BYTES });
  if ("reason" in read) throw new AttachmentError(path, read.reason.replace(/^(?=an? )/, "it is "));
  if (read.text.trim() === "") throw new AttachmentError(path, "it has no text");
  return { path, name, ...read };
}

/** @throws AttachmentError for a path that leads to no file, or a pipe with too much in it */
async function sourceOf(path: string): Promise<FileToRead["source"]> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) throw new AttachmentError(path, "it is a folder");
    if (stats.isFile()) return { path: new TextEncoder().encode(path) };
    return { bytes: await readFileOrPipe(path, MAX_BYTES) };
  } catch (cause) {
    if (cause instanceof AttachmentError) throw cause;
    if (cause instanceof FileReadError) {
      throw new AttachmentError(path, cause.message.slice(path.length + 1).replace(/\.$/, ""));
    }
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new AttachmentError(path, isMissing ? "there is no such file" : reasonOf(cause), {
      cause,
    });
  }
}

async function textOf(request: FileToRead): Promise<ReadText> {
  try {
    return await runInWorker<FileToRead, ReadText>(TASK, request, TIMEOUT_MS);
  } catch (error) {
    const isOver = error instanceof TaskEndedError;
    return { reason: `${isOver ? "its text was not extracted: " : ""}${messageOf(error)}` };
  }
}
