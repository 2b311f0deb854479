/**
 * Give the model a function of this program. It sees the name, the description and the schema, and
 * calls it with arguments that were checked against the schema.
 *
 *     npm run example examples/own-tool.ts
 */
import { defineTool, loadModel, runAgent } from "chorale";

const getWeather = defineTool<{ city: string }>({
  name: "get_weather",
  description: "Gets the current weather in a city.",
  inputSchema: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
  execute: ({ city }) => ({ city, temperature: 18, sky: "cloudy" }),
});

const model = await loadModel();
try {
  const result = await runAgent({
    model,
    prompt: "What is the weather in Lisbon?",
    tools: [getWeather],
  });
  for (const message of result.messages) {
    const to = message.recipient ? ` to ${message.recipient}` : "";
    const text = message.content.map((part) => ("text" in part ? part.text : "")).join("");
    console.log(`${message.name ?? message.role}${to}: ${text}`);
  }
  process.exitCode = result.status === "completed" ? 0 : 1;
} finally {
  await model.close();
}
