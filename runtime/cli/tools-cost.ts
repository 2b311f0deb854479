/** `chorale tools cost`: what tools, servers and instructions cost in every prompt. No model is loaded. */
import { inspectModel } from "../../inference/index.ts";
import { openToolset } from "../environment.ts";
import { openHome } from "../home.ts";
import {
  loadTokenizer,
  type PromptCost,
  type PromptPart,
  promptCost,
  resolveModelName,
} from "../index.ts";
import { packageVersion } from "../version.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { McpArguments, ToolArguments, WebArguments } from "./flags.ts";
import { mcpServersFor } from "./mcp/sources.ts";
import { pluginConfigurations } from "./plugins.ts";
import { visibleText } from "./terminal-text.ts";
import { webConfiguration } from "./web-configuration.ts";

export type CostArguments = ToolArguments &
  McpArguments &
  WebArguments & {
    readonly json: boolean;
    readonly model: string | undefined;
    readonly docs: string | undefined;
    readonly instructions: string | undefined;
    readonly system: string | undefined;
    readonly toolTokenBudget: number | undefined;
  };

/** gpt-oss. */
const CONTEXT_LENGTH = 131_072;

/** @throws UsageError, ToolsError, ModelError, InferenceError */
export async function costCommand(args: CostArguments, context: CommandContext): Promise<ExitCode> {
  const { output, env } = context;
  const note = (sentence: string): void => output.note(sentence);
  const home = openHome(env, note);
  try {
    await using toolset = await openToolset(
      {
        env,
        toolModules: args.tool,
        plugins: await pluginConfigurations(args),
        mcpServers: mcpServersFor(args, env, note),
        mcp: { version: packageVersion() },
        documents: args.docs,
        web: webConfiguration(args),
        onNote: note,
        onPluginLog: (text) => output.watchLines("log", text, "result"),
      },
      home,
    );
    await toolset.ready();
    const { model, instructions, system, toolTokenBudget } = args;
    // Without a model the figures are those of gpt-oss, which is what people ask for.
    const contextLength =
      model === undefined
        ? CONTEXT_LENGTH
        : inspectModel(resolveModelName(model)?.path).contextLength;
    const cost = promptCost(await loadTokenizer(model), contextLength, {
      tools: toolset.tools,
      instructions,
      system: system === undefined ? undefined : { identity: system },
      toolTokenBudget,
    });
    const pluginOf = new Map(
      toolset.plugins.flatMap(({ tools, manifest }) =>
        tools.map(({ recipient }) => [recipient, `plugin ${manifest.name}`] as const),
      ),
    );
    const sourceOf = ({ name }: PromptPart): string => pluginOf.get(name) ?? serverOf(name);
    if (args.json) output.jsonLine(asJson(cost, sourceOf));
    else for (const line of lines(cost, sourceOf)) output.line(visibleText(line));
    return EXIT.ok;
  } finally {
    await home.close();
  }
}

function asJson(
  { parts, total, toolTokenBudget }: PromptCost,
  sourceOf: (part: PromptPart) => string,
) {
  return {
    total,
    tool_token_budget: toolTokenBudget,
    parts: parts.map((part) => ({
      kind: part.kind,
      name: part.name,
      tokens: part.tokens,
      deferred: part.isDeferred,
      ...(part.kind === "tool" && { source: sourceOf(part) }),
    })),
  };
}

const NAMES: Readonly<Partial<Record<PromptPart["kind"], string>>> = {
  system: "system message",
  instructions: "instructions",
  output: "format of the answer",
  frame: "around the tools",
};

/** What is not a function first, then functions by where they come from. */
function lines(
  { parts, total, toolTokenBudget }: PromptCost,
  sourceOf: (part: PromptPart) => string,
): readonly string[] {
  const rows: [name: string, tokens: number, remark: string][] = parts
    .filter(({ kind }) => kind !== "tool")
    .map((part) => [NAMES[part.kind] ?? part.name, part.tokens, ""]);
  const tools = parts.filter(({ kind }) => kind === "tool");
  for (const [source, own] of Map.groupBy(tools, sourceOf)) {
    const sum = own.reduce((tokens, part) => tokens + (part.isDeferred ? 0 : part.tokens), 0);
    rows.push([source, sum, ""]);
    for (const { name, tokens, isDeferred } of own) {
      rows.push([`  ${name}`, tokens, isDeferred ? "not in the prompt until it is found" : ""]);
    }
  }
  rows.push(["every prompt", total, ""]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const digits = Math.max(...rows.map(([, tokens]) => String(tokens).length));
  const table = rows.map(([name, tokens, remark]) =>
    `${name.padEnd(width)}  ${String(tokens).padStart(digits)}  ${remark}`.trimEnd(),
  );
  const isDeferred = tools.some((part) => part.isDeferred);
  const why = `Signatures of functions take more than ${toolTokenBudget} tokens, so the model finds some by tool_search.`;
  return isDeferred ? [...table, why] : table;
}

/** `mcp__SERVER__TOOL` comes from a server. */
function serverOf(name: string): string {
  const server = /^functions\.mcp__(.+?)__/.exec(name)?.[1];
  if (server !== undefined) return `MCP server ${server}`;
  return name === "functions.tool_search" ? "built in" : "modules";
}
