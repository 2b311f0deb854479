/** Thoughts before calls: found by id, or by the place in the conversation; bounded. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  ConversationHash,
  ReasoningMemory,
} from "../../../runtime/server/turn/reasoning-memory.ts";

const call = (reasoning: string) => ({ reasoning, arguments: "{}", contentType: null });

test("is found by the id, else by the place, and not by either of another conversation", () => {
  const memory = new ReasoningMemory();
  const hash = new ConversationHash();
  hash.add("user", "What's the weather?");
  const place = hash.placeOf("functions.f", '{"a":1,"b":[{"c":2,"d":3}]}');
  memory.remember("call_1", place, call("thought"));
  expect(memory.recall("call_1", "elsewhere")?.reasoning).toBe("thought");
  const respelt = hash.placeOf("functions.f", ' {"b": [{"d": 3, "c": 2}], "a": 1} ');
  expect(memory.recall("replaced", respelt)?.reasoning).toBe("thought");
  for (const other of [
    hash.placeOf("functions.g", '{"a":1,"b":[{"c":2,"d":3}]}'),
    hash.placeOf("functions.f", '{"a":2,"b":[{"c":2,"d":3}]}'),
    new ConversationHash().placeOf("functions.f", '{"a":1,"b":[{"c":2,"d":3}]}'),
  ]) {
    expect(memory.recall("replaced", other)).toBeNull();
  }
});

test("parts of a conversation are not run together", () => {
  const [one, other] = [new ConversationHash(), new ConversationHash()];
  one.add("user", "ab");
  one.add("user", "c");
  other.add("user", "a");
  other.add("user", "bc");
  expect(one.placeOf("f", "{}")).not.toBe(other.placeOf("f", "{}"));
});

test("forgets what was used longest ago, by number and by size", () => {
  const memory = new ReasoningMemory({ maxCalls: 2, maxCharacters: 100 });
  memory.remember("1", "p1", call("a"));
  memory.remember("2", "p2", call("b"));
  memory.recall("1", "");
  memory.remember("3", "p3", call("c"));
  expect([memory.recall("1", "p1"), memory.recall("2", "p2")]).toMatchObject([
    { reasoning: "a" },
    null,
  ]);
  memory.remember("4", "p4", call("d".repeat(97)));
  expect(memory.size).toBe(1);
  memory.remember("5", "p5", call("e".repeat(200)));
  expect(memory.size).toBe(0);
});

test("whatever is remembered, it holds no more than it may, and gives what was remembered last", () => {
  const entry = fc.record({
    id: fc.constantFrom("a", "b", "c", "d"),
    place: fc.constantFrom("p", "q", "r"),
    reasoning: fc.string({ maxLength: 30 }),
  });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 30 }), (entries) => {
      const memory = new ReasoningMemory({ maxCalls: 3, maxCharacters: 64 });
      for (const { id, place, reasoning } of entries) {
        memory.remember(id, place, call(reasoning));
        expect(memory.size).toBeLessThanOrEqual(3);
        expect(memory.recall(id, place)?.reasoning).toBe(reasoning);
        expect(memory.recall("unknown", place)?.reasoning).toBe(reasoning);
      }
    }),
  );
});
