/** `--resume ID` and `--continue`: which conversation goes on. */
import { resolve } from "node:path";
import { UsageError } from "../errors.ts";
import { findThread, lastThread, type ThreadStore } from "../index.ts";
import type { CommandContext } from "./command-context.ts";
import { withThreads } from "./stored-threads.ts";

/**
 * The id of the thread that goes on; undefined for a new one.
 * @throws UsageError, ThreadNotFoundError, AmbiguousThreadError
 */
export async function resumedThread(
  args: { readonly resume: string | undefined; readonly continue: boolean },
  context: CommandContext,
): Promise<string | undefined> {
  if (args.resume === undefined && !args.continue) return undefined;
  return withThreads(context, async (store: ThreadStore) => {
    if (args.resume !== undefined) return (await findThread(store, args.resume)).threadId;
    const folder = resolve(".");
    const last = await lastThread(store, folder);
    if (last !== undefined) return last.threadId;
    const [other] = await store.list({ limit: 1 });
    const elsewhere =
      other === undefined
        ? "There are no conversations yet."
        : `The last one of all is ${other.threadId}${other.title === null ? "" : ` (${other.title})`}; ` +
          "--resume goes on with it.";
    throw new UsageError(`No conversation began in ${folder}. ${elsewhere}`);
  });
}
