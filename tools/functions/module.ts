/** Tools out of a user's file: `--tool FILE.ts`. */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { verifyTool } from "../calls/arguments.ts";
import { ToolModuleError } from "../core/errors.ts";
import { messageOf } from "../core/text.ts";
import type { Tool } from "../core/tool.ts";
import { withTimeout } from "../core/with-timeout.ts";

/** A module that waits for ever while it loads would end the program without a word, or never. */
const LOAD_LIMIT_MS = 60_000;

export type ToolModuleOptions = {
  /** Longest time that loading may take. Default: 60 s. */
  readonly limitMs?: number | undefined;
  /** Gets what of a tool's schema is not enforced, or is read otherwise than it is written, a sentence each. */
  readonly onWarning?: ((sentence: string) => void) | undefined;
};

/**
 * Imports a module and collects its tools: the default export and every named export that is a tool
 * or an array of tools. The module runs in this process with the user's rights, as any program does.
 *
 * @throws ToolModuleError when the file is missing, does not load, exports no tool, or a tool's schema
 *   cannot be used
 */
export async function loadToolModule(
  path: string,
  { limitMs = LOAD_LIMIT_MS, onWarning = () => {} }: ToolModuleOptions = {},
): Promise<readonly Tool[]> {
  const absolute = resolve(path);
  const found = await stat(absolute).catch(() => undefined);
  if (!found?.isFile()) {
    throw new ToolModuleError(path, "there is no such file; give a .ts, .mts, .js or .mjs file.");
  }
  let module: Record<string, unknown>;
  try {
    module = await withTimeout(
      limitMs,
      `it was still loading after ${limitMs / 1000} s`,
      import(pathToFileURL(absolute).href),
    );
  } catch (cause) {
    const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    throw new ToolModuleError(path, `it does not load. ${why}`, { cause });
  }
  const tools = new Set<Tool>();
  for (const value of Object.values(module)) {
    for (const item of Array.isArray(value) ? value : [value]) if (isTool(item)) tools.add(item);
  }
  if (tools.size === 0) {
    throw new ToolModuleError(
      path,
      "it exports no tool; export what defineTool({ name, description, inputSchema, execute }) returns, as default or by name, or an array of such.",
    );
  }
  for (const tool of tools) {
    try {
      for (const warning of await verifyTool(tool)) onWarning(`${tool.recipient}: ${warning}`);
    } catch (cause) {
      const why = messageOf(cause);
      throw new ToolModuleError(path, `the schema of ${tool.recipient} cannot be used. ${why}`, {
        cause,
      });
    }
  }
  return [...tools];
}

function isTool(value: unknown): value is Tool {
  return (
    typeof value === "object" &&
    value !== null &&
    "recipient" in value &&
    typeof value.recipient === "string" &&
    (!("execute" in value) || typeof value.execute === "function") &&
    "inputSchema" in value &&
    "description" in value &&
    typeof value.description === "string" &&
    "timeoutMs" in value &&
    typeof value.timeoutMs === "number"
  );
}
