// The Agents SDK, by the Responses API or by chat completions.
import {
  Agent,
  run,
  setDefaultOpenAIClient,
  setOpenAIAPI,
  setTracingDisabled,
  tool,
} from "@openai/agents";
import OpenAI from "openai";
import { z } from "zod";

const [url, api] = process.argv.slice(2);
setDefaultOpenAIClient(new OpenAI({ baseURL: `${url}/v1`, apiKey: "none" }));
setOpenAIAPI(api);
setTracingDisabled(true);
const listed = [];
const agent = new Agent({
  name: "Clerk",
  instructions: "You look after files.",
  model: "gpt-oss:20b",
  tools: [
    tool({
      name: "list_files",
      description: "Lists the files of a folder.",
      parameters: z.object({ folder: z.string() }),
      execute: async ({ folder }) => {
        listed.push(folder);
        return "notes.md";
      },
    }),
  ],
});
const result = await run(agent, "List the files in this folder.", { stream: true });
const events = new Set();
for await (const event of result) events.add(event.name ?? event.type);
await result.completed;
console.log(JSON.stringify({ answer: result.finalOutput, listed, events: [...events] }));
