/**
 * What a message means, by what ended it, its channel, its recipient and its content type. This table
 * is the only place that decides it. `<|end|>` ends a message, `<|return|>` and `<|call|>` end a step.
 */
import type { Terminator } from "../../harmony/index.ts";
import type { MessageKind } from "../context.ts";

export type TableChannel = "analysis" | "commentary" | "final" | "other" | "none";
export type TableTerminator = "end" | "return" | "call" | "none";
export type TableContentType = "plain" | "typed";

type Row = Readonly<Record<TableTerminator, MessageKind>>;

/** Messages without a recipient. One with a recipient is a `call` in every case. */
export const MESSAGE_KINDS: Readonly<
  Record<TableChannel, Readonly<Record<TableContentType, Row>>>
> = {
  // A thought, except where `<|call|>` says that a tool was meant.
  analysis: {
    plain: { end: "reasoning", return: "reasoning", call: "broken_call", none: "reasoning" },
    typed: { end: "reasoning", return: "reasoning", call: "broken_call", none: "reasoning" },
  },
  // Words to the user between calls. A content type belongs to arguments: the recipient is missing.
  commentary: {
    plain: { end: "preamble", return: "preamble", call: "broken_call", none: "preamble" },
    typed: {
      end: "broken_call",
      return: "broken_call",
      call: "broken_call",
      none: "broken_call",
    },
  },
  // An answer, which another message may not break off. JSON is an answer, too.
  final: {
    plain: { end: "answer", return: "answer", call: "answer", none: "fragment" },
    typed: { end: "answer", return: "answer", call: "answer", none: "fragment" },
  },
  // A channel that the format does not have is not meant for the user.
  other: {
    plain: { end: "reasoning", return: "reasoning", call: "broken_call", none: "reasoning" },
    typed: { end: "reasoning", return: "reasoning", call: "broken_call", none: "reasoning" },
  },
  // The model forgot the markup, not the answer.
  none: {
    plain: { end: "answer", return: "answer", call: "broken_call", none: "answer" },
    typed: { end: "answer", return: "answer", call: "broken_call", none: "answer" },
  },
};

/** A message as the table sees it. */
export type Classified = {
  readonly channel: string | null;
  readonly recipient: string | null;
  readonly contentType: string | null;
  readonly terminator: Terminator;
};

export function messageKind({
  channel,
  recipient,
  contentType,
  terminator,
}: Classified): MessageKind {
  if (recipient) return "call";
  const type: TableContentType = contentType === null ? "plain" : "typed";
  return MESSAGE_KINDS[tableChannel(channel)][type][terminator ?? "none"];
}

/** Whether the model may go on behind a message that has ended, without a new prompt. */
export function endsStep({
  recipient,
  terminator,
}: Pick<Classified, "recipient" | "terminator">): boolean {
  // What a model writes behind a call is a result that it made up.
  return Boolean(recipient) || terminator === "return" || terminator === "call";
}

function tableChannel(channel: string | null): TableChannel {
  switch (channel) {
    case "analysis":
    case "commentary":
    case "final":
      return channel;
    case null:
      return "none";
    default:
      return "other";
  }
}
