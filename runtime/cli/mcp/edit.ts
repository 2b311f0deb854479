/** `chorale mcp add|remove|list`: the files in which servers are configured. Nothing is started. */
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseMcpServers } from "../../../tools/index.ts";
import { UsageError } from "../../errors.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { shellWord } from "../shell-word.ts";
import { visibleText } from "../terminal-text.ts";
import {
  configuredServers,
  type McpFlags,
  PROJECT_FILE,
  readJson,
  userMcpPath,
} from "./sources.ts";
import { trust } from "./trust.ts";

export type AddArguments = {
  readonly name: string;
  /** A command with its arguments, or one URL. */
  readonly command: readonly string[];
  readonly env: readonly string[];
  readonly header: readonly string[];
  readonly cwd: string | undefined;
  readonly transport: "http" | "sse" | undefined;
  readonly timeout: number | undefined;
  readonly trust: boolean;
  readonly project: boolean;
};

/** @throws UsageError, McpError for what could not be started anyway */
export async function addCommand(args: AddArguments, context: CommandContext): Promise<ExitCode> {
  const { output, env } = context;
  const path = fileOf(args.project, env);
  const entry = entryOf(args);
  const { file, servers } = readServers(path);
  if (Object.hasOwn(servers, args.name)) {
    throw new UsageError(
      `${path} has an MCP server ${JSON.stringify(args.name)} already; remove it first: chorale mcp remove ${args.name}${args.project ? " --project" : ""}`,
    );
  }
  // What is wrong in it is said now; variables are looked up when the server is started.
  parseMcpServers(
    { [args.name]: entry },
    { env: anyVariable(), folder: dirname(path), source: path },
  );
  write(path, { ...file, mcpServers: { ...servers, [args.name]: entry } });
  // Who types a server into a project's file has agreed to it.
  if (args.project) trust(env, path, args.name, entry);
  output.line(
    visibleText(`Added ${args.name} to ${path}. To try it: chorale mcp test ${args.name}`),
  );
  return EXIT.ok;
}

export async function removeCommand(
  { name, project }: { readonly name: string; readonly project: boolean },
  { output, env }: CommandContext,
): Promise<ExitCode> {
  const path = fileOf(project, env);
  const { file, servers } = readServers(path);
  if (!Object.hasOwn(servers, name)) {
    const names = Object.keys(servers).join(", ") || "none";
    throw new UsageError(`${path} has no MCP server ${JSON.stringify(name)}; it has ${names}.`);
  }
  const { [name]: _, ...others } = servers;
  write(path, { ...file, mcpServers: others });
  output.line(visibleText(`Removed ${name} from ${path}.`));
  return EXIT.ok;
}

/** What is configured, and where; values that may be secret are not shown. */
export async function listCommand(
  { json, ...flags }: McpFlags & { readonly json: boolean },
  { output, env }: CommandContext,
): Promise<ExitCode> {
  const servers = configuredServers(flags, env);
  for (const { name, entry, source, isTrusted } of servers) {
    const target = targetOf(entry);
    if (json) {
      output.jsonLine({ name, target, source: source.path, kind: source.kind, trusted: isTrusted });
      continue;
    }
    const state = isTrusted ? "" : " (not agreed to yet: chorale mcp trust)";
    output.line(visibleText(`${name}: ${target}${state}`));
    output.line(visibleText(`  in ${source.path}`));
  }
  if (servers.length === 0 && !json) {
    output.note("No MCP server is configured; add one: chorale mcp add NAME -- COMMAND …");
  }
  return EXIT.ok;
}

/** What would be started or spoken to, in one line. */
export function targetOf(entry: unknown): string {
  const { command, args, url, httpUrl } = (entry ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof command === "string") {
    return [command, ...(Array.isArray(args) ? args : [])].map(shellWord).join(" ");
  }
  return String(httpUrl ?? url ?? JSON.stringify(entry));
}

function entryOf(args: AddArguments): Record<string, unknown> {
  const [first = "", ...others] = args.command;
  const isUrl = /^https?:\/\//i.test(first);
  if (!isUrl && /^[a-z][a-z0-9+.-]*:\/\//i.test(first)) {
    throw new UsageError(`The URL is ${first}; accepted: http://… or https://…`);
  }
  if (isUrl && others.length > 0) {
    throw new UsageError(`Behind a URL nothing is expected; found ${others.join(" ")}.`);
  }
  if (!isUrl && (args.header.length > 0 || args.transport !== undefined)) {
    throw new UsageError("--header and --transport are for a server with a URL.");
  }
  if (isUrl && (args.env.length > 0 || args.cwd !== undefined)) {
    throw new UsageError("--env and --cwd are for a server that is a program.");
  }
  const env = pairs(args.env, "=", "--env", "NAME=VALUE");
  const headers = pairs(args.header, ":", "--header", "'Name: value'");
  return {
    ...(isUrl
      ? { type: args.transport ?? "http", url: first }
      : { command: first, ...(others.length > 0 && { args: others }) }),
    ...(args.env.length > 0 && { env }),
    ...(args.header.length > 0 && { headers }),
    ...(args.cwd !== undefined && { cwd: args.cwd }),
    ...(args.timeout !== undefined && { timeout: args.timeout * 1000 }),
    ...(args.trust && { trust: true }),
  };
}

function pairs(
  given: readonly string[],
  separator: string,
  flag: string,
  accepted: string,
): Record<string, string> {
  const entries = given.map((text) => {
    const at = text.indexOf(separator);
    if (at < 1) throw new UsageError(`${flag} is ${JSON.stringify(text)}; accepted: ${accepted}.`);
    return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  });
  return Object.fromEntries(entries);
}

/** An environment in which every variable is set. */
function anyVariable(): NodeJS.ProcessEnv {
  return new Proxy({}, { get: () => "x" });
}

function fileOf(isProject: boolean, env: NodeJS.ProcessEnv): string {
  return isProject ? join(process.cwd(), PROJECT_FILE) : userMcpPath(env);
}

function readServers(path: string): {
  readonly file: Readonly<Record<string, unknown>>;
  readonly servers: Readonly<Record<string, unknown>>;
} {
  if (!existsSync(path)) return { file: {}, servers: {} };
  const file = readJson(path);
  const servers = file["mcpServers"] ?? {};
  if (typeof servers !== "object" || servers === null || Array.isArray(servers)) {
    throw new UsageError(`${path} has mcpServers that are no object of servers by name.`);
  }
  return { file, servers: servers as Readonly<Record<string, unknown>> };
}

/** In the end the file is the old one or the new one; it may hold secrets. */
function write(path: string, json: unknown): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(json, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}
