/**
 * An answer that a program can rely on: it passes a JSON Schema, or there is none. An invalid answer
 * goes back to the model with what is wrong, at most twice.
 *
 *     npm run example examples/structured-output.ts
 */
import { loadModel, runAgent } from "chorale";

const model = await loadModel();
try {
  const result = await runAgent({
    model,
    prompt: "Extract the data: Maria Keller is 34 years old and lives in Oslo.",
    output: {
      jsonSchema: {
        type: "object",
        properties: {
          name: { type: "string" },
          age: { type: "integer" },
          city: { type: "string" },
        },
        required: ["name", "age", "city"],
        additionalProperties: false,
      },
    },
  });
  if (result.status === "completed") console.log(result.value);
  else console.error(result.error?.message);
  process.exitCode = result.status === "completed" ? 0 : 1;
} finally {
  await model.close();
}
