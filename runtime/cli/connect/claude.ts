/** Claude Code: settings of its own, which are layered over the user's. */
import { join } from "node:path";
import { shellWord } from "../shell-word.ts";
import { type ClientSetup, type Connection, KEY_VARIABLE, markOf, NO_KEY } from "./client-setup.ts";

const TIMEOUT_MS = 3_600_000;

export function claudeSetup({ url, model, needsKey, env, home }: Connection): ClientSetup {
  const path = join(env["CLAUDE_CONFIG_DIR"] || join(home, ".claude"), "chorale.json");
  const variables = {
    ANTHROPIC_BASE_URL: url,
    // Settings have no variables: with a key it has to stand in the environment.
    ...(!needsKey && { ANTHROPIC_AUTH_TOKEN: NO_KEY }),
    ANTHROPIC_MODEL: model,
    ANTHROPIC_DEFAULT_HAIKU_MODEL: model,
    ANTHROPIC_DEFAULT_SONNET_MODEL: model,
    ANTHROPIC_DEFAULT_OPUS_MODEL: model,
    API_TIMEOUT_MS: String(TIMEOUT_MS),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  };
  const settings = { $comment: markOf("claude"), env: variables };
  return {
    name: "Claude Code",
    tested: "2.1.332",
    files: [{ path, text: `${JSON.stringify(settings, null, 2)}\n` }],
    environment: needsKey ? { ANTHROPIC_AUTH_TOKEN: `$${KEY_VARIABLE}` } : {},
    start: [`claude --settings ${shellWord(path)} --model ${shellWord(model)}`],
    notes: [],
    promptTokens: 10_800,
  };
}
