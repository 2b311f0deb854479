/**
 * Headers as models really write them. Instead of the reference's "the last word is the content type", each
 * piece means something wherever it stands: of several channels, recipients or types the last one counts.
 */

import { CHANNELS, isChannel, NO_TOOLS } from "../header-grammar.ts";
import { type HeaderInput, type HeaderPieces, scanHeader } from "./header-scan.ts";
import type { Issue, IssueCode, MessageHeader } from "./issues.ts";

export type RecoveredHeader = {
  readonly header: MessageHeader;
  /** Text in front of the header that is none of its pieces but a sentence: a message of its own. */
  readonly leading: string;
  /** Incomplete headers: the content, untrimmed. */
  readonly body: string;
  readonly issues: readonly Issue[];
};

/** No tool has a longer name. */
const MAX_NAME_LENGTH = 256;

/** Reads a damaged or sound header. Total: every input gives a header. */
export function recoverHeader(input: HeaderInput): RecoveredHeader {
  const pieces = scanHeader(input);
  const { issues, leading, body, recipients } = pieces;
  const issue = (code: IssueCode, detail: string, dropped?: string): void => {
    issues.push({ code, detail, ...(dropped !== undefined && { dropped }) });
  };
  const role = pieces.role ?? "assistant";
  const hint = pieces.roleRecipient ?? recipientHint(pieces, input, issue);
  let recipient = recipients.at(-1) ?? hint;
  const channel = channelOf(pieces, input, issue);
  const typed = pieces.constrained.at(-1);
  let contentType =
    typed === undefined ? (pieces.typeWords.at(-1) ?? null) : `<|constrain|>${typed}`;
  pieces.extra.push(...recipients.slice(0, -1), ...superseded(pieces));
  if (role === "assistant" && recipient !== null && NO_TOOLS.includes(recipient)) {
    issue("self_recipient", `The assistant addresses ${recipient}: not a call`);
    recipient = null;
  }
  recipient = withoutPunctuation(recipient, input, issue);
  const glued = recipient === null ? null : withoutGluedType(recipient, input);
  if (glued !== null) {
    issue("glued_content_type", `The recipient ${recipient} is ${glued} with type json`);
    recipient = glued;
    contentType ??= "json";
  }
  if (contentType !== null && recipient === null && recipients.length === 0) {
    const code = typed === undefined ? "bare_word_header" : "constrain_as_recipient";
    issue(code, `${contentType} is the content type of a message without recipient`);
  }
  if (pieces.extra.length > 0) {
    const words = pieces.extra.join(" ");
    issue("extra_header_words", `Words of the header mean nothing: ${words}`, words);
  }
  const author = pieces.name === null ? {} : { name: pieces.name };
  return { header: { role, ...author, channel, recipient, contentType }, leading, body, issues };
}

type Report = (code: IssueCode, detail: string, dropped?: string) => void;

/**
 * A declared tool where a content type or a channel stands, for a message without `to=`. It is then taken
 * off the list that it was on.
 */
function recipientHint(
  { constrained, channels, recipients, extra }: HeaderPieces,
  { isDeclared }: HeaderInput,
  issue: Report,
): string | null {
  for (const value of constrained.toReversed()) {
    const name = value.replace(/:$/, "");
    if (name === "" || !isDeclared(name)) continue;
    constrained.splice(constrained.lastIndexOf(value), 1);
    if (recipients.length > 0) extra.push(value);
    else {
      issue("recipient_from_constrain", `The content type ${value} is read as the recipient`);
      return name;
    }
  }
  if (recipients.length > 0) return null;
  const tool = channels.findLast((value) => !isChannel(value) && isDeclared(value));
  if (tool === undefined) return null;
  issue("recipient_from_channel", `The channel ${tool} is read as the recipient`);
  channels.splice(channels.lastIndexOf(tool), 1);
  return tool;
}

function channelOf(
  { channels, roleChannel }: HeaderPieces,
  { channelHint }: HeaderInput,
  issue: Report,
): string | null {
  if (channels.length > 1) {
    issue("duplicate_channel", `Several channels: ${channels.join(", ")}; the last counts`);
  }
  const channel = channels.at(-1) ?? roleChannel ?? channelHint;
  if (channel !== null && !isChannel(channel)) {
    issue("unknown_channel", `The channel ${channel} is none of ${CHANNELS.join(", ")}`);
  }
  return channel;
}

/** Content types and channel words that another one stands in for. */
function superseded({ typeWords, constrained, channels, roleChannel }: HeaderPieces): string[] {
  const types = [...typeWords, ...constrained];
  const kept = constrained.length > 0 ? types.length - 1 : typeWords.length - 1;
  return [
    ...types.filter((word, at) => at !== kept && word !== ""),
    ...(channels.length > 0 && roleChannel !== null ? [roleChannel] : []),
  ];
}

/** `"functions.f"`, `functions.f:`: the declared tool in it, if there is one. */
function withoutPunctuation(
  recipient: string | null,
  { isDeclared }: HeaderInput,
  issue: Report,
): string | null {
  if (recipient === null || recipient.length > MAX_NAME_LENGTH || isDeclared(recipient)) {
    return recipient;
  }
  const bare = recipient.replace(/^["'`([]+|["'`)\]>.:,;]+$/g, "");
  if (bare === recipient || !isDeclared(bare)) return recipient;
  issue("recipient_tail", `The recipient ${recipient} is ${bare}`);
  return bare;
}

/** `shelljson` → `shell`, if that is the declared one; else null. */
function withoutGluedType(recipient: string, { isDeclared }: HeaderInput): string | null {
  const stripped = recipient.replace(/json$/, "");
  return stripped !== recipient && !isDeclared(recipient) && isDeclared(stripped) ? stripped : null;
}
