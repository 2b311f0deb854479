/** Resources of servers, for a model: what there is, and what is in one. */

import { formatBytes } from "../core/text.ts";
import type { Tool, ToolContext, ToolOutput } from "../core/tool.ts";
import type { McpArtifacts } from "./artifacts.ts";
import type { McpResource } from "./offers.ts";
import { resultOutput } from "./result.ts";

/** What the tools need of the servers. */
export type ResourceSource = {
  /** Names of the servers that have resources. */
  readonly servers: readonly string[];
  list(server: string | undefined, signal: AbortSignal): Promise<readonly McpResource[]>;
  /** @throws Error for an unknown server, and what the server refuses */
  read(
    server: string,
    uri: string,
    signal: AbortSignal,
  ): Promise<readonly { readonly uri: string; readonly text?: string; readonly blob?: string }[]>;
};

const PAGE = 100;
const LIMIT_MS = 24 * 60 * 60_000;

/** `list_mcp_resources` and `read_mcp_resource`: names that Codex made common. */
export function resourceTools(
  source: ResourceSource,
  artifacts: McpArtifacts | undefined,
): readonly Tool[] {
  const server = { type: "string", enum: [...source.servers] };
  const annotations = { readOnlyHint: true, destructiveHint: false, openWorldHint: true };
  return [
    {
      recipient: "functions.list_mcp_resources",
      description: "Lists resources (files, records, pages) that the MCP servers offer to be read.",
      inputSchema: {
        type: "object",
        properties: {
          server,
          page: { type: "integer", minimum: 1, description: `${PAGE} resources each; default 1` },
        },
        additionalProperties: false,
      },
      timeoutMs: LIMIT_MS,
      annotations,
      origin: "mcp",
      async execute(input, { signal }: ToolContext): Promise<ToolOutput> {
        const { server: one, page = 1 } = input as { server?: string; page?: number };
        const all = await source.list(one, signal);
        const shown = all.slice((page - 1) * PAGE, page * PAGE);
        if (shown.length === 0)
          return { text: `There are ${all.length} resources, none on page ${page}.` };
        const rest =
          all.length > page * PAGE ? [`(${all.length} in all; page ${page + 1} has more)`] : [];
        return { text: [...shown.map(describe), ...rest].join("\n"), data: shown };
      },
    },
    {
      recipient: "functions.read_mcp_resource",
      description: "Reads one resource of an MCP server, by the uri that list_mcp_resources gave.",
      inputSchema: {
        type: "object",
        properties: { server, uri: { type: "string" } },
        required: ["server", "uri"],
        additionalProperties: false,
      },
      timeoutMs: LIMIT_MS,
      annotations,
      origin: "mcp",
      async execute(input, { signal }: ToolContext): Promise<ToolOutput> {
        const { server: from, uri } = input as { server: string; uri: string };
        const contents = await source.read(from, uri, signal);
        const content = contents.map((resource) => ({ type: "resource", resource }));
        return resultOutput(
          { content },
          artifacts,
          `${from.replace(/[^A-Za-z0-9]+/g, "-")}-resource`,
        );
      },
    },
  ];
}

function describe({
  server,
  uri,
  name,
  description,
  mimeType,
  bytes,
  isTemplate,
}: McpResource): string {
  const facts = [mimeType, bytes === undefined ? undefined : formatBytes(bytes)];
  const known = facts.filter((fact) => fact !== undefined);
  const about = description === undefined ? "" : `: ${description}`;
  const template = isTemplate ? " (fill in what is in braces)" : "";
  return `${server} ${uri}${template} — ${name}${known.length > 0 ? ` (${known.join(", ")})` : ""}${about}`;
}
