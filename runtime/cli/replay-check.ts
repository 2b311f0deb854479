/** `chorale replay --check DIR`: recorded conversations as tests. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { messageOf, UsageError } from "../errors.ts";
import { entriesOfJsonLines, replayThread } from "../index.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { openReplayModel, openReplayTools } from "./open-replay.ts";
import type { RunSettings } from "./open-run.ts";
import { reportLines } from "./replay-report.ts";
import { visibleText } from "./terminal-text.ts";

/** One line for each file, and what differs below it; status 1 where one differs or is no log. */
export async function checkCommand(
  args: RunSettings & {
    readonly thread: string | undefined;
    /** A folder of recorded conversations. */
    readonly check: string;
    readonly json: boolean;
  },
  context: CommandContext,
): Promise<ExitCode> {
  const { output, signal } = context;
  if (args.thread !== undefined) {
    throw new UsageError("--check is for a folder; leave the conversation out.");
  }
  const files = recordings(args.check);
  await using tools = await openReplayTools(args.agent, context);
  await using model = await openReplayModel(args, context);
  let same = 0;
  for (const file of files) {
    output.progress(`${file}: is replayed`);
    try {
      const entries = await entriesOfJsonLines(readFileSync(join(args.check, file), "utf8"));
      const report = await replayThread(entries, {
        model,
        tools: tools.list,
        signal,
        decode: (ids) => model.tokenizer.decodeLossy(ids),
      });
      if (report.isSame) same++;
      if (args.json) output.jsonLine({ file, ...report });
      else {
        const [first, ...rest] = reportLines(report);
        output.line(`${report.isSame ? "same   " : "DIFFERS"}  ${visibleText(file)}: ${first}`);
        for (const line of rest) output.line(`         ${line}`);
      }
    } catch (error) {
      signal.throwIfAborted();
      const problem = messageOf(error);
      if (args.json) output.jsonLine({ file, isSame: false, problem });
      else output.line(`BROKEN   ${visibleText(`${file}: ${problem}`)}`);
    }
  }
  const different = files.length - same;
  if (args.json) output.jsonLine({ threads: files.length, same, different });
  else output.line(`${same} of ${files.length} are the same.`);
  return different === 0 ? EXIT.ok : EXIT.failed;
}

/** @throws UsageError for a folder that cannot be read or has none */
function recordings(folder: string): readonly string[] {
  try {
    if (!statSync(folder).isDirectory()) throw new UsageError(`--check ${folder} is no folder.`);
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
    const files = names.filter((name) => name.endsWith(".jsonl")).sort();
    if (files.length > 0) return files;
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`--check ${folder} cannot be read: ${messageOf(cause)}.`, { cause });
  }
  throw new UsageError(
    `--check ${folder} has no *.jsonl; chorale sessions export ID --format jsonl writes one.`,
  );
}
