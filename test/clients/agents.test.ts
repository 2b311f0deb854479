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

const KEY = "key-of-a-test";

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

clientTest(
  "Codex, by a key",
  ["@openai/codex"],
  toolTurn("exec_command", { cmd: "ls -1" }),
  async (client) => {
    succeeded(await client.connect("codex", "--write"));
    const args = ["exec", "--skip-git-repo-check", "--json", "--profile", "chorale", UNSANDBOXED];
    const run = await client.run("codex", [...args, TASK], { CHORALE_API_KEY: KEY });
    expect(codexItems(succeeded(run)).at(-1)).toMatchObject({ text: ANSWER });
  },
  { keys: [KEY] },
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

type Agent = {
  readonly package: string;
  /** As `chorale connect` calls it. */
  readonly client: string;
  readonly command: string;
  readonly flags: (home: string) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The tool as the model knows it, and its arguments. */
  readonly tool: string;
  readonly args: object;
  /** A command that it gets the key by, where its files have no variables. */
  readonly keyCommand?: (url: string) => readonly string[];
};

const AGENTS: Readonly<Record<string, Agent>> = {
  pi: {
    package: "@earendil-works/pi-coding-agent",
    client: "pi",
    command: "pi",
    flags: () => ["--provider", "chorale", "--model", MODEL, "--no-session", "-p"],
    env: { PI_OFFLINE: "1" },
    tool: "bash_tool",
    args: { command: "ls -1" },
  },
  Continue: {
    package: "@continuedev/cli",
    client: "continue",
    command: "cn",
    flags: (home) => [
      ...["--config", join(home, ".continue", "chorale.yaml")],
      ...["--allow", "Bash", "-p"],
    ],
    tool: "Bash",
    args: { command: "ls -1" },
  },
  opencode: {
    package: "opencode-ai",
    client: "opencode",
    command: "opencode",
    flags: () => ["run", "--format", "json", "--model", `chorale/${MODEL}`],
    tool: "bash_tool",
    args: { command: "ls -1" },
  },
  Cline: {
    package: "cline",
    client: "cline",
    command: "cline",
    flags: () => ["--json", "-P", "openai-compatible", "-m", MODEL],
    tool: "run_commands",
    args: { commands: ["ls -1"] },
    keyCommand: (url) => [
      ...["auth", "-p", "openai-compatible", "-k", KEY],
      ...["-m", MODEL, "-b", `${url}/v1`],
    ],
  },
  "Claude Code": {
    package: "@anthropic-ai/claude-code",
    client: "claude",
    command: "claude",
    flags: (home) => [
      ...["--settings", join(home, ".claude", "chorale.json"), "--model", MODEL],
      ...["--allowedTools", "Bash", "-p"],
    ],
    tool: "Bash",
    args: { command: "ls -1", description: "Lists the files" },
  },
};

for (const [name, agent] of Object.entries(AGENTS)) {
  const { client: known, command, flags, env = {}, tool, args } = agent;
  const script = toolTurn(tool, args);
  const turn = async (client: Client, key: Readonly<Record<string, string>>): Promise<void> => {
    const run = await client.run(command, [...flags(client.home), TASK], { ...env, ...key });
    expect(succeeded(run)).toContain(ANSWER);
    sawResult(client, tool);
  };
  clientTest(name, [agent.package], script, async (client) => {
    succeeded(await client.connect(known, "--write"));
    await turn(client, {});
    // It asks for a title at the same time, which is a request of its own.
    const asksTitle = client.server.prompts().some((text) => text.includes("title generator"));
    expect(asksTitle).toBe(name === "opencode");
  });
  clientTest(
    `${name}, by a key`,
    [agent.package],
    script,
    async (client) => {
      if (agent.keyCommand === undefined) {
        succeeded(await client.connect(known, "--write"));
        const { environment } = JSON.parse(succeeded(await client.connect(known, "--json"))) as {
          environment: Record<string, string>;
        };
        const named = Object.fromEntries(
          Object.entries(environment).map(([variable, value]) => [
            variable,
            value.replace("$CHORALE_API_KEY", KEY),
          ]),
        );
        await turn(client, { CHORALE_API_KEY: KEY, ...named });
      } else {
        succeeded(await client.run(command, agent.keyCommand(client.server.url)));
        await turn(client, {});
      }
    },
    { keys: [KEY] },
  );
}
