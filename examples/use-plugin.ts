/**
 * Load a plugin whose code is not trusted, grant it one folder, and let the model use it. The plugin runs
 * in a sandbox of its own; see examples/plugin for its side.
 *
 *     npm run example examples/use-plugin.ts
 */
import { fileURLToPath } from "node:url";
import { loadModel, loadPlugin, parseGrants, runAgent } from "chorale";

const folder = fileURLToPath(new URL("./plugin", import.meta.url));
const plugin = await loadPlugin(folder, { grant: parseGrants([`fs:read:${folder}/notes`]) });
try {
  const model = await loadModel();
  try {
    const result = await runAgent({
      model,
      prompt: "Search my notes for green tea.",
      tools: plugin.tools,
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
} finally {
  await plugin.close();
}
