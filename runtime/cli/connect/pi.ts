/** pi: a provider among those of its models. */
import { join } from "node:path";
import { shellWord } from "../shell-word.ts";
import { type ClientSetup, type Connection, KEY_VARIABLE, NO_KEY } from "./client-setup.ts";

export function piSetup({
  url,
  model,
  contextLength,
  needsKey,
  env,
  home,
}: Connection): ClientSetup {
  const folder = env["PI_CODING_AGENT_DIR"] || join(home, ".pi", "agent");
  return {
    name: "pi",
    tested: "1.6.0",
    files: [
      {
        path: join(folder, "models.json"),
        at: ["providers", "chorale"],
        isOwn: true,
        value: {
          name: "Chorale",
          baseUrl: `${url}/v1`,
          api: "openai-completions",
          apiKey: needsKey ? `$${KEY_VARIABLE}` : NO_KEY,
          compat: {
            supportsReasoningEffort: true,
            maxTokensField: "max_completion_tokens",
            sendSessionAffinityHeaders: true,
          },
          models: [
            {
              id: model,
              name: model,
              reasoning: true,
              thinkingLevelMap: { off: null, minimal: null },
              input: ["text"],
              contextWindow: contextLength,
              maxTokens: Math.min(8_192, contextLength >> 2),
            },
          ],
        },
      },
    ],
    environment: {},
    start: [`pi --provider chorale --model ${shellWord(model)}`],
    notes: [],
    promptTokens: 1_100,
  };
}
