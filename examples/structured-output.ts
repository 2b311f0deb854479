/**
 * An answer that a program can rely on: it passes a JSON Schema, or there is none. An invalid answer
 * goes back to the model with what is wrong, at most twice.
 *
 *     node examples/structured-output.ts
 */
import { loadModel, runAgent } from "chorale";

const model = await loadModel();
try {
  const result = await runAgent({
    ...model,
    prompt: "Extract the fields from this text: Maria Keller is 34 years old.",
    outputSchema: {
      jsonSchema: {
        type: "object",
        properties: { name: { type: "string" }, age: { type: "integer" } },
        required: ["name", "age"],
        additionalProperties: false,
      },
    },
  });
  if (result.status === "completed") console.log(result.value);
  else console.error(result.error?.message);
  process.exitCode = result.exitCode;
} finally {
  await model.close();
}
