/** The tools that flags name, for commands that are about tools; no model is loaded. */
import { openMcpServers, type Tool } from "../../tools/index.ts";
import { mcpAuthorizationFile, openTools } from "../environment.ts";
import { homePath } from "../home.ts";
import { packageVersion } from "../version.ts";
import type { CommandContext } from "./command-context.ts";
import type { McpArguments, ToolArguments } from "./flags.ts";
import { mcpServersFor } from "./mcp/sources.ts";
import { pluginConfigurations } from "./plugins.ts";

export type ToolSources = ToolArguments & McpArguments;

export type KnownTools = AsyncDisposable & { readonly tools: readonly Tool[] };

/**
 * @param names of tools that are asked about: servers are started where one of them is a server's, or `--mcp` is given
 * @throws ToolsError, McpError, UsageError; what was opened is closed again
 */
export async function openKnownTools(
  sources: ToolSources,
  names: readonly string[],
  { env, output, signal }: CommandContext,
): Promise<KnownTools> {
  const note = (sentence: string): void => output.note(sentence);
  await using opened = new AsyncDisposableStack();
  const { tools } = opened.use(
    await openTools({
      env,
      toolModules: sources.tool,
      plugins: await pluginConfigurations(sources),
      onPluginLog: (text) => output.watchLines("log", text, "result"),
    }),
  );
  const needsServers = sources.mcp.length > 0 || names.some((name) => name.includes("mcp__"));
  const servers = needsServers
    ? opened.use(
        await openMcpServers(mcpServersFor(sources, env, note), {
          env,
          signal,
          version: packageVersion(),
          authorizationFile: mcpAuthorizationFile({ path: homePath(env) }),
          onNote: note,
        }),
      )
    : undefined;
  const kept = opened.move();
  return {
    tools: [...tools, ...(servers?.tools ?? [])],
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
