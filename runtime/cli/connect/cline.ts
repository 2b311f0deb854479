/** Cline's command line: the provider for servers that speak OpenAI's API, of which it has one. */
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { shellWord } from "../shell-word.ts";
import { type ClientSetup, type Connection, KEY_VARIABLE, NO_KEY } from "./client-setup.ts";

type Entry = { readonly settings: unknown };

const PROVIDER = "openai-compatible";

export function clineSetup({ url, model, needsKey, home }: Connection): ClientSetup {
  const path = join(home, ".cline", "data", "settings", "providers.json");
  const settings = { provider: PROVIDER, apiKey: NO_KEY, model, baseUrl: `${url}/v1` };
  const auth = (key: string): string =>
    `cline auth -p ${PROVIDER} -k ${key} -m ${shellWord(model)} -b ${url}/v1`;
  return {
    name: "Cline",
    tested: "3.0.65",
    // The file has no variables, and a key is not written for anybody.
    files: needsKey
      ? []
      : [
          {
            path,
            at: ["providers", PROVIDER],
            base: { version: 1, lastUsedProvider: PROVIDER, modes: {} },
            isOwn: false,
            value: { settings, updatedAt: new Date().toISOString(), tokenSource: "manual" },
            // It writes the time anew whenever it starts.
            isSame: (found) => isDeepStrictEqual((found as Partial<Entry>).settings, settings),
          },
        ],
    environment: {},
    start: [
      ...(needsKey ? [auth(`"$${KEY_VARIABLE}"`)] : []),
      `cline -P ${PROVIDER} -m ${shellWord(model)} "…"`,
    ],
    notes: [
      ...(needsKey ? [] : [`The same by a command: ${auth(NO_KEY)}`]),
      "Cline leaves a process behind, its hub, which goes on after it has ended.",
    ],
    promptTokens: 4_500,
  };
}
