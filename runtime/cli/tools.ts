/**
 * `chorale tools new|list|call|validate|test`: for authors of tools. No model is loaded; what is shown is
 * what a model would be shown, and what is called is called as an agent would.
 */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { schemaToType } from "../../harmony/index.ts";
import {
  createPythonTool,
  executeTool,
  type Plugin,
  readManifest,
  type Tool,
  type ToolResult,
} from "../../tools/index.ts";
import { openPackages, openTools } from "../environment.ts";
import { messageOf, UsageError } from "../errors.ts";
import { openHome } from "../home.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { ToolArguments } from "./flags.ts";
import { pluginConfigurations } from "./plugins.ts";
import { readInput, readTextFile } from "./read-input.ts";
import { visibleText } from "./terminal-text.ts";
import { scaffold } from "./tools-scaffold.ts";
import { type ToolCase, toolCasesFrom, whyWrong } from "./tools-test.ts";

type PluginCheck = {
  /** Folder or package; default: this folder. */
  readonly plugin: string | undefined;
  readonly grant: readonly string[];
};

const TESTS_FILE = "tests.json";
const MOST_TESTS_BYTES = 1024 * 1024;

/** @throws UsageError for a name that is none, or a folder that is there already */
export async function newCommand(name: string, { output }: CommandContext): Promise<ExitCode> {
  if (!/^[a-z][a-z0-9]*([-_][a-z0-9]+)*$/.test(name) || name.length > 64) {
    throw new UsageError(
      `${JSON.stringify(name)} is no name for a plugin; accepted: small letters, digits, and - or _ between them.`,
    );
  }
  const folder = resolve(name);
  if (existsSync(folder)) throw new UsageError(`${folder} is there already; give another name.`);
  await mkdir(folder);
  for (const [file, text] of scaffold(name)) await writeFile(join(folder, file), text);
  output.line(`Made ${folder} with package.json, index.ts and ${TESTS_FILE}. Next:`);
  output.line(`  chorale tools test ${name}`);
  output.line(`  chorale tools list --plugin ${name}`);
  return EXIT.ok;
}

/** Every tool with where it comes from and its signature; without sources, the plugin of this folder. */
export async function listCommand(
  { json, ...sources }: ToolArguments & { readonly json: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  return withTools(orHere(sources), context, async (tools, plugins) => {
    for (const tool of tools) {
      const plugin = plugins.find((one) => one.tools.includes(tool));
      if (json) {
        const { recipient, description, inputSchema, timeoutMs, annotations, needsApproval } = tool;
        context.output.jsonLine({
          recipient,
          description,
          inputSchema,
          timeoutMs,
          annotations,
          // A rule may say yes to some calls.
          needsApproval: needsApproval !== undefined && needsApproval !== false,
          ...(plugin && { plugin: plugin.manifest.name, isolation: plugin.manifest.isolation }),
        });
        continue;
      }
      const origin = plugin === undefined ? "inline" : plugin.manifest.isolation;
      const from = plugin === undefined ? "" : ` of ${plugin.manifest.name}`;
      context.output.line(visibleText(`${tool.recipient} (${origin}${from})`));
      context.output.line(visibleText(signature(tool)));
      context.output.line("");
    }
    return EXIT.ok;
  });
}

/** The result's text on stdout; status 1 when the call failed. */
export async function callCommand(
  call: ToolArguments & {
    readonly name: string;
    /** JSON, or code; `-`: of stdin. */
    readonly input: string | undefined;
    readonly json: boolean;
  },
  context: CommandContext,
): Promise<ExitCode> {
  const { output, signal } = context;
  const given = call.input ?? "{}";
  const input = given === "-" ? await readInput("-", { stdin: process.stdin, signal }) : given;
  const run = async (tools: readonly Tool[]): Promise<ExitCode> => {
    const tool = tools.find(
      ({ recipient }) => recipient === call.name || recipient === `functions.${call.name}`,
    );
    if (tool === undefined) {
      const known = tools.map(({ recipient }) => recipient).join(", ");
      throw new UsageError(`There is no tool ${JSON.stringify(call.name)}; there are ${known}.`);
    }
    // A person who types a call has agreed to it.
    if (tool.inputSchema !== null) checkJson(input);
    const result = await execute(tool, input, signal);
    signal.throwIfAborted();
    if (call.json) output.jsonLine(result);
    else {
      output.answer(result.text);
      output.finishAnswer();
    }
    return result.status === "completed" ? EXIT.ok : EXIT.failed;
  };
  const hasSources = call.plugin.length + call.tool.length > 0;
  return call.name === "python" && !hasSources
    ? withPython(context, (python) => run([python]))
    : withTools(orHere(call), context, (...opened) => run(withSearches(...opened)));
}

/** A model's text is mended where it can be; a person is told. */
function checkJson(input: string): void {
  if (input.trim() === "") return;
  try {
    JSON.parse(input);
  } catch (cause) {
    throw new UsageError(
      `The arguments are not JSON (${messageOf(cause)}); accepted: an object such as '{"city":"Rome"}'.`,
      { cause },
    );
  }
}

/** @throws PluginManifestError, PluginLoadError: the sentence that says what is wrong */
export async function validateCommand(
  { plugin = ".", grant, json }: PluginCheck & { readonly json: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { output } = context;
  const sources = { plugin: [plugin], tool: [], grant };
  return withTools(sources, context, async (tools, [loaded]) => {
    if (loaded === undefined) return EXIT.failed;
    const { manifest, granted, missing } = loaded;
    if (json) {
      const recipients = tools.map(({ recipient }) => recipient);
      output.jsonLine({ ...manifest, tools: recipients, granted, missing });
      return EXIT.ok;
    }
    const { name, version, isolation, permissions } = manifest;
    output.line(visibleText(`${name} ${version} is valid; its code runs in: ${isolation}.`));
    const asks = Object.keys(permissions).length === 0 ? "nothing" : JSON.stringify(permissions);
    output.line(visibleText(`It asks for ${asks}.`));
    if (missing.length > 0) {
      output.line(visibleText(`Not granted: ${missing.map((m) => `--grant ${m}`).join(" ")}`));
    }
    if (manifest.search.length > 0) {
      output.line(visibleText(`It is a search service: --search ${manifest.search.join(",")}.`));
    }
    for (const tool of tools) {
      output.line("");
      output.line(visibleText(signature(tool)));
    }
    return EXIT.ok;
  });
}

/** One line for each case that fails, and the counts; status 1 when one does. */
export async function testCommand(
  { plugin = ".", grant }: PluginCheck,
  context: CommandContext,
): Promise<ExitCode> {
  const { output, signal } = context;
  const { folder } = await readManifest(plugin, resolve("."));
  const path = join(folder, TESTS_FILE);
  const cases = toolCasesFrom(await readTextFile(path, MOST_TESTS_BYTES), path);
  return withTools({ plugin: [plugin], tool: [], grant }, context, async (...opened) => {
    const tools = withSearches(...opened);
    let failed = 0;
    for (const [at, one] of cases.entries()) {
      const problem = await outcomeOf(one, tools, signal);
      if (problem === null) continue;
      failed++;
      output.line(visibleText(`FAIL ${one.name ?? `case ${at + 1}`}: ${problem}`));
    }
    output.line(`${cases.length - failed} passed, ${failed} failed`);
    return failed === 0 ? EXIT.ok : EXIT.failed;
  });
}

async function outcomeOf(
  one: ToolCase,
  tools: readonly Tool[],
  signal: AbortSignal,
): Promise<string | null> {
  const tool = tools.find(({ recipient }) => recipient === `functions.${one.tool}`);
  if (tool === undefined) return `the plugin defines no tool ${one.tool}.`;
  return whyWrong(await execute(tool, JSON.stringify(one.input ?? {}), signal), one.expect);
}

function execute(tool: Tool, raw: string, signal: AbortSignal): Promise<ToolResult> {
  return executeTool(tool, raw, {
    signal,
    callId: "call_1",
    approved: true,
    // Nothing is cut: there is no model whose context could be too small.
    countTokens: (text) => text.length,
    resultTokenLimit: Number.MAX_SAFE_INTEGER,
  });
}

export function orHere(sources: ToolArguments): ToolArguments {
  if (sources.plugin.length + sources.tool.length > 0) return sources;
  if (!existsSync("package.json")) {
    throw new UsageError("Name what the tools are in: --plugin PATH, or --tool FILE.");
  }
  return { ...sources, plugin: ["."] };
}

/** Loads all of the sources and closes them, also after a failure. */
/** With those that search: a person may call them, a model does not see them. */
function withSearches(tools: readonly Tool[], plugins: readonly Plugin[]): readonly Tool[] {
  return [...tools, ...plugins.flatMap(({ searchTools }) => searchTools)];
}

async function withTools(
  { plugin, tool, grant }: ToolArguments,
  context: CommandContext,
  use: (tools: readonly Tool[], plugins: readonly Plugin[]) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { env, output } = context;
  await using opened = await openTools({
    env,
    toolModules: tool,
    plugins: await pluginConfigurations({ plugin, grant }),
    onPluginLog: (text) => output.watchLines("log", text, "result"),
  });
  return await use(opened.tools, opened.plugins);
}

async function withPython(
  { env, output }: CommandContext,
  use: (python: Tool) => Promise<ExitCode>,
): Promise<ExitCode> {
  const packages = await openPackages(undefined, env, (sentence) => output.note(sentence));
  const home = openHome(env, (sentence) => output.note(sentence));
  const python = createPythonTool({ cacheDir: home.path, ...(packages && { packages }) });
  try {
    return await use(python as Tool);
  } finally {
    await python.close?.();
    home.close();
  }
}

/** As the model reads it, among the functions of its developer message. */
export function signature({ recipient, description, inputSchema }: Tool): string {
  const name = recipient.slice(recipient.indexOf(".") + 1);
  const comment = description
    .split("\n")
    .map((line) => `// ${line}`)
    .join("\n");
  try {
    const type = inputSchema === null ? null : schemaToType(inputSchema);
    return `${comment}\ntype ${name} = (${type === null ? "" : `_: ${type}`}) => any;`;
  } catch (cause) {
    throw new UsageError(`The schema of ${recipient} cannot be shown: ${messageOf(cause)}`, {
      cause,
    });
  }
}
