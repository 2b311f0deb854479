/**
 * The Codex CLI: a profile beside its configuration, and a catalog that makes a lean agent of the model. Without
 * the catalog Codex sends 8,200 tokens of instructions and tools with each request, and no `apply_patch`.
 */
import { join } from "node:path";
import { shellWord } from "../shell-word.ts";
import {
  type ClientSetup,
  type Connection,
  KEY_VARIABLE,
  markOf,
  type OwnFile,
} from "./client-setup.ts";

/** Codex tries again after so long without an event; heartbeats of the server keep it from that. */
const IDLE_TIMEOUT_MS = 600_000;

export function codexSetup(connection: Connection): ClientSetup {
  const { url, model, needsKey, env, home } = connection;
  const folder = env["CODEX_HOME"] || join(home, ".codex");
  const catalog: OwnFile = {
    path: join(folder, "chorale-models.json"),
    text: `${JSON.stringify(catalogOf(connection), null, 2)}\n`,
  };
  const profile: OwnFile = {
    path: join(folder, "chorale.config.toml"),
    // The strings of JSON are strings of TOML.
    text: [
      `# ${markOf("codex")}`,
      `model = ${JSON.stringify(model)}`,
      'model_provider = "chorale"',
      `model_catalog_json = ${JSON.stringify(catalog.path)}`,
      'web_search = "disabled"',
      "",
      "[features]",
      "goals = false",
      "",
      "[agents]",
      "enabled = false",
      "",
      "[model_providers.chorale]",
      'name = "Chorale"',
      `base_url = ${JSON.stringify(`${url}/v1`)}`,
      'wire_api = "responses"',
      ...(needsKey ? [`env_key = ${JSON.stringify(KEY_VARIABLE)}`] : []),
      `stream_idle_timeout_ms = ${IDLE_TIMEOUT_MS}`,
      "",
    ].join("\n"),
  };
  return {
    name: "Codex CLI",
    tested: "0.171.0",
    files: [profile, catalog],
    environment: {},
    start: ["codex --profile chorale", 'codex exec --profile chorale "…"'],
    notes: [
      `Without these files: CODEX_OSS_BASE_URL=${url}/v1 codex --oss --local-provider ollama -m ${shellWord(model)}, with 8,200 tokens in each prompt.`,
      'web_search = "live" lets the model search by the server, which has to be allowed to: chorale serve --web.',
    ],
    promptTokens: 1_700,
  };
}

function catalogOf({ model, contextLength }: Connection): object {
  return {
    comment: markOf("codex"),
    models: [
      {
        slug: model,
        display_name: `${model} (Chorale)`,
        description: null,
        context_window: contextLength,
        max_context_window: contextLength,
        shell_type: "unified_exec",
        apply_patch_tool_type: "freeform",
        visibility: "list",
        supported_in_api: true,
        priority: 1,
        truncation_policy: { mode: "tokens", limit: Math.min(10_000, contextLength >> 2) },
        input_modalities: ["text"],
        base_instructions: INSTRUCTIONS,
        support_verbosity: false,
        default_reasoning_level: "medium",
        supported_reasoning_levels: [
          { effort: "low", description: "Short thinking" },
          { effort: "medium", description: "As much as most tasks need" },
          { effort: "high", description: "Long thinking" },
        ],
        supports_parallel_tool_calls: false,
        supports_reasoning_summaries: true,
        experimental_supported_tools: [],
      },
    ],
  };
}

const INSTRUCTIONS = `You are a coding agent in the Codex CLI, on the user's machine.

- Find out before you change something: read files and search them (rg, else grep) with the shell.
- Change files with apply_patch, and with nothing else. Change no more than the task needs, in the style of the code that is there.
- Run what shows that it works, such as its tests. When something fails, read the message and mend the cause.
- Never undo changes that you did not make. Commit only when you are asked to.
- Go on until the task is done. Then say in a few sentences what you did, and what you could not check.

A patch is text of this form:
*** Begin Patch
*** Update File: path/to/file.py
@@ def name_of_the_place():
 a line that stays
-a line that goes
+a line that comes
*** Add File: path/to/new.txt
+each line of it
*** Delete File: path/to/old.txt
*** End Patch
Paths are relative. Three lines around a change say where it is.`;
