/**
 * Coding agents as a person starts them, each with what `chorale connect` has written: one call of a tool that they
 * carry out, and the answer.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import {
  ANSWER,
  answers,
  type Client,
  clientTest,
  MODEL,
  TASK,
  THOUGHT,
  thinks,
  toolTurn,
} from "./client-test.ts";
import { type ClientRun, FILE } from "./workplace.ts";

function succeeded({ status, stdout, stderr }: ClientRun): string {
  expect(status, stderr + stdout).toBe(0);
  return stdout;
}

/** The model saw the result of its call, and before it what it had thought. */
function sawResult({ promptsWith }: Client, tool: string, result: string = FILE): void {
  const behind = promptsWith(tool).filter((text) => text.includes(`${tool} to=assistant`));
  expect(behind).toHaveLength(1);
  const [prompt = ""] = behind;
  expect(prompt).toContain(`<|channel|>analysis<|message|>${THOUGHT}<|end|>`);
  expect(prompt.split(`${tool} to=assistant`).at(-1)).toContain(result);
}

const codex = (client: Client, ...args: readonly string[]): Promise<ClientRun> =>
  client.run("codex", ["exec", "--skip-git-repo-check", "--json", ...args]);

/** What its lines say that it did. */
function codexItems(stdout: string): readonly Record<string, unknown>[] {
  const events = stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as { type: string; item?: Record<string, unknown> });
  expect(events.map(({ type }) => type)).not.toContain("turn.failed");
  return events.flatMap(({ type, item }) => (type === "item.completed" && item ? [item] : []));
}

/** Its own sandbox needs rights that a container may not have. */
const UNSANDBOXED = "--dangerously-bypass-approvals-and-sandbox";

clientTest(
  "Codex: a shell command",
  ["@openai/codex"],
  toolTurn("exec_command", { cmd: "ls -1" }),
  async (client) => {
    succeeded(await client.connect("codex", "--write"));
    const items = codexItems(
      succeeded(await codex(client, "--strict-config", "--profile", "chorale", UNSANDBOXED, TASK)),
    );
    expect(items).toContainEqual(
      expect.objectContaining({
        type: "command_execution",
        exit_code: 0,
        aggregated_output: `${FILE}\n`,
      }),
    );
    expect(items.at(-1)).toMatchObject({ type: "agent_message", text: ANSWER });
    sawResult(client, "exec_command");
    // The catalog was read: a lean agent with its own instructions.
    const [prompt = ""] = client.promptsWith("exec_command");
    expect(prompt).toContain("You are a coding agent in the Codex CLI, on the user's machine.");
    expect(prompt).not.toContain("type create_goal");
    expect(prompt).not.toContain("multi_agent");
    // Nothing of the configuration is unknown to it, or old.
    expect(items.filter(({ type }) => type === "error")).toEqual([]);
  },
);

const PATCH = ["*** Begin Patch", "*** Add File: todo.txt", "+one", "*** End Patch", ""].join("\n");

clientTest(
  "Codex: a patch",
  ["@openai/codex"],
  toolTurn("apply_patch", PATCH, "Done."),
  async (client) => {
    succeeded(await client.connect("codex", "--write"));
    const items = codexItems(
      succeeded(
        await codex(client, "--profile", "chorale", UNSANDBOXED, "Add todo.txt with the line one."),
      ),
    );
    expect(items.at(-1)).toMatchObject({ type: "agent_message", text: "Done." });
    expect(readFileSync(join(client.project, "todo.txt"), "utf8")).toBe("one\n");
    sawResult(client, "apply_patch", "todo.txt");
  },
);

clientTest(
  "Codex: an answer that follows a schema",
  ["@openai/codex"],
  () => `${thinks("Eight.")}<|start|>assistant${answers('{"legs":8}')}`,
  async (client) => {
    succeeded(await client.connect("codex", "--write"));
    const schema = join(import.meta.dirname, "legs.schema.json");
    const items = codexItems(
      succeeded(
        await codex(
          client,
          "--profile",
          "chorale",
          "--output-schema",
          schema,
          "How many legs has a spider?",
        ),
      ),
    );
    expect(items.at(-1)).toMatchObject({ type: "agent_message", text: '{"legs":8}' });
    expect(client.server.prompts().at(-1)).toContain("legs");
  },
);

clientTest(
  "Codex --oss, as with Ollama, nothing written",
  ["@openai/codex"],
  toolTurn("exec_command", { cmd: "ls -1" }),
  async (client) => {
    const run = await client.run(
      "codex",
      [
        "exec",
        "--skip-git-repo-check",
        "--json",
        "--oss",
        "--local-provider",
        "ollama",
        UNSANDBOXED,
        TASK,
      ],
      { CODEX_OSS_BASE_URL: `${client.server.url}/v1` },
    );
    expect(codexItems(succeeded(run)).at(-1)).toMatchObject({
      type: "agent_message",
      text: ANSWER,
    });
    sawResult(client, "exec_command");
  },
);

clientTest(
  "pi",
  ["@earendil-works/pi-coding-agent"],
  toolTurn("bash_tool", { command: "ls -1" }),
  async (client) => {
    succeeded(await client.connect("pi", "--write"));
    const run = await client.run(
      "pi",
      ["--provider", "chorale", "--model", MODEL, "--no-session", "-p", TASK],
      { PI_OFFLINE: "1" },
    );
    expect(succeeded(run)).toContain(ANSWER);
    sawResult(client, "bash_tool");
  },
);

clientTest(
  "Continue",
  ["@continuedev/cli"],
  toolTurn("Bash", { command: "ls -1" }),
  async (client) => {
    succeeded(await client.connect("continue", "--write"));
    const run = await client.run("cn", [
      "--config",
      join(client.home, ".continue", "chorale.yaml"),
      "--allow",
      "Bash",
      "-p",
      TASK,
    ]);
    expect(succeeded(run)).toContain(ANSWER);
    sawResult(client, "Bash");
  },
);

clientTest(
  "opencode, which asks for a title at the same time",
  ["opencode-ai"],
  toolTurn("bash_tool", { command: "ls -1" }),
  async (client) => {
    succeeded(await client.connect("opencode", "--write"));
    const run = await client.run("opencode", [
      "run",
      "--format",
      "json",
      "--model",
      `chorale/${MODEL}`,
      TASK,
    ]);
    expect(succeeded(run)).toContain(ANSWER);
    sawResult(client, "bash_tool");
    expect(client.server.prompts().some((text) => text.includes("title generator"))).toBe(true);
  },
);

clientTest(
  "Cline",
  ["cline"],
  toolTurn("run_commands", { commands: ["ls -1"] }),
  async (client) => {
    succeeded(await client.connect("cline", "--write"));
    const run = await client.run("cline", ["--json", "-P", "openai-compatible", "-m", MODEL, TASK]);
    expect(succeeded(run)).toContain(ANSWER);
    sawResult(client, "run_commands");
  },
);

clientTest(
  "Claude Code",
  ["@anthropic-ai/claude-code"],
  toolTurn("Bash", { command: "ls -1", description: "Lists the files" }),
  async (client) => {
    succeeded(await client.connect("claude", "--write"));
    const settings = join(client.home, ".claude", "chorale.json");
    const run = await client.run("claude", [
      ...["--settings", settings, "--model", MODEL],
      ...["--allowedTools", "Bash", "-p", TASK],
    ]);
    expect(succeeded(run)).toContain(ANSWER);
    sawResult(client, "Bash");
  },
);
