/** A file that a conversation made, for the page. */
import { open, realpath } from "node:fs/promises";
import { sep } from "node:path";
import type { LogEntry } from "../../index.ts";
import { turnsOfLog } from "../../tracing/index.ts";
import { ServerError } from "../errors.ts";

const MAX_BYTES = 64 << 20;

export type PageFile = { readonly name: string; readonly bytes: Buffer };

/**
 * A log may be one that was imported: what it calls a file counts only where the file lies in the folder.
 * @param index of the file among those of the call
 * @throws ServerError where there is none, or it is elsewhere
 */
export async function pageFile(
  entries: readonly LogEntry[],
  callId: string,
  index: number,
  folder: string,
): Promise<PageFile> {
  const items = turnsOfLog(entries)
    .flatMap(({ events }) => events)
    .flatMap((event) => (event.type === "item.completed" ? [event.item] : []));
  const item = items.find(({ id }) => id === callId);
  const artifact = item?.type === "code_execution" ? item.artifacts?.[index] : undefined;
  if (typeof artifact?.path !== "string") throw missing();
  try {
    const [path, root] = await Promise.all([realpath(artifact.path), realpath(folder)]);
    if (!path.startsWith(root + sep)) throw missing();
    await using file = await open(path);
    const { size } = await file.stat();
    if (size > MAX_BYTES) {
      throw new ServerError(
        "CHORALE_TOO_LARGE",
        `The file has ${size} bytes; accepted: ${MAX_BYTES}. It lies at ${path}.`,
        { status: 413 },
      );
    }
    return { name: artifact.name, bytes: await file.readFile() };
  } catch (error) {
    if (error instanceof ServerError) throw error;
    throw missing();
  }
}

function missing(): ServerError {
  return new ServerError("CHORALE_NOT_FOUND", "There is no such file, or not any more.", {
    status: 404,
  });
}
