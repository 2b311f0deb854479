/**
 * Extraction under a clock. Markup can be built so that taking it apart takes long, and nothing in the same
 * thread could stop it; so it is a task of the worker pool, with a deadline. Small files go to a thread
 * together; where one of them takes too long, each gets a task and a deadline of its own.
 */
import { messageOf } from "../../core/text.ts";
import { runInWorker, TaskEndedError } from "../../core/worker-pool.ts";
import type { Extraction, FilesToExtract } from "./extract-task.ts";

const TASK = new URL("./extract-task.ts", import.meta.url);

/** Results in the order of the files. */
export async function extractFiles(
  request: FilesToExtract,
  timeoutMs: number,
): Promise<readonly Extraction[]> {
  const { files, maxBytes } = request;
  try {
    return await runInWorker<FilesToExtract, readonly Extraction[]>(TASK, request, timeoutMs);
  } catch (error) {
    if (files.length === 1) {
      const isOver = error instanceof TaskEndedError;
      return [{ reason: `${isOver ? "its text was not extracted: " : ""}${messageOf(error)}` }];
    }
    const alone = files.map((file) => extractFiles({ files: [file], maxBytes }, timeoutMs));
    return (await Promise.all(alone)).flat();
  }
}
