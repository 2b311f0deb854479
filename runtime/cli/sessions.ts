/** `chorale sessions list|show|search|fork|rm`: the conversations that are kept. */
import { resolve } from "node:path";
import type { Message } from "../../harmony/index.ts";
import { UsageError } from "../errors.ts";
import {
  annotationsOf,
  type ConversationTurn,
  conversationOf,
  findThread,
  shortIds,
  sourcesOf,
  Thread,
  type ThreadState,
  type ThreadSummary,
  withFootnotes,
} from "../index.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Output } from "./output.ts";
import { showSource } from "./sessions-source.ts";
import { summaryJson, withThreads } from "./stored-threads.ts";
import { shortText, visibleText } from "./terminal-text.ts";

const DEFAULT_LIMIT = 20;

export type ListArguments = {
  /** Most threads; default 20. */
  readonly limit: number | undefined;
  /** Only those that began in the folder in which the command is called. */
  readonly here: boolean;
  readonly json: boolean;
};

/** The thread that was used last comes first. */
export async function listCommand(
  { limit = DEFAULT_LIMIT, here, json }: ListArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output } = context;
  return withThreads(context, async (store) => {
    const all = await store.list(here ? { folder: resolve(".") } : {});
    const threads = all.slice(0, limit);
    if (json) {
      output.jsonLine({ count: all.length, threads: threads.map(summaryJson) });
      return EXIT.ok;
    }
    if (all.length === 0) {
      output.note(
        here
          ? `No conversation began in ${resolve(".")}; without --here all are listed.`
          : "There are no conversations yet; chorale run begins one.",
      );
    }
    const ids = shortIds(all.map(({ threadId }) => threadId));
    for (const line of table(threads, ids)) output.line(line);
    const rest = all.length - threads.length;
    if (rest > 0) output.note(`${rest} more; --limit ${all.length} shows them.`);
    return EXIT.ok;
  });
}

export type SearchArguments = {
  readonly text: readonly string[];
  readonly limit: number | undefined;
  readonly json: boolean;
};

/** @throws UsageError for a query without a word */
export async function searchCommand(
  { text, limit = DEFAULT_LIMIT, json }: SearchArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output } = context;
  const query = text.join(" ");
  if (!/[\p{L}\p{N}]/u.test(query)) {
    throw new UsageError(
      `The search for ${JSON.stringify(query)} has no word; give words, or a "phrase" in quotes.`,
    );
  }
  return withThreads(context, async (store) => {
    const matches = await store.search(query, limit);
    if (json) {
      output.jsonLine({
        matches: matches.map(({ thread, seq, excerpt }) => ({
          ...summaryJson(thread),
          seq,
          excerpt,
        })),
      });
      return EXIT.ok;
    }
    if (matches.length === 0) output.note(`No conversation has ${query}.`);
    const ids = shortIds((await store.list()).map(({ threadId }) => threadId));
    const lines = table(
      matches.map(({ thread }) => thread),
      ids,
    );
    for (const [at, { excerpt }] of matches.entries()) {
      output.line(lines[at] ?? "");
      output.line(output.paint(`    ${visibleText(excerpt)}`, "2"));
    }
    return EXIT.ok;
  });
}

export type ShowArguments = {
  readonly id: string;
  /** Everything, where results and reasoning are otherwise shown in short form. */
  readonly full: boolean;
  /** The cursor of a page that the conversation was shown; it is shown instead. */
  readonly source: number | undefined;
  readonly json: boolean;
};

/** @throws ThreadNotFoundError, AmbiguousThreadError, ThreadLogError */
export async function showCommand(
  { id, full, source, json }: ShowArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const { output } = context;
  return withThreads(context, async (store) => {
    const summary = await findThread(store, id);
    const entries = await store.read(summary.threadId);
    const { state } = await Thread.open(store, summary.threadId);
    if (source !== undefined) {
      showSource(source, { state, entries }, { output, json });
      return EXIT.ok;
    }
    const turns = conversationOf(entries);
    if (json) {
      output.jsonLine({ ...summaryJson(summary), turns: turns.map(turnJson) });
      return EXIT.ok;
    }
    output.line(output.paint(visibleText(summary.title ?? "(no question)"), "1"));
    output.line(
      output.paint(
        visibleText(
          `${summary.threadId}, begun ${localTime(summary.createdAt)}` +
            `${summary.folder === null ? "" : ` in ${summary.folder}`}` +
            `${summary.model === null ? "" : `, ${summary.model}`}`,
        ),
        "2",
      ),
    );
    for (const turn of turns) showTurn(turn, { full, state }, output);
    return EXIT.ok;
  });
}

/** @throws UsageError for a turn that there is not; ThreadNotFoundError, AmbiguousThreadError */
export async function forkCommand(
  {
    id,
    turn,
    json,
  }: { readonly id: string; readonly turn: number | undefined; readonly json: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { output } = context;
  return withThreads(context, async (store) => {
    const { threadId } = await findThread(store, id);
    const thread = await Thread.open(store, threadId);
    const ends = (await thread.entries()).filter(({ type }) => type === "ended");
    const last = turn === undefined ? undefined : ends[turn - 1];
    if (turn !== undefined && last === undefined) {
      throw new UsageError(
        `--turn is ${turn}, and thread ${threadId} has ${ends.length} finished turns.`,
      );
    }
    if (turn === undefined && thread.state.turn !== null) {
      throw new UsageError(
        `The last turn of thread ${threadId} is not over: go on with --resume, or fork it behind an ` +
          `earlier turn with --turn (1 to ${ends.length}).`,
      );
    }
    const fork = await thread.fork(last === undefined ? undefined : last.seq + 1, {
      folder: resolve("."),
    });
    if (json) output.jsonLine({ thread_id: fork.id, parent: threadId, turns: fork.state.turns });
    else output.line(fork.id);
    return EXIT.ok;
  });
}

/** @throws UsageError for a title that is none; ThreadNotFoundError, AmbiguousThreadError */
export async function renameCommand(
  {
    id,
    title,
    json,
  }: { readonly id: string; readonly title: readonly string[]; readonly json: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { output } = context;
  return withThreads(context, async (store) => {
    const { threadId } = await findThread(store, id);
    await (await Thread.open(store, threadId)).rename(title.join(" "));
    if (json) output.jsonLine({ thread_id: threadId });
    return EXIT.ok;
  });
}

/** Removes all that are named, or none. @throws ThreadNotFoundError, AmbiguousThreadError */
export async function removeCommand(
  { ids, json }: { readonly ids: readonly string[]; readonly json: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { output } = context;
  return withThreads(context, async (store) => {
    const found: ThreadSummary[] = [];
    for (const id of ids) found.push(await findThread(store, id));
    const unique = new Map(found.map((summary) => [summary.threadId, summary]));
    for (const threadId of unique.keys()) await store.remove(threadId);
    if (json) output.jsonLine({ removed: [...unique.keys()] });
    else {
      for (const { threadId, title } of unique.values()) {
        output.line(visibleText(`Removed ${threadId}${title === null ? "" : ` (${title})`}.`));
      }
    }
    return EXIT.ok;
  });
}

function table(
  threads: readonly ThreadSummary[],
  ids: ReadonlyMap<string, string>,
): readonly string[] {
  const shown = threads.map(({ threadId }) => ids.get(threadId) ?? threadId);
  const width = Math.max(0, ...shown.map((id) => id.length));
  const turns = Math.max(0, ...threads.map((thread) => String(thread.turns).length));
  return threads.map((thread, at) => {
    const count = `${String(thread.turns).padStart(turns)} ${thread.turns === 1 ? "turn " : "turns"}`;
    const title = `${thread.title ?? "(no question)"}${thread.isOpen ? " (not finished)" : ""}`;
    const id = (shown[at] ?? "").padEnd(width);
    return visibleText(`${id}  ${localTime(thread.updatedAt)}  ${count}  ${title}`);
  });
}

/** In the time zone of this machine, to the minute. */
function localTime(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

function turnJson({ messages, model, startedAt, ended }: ConversationTurn): object {
  return {
    model,
    started_at: startedAt,
    status: ended?.status ?? "open",
    error: ended?.error ?? null,
    messages: messages.map(({ message }) => ({
      role: message.role,
      ...(message.name !== undefined && { name: message.name }),
      ...(message.channel != null && { channel: message.channel }),
      ...(message.recipient != null && { recipient: message.recipient }),
      text: textOf(message),
    })),
  };
}

const SHOWN_LINES = 12;
const SHOWN_COLUMNS = 200;

function showTurn(
  { messages, ended, verifiesCitations }: ConversationTurn,
  { full, state }: { readonly full: boolean; readonly state: ThreadState },
  output: Output,
): void {
  for (const { message } of messages) {
    const { role, channel, recipient } = message;
    const isAnswer = role === "assistant" && !recipient && channel !== "analysis";
    const said = textOf(message).trimEnd();
    const text = visibleText(isAnswer ? footnoted(said, state, verifiesCitations) : said);
    const short = full ? text : shortText(text, SHOWN_LINES, SHOWN_COLUMNS);
    if (role === "tool") output.line(output.paint(indented(short, "  → ", "    "), "2"));
    else if (role !== "assistant")
      output.line(`\n${output.paint(indented(text, "> ", "> "), "1")}\n`);
    else if (recipient)
      output.line(output.paint(indented(short, `▸ ${visibleText(recipient)} `, "  "), "36"));
    else if (channel === "analysis") output.line(output.paint(short, "2"));
    else output.line(text);
  }
  if (ended === null) output.line(output.paint("(the turn is not finished)", "33"));
  else if (ended.error !== null) {
    output.line(output.paint(visibleText(`(${ended.status}: ${ended.error.message})`), "31"));
  }
}

function footnoted(text: string, state: ThreadState, isVerified: boolean): string {
  return withFootnotes(text, sourcesOf(state), annotationsOf(text, state, isVerified));
}

function indented(text: string, first: string, others: string): string {
  return first + text.replaceAll("\n", `\n${others}`);
}

function textOf({ content }: Message): string {
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}
