/** From what was understood to the messages that the model reads next. */
import type { Message } from "../../harmony/index.ts";
import type { StepOutcome, TranscriptMessage, UnderstoodMessage } from "../context.ts";
import type { Sampled } from "./entry.ts";
import type { OpenCall } from "./state.ts";

/** With these the last message of a step may be half of one. */
const CUT: ReadonlySet<StepOutcome> = new Set(["cut_off", "interrupted", "circling"] as const);

/**
 * The messages that a step adds to the conversation. A message that was sampled as the format wants it
 * keeps its ids, so that the KV cache stays valid; every other one is rendered anew from what was
 * understood of it. What is no use to the model is left out: a call that was cut off, a broken call
 * (the model is told about it), the beginning of a thought.
 */
export function sampledTranscript(record: Sampled): readonly TranscriptMessage[] {
  const isCut = CUT.has(record.outcome);
  const last = record.messages.at(-1);
  return record.messages.flatMap((understood): TranscriptMessage[] => {
    const isPartial = isCut && understood === last && understood.terminator === null;
    const message = isPartial && understood.kind !== "answer" ? null : messageOf(understood);
    if (message === null) return [];
    const isVerbatim = record.isClean && !isPartial && record.vocabulary !== null;
    return [
      {
        message,
        ...(understood.kind === "call" &&
          understood.itemId !== null && { callId: understood.itemId }),
        ...(isVerbatim && {
          sampled: {
            ids: record.ids.slice(...understood.ids),
            vocabulary: record.vocabulary as string,
          },
        }),
      },
    ];
  });
}

/** Whether the user is meant to read a message while it is written: an answer, or commentary. */
export function isForUser({
  channel,
  call,
}: {
  readonly channel: string | null;
  readonly call?: unknown;
}): boolean {
  return !call && (channel === "commentary" || channel === "final" || channel === null);
}

/** A result as the model reads it: on the channel of its call. */
export function resultMessage({ call, channel }: OpenCall, text: string): Message {
  return {
    role: "tool",
    name: call.recipient,
    recipient: "assistant",
    channel: callChannel(channel),
    content: [{ type: "text", text }],
  };
}

/** Calls on a channel that the format does not have for them are read back on the one it has. */
function callChannel(channel: string | null): "analysis" | "commentary" {
  return channel === "analysis" ? "analysis" : "commentary";
}

function messageOf(understood: UnderstoodMessage): Message | null {
  const { kind, text, call, channel, contentType } = understood;
  switch (kind) {
    case "reasoning":
      return text === "" ? null : said("analysis", text);
    case "preamble":
    case "fragment":
      return text.trim() === "" ? null : said("commentary", text);
    case "answer":
      return { ...said("final", text), ...(contentType !== null && { contentType }) };
    case "broken_call":
      // A thought that ended like a call is still a thought.
      return channel === "analysis" && contentType === null && text.trim() !== ""
        ? said("analysis", text)
        : null;
    case "call":
      if (call === undefined) return null;
      return {
        role: "assistant",
        recipient: call.recipient,
        channel: callChannel(channel),
        ...(contentType !== null && { contentType }),
        content: [{ type: "text", text }],
      };
  }
}

function said(channel: string, text: string): Message {
  return { role: "assistant", channel, content: [{ type: "text", text }] };
}
