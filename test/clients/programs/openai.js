// The OpenAI SDK: a streamed tool turn by its runner, one of the Responses API, and the shape of an error.
import OpenAI from "openai";

const [url] = process.argv.slice(2);
const model = "gpt-oss:20b";
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none" });
const listed = [];
const parameters = {
  type: "object",
  properties: { folder: { type: "string" } },
  required: ["folder"],
};
const list = ({ folder }) => {
  listed.push(folder);
  return "notes.md";
};
const task = "List the files in this folder.";

// How gpt-oss's chain of thought has to come back, without a stream.
const plain = await client.chat.completions.create({
  model,
  messages: [{ role: "user", content: task }],
  tools: [{ type: "function", function: { name: "list_files", parameters } }],
});
const { reasoning, tool_calls } = plain.choices[0].message;

const runner = client.chat.completions.runTools({
  model,
  stream: true,
  messages: [{ role: "user", content: task }],
  tools: [
    {
      type: "function",
      function: {
        name: "list_files",
        description: "Lists the files of a folder.",
        parameters,
        parse: JSON.parse,
        function: list,
      },
    },
  ],
});
const chat = await runner.finalContent();

const tools = [
  {
    type: "function",
    name: "list_files",
    description: "Lists the files of a folder.",
    parameters,
    strict: false,
  },
];
const first = await client.responses.stream({ model, input: task, tools }).finalResponse();
const trace = first.output.find(({ type }) => type === "reasoning").content;
const call = first.output.find(({ type }) => type === "function_call");
const second = await client.responses.create({
  model,
  tools,
  previous_response_id: first.id,
  input: [
    {
      type: "function_call_output",
      call_id: call.call_id,
      output: list(JSON.parse(call.arguments)),
    },
  ],
});

const error = await client.chat.completions
  .create({ model: "none", messages: [{ role: "user", content: task }] })
  .then(
    () => null,
    ({ status, code, type }) => ({ status, code, type }),
  );
const models = (await client.models.list()).data.map(({ id }) => id);
console.log(
  JSON.stringify({
    plain: { reasoning, arguments: tool_calls[0].function.arguments },
    chat,
    trace,
    responses: second.output_text,
    listed,
    error,
    models,
  }),
);
