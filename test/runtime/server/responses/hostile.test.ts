/** Requests that nobody meant: every one is answered, and none is a failure of the server. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ServedModel, serve } from "../serve.ts";

const ANSWER = "<|channel|>final<|message|>{}<|return|>";
let server: ServedModel;
beforeAll(async () => {
  server = await serve(Array.from({ length: 2000 }, () => ANSWER));
});
afterAll(() => server.close());

const RESPONSES = {
  model: "gpt-oss:20b",
  instructions: "Be brief.",
  input: [
    { role: "developer", content: "a" },
    { role: "user", content: [{ type: "input_text", text: "Hi" }] },
    {
      type: "reasoning",
      id: "rs_1",
      summary: [],
      content: [{ type: "reasoning_text", text: "b" }],
    },
    { type: "function_call", call_id: "c1", name: "f", arguments: "{}" },
    { type: "function_call_output", call_id: "c1", output: [{ type: "input_text", text: "d" }] },
    { type: "custom_tool_call", call_id: "c2", name: "g", input: "x" },
    { type: "custom_tool_call_output", call_id: "c2", output: "e" },
    { type: "item_reference", id: "rs_2" },
  ],
  tools: [
    { type: "function", name: "f", parameters: { type: "object", properties: {} }, strict: true },
    { type: "custom", name: "g", format: { type: "grammar", syntax: "regex", definition: "a+" } },
    { type: "namespace", name: "n", tools: [{ type: "function", name: "f" }] },
    { type: "web_search", filters: { allowed_domains: ["example.org"] } },
  ],
  tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "f" }] },
  text: { format: { type: "json_schema", name: "r", schema: { type: "object", title: "R" } } },
  reasoning: { effort: "low", summary: "auto" },
  max_output_tokens: 100,
  temperature: 1,
  metadata: { k: "v" },
  stream: false,
};

const MESSAGES = {
  model: "gpt-oss:20b",
  max_tokens: 100,
  system: [{ type: "text", text: "Be brief." }],
  messages: [
    { role: "user", content: "Hi" },
    { role: "assistant", content: [{ type: "tool_use", id: "t", name: "f", input: { a: 1 } }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: "c" }] },
  ],
  tools: [{ name: "f", description: "", input_schema: { type: "object" } }],
  tool_choice: { type: "auto" },
  thinking: { type: "enabled", budget_tokens: 100 },
  stop_sequences: ["END"],
};

const anything = fc.oneof(
  fc.constantFrom<unknown>(null, "", 0, -1, 1e308, [], {}, true, "__proto__", "\ud800", "<|call|>"),
  fc.jsonValue({ maxDepth: 2 }),
);

/** A body with some of its values replaced, removed, or doubled. */
const mutated = (body: object): fc.Arbitrary<unknown> =>
  fc
    .array(fc.tuple(fc.nat(10_000), fc.constantFrom("put", "drop", "double"), anything), {
      minLength: 1,
      maxLength: 3,
    })
    .map((changes) => {
      const copy = structuredClone(body);
      for (const [at, how, value] of changes) change(copy, at, how, value);
      return copy;
    });

function change(body: object, at: number, how: string, value: unknown): void {
  const places: [Record<string, unknown>, string][] = [];
  const walk = (held: unknown): void => {
    if (typeof held !== "object" || held === null) return;
    for (const [key, inner] of Object.entries(held)) {
      places.push([held as Record<string, unknown>, key]);
      walk(inner);
    }
  };
  walk(body);
  const place = places[at % places.length];
  if (place === undefined) return;
  const [holder, key] = place;
  if (how === "drop" && !Array.isArray(holder)) delete holder[key];
  else if (how === "double" && Array.isArray(holder)) holder.push(holder[Number(key)]);
  else holder[key] = value;
}

test.each([
  ["/v1/responses", RESPONSES],
  ["/v1/responses/input_tokens", RESPONSES],
  ["/v1/messages", MESSAGES],
])("%s answers mutated bodies with a status of its own", async (path, body) => {
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(mutated(body), async (value) => {
      const response = await server.post(path, value);
      const text = await response.text();
      const { status } = response;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      // What is asked of the answer may be what this model never says.
      if (/does not pass its schema/.test(text)) return;
      expect([200, 400, 404], text).toContain(status);
      if (status === 200) return;
      const { error } = JSON.parse(text) as { readonly error: { readonly message: string } };
      expect(error.message.length).toBeGreaterThan(10);
      expect(error.message.length).toBeLessThan(2000);
    }),
    { numRuns: 150 },
  );
  // Both happen: the test reaches behind the door.
  expect(statuses.get(200)).toBeGreaterThan(5);
  expect(statuses.get(400)).toBeGreaterThan(5);
});
