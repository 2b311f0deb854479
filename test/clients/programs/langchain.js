// LangChain, by Ollama's API, chat completions or the Responses API.
import { HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOllama } from "@langchain/ollama";
import { ChatOpenAI } from "@langchain/openai";
import { z } from "zod";

const [url, api] = process.argv.slice(2);
const model = "gpt-oss:20b";
const openai = { model, apiKey: "none", configuration: { baseURL: `${url}/v1` } };
const MODELS = {
  ollama: () => new ChatOllama({ model, baseUrl: url }),
  chat: () => new ChatOpenAI({ ...openai, useResponsesApi: false }),
  responses: () => new ChatOpenAI({ ...openai, useResponsesApi: true }),
};
const listed = [];
const listFiles = tool(
  async ({ folder }) => {
    listed.push(folder);
    return "notes.md";
  },
  {
    name: "list_files",
    description: "Lists the files of a folder.",
    schema: z.object({ folder: z.string() }),
  },
);
const bound = MODELS[api]().bindTools([listFiles]);

async function turn(messages) {
  let whole;
  for await (const piece of await bound.stream(messages)) {
    whole = whole === undefined ? piece : whole.concat(piece);
  }
  return whole;
}

const messages = [new HumanMessage("List the files in this folder.")];
const first = await turn(messages);
messages.push(first);
for (const call of first.tool_calls) {
  messages.push(
    new ToolMessage({ tool_call_id: call.id, content: await listFiles.invoke(call.args) }),
  );
}
const second = await turn(messages);
console.log(JSON.stringify({ answer: second.text, calls: first.tool_calls.length, listed }));
