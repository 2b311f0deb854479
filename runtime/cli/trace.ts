/** `chorale trace`: a conversation as a timeline, in one HTML file that needs nothing else. */
import { resolve } from "node:path";
import { UsageError } from "../errors.ts";
import { findThread, lastThread, loadTokenizer } from "../index.ts";
import { traceFile } from "../tracing/index.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { withThreads } from "./stored-threads.ts";
import { checkWritable, writeWhole } from "./write-file.ts";

export type TraceArguments = {
  /** Undefined: the last one of this folder. */
  readonly id: string | undefined;
  /** Undefined: stdout. */
  readonly output: string | undefined;
  readonly noTokens: boolean;
};

/** @throws UsageError, ThreadNotFoundError, AmbiguousThreadError, ThreadLogError */
export async function traceCommand(
  { id, output: file, noTokens }: TraceArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output } = context;
  if (file !== undefined) await checkWritable(file, "--output");
  const entries = await withThreads(context, async (store) => {
    const found =
      id === undefined ? await lastThread(store, resolve(".")) : await findThread(store, id);
    if (found === undefined) {
      throw new UsageError(
        `No conversation began in ${resolve(".")}; chorale sessions list names all.`,
      );
    }
    return store.read(found.threadId);
  });
  const text = traceFile(entries, noTokens ? null : await loadTokenizer());
  if (file !== undefined) await writeWhole(file, text, "--output");
  else output.answer(text);
  return EXIT.ok;
}
