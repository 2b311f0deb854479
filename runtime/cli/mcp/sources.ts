/**
 * Where MCP servers are configured: `mcp.json` beside the configuration and `mcpServers` in it (the user's own),
 * `.mcp.json` of the current folder (which comes with other people's projects), and files that are named.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type McpServerConfig, parseMcpServers } from "../../../tools/index.ts";
import { messageOf, UsageError } from "../../errors.ts";
import { configPath } from "../config-file.ts";
import { isTrusted } from "./trust.ts";

/** `project`: its servers are started only after the user has agreed. */
export type SourceKind = "user" | "project" | "named";

export type McpSource = {
  readonly kind: SourceKind;
  readonly path: string;
  /** By name, as they stand in the file. */
  readonly servers: Readonly<Record<string, unknown>>;
};

/** A server and the file that has it; of one name the last source counts. */
export type ConfiguredServer = {
  readonly name: string;
  readonly source: McpSource;
  readonly entry: unknown;
  readonly isTrusted: boolean;
};

export type McpFlags = {
  /** Files. */
  readonly mcp: readonly string[];
  readonly noMcp: boolean;
};

const MOST_BYTES = 1024 * 1024;
export const PROJECT_FILE = ".mcp.json";

/** The file that `chorale mcp add` writes. */
export function userMcpPath(env: NodeJS.ProcessEnv): string {
  return join(dirname(configPath(env)), "mcp.json");
}

/**
 * The servers that there are, whether or not they may be started.
 * @throws UsageError for a file that cannot be read or is no configuration of servers
 */
export function configuredServers(
  flags: McpFlags,
  env: NodeJS.ProcessEnv,
  folder: string = process.cwd(),
): readonly ConfiguredServer[] {
  const own = flags.noMcp
    ? []
    : [
        source("user", configPath(env), false),
        source("user", userMcpPath(env), false),
        source("project", join(folder, PROJECT_FILE), false),
      ];
  const named = flags.mcp.map((path) => source("named", resolve(folder, path), true));
  const byName = new Map<string, ConfiguredServer>();
  for (const found of [...own, ...named]) {
    for (const [name, entry] of Object.entries(found?.servers ?? {})) {
      if (found === null) continue;
      const isOwn = found.kind !== "project" || isTrusted(env, found.path, name, entry);
      byName.set(name, { name, source: found, entry, isTrusted: isOwn });
    }
  }
  return [...byName.values()];
}

/**
 * The servers of a command that may be started. What is not trusted yet is told.
 * @throws UsageError, McpError
 */
export function mcpServersFor(
  flags: McpFlags,
  env: NodeJS.ProcessEnv,
  onNote: (sentence: string) => void,
): readonly McpServerConfig[] {
  const all = configuredServers(flags, env);
  const unknown = all.filter((server) => !server.isTrusted).map(({ name }) => name);
  if (unknown.length > 0) {
    onNote(
      `${PROJECT_FILE} of this folder names MCP servers that you have not agreed to, so they are not started: ${unknown.join(", ")}. To look at them: chorale mcp trust`,
    );
  }
  return all.filter((server) => server.isTrusted).flatMap((server) => parsed(server, env, onNote));
}

/** One server, ready to be started; none when it is disabled. @throws McpError */
export function parsed(
  { name, entry, source: { path } }: ConfiguredServer,
  env: NodeJS.ProcessEnv,
  onNote?: (sentence: string) => void,
): readonly McpServerConfig[] {
  return parseMcpServers(
    { mcpServers: { [name]: entry } },
    { env, folder: dirname(path), source: path, ...(onNote && { onNote }) },
  );
}

/**
 * One server by its name.
 * @throws UsageError for one that is not configured, is disabled, or was not agreed to; McpError
 */
export function trustedServer(
  name: string,
  flags: McpFlags,
  env: NodeJS.ProcessEnv,
): McpServerConfig {
  const [server] = namedServers(configuredServers(flags, env), [name]);
  const config = server === undefined ? undefined : parsed(server, env)[0];
  if (config === undefined) throw new UsageError(`The MCP server ${name} is disabled.`);
  return config;
}

/** @throws UsageError for a name that is not configured, or not agreed to */
export function namedServers(
  all: readonly ConfiguredServer[],
  names: readonly string[],
): readonly ConfiguredServer[] {
  return names.map((name) => {
    const found = findServer(all, name);
    if (found.isTrusted) return found;
    throw new UsageError(
      `You have not agreed to the MCP server ${name} of ${found.source.path}; first: chorale mcp trust ${name}`,
    );
  });
}

/** @throws UsageError for a name that is not configured */
export function findServer(all: readonly ConfiguredServer[], name: string): ConfiguredServer {
  const found = all.find((server) => server.name === name);
  if (found !== undefined) return found;
  const known = all.map((server) => server.name).join(", ") || "none";
  throw new UsageError(`No MCP server ${JSON.stringify(name)} is configured; there is ${known}.`);
}

function source(kind: SourceKind, path: string, mustExist: boolean): McpSource | null {
  if (!mustExist && !existsSync(path)) return null;
  const json = readJson(path);
  const servers = json["mcpServers"];
  if (servers === undefined) {
    if (kind !== "named") return null;
    throw new UsageError(`${path} has no mcpServers; accepted: {"mcpServers": {"NAME": {…}}}.`);
  }
  if (!isObject(servers)) {
    throw new UsageError(`${path} has mcpServers that are no object of servers by name.`);
  }
  return { kind, path, servers };
}

/** @throws UsageError for what is no JSON object */
export function readJson(path: string): Readonly<Record<string, unknown>> {
  let json: unknown;
  try {
    const text = readFileSync(path, "utf8");
    if (text.length > MOST_BYTES) throw new Error(`it is longer than ${MOST_BYTES} characters`);
    json = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (cause) {
    throw new UsageError(`${path} cannot be read as JSON: ${messageOf(cause)}.`, { cause });
  }
  if (!isObject(json)) throw new UsageError(`${path} holds no JSON object.`);
  return json;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
