/** Tools of this program as another agent sees them, and their calls. */
import type { JsonSchema } from "../../../harmony/index.ts";
import { executeTool } from "../../calls/execute.ts";
import { isRecord } from "../../core/record.ts";
import type { Tool, ToolProgress, ToolResult } from "../../core/tool.ts";

export type ServeLimits = {
  /** Calls that run at the same time; one more is refused. */
  readonly calls: number;
  /** Tokens of a result that a client gets. */
  readonly resultTokens: number;
};

export type ServedToolsOptions = {
  /** Default: 8 calls, results of 16,384 tokens. */
  readonly limits?: Partial<ServeLimits> | undefined;
  /** Of o200k_harmony, or roughly. */
  readonly countTokens: (text: string) => number;
};

/** A tool as `tools/list` has it. */
export type ServedTool = {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: { readonly type: "object"; readonly [key: string]: unknown };
  readonly annotations: NonNullable<Tool["annotations"]>;
};

/** What `tools/call` answers. */
export type ServedResult = {
  readonly content: readonly ({ readonly type: string } & Readonly<Record<string, unknown>>)[];
  readonly structuredContent?: Readonly<Record<string, unknown>>;
  readonly isError: boolean;
};

export type ServedCall = {
  readonly name: string;
  readonly arguments: unknown;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: ToolProgress) => void) | undefined;
};

const LIMITS: ServeLimits = { calls: 8, resultTokens: 16_384 };
/** Tools whose body is raw text for a model have it as this argument here. */
const CODE = "code";

/** No tool has this name. */
export class UnknownToolError extends Error {}

export class ServedTools {
  readonly #byName: ReadonlyMap<string, Tool>;
  readonly #countTokens: (text: string) => number;
  readonly #limits: ServeLimits;
  #running = 0;
  #calls = 0;

  constructor(tools: readonly Tool[], { limits, countTokens }: ServedToolsOptions) {
    this.#byName = new Map(tools.map((tool) => [nameFor(tool), tool]));
    this.#countTokens = countTokens;
    this.#limits = { ...LIMITS, ...limits };
  }

  get list(): readonly ServedTool[] {
    return [...this.#byName].map(([name, tool]) => ({
      name,
      description: [tool.description, tool.descriptionSuffix].filter(Boolean).join("\n\n"),
      inputSchema: schemaFor(tool.inputSchema),
      annotations: tool.annotations ?? {},
    }));
  }

  /** Always a result, but for a name that is none. @throws UnknownToolError */
  async call({ name, arguments: input, signal, onProgress }: ServedCall): Promise<ServedResult> {
    const tool = this.#byName.get(name);
    if (tool === undefined) {
      const names = [...this.#byName.keys()].join(", ");
      throw new UnknownToolError(`There is no tool ${JSON.stringify(name)}; there are ${names}.`);
    }
    if (this.#running >= this.#limits.calls) {
      return failed(`${this.#running} calls are running already; try again when one has ended.`);
    }
    const raw = tool.inputSchema === null ? codeOf(input) : JSON.stringify(input ?? {});
    if (raw === null) return failed(`${name} needs its argument "${CODE}", a text.`);
    this.#running++;
    try {
      const result = await executeTool(tool, raw, {
        signal,
        callId: `call_${++this.#calls}`,
        // The agent's own user has agreed to what this server is; it offers nothing beyond that.
        approved: true,
        countTokens: this.#countTokens,
        resultTokenLimit: this.#limits.resultTokens,
        onProgress,
      });
      return resultFor(result);
    } finally {
      this.#running--;
    }
  }
}

/** `browser.search` → `browser_search`: a dot is no letter of a function's name for most models. */
function nameFor({ recipient }: Tool): string {
  return recipient.replace(/^functions\./, "").replaceAll(".", "_");
}

function schemaFor(schema: JsonSchema | null): ServedTool["inputSchema"] {
  if (schema === null) {
    const code = { type: "string", description: "The code, as it is" };
    return { type: "object", properties: { [CODE]: code }, required: [CODE] };
  }
  return typeof schema === "object" ? { ...schema, type: "object" } : { type: "object" };
}

function codeOf(input: unknown): string | null {
  const code = (input as Readonly<Record<string, unknown>> | null)?.[CODE];
  return typeof code === "string" ? code : null;
}

function resultFor({
  status,
  text,
  content = [],
  structuredContent,
  data,
}: ToolResult): ServedResult {
  return {
    content: [
      { type: "text", text },
      // Their texts are in the text above.
      ...content.filter(({ type }) => type !== "text"),
      ...filesOf(data),
    ],
    ...(isRecord(structuredContent) && { structuredContent }),
    isError: status === "failed",
  };
}

/** Files that a call wrote for the user, as links: the client is on this machine. */
function filesOf(data: unknown): ServedResult["content"] {
  const { artifacts } = (data ?? {}) as { readonly artifacts?: unknown };
  if (!Array.isArray(artifacts)) return [];
  return artifacts.flatMap(({ name, path, bytes }: Record<string, unknown>) =>
    typeof name === "string" && typeof path === "string"
      ? [{ type: "resource_link", uri: `file://${encodeURI(path)}`, name, size: bytes }]
      : [],
  );
}

function failed(text: string): ServedResult {
  return { content: [{ type: "text", text }], isError: true };
}
