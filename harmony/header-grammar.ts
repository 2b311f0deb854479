/**
 * The words of a message's header and where they stand, once for all that read or write headers: the
 * parser, its recovery, the token mask, the command line. A header is
 *
 *     role [ to=RECIPIENT] [<|channel|>CHANNEL [ to=RECIPIENT]] [ ][<|constrain|>]TYPE
 *
 * Source: openai/harmony, which writes the recipient behind the role and reads it in both places; models
 * mostly write it behind the channel.
 */
import type { Role } from "./message.ts";

/** Who speaks; a tool message has the tool's name in its place. */
export const ROLES: readonly Role[] = ["system", "developer", "user", "assistant", "tool"];

/** `analysis`: thoughts; `commentary`: calls and what is said about them; `final`: the answer. */
export const CHANNELS: readonly string[] = ["analysis", "commentary", "final"];

/** Words that are a content type without `<|constrain|>` as well. */
export const CONTENT_TYPES: readonly string[] = ["json", "code", "python", "text"];

/** Recipients that are no tool: a message of the assistant to one of them is no call. */
export const NO_TOOLS: readonly string[] = ["assistant", "user", "all"];

/** A word that begins so names the recipient. */
export const RECIPIENT_PREFIX = "to=";

/** Functions of the caller are addressed with this prefix, which models leave out at times. */
export const FUNCTIONS_PREFIX = "functions.";

/** The special tokens that stand inside of a header; each has its value behind it. */
export type HeaderMark = "channel" | "constrain";

export function isRole(word: string): word is Role {
  return (ROLES as readonly string[]).includes(word);
}

/** Whether a word is one of `CHANNELS`. */
export function isChannel(word: string): boolean {
  return CHANNELS.includes(word);
}

/** Whether a word is one of `CONTENT_TYPES`. */
export function isContentType(word: string): boolean {
  return CONTENT_TYPES.includes(word);
}

/** What a word names as the recipient; null if it does not name one. */
export function recipientOf(word: string): string | null {
  return word.startsWith(RECIPIENT_PREFIX) ? word.slice(RECIPIENT_PREFIX.length) : null;
}

/**
 * The value behind a mark, at the beginning of the text that follows it: a channel is what stands up to
 * white space or `<`, a content type the first word.
 * @param isComplete whether `<|message|>` ends the header; if not, a content type ends where JSON begins
 */
export function markValue(mark: HeaderMark, text: string, isComplete: boolean = true): MarkValue {
  const pattern = mark === "channel" ? CHANNEL_VALUE : isComplete ? TYPE_VALUE : TYPE_BEFORE_JSON;
  const [whole = "", value = ""] = pattern.exec(text) ?? [];
  return { value, length: whole.length };
}

/** A value behind a mark, and how much of the text it takes. */
export type MarkValue = {
  readonly value: string;
  /** UTF-16 units of the value and of the blanks in front of it. */
  readonly length: number;
};

const CHANNEL_VALUE = /^([^\p{White_Space}<]*)/u;
const TYPE_VALUE = /^\p{White_Space}*([^\p{White_Space}]*)/u;
const TYPE_BEFORE_JSON = /^\p{White_Space}*([^\p{White_Space}{[]*)/u;

/** Whether a name is one of the declared tools', with `functions.` or without on either side. */
export function declaredTools(names: Iterable<string>): (name: string) => boolean {
  const known = new Set(names);
  return (name) =>
    known.has(name) ||
    known.has(`${FUNCTIONS_PREFIX}${name}`) ||
    (name.startsWith(FUNCTIONS_PREFIX) && known.has(name.slice(FUNCTIONS_PREFIX.length)));
}
