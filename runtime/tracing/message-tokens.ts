/** A message of a log down to its tokens. */
import type { Tokenizer } from "../../harmony/index.ts";
import { messageIds, vocabularyOf } from "../model/message-ids.ts";
import { conversationOf } from "../thread/conversation.ts";
import type { LogEntry } from "../thread/entry.ts";
import { declaresFunctions } from "../thread/harmony-text.ts";
import { messagesOfTurn } from "./trace.ts";

export type TraceToken = {
  readonly id: number;
  /** What it says; bytes that are no character by themselves are `\xNN`. */
  readonly text: string;
  readonly isSpecial: boolean;
};

/** Tokens of messages, by turn and by place in the turn, both counted from 0. */
export type MessageTokens = (turn: number, message: number) => readonly TraceToken[] | null;

/**
 * What was sampled has the ids as they were sampled; everything else those that the model reads.
 * @param tokenizer of the model; ids of another vocabulary are encoded anew from their text
 * @returns null where there is no such message, or it cannot be rendered
 * @throws ThreadLogError when the entries are no log
 */
export function messageTokens(entries: readonly LogEntry[], tokenizer: Tokenizer): MessageTokens {
  const turns = conversationOf(entries);
  const vocabulary = vocabularyOf(tokenizer);
  return (turn, at) => {
    const said = turns[turn];
    const message = said === undefined ? undefined : messagesOfTurn(said)[at];
    if (said === undefined || message === undefined) return null;
    const hasFunctions = (said.opening ?? []).some(declaresFunctions);
    try {
      return messageIds(tokenizer, vocabulary, message, hasFunctions).map((id) => ({
        id,
        text: tokenTextOf(tokenizer, id),
        isSpecial: tokenizer.isSpecial(id),
      }));
    } catch {
      return null;
    }
  };
}

function tokenTextOf(tokenizer: Tokenizer, id: number): string {
  const text = tokenizer.tokenText(id);
  if (typeof text === "string") return text;
  if (text === undefined) return "";
  const bytes = [...tokenizer.tokenBytes(id)];
  return bytes.map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}
