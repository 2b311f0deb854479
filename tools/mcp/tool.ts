/** A server's tool as a tool of the loop. */
import { placed } from "../core/text.ts";
import type { Tool, ToolContext, ToolOutput } from "../core/tool.ts";
import { createValidator, type JsonValidator } from "../validator/index.ts";
import type { McpArtifacts } from "./artifacts.ts";
import type { Connection } from "./connection.ts";
import type { ServerTool } from "./listing.ts";
import { resultOutput } from "./result.ts";
import { untrustedText } from "./untrusted-text.ts";

/** The clock of the connection stops while a person is asked; this one does not. */
const OUTER_LIMIT_MS = 24 * 60 * 60_000;
const MOST_PROBLEMS = 5;

export type McpToolOptions = {
  /** `mcp__SERVER__TOOL`. */
  readonly name: string;
  readonly artifacts: McpArtifacts | undefined;
};

/** @returns a tool whose calls go to the server; what the server says in them is data, never trusted */
export function mcpTool(
  connection: Connection,
  tool: ServerTool,
  { name, artifacts }: McpToolOptions,
): Tool<Record<string, unknown>> {
  const { trust } = connection.config;
  const stem = name.replace(/^mcp__/, "").replace(/_+/g, "-");
  let validator: Promise<JsonValidator> | undefined;
  /** What the server declared is held against what it returns. */
  const check = async (structured: unknown): Promise<void> => {
    const { outputSchema } = tool;
    if (outputSchema === undefined) return;
    if (structured === undefined) {
      throw new Error(
        "it ran, but returned no structured content, which its output schema promises",
      );
    }
    validator ??= createValidator({ jsonSchema: outputSchema });
    const { action, errors } = await (await validator).validateValue(structured);
    if (action === "accept" || action === "accept-after-extraction") return;
    const problems = errors.slice(0, MOST_PROBLEMS).map(placed).join("; ");
    throw new Error(`it ran, but its result does not fit its own output schema: ${problems}`);
  };
  return {
    recipient: `functions.${name}`,
    description: describe(connection.name, tool),
    inputSchema: tool.inputSchema,
    timeoutMs: OUTER_LIMIT_MS,
    annotations: tool.annotations,
    origin: "mcp",
    // Said also where the person trusts the server: a policy goes by it.
    needsApproval: !trust,
    async execute(input: Record<string, unknown>, context: ToolContext): Promise<ToolOutput> {
      requireUnchanged(connection, tool);
      const result = await connection.callTool(tool.name, input, {
        signal: context.signal,
        onProgress: context.onProgress,
      });
      const output = await resultOutput(result, artifacts, stem);
      if (output.isError !== true) await check(output.structuredContent);
      return output;
    },
  };
}

/** What a person agreed to is what is called: a definition that has changed since is another tool. */
function requireUnchanged(connection: Connection, tool: ServerTool): void {
  const now = connection.tools.find(({ name }) => name === tool.name);
  if (now !== undefined && JSON.stringify(now) === JSON.stringify(tool)) return;
  const what = now === undefined ? "no longer offers this tool" : "has changed what this tool is";
  throw new Error(
    `it was not called, because the MCP server ${connection.name} ${what} since it was shown to you`,
  );
}

function describe(server: string, { title, description }: ServerTool): string {
  const text = description.trim() === "" ? (title ?? "") : description;
  return text === "" ? `A tool of the MCP server ${untrustedText(server, 64)}.` : text;
}
