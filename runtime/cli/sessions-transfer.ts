/** `chorale sessions export|import`: conversations as files. */
import { extname, resolve } from "node:path";
import { UsageError } from "../errors.ts";
import {
  entriesOfJsonLines,
  exportHarmony,
  exportJsonLines,
  exportMarkdown,
  findThread,
  importLog,
  type LogEntry,
  loadTokenizer,
  logOfMessages,
  messagesOfHarmony,
  messagesOfMarkdown,
} from "../index.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { readInput } from "./read-input.ts";
import { withThreads } from "./stored-threads.ts";
import { visibleText } from "./terminal-text.ts";
import { checkWritable, writeWhole } from "./write-file.ts";

/** `markdown` for people, `jsonl` the log itself, `harmony` for training. */
export type SessionFormat = "markdown" | "jsonl" | "harmony";

const BY_ENDING: Readonly<Record<string, SessionFormat>> = {
  ".md": "markdown",
  ".markdown": "markdown",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".harmony": "harmony",
  ".txt": "harmony",
};

export type ExportArguments = {
  readonly id: string;
  /** Default: by the ending of the file, else Markdown. */
  readonly format: SessionFormat | undefined;
  /** Default: stdout. */
  readonly output: string | undefined;
  /** Harmony alone: up to this turn. */
  readonly turn: number | undefined;
  /** Harmony alone: token ids as JSON. */
  readonly ids: boolean;
  /** Harmony alone: whose vocabulary. */
  readonly model: string | undefined;
};

/** @throws UsageError, ThreadNotFoundError, AmbiguousThreadError, ThreadLogError, ThreadExportError */
export async function exportCommand(
  args: ExportArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output } = context;
  const format = args.format ?? BY_ENDING[extname(args.output ?? "").toLowerCase()] ?? "markdown";
  if (format !== "harmony" && (args.turn !== undefined || args.ids)) {
    throw new UsageError(
      `${args.ids ? "--ids" : "--turn"} is for --format harmony, and the format is ${format}.`,
    );
  }
  if (args.output !== undefined) await checkWritable(args.output, "--output");
  const text = await withThreads(context, async (store) => {
    const { threadId } = await findThread(store, args.id);
    return exported(await store.read(threadId), format, args, context);
  });
  if (args.output !== undefined) await writeWhole(args.output, text, "--output");
  else output.answer(text);
  return EXIT.ok;
}

async function exported(
  entries: readonly LogEntry[],
  format: SessionFormat,
  { turn, ids: asIds, model }: ExportArguments,
  { output }: CommandContext,
): Promise<string> {
  if (format === "jsonl") return exportJsonLines(entries);
  if (format === "markdown") return exportMarkdown(entries);
  const { ids, text, isExact, notes } = exportHarmony(entries, await loadTokenizer(model), {
    turn,
  });
  for (const note of notes) output.note(note);
  if (asIds) return `${JSON.stringify(ids)}\n`;
  if (text === null) {
    throw new UsageError(
      "The conversation quotes a special token like <|end|>, and as text that would read as a real one. " +
        "--ids writes the token ids, which tell them apart.",
    );
  }
  if (!isExact) {
    output.note(
      "The model wrote some words in other tokens than the text is encoded to; --ids writes them as sampled.",
    );
  }
  return `${text}\n`;
}

export type ImportArguments = {
  /** Undefined or `-`: stdin. */
  readonly file: string | undefined;
  /** Default: by the ending of the file, else by what is in it. */
  readonly format: SessionFormat | undefined;
  /** With a new id, where the log has one. */
  readonly copy: boolean;
  /** Harmony alone: whose vocabulary. */
  readonly model: string | undefined;
  readonly json: boolean;
};

const LOST_IN_MARKDOWN =
  "Markdown has roles, tools and texts; token ids, settings, times and the system message are not in it.";
const LOST_IN_HARMONY =
  "Harmony text has the messages; settings, times and the outcome of calls are not in it.";

/** @throws UsageError, ThreadImportError, ThreadLogError, ThreadStoreError */
export async function importCommand(
  args: ImportArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output, signal } = context;
  const text = await readInput(args.file, { stdin: process.stdin, signal });
  const format = args.format ?? BY_ENDING[extname(args.file ?? "").toLowerCase()] ?? formatOf(text);
  const { entries, lost } = await imported(text, format, args.model);
  return withThreads(context, async (store) => {
    const { threadId, isNew } = await importLog(store, entries, args.copy);
    if (args.json) {
      output.jsonLine({ thread_id: threadId, is_new: isNew, format, lost });
      return EXIT.ok;
    }
    for (const sentence of lost) output.note(sentence);
    if (!isNew) output.note("This conversation is in the store already, exactly as in the file.");
    output.line(visibleText(threadId));
    return EXIT.ok;
  });
}

async function imported(
  text: string,
  format: SessionFormat,
  model: string | undefined,
): Promise<{ readonly entries: readonly LogEntry[]; readonly lost: readonly string[] }> {
  const folder = resolve(".");
  switch (format) {
    case "jsonl":
      return { entries: await entriesOfJsonLines(text), lost: [] };
    case "markdown":
      return {
        entries: logOfMessages(messagesOfMarkdown(text), { folder }),
        lost: [LOST_IN_MARKDOWN],
      };
    case "harmony": {
      const { messages, lost } = messagesOfHarmony(text, await loadTokenizer(model));
      return { entries: logOfMessages(messages, { folder }), lost: [LOST_IN_HARMONY, ...lost] };
    }
  }
}

function formatOf(text: string): SessionFormat {
  const begin = text.replace(/^\ufeff/, "").trimStart();
  if (begin.startsWith("<|start|>")) return "harmony";
  return begin.startsWith("{") ? "jsonl" : "markdown";
}
