/** The MCP servers of an environment: started with everything else, waited for at its end. */
import { join } from "node:path";
import {
  type McpOptions,
  type McpServerConfig,
  type McpServers,
  openMcpServers,
  parseMcpServers,
} from "../tools/index.ts";
import type { Home } from "./home.ts";

/** How MCP servers are used. */
export type McpConfiguration = Pick<
  McpOptions,
  "onElicit" | "authorize" | "onToolsChanged" | "version"
> & {
  /** Relative paths of `mcpServers` are relative to it. Default: the current folder. */
  readonly folder?: string | undefined;
};

/** `mcpServers` of an environment. */
export type McpServersOption =
  | Readonly<Record<string, unknown>>
  | readonly McpServerConfig[]
  | undefined;

type Surroundings = {
  readonly env: NodeJS.ProcessEnv;
  readonly home: Home;
  readonly artifactFolder: string;
  readonly onNote: (sentence: string) => void;
  readonly takenNames: () => readonly string[];
};

export type StartedMcpServers = AsyncDisposable & {
  /** Undefined where there are none. @throws McpError for a required server that cannot be used */
  ready(): Promise<McpServers | undefined>;
};

/** The file in which authorizations at servers are kept. */
export function mcpAuthorizationFile(home: Pick<Home, "path">): string {
  return join(home.path, "mcp-authorizations.json");
}

/**
 * Begins to start the servers.
 * @throws McpError for a configuration that is wrong; nothing was started
 */
export function startMcpServers(
  { mcpServers, mcp = {} }: { mcpServers?: McpServersOption; mcp?: McpConfiguration | undefined },
  { env, home, artifactFolder, onNote, takenNames }: Surroundings,
): StartedMcpServers {
  const { folder = process.cwd(), ...given } = mcp;
  const configs = isParsed(mcpServers)
    ? mcpServers
    : parseMcpServers(mcpServers ?? {}, { env, folder, source: "mcpServers", onNote });
  const stop = new AbortController();
  const opening =
    configs.length === 0
      ? undefined
      : openMcpServers(configs, {
          ...given,
          env,
          artifactFolder,
          authorizationFile: mcpAuthorizationFile(home),
          takenNames,
          onNote,
          signal: stop.signal,
        });
  // Where something else fails first, this is not waited for.
  opening?.catch(() => {});
  return {
    ready: async () => opening,
    async [Symbol.asyncDispose]() {
      stop.abort();
      const servers = await opening?.catch(() => undefined);
      await servers?.close();
    },
  };
}

function isParsed(servers: McpServersOption): servers is readonly McpServerConfig[] {
  return Array.isArray(servers);
}
