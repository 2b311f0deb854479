/** `chorale mcp test|trust|call|resources|read|prompts|prompt`: servers, started and asked. */
import {
  type ElicitationHandler,
  executeTool,
  type McpServers,
  openMcpServers,
} from "../../../tools/index.ts";
import { mcpAuthorizationFile } from "../../environment.ts";
import { UsageError } from "../../errors.ts";
import { homePath } from "../../home.ts";
import { packageVersion } from "../../version.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import { ask, agrees as isAgreed } from "../terminal-question.ts";
import { shortText, visibleText } from "../terminal-text.ts";
import { targetOf } from "./edit.ts";
import {
  type ConfiguredServer,
  configuredServers,
  findServer,
  type McpFlags,
  namedServers,
  parsed,
} from "./sources.ts";
import { trust } from "./trust.ts";

type Choice = McpFlags & {
  /** Names; none: all. */
  readonly names: readonly string[];
};

const DESCRIPTION_LINES = 6;
const DESCRIPTION_WIDTH = 200;

/** Starts servers and shows what they say about themselves; status 1 when one cannot be used. */
export async function testCommand(
  { json, ...choice }: Choice & { readonly json: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const chosen = chosenServers(choice, context);
  await using servers = await open(chosen, context);
  if (json) {
    for (const server of servers.servers) context.output.jsonLine(server);
  } else show(servers, context.output);
  return servers.servers.some(({ problem }) => problem !== undefined) ? EXIT.failed : EXIT.ok;
}

/** Shows what a project's servers are, then, if the user agrees, what they offer; and remembers the answer. */
export async function trustCommand(
  { yes, name, ...flags }: McpFlags & { readonly yes: boolean; readonly name: string | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  const { output, env, signal } = context;
  const all = configuredServers(flags, env).filter((server) => server.source.kind === "project");
  const asked =
    name === undefined ? all.filter((server) => !server.isTrusted) : [findServer(all, name)];
  if (asked.length === 0) {
    output.line("There is no MCP server in this folder that you have not agreed to.");
    return EXIT.ok;
  }
  let exitCode: ExitCode = EXIT.ok;
  for (const server of asked) {
    output.line(visibleText(`${server.name}: ${targetOf(server.entry)}`));
    output.line(visibleText(`  in ${server.source.path}`));
    for (const line of factsOf(server.entry)) output.line(visibleText(`  ${line}`));
    if (!yes && !(await agrees("Start it, to see what it offers?", signal))) {
      exitCode = EXIT.denied;
      continue;
    }
    await using servers = await open([server], context);
    show(servers, output);
    const works = servers.servers.every(({ problem }) => problem === undefined);
    const question = works ? "Use it from now on?" : "It does not work now. Use it all the same?";
    if (!yes && !(await agrees(question, signal))) {
      exitCode = EXIT.denied;
      continue;
    }
    trust(env, server.source.path, server.name, server.entry);
    output.line(visibleText(`Agreed to ${server.name}.`));
  }
  return exitCode;
}

/** Environment, headers and the like, without their values. */
function factsOf(entry: unknown): readonly string[] {
  const {
    command: _,
    args: __,
    url: ___,
    httpUrl: ____,
    ...others
  } = (entry ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(others).map(([key, value]) =>
    key === "env" || key === "headers" || key === "oauth"
      ? `${key}: ${Object.keys(value ?? {}).join(", ")}`
      : `${key}: ${JSON.stringify(value)}`,
  );
}

/** The result's text on stdout; status 1 when the call failed. */
export async function callCommand(
  args: McpFlags & {
    readonly server: string;
    readonly tool: string;
    readonly input: string | undefined;
    readonly json: boolean;
  },
  context: CommandContext,
): Promise<ExitCode> {
  const { output, signal } = context;
  const input = args.input ?? "{}";
  await using servers = await openOne(args, args.server, context);
  const known = servers.servers[0]?.tools ?? [];
  const found = known.find(({ name, originalName }) => [name, originalName].includes(args.tool));
  const tool = servers.tools.find(({ recipient }) => recipient === `functions.${found?.name}`);
  if (tool === undefined) {
    const names = known.map(({ originalName }) => originalName).join(", ");
    throw new UsageError(
      `The MCP server ${args.server} has no tool ${JSON.stringify(args.tool)}; it has ${names}.`,
    );
  }
  const result = await executeTool(tool, input, {
    signal,
    callId: "call",
    approved: true,
    countTokens: (text) => Math.ceil(text.length / 4),
    resultTokenLimit: 1_000_000,
    onProgress: ({ progress, total, message }) => {
      const of = total === undefined ? "" : ` of ${total}`;
      output.progress(`${progress}${of}${message === undefined ? "" : `: ${message}`}`);
    },
  });
  signal.throwIfAborted();
  if (args.json) output.jsonLine(result);
  else {
    output.answer(result.text);
    output.finishAnswer();
  }
  return result.status === "completed" ? EXIT.ok : EXIT.failed;
}

export async function resourcesCommand(
  args: McpFlags & { readonly server: string | undefined; readonly json: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  await using servers = await openOne(args, args.server, context);
  for (const resource of await servers.listResources(args.server, context.signal)) {
    if (args.json) context.output.jsonLine(resource);
    else context.output.line(visibleText(`${resource.server} ${resource.uri}  ${resource.name}`));
  }
  return EXIT.ok;
}

/** Text as it is; bytes as they are, for a file. */
export async function readCommand(
  args: McpFlags & { readonly server: string; readonly uri: string; readonly json: boolean },
  { output, ...context }: CommandContext,
): Promise<ExitCode> {
  await using servers = await openOne(args, args.server, { output, ...context });
  const contents = await servers.readResource(args.server, args.uri, context.signal);
  for (const content of contents) {
    if (args.json) output.jsonLine(content);
    else if (content.text !== undefined) {
      output.answer(content.text);
      output.finishAnswer();
    } else if (process.stdout.isTTY === true) {
      throw new UsageError("The resource is no text; send stdout to a file, or use --json.");
    } else process.stdout.write(Buffer.from(content.blob ?? "", "base64"));
  }
  return EXIT.ok;
}

export async function promptsCommand(
  args: McpFlags & { readonly server: string | undefined; readonly json: boolean },
  { output, ...context }: CommandContext,
): Promise<ExitCode> {
  await using servers = await openOne(args, args.server, { output, ...context });
  for (const prompt of await servers.listPrompts(args.server, context.signal)) {
    if (args.json) {
      output.jsonLine(prompt);
      continue;
    }
    const given = prompt.arguments.map(({ name, isRequired }) =>
      isRequired ? `${name}=…` : `[${name}=…]`,
    );
    output.line(visibleText([prompt.server, prompt.name, ...given].join(" ")));
    if (prompt.description !== undefined) {
      output.line(visibleText(`  ${shortText(prompt.description, 3, DESCRIPTION_WIDTH)}`));
    }
  }
  return EXIT.ok;
}

/** The prompt's texts on stdout, to be piped into `chorale run`. */
export async function promptCommand(
  args: McpFlags & {
    readonly server: string;
    readonly prompt: string;
    readonly values: readonly string[];
    readonly json: boolean;
  },
  { output, ...context }: CommandContext,
): Promise<ExitCode> {
  const values = args.values.map((pair) => {
    const at = pair.indexOf("=");
    if (at < 1) throw new UsageError(`${JSON.stringify(pair)} is no value; accepted: NAME=VALUE.`);
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  await using servers = await openOne(args, args.server, { output, ...context });
  const given = Object.fromEntries(values) as Record<string, string>;
  const messages = await servers.getPrompt(args.server, args.prompt, given, context.signal);
  for (const message of messages) {
    if (args.json) output.jsonLine(message);
    else {
      const { type, text } = message.content as { readonly type?: string; readonly text?: string };
      output.answer(text ?? `[A part of the type ${type} is not shown; see --json.]`);
      output.finishAnswer();
    }
  }
  return EXIT.ok;
}

function show(servers: McpServers, output: Output): void {
  for (const { name, problem, about, tools } of servers.servers) {
    if (problem !== undefined) {
      output.line(visibleText(`${name}: ${problem}`));
      continue;
    }
    const calls = about === undefined ? "" : `, calls itself ${about.name} ${about.version}`;
    output.line(visibleText(`${name}: works${calls}`));
    for (const tool of tools) {
      output.line(visibleText(`  ${tool.name}`));
      const text = shortText(tool.description, DESCRIPTION_LINES, DESCRIPTION_WIDTH);
      if (text !== "") output.line(visibleText(`    ${text.replaceAll("\n", "\n    ")}`));
    }
  }
}

/** @throws UsageError for a name that is not configured, or not agreed to */
function chosenServers(
  { names, ...flags }: Choice,
  { env }: CommandContext,
): readonly ConfiguredServer[] {
  const all = configuredServers(flags, env);
  return names.length === 0 ? all.filter((server) => server.isTrusted) : namedServers(all, names);
}

/** Of one server that has to work; without a name all that do. */
async function openOne(
  flags: McpFlags,
  server: string | undefined,
  context: CommandContext,
): Promise<McpServers> {
  const names = server === undefined ? [] : [server];
  const chosen = chosenServers({ mcp: flags.mcp, noMcp: flags.noMcp, names }, context);
  return open(chosen, context, server !== undefined);
}

async function open(
  chosen: readonly ConfiguredServer[],
  { output, env, signal }: CommandContext,
  isRequired = false,
): Promise<McpServers> {
  const note = (sentence: string): void => output.note(sentence);
  const configs = chosen.flatMap((server) => parsed(server, env, note));
  return openMcpServers(
    configs.map((config) => ({ ...config, required: isRequired })),
    {
      env,
      signal,
      version: packageVersion(),
      authorizationFile: mcpAuthorizationFile({ path: homePath(env) }),
      onElicit: askUser(output),
      // What fails is shown with the others.
      onNote: (sentence) => {
        if (isRequired) note(sentence);
      },
    },
  );
}

/** A question of a server to the user, field by field; without a terminal it is declined. */
function askUser(output: Output): ElicitationHandler | undefined {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return undefined;
  return async ({ server, message, schema }, { signal }) => {
    output.note(`The MCP server ${server} asks: ${message}`);
    if (!(await agrees("Answer it?", signal))) return { action: "decline" };
    const { properties = {} } = schema as { properties?: Record<string, FieldSchema> };
    const content: Record<string, string | number | boolean | readonly string[]> = {};
    for (const [name, field] of Object.entries(properties)) {
      const choices = field.enum === undefined ? "" : ` (${field.enum.join(", ")})`;
      const text = await ask(`${field.title ?? name}${choices}: `, signal);
      if (text !== "") content[name] = fieldValue(text, field);
    }
    return { action: "accept", content };
  };
}

type FieldSchema = {
  readonly type?: string;
  readonly title?: string;
  readonly enum?: readonly string[];
};

function fieldValue(
  text: string,
  { type }: FieldSchema,
): string | number | boolean | readonly string[] {
  if (type === "number" || type === "integer") return Number(text);
  if (type === "boolean") return /^(?:y|yes|true|1)$/i.test(text);
  return type === "array" ? text.split(",").map((item) => item.trim()) : text;
}

/** @throws UsageError without a terminal: an answer must not be taken for given */
async function agrees(question: string, signal: AbortSignal): Promise<boolean> {
  if (process.stdin.isTTY !== true) {
    throw new UsageError(`${question} There is no terminal to answer it; --yes answers it.`);
  }
  return isAgreed(question, signal);
}
