/**
 * A function of the embedding program that runs in a plugin's sandbox: its source text is the plugin. What
 * it is granted is what the program itself writes beside it.
 */
import { resolve } from "node:path";
import { ToolDefinitionError } from "../core/errors.ts";
import type { ToolContext, ToolOutput } from "../core/tool.ts";
import { LIMIT_RANGES, limitsWith, type PluginLimits } from "./limits.ts";
import type { PluginIsolation, PluginManifest } from "./manifest.ts";
import type { Grant, Permissions } from "./permissions.ts";
import { type Plugin, startPlugin } from "./plugin.ts";

export type IsolatedFunction = {
  readonly name: string;
  readonly isolation: PluginIsolation;
  readonly permissions?: Permissions | undefined;
  readonly limits?: Partial<PluginLimits> | undefined;
  readonly timeoutMs: number;
  readonly execute: (...args: never[]) => unknown;
};

export interface IsolatedRun {
  run(input: unknown, context: ToolContext): Promise<ToolOutput>;
  close(): Promise<void>;
}

/**
 * Nothing is started before the first call.
 * @throws ToolDefinitionError for a function without a source text, or limits that are not accepted
 */
export function createIsolatedRun(definition: IsolatedFunction): IsolatedRun {
  const source = sourceOf(definition);
  checkLimits(definition);
  let started: Promise<Plugin> | undefined;
  return {
    async run(input, context) {
      started ??= start(definition, source);
      // What failed once may have failed for lack of memory.
      started.catch(() => {
        started = undefined;
      });
      const [tool] = (await started).tools;
      const output = await tool?.execute?.(input, context);
      return typeof output === "object" ? output : { text: output ?? "" };
    },
    async close() {
      await (await started?.catch(() => undefined))?.close();
    },
  };
}

function start(definition: IsolatedFunction, source: string): Promise<Plugin> {
  const { name, isolation, permissions = {}, limits, timeoutMs } = definition;
  const manifest: PluginManifest = {
    name,
    version: "0.0.0",
    description: "",
    folder: "",
    entry:
      isolation === "isolate" ? `${name}.js` : `data:text/javascript,${encodeURIComponent(source)}`,
    isolation,
    permissions,
    limits: limitsWith({ ...limits, timeoutMs }),
    tools: [name],
    search: [],
  };
  const grant: Grant = {
    net: permissions.net ?? [],
    fs: { read: permissions.fs?.read ?? [], write: permissions.fs?.write ?? [] },
    tools: permissions.tools ?? [],
    env: permissions.env ?? [],
    process: true,
  };
  return startPlugin(manifest, { grant, folder: resolve(".") }, () => async (path) => {
    if (path === manifest.entry) return source;
    throw new Error("an isolated function has no modules of its own.");
  });
}

/** The module that defines the tool; what the model is shown stays with the program. */
function sourceOf({ name, execute }: IsolatedFunction): string {
  const text = Function.prototype.toString.call(execute);
  if (/\{\s*\[native code\]\s*\}\s*$/.test(text)) {
    throw new ToolDefinitionError(
      name,
      "an isolated execute must be a plain function: its source text is what runs, which a bound or builtin function does not have.",
    );
  }
  // A method is written without `function`, and is one only inside of an object.
  const isExpression = /^(async\s*)?(function\b|\(|[\w$]+\s*=>)/.test(text);
  const held = isExpression ? `{ execute: ${text} }` : `{ ${text} }`;
  const tool = `name: ${JSON.stringify(name)}, description: "", inputSchema: true`;
  return [
    'import { defineTool } from "chorale/plugin";',
    `const held = ${held};`,
    "const execute = Object.values(held)[0];",
    `export default defineTool({ ${tool}, execute });`,
  ].join("\n");
}

function checkLimits({ name, limits = {} }: IsolatedFunction): void {
  for (const [limit, value] of Object.entries(limits)) {
    const range = LIMIT_RANGES[limit as keyof PluginLimits];
    if (range === undefined) {
      const known = Object.keys(LIMIT_RANGES).join(", ");
      throw new ToolDefinitionError(name, `unknown limit ${limit}; accepted: ${known}.`);
    }
    const [lowest, , highest] = range;
    if (!Number.isInteger(value) || value < lowest || value > highest) {
      throw new ToolDefinitionError(
        name,
        `limits.${limit} is ${value}; accepted: a whole number from ${lowest} to ${highest}.`,
      );
    }
  }
}
