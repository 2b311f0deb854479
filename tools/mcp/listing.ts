/** What a server offers, read page by page within bounds and made harmless. */
import type { JsonSchema } from "../../harmony/index.ts";
import { messageOf, show } from "../core/text.ts";
import type { ToolAnnotations } from "../core/tool.ts";
import type { McpPrompt, McpResource } from "./offers.ts";
import type { Client } from "./sdk.ts";
import {
  SchemaBoundsError,
  untrustedLine,
  untrustedSchema,
  untrustedText,
} from "./untrusted-text.ts";

/** A tool as its server describes it. */
export type ServerTool = {
  /** The server's own name for it. */
  readonly name: string;
  readonly title: string | undefined;
  readonly description: string;
  readonly inputSchema: JsonSchema;
  readonly outputSchema: JsonSchema | undefined;
  readonly annotations: ToolAnnotations;
};

export type Listing<Item> = {
  readonly items: readonly Item[];
  /** What was left out, a sentence each. */
  readonly notes: readonly string[];
};

/** Of one server. A model that is shown more finds none of them. */
const MOST_TOOLS = 256;
const MOST_ITEMS = 2_000;
const MOST_PAGES = 100;
const MOST_NAME_UNITS = 128;
const DESCRIPTION_UNITS = 2_000;
const LINE_UNITS = 300;
const URI_UNITS = 2_000;

type Options = { readonly signal: AbortSignal };
type Page<Item> = { readonly items: readonly Item[]; readonly nextCursor?: string | undefined };

/** The items of all pages; ends at `most`, and at a cursor that comes again. */
async function allPages<Item>(
  server: string,
  what: string,
  most: number,
  read: (cursor: string | undefined) => Promise<Page<Item>>,
): Promise<Listing<Item>> {
  const items: Item[] = [];
  const seen = new Set<string>();
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const { items: more, nextCursor } = await read(cursor);
    items.push(...more.slice(0, most + 1 - items.length));
    if (items.length > most) {
      const notes = [
        `The MCP server ${server} offers more than ${most} ${what}; the rest is left out.`,
      ];
      return { items: items.slice(0, most), notes };
    }
    if (nextCursor === undefined || seen.has(nextCursor)) return { items, notes: [] };
    seen.add(nextCursor);
    cursor = nextCursor;
  }
  const notes = [
    `The MCP server ${server} has more than ${MOST_PAGES} pages of ${what}; the rest is left out.`,
  ];
  return { items, notes };
}

const at = (cursor: string | undefined) => (cursor === undefined ? {} : { cursor });

export async function listTools(
  client: Client,
  server: string,
  { signal }: Options,
): Promise<Listing<ServerTool>> {
  const listed = await allPages(server, "tools", MOST_TOOLS, async (cursor) => {
    const page = await client.request({ method: "tools/list", params: at(cursor) }, { signal });
    return { items: page.tools, nextCursor: page.nextCursor };
  });
  const notes = [...listed.notes];
  const tools = new Map<string, ServerTool>();
  for (const tool of listed.items) {
    const named = `The tool ${show(untrustedLine(tool.name, MOST_NAME_UNITS))} of the MCP server ${server}`;
    if (tool.name === "" || tool.name.length > MOST_NAME_UNITS) {
      notes.push(`${named} is left out: its name has ${tool.name.length} characters.`);
    } else if (tools.has(tool.name)) {
      notes.push(`${named} is listed twice; the first of them is used.`);
    } else {
      try {
        tools.set(tool.name, serverTool(tool));
      } catch (error) {
        if (!(error instanceof SchemaBoundsError)) throw error;
        notes.push(`${named} is left out: ${error.message}.`);
      }
    }
  }
  return { items: [...tools.values()], notes };
}

type WireTool = Awaited<ReturnType<Client["listTools"]>>["tools"][number];

function serverTool({ name, title, description, inputSchema, ...tool }: WireTool): ServerTool {
  const shownTitle = title ?? tool.annotations?.title;
  return {
    name,
    title: shownTitle === undefined ? undefined : untrustedLine(shownTitle, LINE_UNITS),
    description: untrustedText(description ?? "", DESCRIPTION_UNITS),
    inputSchema: untrustedSchema(inputSchema),
    outputSchema: tool.outputSchema === undefined ? undefined : untrustedSchema(tool.outputSchema),
    annotations: hints(tool.annotations),
  };
}

/** What MCP supposes where a server says nothing: a tool that may change anything, anywhere. */
function hints(given: WireTool["annotations"]): ToolAnnotations {
  const readOnlyHint = given?.readOnlyHint ?? false;
  return {
    readOnlyHint,
    destructiveHint: given?.destructiveHint ?? !readOnlyHint,
    idempotentHint: given?.idempotentHint ?? false,
    openWorldHint: given?.openWorldHint ?? true,
  };
}

/** Resources and templates of resources; none of a server that does not have them. */
export async function listResources(
  client: Client,
  server: string,
  { signal }: Options,
): Promise<Listing<McpResource>> {
  if (client.getServerCapabilities()?.resources === undefined) return { items: [], notes: [] };
  const resources = await allPages(server, "resources", MOST_ITEMS, async (cursor) => {
    const page = await client.request({ method: "resources/list", params: at(cursor) }, { signal });
    return {
      items: page.resources.map((resource) => ({ ...resource, isTemplate: false })),
      nextCursor: page.nextCursor,
    };
  });
  const templates = await allPages(server, "templates of resources", MOST_ITEMS, async (cursor) => {
    const params = at(cursor);
    const page = await client.request({ method: "resources/templates/list", params }, { signal });
    return {
      items: page.resourceTemplates.map(({ uriTemplate, ...others }) => ({
        ...others,
        uri: uriTemplate,
        isTemplate: true,
      })),
      nextCursor: page.nextCursor,
    };
  }).catch((error: unknown) => {
    signal.throwIfAborted();
    // Many servers with resources do not know the request for templates.
    return { items: [], notes: [], problem: messageOf(error) };
  });
  const items = [...resources.items, ...templates.items].filter(
    ({ uri }) => uri.length <= URI_UNITS,
  );
  return {
    items: items.map((item) => ({
      server,
      uri: item.uri,
      isTemplate: item.isTemplate,
      name: untrustedLine(item.name, LINE_UNITS),
      ...(item.description && { description: untrustedLine(item.description, LINE_UNITS) }),
      ...(item.mimeType && { mimeType: untrustedLine(item.mimeType, LINE_UNITS) }),
      ...("size" in item && typeof item.size === "number" && { bytes: item.size }),
    })),
    notes: [...resources.notes, ...templates.notes],
  };
}

export async function listPrompts(
  client: Client,
  server: string,
  { signal }: Options,
): Promise<Listing<McpPrompt>> {
  if (client.getServerCapabilities()?.prompts === undefined) return { items: [], notes: [] };
  const { items, notes } = await allPages(server, "prompts", MOST_ITEMS, async (cursor) => {
    const page = await client.request({ method: "prompts/list", params: at(cursor) }, { signal });
    return { items: page.prompts, nextCursor: page.nextCursor };
  });
  return {
    items: items
      .filter(({ name }) => name.length <= MOST_NAME_UNITS)
      .map(({ name, description, arguments: given = [] }) => ({
        server,
        name,
        ...(description && { description: untrustedText(description, DESCRIPTION_UNITS) }),
        arguments: given.map((argument) => ({
          name: argument.name,
          ...(argument.description && {
            description: untrustedLine(argument.description, LINE_UNITS),
          }),
          isRequired: argument.required ?? false,
        })),
      })),
    notes,
  };
}
