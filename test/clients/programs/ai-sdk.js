// The AI SDK with one of its providers: a streamed tool turn, and an object that follows a schema.

import { createOpenResponses } from "@ai-sdk/open-responses";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, Output, stepCountIs, streamText, tool } from "ai";
import { createOllama } from "ollama-ai-provider-v2";
import { z } from "zod";

const [url, provider] = process.argv.slice(2);
const PROVIDERS = {
  openai: () => createOpenAI({ baseURL: `${url}/v1`, apiKey: "none" }),
  "openai-compatible": () =>
    createOpenAICompatible({
      name: "chorale",
      baseURL: `${url}/v1`,
      includeUsage: true,
      supportsStructuredOutputs: true,
    }),
  "open-responses": () => createOpenResponses({ name: "chorale", url: `${url}/v1/responses` }),
  ollama: () => createOllama({ baseURL: `${url}/api` }),
};
const model = PROVIDERS[provider]()("gpt-oss:20b");
const listed = [];
const result = streamText({
  model,
  prompt: "List the files in this folder.",
  stopWhen: stepCountIs(4),
  tools: {
    list_files: tool({
      description: "Lists the files of a folder.",
      inputSchema: z.object({ folder: z.string() }),
      execute: async ({ folder }) => {
        listed.push(folder);
        return "notes.md";
      },
    }),
  },
});
const parts = new Set();
for await (const part of result.fullStream) {
  if (part.type === "error") throw part.error;
  parts.add(part.type);
}
const { output } = await generateText({
  model,
  prompt: "How many legs has a spider? Answer as JSON.",
  output: Output.object({ schema: z.object({ legs: z.number() }) }),
});
console.log(
  JSON.stringify({
    answer: await result.text,
    listed,
    parts: [...parts],
    object: output,
    usage: await result.totalUsage,
  }),
);
