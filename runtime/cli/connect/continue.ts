/** Continue: a configuration of its own, which `cn --config` reads and an editor may take over. */
import { join } from "node:path";
import { shellWord } from "../shell-word.ts";
import { type ClientSetup, type Connection, KEY_VARIABLE, markOf } from "./client-setup.ts";

export function continueSetup({
  url,
  model,
  contextLength,
  needsKey,
  env,
  home,
}: Connection): ClientSetup {
  const path = join(env["CONTINUE_GLOBAL_DIR"] || join(home, ".continue"), "chorale.yaml");
  // The strings of JSON are strings of YAML.
  const text = [
    `# ${markOf("continue")}`,
    "name: Chorale",
    "version: 1.0.0",
    "schema: v1",
    "models:",
    `  - name: ${JSON.stringify(`${model} (Chorale)`)}`,
    "    provider: openai",
    `    model: ${JSON.stringify(model)}`,
    `    apiBase: ${JSON.stringify(`${url}/v1`)}`,
    ...(needsKey ? [`    apiKey: \${{ secrets.${KEY_VARIABLE} }}`] : []),
    "    roles: [chat, edit, apply]",
    "    capabilities: [tool_use]",
    "    defaultCompletionOptions:",
    `      contextLength: ${contextLength}`,
    `      maxTokens: ${Math.min(8_192, contextLength >> 2)}`,
    "",
  ].join("\n");
  return {
    name: "Continue",
    tested: "1.5.47",
    files: [{ path, text }],
    environment: {},
    start: [`cn --config ${shellWord(path)}`],
    notes: [
      `For the extension of an editor, put the entry of models into ${join(env["CONTINUE_GLOBAL_DIR"] || join(home, ".continue"), "config.yaml")}; only the command line is tested.`,
      ...(needsKey
        ? [`The key is taken from ${KEY_VARIABLE}, or from a line of ~/.continue/.env.`]
        : []),
    ],
    promptTokens: 1_100,
  };
}
