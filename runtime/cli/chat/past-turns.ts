/** Turns of a conversation that goes on, as the events that showed them. */
import type { Item, RunEvent } from "../../events.ts";
import type { ConversationTurn, Message } from "../../index.ts";

export type PastEvent = { readonly question: string } | { readonly event: RunEvent };

/** More of them are left out: they are in the log. */
const SHOWN_TURNS = 20;

export function pastEvents(turns: readonly ConversationTurn[]): readonly PastEvent[] {
  const shown = turns.slice(-SHOWN_TURNS);
  return shown.flatMap(({ messages }, turn) => {
    let call: Item | null = null;
    return messages.flatMap(({ message }, at): PastEvent[] => {
      const id = `past_${turn}_${at}`;
      const text = textOf(message);
      if (message.role === "user") return [{ question: text }];
      if (message.role === "tool") {
        const ended = call === null ? null : withResult(call, text);
        call = null;
        return ended === null ? [] : [{ event: { type: "item.completed", item: ended } }];
      }
      if (message.role !== "assistant") return [];
      if (message.recipient) {
        call = callItem(id, message.recipient, text);
        return [];
      }
      return [{ event: { type: "item.completed", item: saidItem(id, message.channel, text) } }];
    });
  });
}

function saidItem(id: string, channel: string | null | undefined, text: string): Item {
  if (channel === "analysis") return { id, type: "reasoning", text };
  const phase = channel === "commentary" ? "commentary" : "final_answer";
  return { id, type: "agent_message", text, phase };
}

function callItem(id: string, recipient: string, text: string): Item {
  return recipient === "python"
    ? {
        id,
        type: "code_execution",
        language: "python",
        code: text,
        output: "",
        status: "completed",
      }
    : { id, type: "tool_call", tool: recipient, arguments: text, status: "completed" };
}

function withResult(item: Item, text: string): Item {
  if (item.type === "code_execution") return { ...item, output: text };
  return item.type === "tool_call" ? { ...item, result: { text } } : item;
}

function textOf({ content }: Message): string {
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}
