/**
 * Harmony by itself: a conversation into the token ids that gpt-oss reads, and ids that it wrote back
 * into messages. `chorale/harmony` needs no files and no Node and can be bundled for a browser; there
 * the vocabulary is fetched (`unpackTokens`) instead of read by `chorale/harmony/vocabulary`.
 *
 *     npm run example examples/harmony-only.ts
 */
import assert from "node:assert/strict";
import {
  defaultSystemContent,
  HarmonyParser,
  type Message,
  renderForCompletion,
} from "chorale/harmony";
import { loadO200kHarmony } from "chorale/harmony/vocabulary";

const tokenizer = loadO200kHarmony();

const conversation: Message[] = [
  { role: "system", content: [defaultSystemContent({ currentDate: "2026-01-31" })] },
  { role: "user", content: [{ type: "text", text: "Say <|end|> to me." }] },
];
const prompt = renderForCompletion(tokenizer, conversation);
console.log(`the prompt has ${prompt.length} tokens`);
// What the user typed is text, even where it looks like a token: the prompt has two ends, of two messages.
assert.equal(prompt.filter((id) => id === tokenizer.special.end).length, 2);

// A model would sample these one by one; here they are written down, with a flaw in a header.
const sampled = tokenizer.encodeWithSpecials(
  "<|channel|>analysis<|message|>A greeting.<|end|><|start|>assistant<|channel|>final<|channel|>final<|message|>Hello!<|return|>",
);
const parser = new HarmonyParser({ tokenizer, role: "assistant" });
for (const id of sampled) {
  for (const event of parser.push(id)) {
    if (event.type === "delta") console.log(`${event.channel}: ${event.text}`);
    if (event.type === "issue") console.log(`(${event.issue.code}: ${event.issue.detail})`);
  }
}
parser.finish();
assert.deepEqual(
  parser.messages.map(({ channel, text }) => [channel, text]),
  [
    ["analysis", "A greeting."],
    ["final", "Hello!"],
  ],
);
