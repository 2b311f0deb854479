/**
 * Extraction under a clock. Markup can be built so that taking it apart takes hours, and nothing in the
 * same thread could stop it; so each document is a task of the worker pool, with a deadline.
 */
import { messageOf } from "../../core/text.ts";
import { runInWorker, TaskEndedError } from "../../core/worker-pool.ts";
import type { DocumentSource } from "../convert/extract.ts";
import type { PageContent } from "../page.ts";

export type Extraction = { readonly page: PageContent } | { readonly reason: string };

const TASK = new URL("./extract-task.ts", import.meta.url);

export async function extractDocument(
  document: DocumentSource,
  timeoutMs: number,
): Promise<Extraction> {
  try {
    return { page: await runInWorker<DocumentSource, PageContent>(TASK, document, timeoutMs) };
  } catch (error) {
    const isOver = error instanceof TaskEndedError;
    return { reason: `${isOver ? "its text was not extracted: " : ""}${messageOf(error)}` };
  }
}
