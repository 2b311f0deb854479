/**
 * A conversation as Harmony text for training, and back. What the model sampled keeps its ids, everything else is
 * rendered as it is for the model, so the ids are those that were read and written.
 */
import {
  HarmonyParser,
  type Message,
  type ParsedMessage,
  type Tokenizer,
} from "../../harmony/index.ts";
import { DeclaredTools } from "../calls/declared-tools.ts";
import type { TranscriptMessage } from "../context.ts";
import { messageIds, vocabularyOf } from "../model/message-ids.ts";
import { openingMessages } from "../model/opening.ts";
import { conversationOf } from "./conversation.ts";
import type { LogEntry } from "./entry.ts";
import { ThreadExportError, ThreadImportError } from "./errors.ts";

export type HarmonyExport = {
  readonly ids: readonly number[];
  /** Special tokens as written. Null where a text of the conversation has one: read back, it would be a boundary. */
  readonly text: string | null;
  /** Encoding the text gives these ids; else the model wrote a word in other tokens. */
  readonly isExact: boolean;
  /** What cannot be said as the model read it. */
  readonly notes: readonly string[];
};

export type HarmonyExportOptions = {
  /**
   * Only up to this turn, counted from 1, and as an example for training: the analysis of the turns before it is
   * left out, as the model read it. Default: everything, the analysis of every turn included.
   */
  readonly turn?: number | undefined;
};

/** @throws ThreadLogError when the entries are no log; ThreadExportError where there is no such turn */
export function exportHarmony(
  entries: readonly LogEntry[],
  tokenizer: Tokenizer,
  { turn }: HarmonyExportOptions = {},
): HarmonyExport {
  const all = conversationOf(entries);
  const turns = all.slice(0, turn ?? all.length);
  const last = turns.at(-1);
  if (last === undefined || turns.length < (turn ?? 1)) {
    throw new ThreadExportError(
      turn === undefined
        ? "The conversation has no turn yet."
        : `The conversation has no turn ${turn}; it has ${all.length}.`,
    );
  }
  const notes: string[] = [];
  const opening = last.opening ?? withoutTools(entries);
  if (last.opening === null) {
    notes.push(
      "The log is of an older Chorale and does not hold what the model was told of its tools; the text begins " +
        "without it.",
    );
  }
  const vocabulary = vocabularyOf(tokenizer);
  const hasFunctionTools = opening.some(declaresFunctions);
  const kept = turns.flatMap(({ messages }, at): readonly TranscriptMessage[] =>
    turn === undefined || at === turns.length - 1
      ? messages
      : messages.filter(({ message }) => message.channel !== "analysis"),
  );
  const whole = [...opening.map((message): TranscriptMessage => ({ message })), ...kept];
  const ids = trainingIds(whole, tokenizer, vocabulary, hasFunctionTools);
  const text = tokenizer.decodeLossy(ids);
  const again = tokenizer.encodeWithSpecials(text);
  const boundaries = (list: readonly number[]): number =>
    list.filter((id) => tokenizer.isSpecial(id)).length;
  return {
    ids,
    text: boundaries(again) === boundaries(ids) ? text : null,
    isExact: again.length === ids.length && again.every((id, at) => id === ids[at]),
    notes,
  };
}

/** `<|return|>` ends the last answer, `<|end|>` those before it. */
function trainingIds(
  messages: readonly TranscriptMessage[],
  tokenizer: Tokenizer,
  vocabulary: string,
  hasFunctionTools: boolean,
): readonly number[] {
  const { end, return: returnId } = tokenizer.special;
  const ids = messages.flatMap((entry) =>
    messageIds(tokenizer, vocabulary, entry, hasFunctionTools).map((id) =>
      id === returnId ? end : id,
    ),
  );
  const last = messages.at(-1)?.message;
  const isAnswered = last?.role === "assistant" && last.channel === "final";
  if (isAnswered && ids.at(-1) === end) ids[ids.length - 1] = returnId;
  return ids;
}

/** What the system message says where the log does not have it. */
function withoutTools(entries: readonly LogEntry[]): readonly Message[] {
  const last = entries.findLast((entry) => entry.type === "user");
  if (last?.type !== "user") return [];
  return openingMessages({ ...last.settings, tools: [] }, new DeclaredTools([]));
}

/** Whether a message of the opening declares function tools. */
export function declaresFunctions({ content }: Message): boolean {
  return content.some(
    (part) =>
      (part.type === "developer" && part.tools?.some(({ name }) => name === "functions")) ||
      (part.type === "text" && part.text.includes("\nnamespace functions {")),
  );
}

export type HarmonyImport = {
  readonly messages: readonly Message[];
  /** What the text has and the messages do not say. */
  readonly lost: readonly string[];
};

/**
 * The messages of Harmony text with special tokens as written.
 * @throws ThreadImportError where the text is no Harmony as the format wants it
 */
export function messagesOfHarmony(text: string, tokenizer: Tokenizer): HarmonyImport {
  const given = text.replace(/^\ufeff/, "").replace(/\r?\n$/, "");
  const parser = new HarmonyParser({ tokenizer });
  parser.pushText(given);
  parser.finish();
  const [issue] = parser.issues;
  if (issue !== undefined) {
    throw new ThreadImportError(
      `The Harmony text cannot be imported as it is: ${issue.detail} (${issue.code}). ` +
        "chorale harmony explain shows where.",
    );
  }
  if (parser.messages.length === 0) {
    throw new ThreadImportError("The Harmony text has no message; one begins with <|start|>.");
  }
  const messages = parser.messages.map(plainMessage);
  const ids = tokenizer.encodeWithSpecials(given.toWellFormed());
  const again = trainingIds(
    messages.map((message): TranscriptMessage => ({ message })),
    tokenizer,
    "",
    false,
  );
  const isSame = again.length === ids.length && again.every((id, at) => id === ids[at]);
  const lost = isSame
    ? []
    : [
        "Headers or terminators that are written otherwise than Chorale writes them are rendered anew.",
      ];
  return { messages, lost };
}

function plainMessage({
  role,
  name,
  channel,
  recipient,
  contentType,
  content,
}: ParsedMessage): Message {
  return {
    role,
    ...(name !== undefined && { name }),
    ...(channel !== null && { channel }),
    ...(recipient !== null && { recipient }),
    ...(contentType !== null && { contentType }),
    content,
  };
}
