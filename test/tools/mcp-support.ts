/** MCP servers in tests: opened as a run opens them, called as a run calls them. */
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { executeTool } from "../../tools/calls/execute.ts";
import type { ToolResult } from "../../tools/core/tool.ts";
import {
  type McpOptions,
  type McpServerConfig,
  type McpServers,
  openMcpServers,
  parseMcpServers,
} from "../../tools/mcp/index.ts";

const FIXTURES = fileURLToPath(new URL("../fixtures/mcp/", import.meta.url));

type Entry = { readonly command: string; readonly args: readonly string[] };

/** A server of `fixtures/mcp`, as a configuration has it. */
export const fixture = (file: string, ...args: readonly string[]): Entry => ({
  command: process.execPath,
  args: [FIXTURES + file, ...args],
});

/** A server from npm. */
export const npmServer = (name: string, ...args: readonly string[]): Entry => ({
  command: process.execPath,
  args: [
    fileURLToPath(import.meta.resolve(`@modelcontextprotocol/server-${name}/dist/index.js`)),
    ...args,
  ],
});

function configs(
  mcpServers: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv = process.env,
): readonly McpServerConfig[] {
  return parseMcpServers({ mcpServers }, { env, folder: tmpdir(), source: "a test" });
}

export function open(
  mcpServers: Readonly<Record<string, unknown>>,
  options: McpOptions = {},
): Promise<McpServers> {
  return openMcpServers(configs(mcpServers, options.env), options);
}

/** One call of a tool by its name for the model, without `functions.`. */
export async function call(
  servers: McpServers,
  name: string,
  input: unknown = {},
  options: { signal?: AbortSignal; onProgress?: (progress: unknown) => void } = {},
): Promise<ToolResult> {
  const tool = servers.tools.find(({ recipient }) => recipient === `functions.${name}`);
  if (tool === undefined) throw new Error(`there is no ${name}`);
  return executeTool(tool, JSON.stringify(input), {
    signal: options.signal ?? new AbortController().signal,
    callId: "call_1",
    approved: true,
    countTokens: (words) => Math.ceil(words.length / 4),
    resultTokenLimit: 4_000,
    onProgress: options.onProgress,
  });
}
