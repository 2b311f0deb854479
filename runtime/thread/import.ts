/** Conversations from elsewhere into the store: a log line by line, exactly; messages as turns without steps. */
import { readFile } from "node:fs/promises";
import type { Message } from "../../harmony/index.ts";
import type { TurnSettings } from "../context.ts";
import { messageOf } from "../errors.ts";
import { type LogEntry, type LogRecord, THREAD_LOG_VERSION } from "./entry.ts";
import { ThreadImportError } from "./errors.ts";
import { apply, emptyState, fold } from "./fold.ts";
import type { ThreadStore } from "./store.ts";
import { newThreadId } from "./thread.ts";

const SCHEMA = new URL("../../docs/thread-log.schema.json", import.meta.url);

/** The log itself, one entry a line. */
export function exportJsonLines(entries: readonly LogEntry[]): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
}

/**
 * The entries of such a text, each checked against the schema of the log, and all of them as a log.
 * @throws ThreadImportError, ThreadLogError
 */
export async function entriesOfJsonLines(text: string): Promise<readonly LogEntry[]> {
  const lines = text.replace(/^\ufeff/, "").split("\n");
  const entries: LogEntry[] = [];
  const problemOf = await entryCheck();
  let state = emptyState();
  for (const [at, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const entry = parsedLine(line, at + 1);
    // A log of a newer version is told as that, before anything else that is wrong in it.
    if (entry?.type === "thread" && entry.version > THREAD_LOG_VERSION) apply(emptyState(), entry);
    const problem = problemOf(entry);
    if (problem !== null) {
      throw new ThreadImportError(
        `Line ${at + 1} is no entry of a thread log: ${problem}. docs/thread-log.md describes them.`,
      );
    }
    if (entry.seq !== state.length) fold([...entries, entry]);
    state = apply(state, entry);
    entries.push(entry);
  }
  if (entries.length > 0) return entries;
  throw new ThreadImportError("The file has no entry of a thread log; one stands on each line.");
}

function parsedLine(line: string, number: number): LogEntry {
  try {
    return JSON.parse(line) as LogEntry;
  } catch (cause) {
    throw new ThreadImportError(`Line ${number} is not JSON: ${messageOf(cause)}.`, cause);
  }
}

type EntrySchema = {
  readonly oneOf: readonly { readonly $ref: string }[];
};

/**
 * What is wrong with an entry; null where it is one. Not the validator of answers, which refuses long texts and runs in
 * a thread of its own: this schema is ours, and an entry may be as long as what was put in.
 */
async function entryCheck(): Promise<(entry: LogEntry | null) => string | null> {
  const schema = JSON.parse(await readFile(SCHEMA, "utf8")) as EntrySchema;
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema(schema, "log");
  // A definition has the name of the type: what is wrong is told of that alone.
  const types = new Set(schema.oneOf.map(({ $ref }) => $ref.slice("#/$defs/".length)));
  return (entry) => {
    const type = entry?.type ?? "";
    if (!types.has(type)) return "its type is none that a log has";
    const validate = ajv.getSchema(`log#/$defs/${type}`);
    if (validate?.(entry) === true) return null;
    const [problem] = validate?.errors ?? [];
    return `${problem?.instancePath ?? ""} ${problem?.message ?? ""}`.trim();
  };
}

export type ImportOptions = {
  /** Where the program was started; see `ThreadStarted`. */
  readonly folder?: string | undefined;
};

/**
 * A log of messages that came without one: system and developer message at the beginning, then turns, each up to
 * the next message of the user. They were not sampled here, so there are no steps, and no ids.
 * @throws ThreadImportError where nothing but a system or developer message is there
 */
export function logOfMessages(
  messages: readonly Message[],
  { folder }: ImportOptions = {},
): readonly LogEntry[] {
  const first = messages.findIndex(({ role }) => role !== "system" && role !== "developer");
  if (first === -1) throw new ThreadImportError("There is no message of a user or an assistant.");
  const opening = messages.slice(0, first);
  const records: LogRecord[] = [
    {
      type: "thread",
      version: THREAD_LOG_VERSION,
      threadId: newThreadId(),
      ...(folder !== undefined && { folder }),
    },
  ];
  const at = new Date().toISOString();
  const settings = importedSettings(opening, at);
  for (const [number, turn] of turnsOf(messages.slice(first)).entries()) {
    records.push({
      type: "user",
      model: "imported",
      messages: turn,
      settings,
      ...(number === 0 && opening.length > 0 && { opening }),
    });
    records.push(endOf(turn));
  }
  return records.map((record, seq): LogEntry => ({ ...record, seq, at }));
}

function turnsOf(messages: readonly Message[]): readonly (readonly Message[])[] {
  const turns: Message[][] = [];
  for (const [at, message] of messages.entries()) {
    const begins = message.role === "user" && messages[at - 1]?.role !== "user";
    if (begins || turns.length === 0) turns.push([]);
    turns.at(-1)?.push(message);
  }
  return turns;
}

function endOf(turn: readonly Message[]): LogRecord {
  const last = turn.at(-1);
  const isAnswered = last?.role === "assistant" && last.channel === "final";
  const timing = {
    total_ms: 0,
    first_token_ms: null,
    prefill_ms: 0,
    decode_ms: 0,
    tools_ms: 0,
    decode_tokens_per_second: null,
  };
  return isAnswered
    ? { type: "ended", status: "completed", output: textOf(last), error: null, timing }
    : {
        type: "ended",
        status: "cancelled",
        output: null,
        error: { message: "The turn was imported without an answer." },
        timing,
      };
}

/** As far as the system message says them; a turn that is added has settings of its own. */
function importedSettings(opening: readonly Message[], at: string): TurnSettings {
  const text = opening.map(textOf).join("\n");
  const effort = /^Reasoning: (low|medium|high)$/m.exec(text)?.[1] ?? "medium";
  return {
    effort: effort as TurnSettings["effort"],
    date: /^Current date: (\d{4}-\d{2}-\d{2})$/m.exec(text)?.[1] ?? at.slice(0, 10),
    instructions: null,
    system: {},
    sampling: { temperature: 1, topP: 1, seed: 0 },
    maxSteps: 1,
    maxTokens: null,
    maxReasoningTokens: null,
    maxRetries: 0,
    maxRepairs: 0,
    constrainHeaders: true,
    toolChoice: "auto",
    tools: [],
    output: null,
  };
}

function textOf({ content }: Message): string {
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

export type Imported = {
  readonly threadId: string;
  /** False: the store had exactly this log already. */
  readonly isNew: boolean;
};

/**
 * The same log without what lets calls run unasked: the author of a file may not be the person at this machine. An
 * answer for later calls counts once, as it did; a call that still waits to run is asked about again.
 */
function withoutAnswers(entries: readonly LogEntry[]): readonly LogEntry[] {
  const open = new Set(fold(entries).turn?.calls.map(({ callId }) => callId));
  return entries
    .flatMap((entry): LogEntry[] => {
      if (entry.type !== "approval") return [entry];
      if (entry.decision === "allowed" && open.has(entry.callId)) return [];
      const { remember: _remember, covers: _covers, ...once } = entry;
      return [once];
    })
    .map((entry, seq) => ({ ...entry, seq }));
}

/**
 * Puts a log into a store, with its own id or as a copy with a new one. Its answers to questions about calls are
 * left out, as far as they would let later calls run.
 * @throws ThreadImportError where the store has another log with the same id; ThreadStoreError
 */
export async function importLog(
  store: ThreadStore,
  given: readonly LogEntry[],
  asCopy = false,
): Promise<Imported> {
  const entries = withoutAnswers(given);
  const [first, ...rest] = entries;
  if (first?.type !== "thread") throw new ThreadImportError("A log begins with a thread entry.");
  const threadId = asCopy ? newThreadId() : first.threadId;
  const known = await store.read(threadId);
  if (known.length === 0) {
    await store.append(threadId, { ...first, threadId }, ...rest);
    return { threadId, isNew: true };
  }
  const isSame = [given, entries].some((log) => exportJsonLines(known) === exportJsonLines(log));
  if (isSame) return { threadId, isNew: false };
  throw new ThreadImportError(
    `The store has another conversation ${threadId} (${known.length} entries, and the file has ` +
      `${entries.length}). Import it as a copy, or remove the other one first.`,
  );
}
