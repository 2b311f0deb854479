/** opencode: a provider among those of its configuration. */
import { join } from "node:path";
import { shellWord } from "../shell-word.ts";
import { type ClientSetup, type Connection, KEY_VARIABLE, NO_KEY } from "./client-setup.ts";

export function opencodeSetup({
  url,
  model,
  contextLength,
  needsKey,
  env,
  home,
}: Connection): ClientSetup {
  const folder = join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "opencode");
  const name = shellWord(`chorale/${model}`);
  return {
    name: "opencode",
    tested: "1.18.33",
    files: [
      {
        path: join(folder, "opencode.json"),
        at: ["provider", "chorale"],
        base: { $schema: "https://opencode.ai/config.json" },
        isOwn: true,
        value: {
          npm: "@ai-sdk/openai-compatible",
          name: "Chorale",
          options: {
            baseURL: `${url}/v1`,
            apiKey: needsKey ? `{env:${KEY_VARIABLE}}` : NO_KEY,
            timeout: false,
          },
          models: {
            [model]: {
              name: model,
              tool_call: true,
              reasoning: true,
              limit: { context: contextLength, output: Math.min(8_192, contextLength >> 2) },
            },
          },
        },
      },
    ],
    environment: {},
    start: [`opencode --model ${name}`, `opencode run --model ${name} "…"`],
    notes: [],
    promptTokens: 6_800,
  };
}
