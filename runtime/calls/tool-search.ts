/**
 * Tools that are not declared at once, since their signatures would take too much of the prompt: the model finds
 * them by a search, and what it finds is declared in a message behind the result. So the beginning of the prompt
 * stays as it was, and with it the KV cache.
 */
import type { Message } from "../../harmony/index.ts";
import { defineTool, nameOf, namespaceOf, type Tool } from "../../tools/index.ts";
import type { DeclaredTool } from "./declared-tools.ts";
import { signatureOf } from "./signature.ts";
import { ToolIndex } from "./tool-index.ts";

export const TOOL_SEARCH = "functions.tool_search";
const DEFAULT_FOUND = 5;
const MAX_FOUND = 10;
/** Names of tools that can be found, as far as they are listed to the model. */
const MAX_LISTED_UNITS = 1200;

/** What a search found: the recipients, as data of its result. */
type Found = { readonly found: readonly string[] };

export class ToolSearch {
  /** What the model calls. */
  readonly tool: Tool;
  readonly #deferred: readonly DeclaredTool[];
  #index: ToolIndex | undefined;

  /** @param deferred the tools that can be found */
  constructor(deferred: readonly DeclaredTool[]) {
    this.#deferred = deferred;
    this.tool = defineTool<{ query: string; limit?: number }>({
      name: nameOf(TOOL_SEARCH),
      description:
        `Finds tools that are not declared here: there are ${deferred.length} more. Call it when none of ` +
        "the declared tools does what is needed; what it finds can be called in the next step. " +
        `They are: ${listed(deferred)}`,
      inputSchema: {
        type: "object",
        properties: {
          query: { type: "string", description: "What the tool should do, or its name." },
          limit: { type: "integer", minimum: 1, maximum: MAX_FOUND, default: DEFAULT_FOUND },
        },
        required: ["query"],
        additionalProperties: false,
      },
      annotations: { readOnlyHint: true, openWorldHint: false },
      execute: ({ query, limit = DEFAULT_FOUND }) => this.#search(query, limit),
    }) as Tool;
  }

  /**
   * The message that declares what a search found.
   * @param data of the result of the search
   * @param known recipients that an earlier message declares
   * @returns null where there is nothing new
   */
  declaration(
    data: unknown,
    known: readonly string[],
  ): { readonly recipients: readonly string[]; readonly message: Message } | null {
    const { found } = data as Found;
    const tools = this.#deferred.filter(
      ({ recipient }) => found.includes(recipient) && !known.includes(recipient),
    );
    if (tools.length === 0) return null;
    const namespaces = [...new Set(tools.map(({ recipient }) => namespaceOf(recipient)))];
    return {
      recipients: tools.map(({ recipient }) => recipient),
      message: {
        role: "developer",
        content: [
          {
            type: "developer",
            tools: namespaces.map((name) => ({
              name,
              tools: tools.filter((one) => namespaceOf(one.recipient) === name).map(signatureOf),
            })),
          },
        ],
      },
    };
  }

  #search(query: string, limit: number): { readonly text: string; readonly data: Found } {
    this.#index ??= new ToolIndex(this.#deferred);
    const found = this.#index.search(query, limit);
    const names = found.map(({ recipient }) => recipient);
    const text =
      found.length === 0
        ? `None of the ${this.#deferred.length} tools matches. They are: ${listed(this.#deferred)}`
        : `Found, and declared now: ${names.join(", ")}.`;
    return { text, data: { found: names } };
  }
}

/** As many names as fit. */
function listed(tools: readonly DeclaredTool[]): string {
  const names = tools.map(({ recipient }) => nameOf(recipient));
  let shown = "";
  for (const [at, name] of names.entries()) {
    const next = at === 0 ? name : `${shown}, ${name}`;
    if (next.length > MAX_LISTED_UNITS) return `${shown}, and ${names.length - at} others.`;
    shown = next;
  }
  return `${shown}.`;
}
