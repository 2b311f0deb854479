import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { invalidEvents } from "../event-schema.ts";
import { eventsSchema, SCHEMA_FILE } from "./events-schema.ts";

test("the schema of the events is that of their types; npm run schema writes it anew", () => {
  expect(JSON.parse(readFileSync(SCHEMA_FILE, "utf8"))).toEqual(JSON.parse(eventsSchema()));
});

test("what is no event is not in it", () => {
  const usage = {
    input_tokens: 1,
    cached_input_tokens: 0,
    cache_write_input_tokens: 1,
    output_tokens: 1,
    reasoning_output_tokens: 0,
  };
  expect(invalidEvents([{ type: "turn.started" }, { type: "turn.completed", usage }])).toEqual([]);
  const wrong = [
    {},
    { type: "turn.begun" },
    { type: "turn.started", extra: 1 },
    { type: "turn.completed", usage: { ...usage, output_tokens: "1" } },
    { type: "item.started", item: { id: "item_0", type: "agent_message", text: "" } },
  ];
  expect(invalidEvents(wrong)).toHaveLength(wrong.length);
});
