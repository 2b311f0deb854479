/**
 * Test an agent and its tools without a model: the scripted engine says what it is told to, and
 * records what it was asked. Everything else is real: rendering, parsing, the tools, the events.
 *
 *     npm run example examples/scripted-engine.ts
 */
import assert from "node:assert/strict";
import { defineTool, HarmonyModel, loadO200kHarmony, runAgent, ScriptedEngine } from "chorale";

const stock = new Map([["apples", 12]]);
const countStock = defineTool<{ product: string }>({
  name: "count_stock",
  description: "Counts what is left of a product.",
  inputSchema: {
    type: "object",
    properties: { product: { type: "string" } },
    required: ["product"],
  },
  execute: ({ product }) => String(stock.get(product) ?? 0),
});

const tokenizer = loadO200kHarmony();
const engine = new ScriptedEngine([
  tokenizer.encodeWithSpecials(
    '<|channel|>commentary to=functions.count_stock <|constrain|>json<|message|>{"product":"apples"}<|call|>',
  ),
  tokenizer.encodeWithSpecials("<|channel|>final<|message|>12 apples are left.<|return|>"),
]);

const result = await runAgent({
  model: new HarmonyModel({ engine, tokenizer }),
  prompt: "How many apples are left?",
  tools: [countStock],
});

assert.equal(result.output, "12 apples are left.");
// What the model would have read before it answered:
const lastPrompt = tokenizer.decode(engine.requests.at(-1)?.tokens ?? []);
assert.ok(
  lastPrompt.includes("functions.count_stock to=assistant<|channel|>commentary<|message|>12"),
);
console.log("the agent calls its tool and answers from the result");
