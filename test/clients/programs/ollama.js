// The client of Ollama: a streamed tool turn, an answer that follows a schema, and the lists.
import { Ollama } from "ollama";

const [host] = process.argv.slice(2);
const model = "gpt-oss:20b";
const client = new Ollama({ host });
const tools = [
  {
    type: "function",
    function: {
      name: "list_files",
      description: "Lists the files of a folder.",
      parameters: {
        type: "object",
        properties: { folder: { type: "string" } },
        required: ["folder"],
      },
    },
  },
];
const messages = [{ role: "user", content: "List the files in this folder." }];

async function turn() {
  const message = { role: "assistant", content: "", thinking: "", tool_calls: [] };
  let last;
  for await (const part of await client.chat({ model, messages, tools, stream: true })) {
    message.content += part.message.content;
    message.thinking += part.message.thinking ?? "";
    message.tool_calls.push(...(part.message.tool_calls ?? []));
    last = part;
  }
  messages.push(message);
  return { message, last };
}

const { message } = await turn();
const listed = [];
for (const call of message.tool_calls) {
  listed.push(call.function.arguments.folder);
  messages.push({ role: "tool", tool_name: call.function.name, content: "notes.md" });
}
const { message: answer, last } = await turn();
const error = await client.show({ model: "none" }).then(
  () => null,
  ({ error: text, status_code: status }) => ({ text, status }),
);
const models = (await client.list()).models.map(({ name }) => name);
const loaded = (await client.ps()).models.map(({ name }) => name);
console.log(
  JSON.stringify({
    answer: answer.content,
    thinking: message.thinking,
    listed,
    done: last.done_reason,
    error,
    models,
    loaded,
  }),
);
