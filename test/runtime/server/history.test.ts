/** Any conversation of a client, as gpt-oss reads it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ClientTools } from "../../../runtime/server/turn/client-tools.ts";
import { historyOf } from "../../../runtime/server/turn/history.ts";
import type { ConversationItem } from "../../../runtime/server/turn/items.ts";
import { ReasoningMemory } from "../../../runtime/server/turn/reasoning-memory.ts";
import { withoutOldest } from "../../../runtime/server/turn/truncate.ts";

const text = fc.constantFrom("a", "b", " ", "<think>t</think>c", "<|end|>");
const name = fc.constantFrom("f", "g-h", "python", "browser.search", "");
const callId = fc.option(fc.constantFrom("1", "2", "3"), { nil: null });
const item: fc.Arbitrary<ConversationItem> = fc.oneof(
  fc.record({ type: fc.constantFrom("system", "developer", "user" as const), text }),
  fc.record({ type: fc.constant("reasoning" as const), text }),
  fc.record({
    type: fc.constant("assistant" as const),
    text,
    phase: fc.constantFrom("commentary", "final_answer", null),
  }),
  fc.record({
    type: fc.constant("call" as const),
    callId,
    name,
    arguments: fc.constantFrom("{}", "x", ""),
  }),
  fc.record({
    type: fc.constant("result" as const),
    callId,
    name: fc.option(name, { nil: null }),
    text,
  }),
) as fc.Arbitrary<ConversationItem>;
const conversation = fc.array(item, { maxLength: 20 });

test("every call has its result behind it, every result is said once, thoughts of answered turns are gone", () => {
  fc.assert(
    fc.property(conversation, (items) => {
      const { messages } = historyOf(
        items,
        new ClientTools([{ name: "f" }]),
        new ReasoningMemory(),
      );
      const isCall = (at: number): boolean =>
        messages[at]?.role === "assistant" && Boolean(messages[at]?.recipient);
      for (const at of messages.keys()) {
        if (!isCall(at)) continue;
        expect(messages[at + 1]?.role).toBe("tool");
        expect(messages[at + 1]?.name).toBe(messages[at]?.recipient);
      }
      const results = items.filter(({ type }) => type === "result").length;
      const tools = messages.filter(({ role }) => role === "tool").length;
      const calls = items.filter(({ type }) => type === "call").length;
      expect(tools).toBeGreaterThanOrEqual(Math.max(results, calls));
      expect(tools).toBeLessThanOrEqual(results + calls);
      const lastFinal = messages.findLastIndex(({ channel }) => channel === "final");
      const thoughts = messages
        .slice(0, lastFinal + 1)
        .filter(({ channel }) => channel === "analysis");
      expect(thoughts).toEqual([]);
      for (const { role, name: author, recipient } of messages) {
        if (role === "tool") expect(author).toMatch(/^[\w$]+\.[\w$]+$/);
        if (role === "assistant" && recipient) expect(recipient).toMatch(/^[\w$]+\.[\w$]+$/);
      }
    }),
  );
});

test("what is left of a conversation that was too long begins where a user speaks", () => {
  fc.assert(
    fc.property(conversation, (items) => {
      const shorter = withoutOldest(items);
      if (shorter === null) return;
      expect(shorter.length).toBeLessThan(items.length);
      const instructions = (list: readonly ConversationItem[]): number =>
        list.filter(({ type }) => type === "system" || type === "developer").length;
      expect(instructions(shorter)).toBe(instructions(items));
      const first = shorter.find(({ type }) => type !== "system" && type !== "developer");
      expect(first?.type).toBe("user");
      const last = items.findLastIndex(({ type }) => type === "user");
      expect(shorter.slice(-(items.length - last))).toEqual(items.slice(last));
    }),
  );
});
