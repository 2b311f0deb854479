/**
 * Text whose special tokens a server has stripped: `analysisThe user asks …assistantfinalAnswer`. Only
 * for text input that had no special token at all; ids never need it.
 */

import { CHANNELS } from "../header-grammar.ts";

export type StrippedMessage = {
  readonly channel: string;
  readonly recipient: string | null;
  readonly contentType: string | null;
  readonly content: string;
};

const CHANNEL = CHANNELS.join("|");
const BOUNDARY = new RegExp(`assistant(${CHANNEL})`, "g");
const BEGINNING = new RegExp(`^\\s*(assistant)?(${CHANNEL})`);

/** Whether the text may turn out to be of this kind: it begins with a channel's name. */
export function mayBeStripped(text: string): boolean {
  return BEGINNING.test(text);
}

/** The messages, or null if the text is more likely just text. */
export function splitStripped(text: string): StrippedMessage[] | null {
  const start = BEGINNING.exec(text);
  if (start === null) return null;
  const rest = text.slice(start[0].length);
  // An answer may well begin with "final" or "analysis"; stuck to another word it is a channel.
  const glued = start[1] !== undefined || /^[\p{Lu}\p{N}{["'“]|^ to=/u.test(rest);
  const boundaries = [...rest.matchAll(BOUNDARY)];
  if (!glued && boundaries.length === 0) return null;
  const messages: StrippedMessage[] = [];
  let channel = start[2]!;
  let from = 0;
  for (const boundary of boundaries) {
    messages.push(readMessage(channel, rest.slice(from, boundary.index)));
    channel = boundary[1]!;
    from = boundary.index + boundary[0].length;
  }
  messages.push(readMessage(channel, rest.slice(from)));
  return messages;
}

function readMessage(channel: string, text: string): StrippedMessage {
  const call = /^ ?to=([^\s{[<]+)\s*/.exec(text);
  if (call === null) return { channel, recipient: null, contentType: null, content: text.trim() };
  const rest = text.slice(call[0].length);
  const type = /^(json|code)(?![\w.])\s*/.exec(rest);
  let recipient = call[1]!;
  let contentType = type?.[1] ?? null;
  if (type === null && /json$/.test(recipient) && /^[{[]/.test(rest)) {
    recipient = recipient.slice(0, -"json".length);
    contentType = "json";
  }
  return { channel, recipient, contentType, content: rest.slice(type?.[0].length ?? 0).trim() };
}
