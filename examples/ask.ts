/**
 * Ask the embedded model a question; it may run Python in the sandbox.
 *
 *     npm run example examples/ask.ts
 */
import { createPythonTool, loadModel, runAgent } from "chorale";

const model = await loadModel();
// The folder keeps a snapshot of the started interpreter: the first start takes seconds, later ones do not.
const python = createPythonTool();
try {
  const result = await runAgent({
    model,
    prompt: "What is 48213 * 977?",
    tools: [python],
    // Every step is an event; here only the tool's work is shown.
    onEvent: (event) => {
      if (event.type !== "item.completed" || event.item.type !== "code_execution") return;
      console.error(`python ran: ${event.item.code}\nand said:   ${event.item.output}`);
    },
  });
  if (result.error !== undefined) console.error(result.error.message);
  console.log(result.output ?? "no answer");
  process.exitCode = result.status === "completed" ? 0 : 1;
} finally {
  await python.close();
  await model.close();
}
