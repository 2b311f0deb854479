/** The tools of a request: those that the client carries out, and those that are asked of this server. */
import type { JsonSchema } from "../../../harmony/index.ts";
import type { InputFormat } from "../../../tools/index.ts";
import { invalidField } from "../errors.ts";
import type { ClientTool } from "../turn/client-tools.ts";
import type { TurnToolChoice } from "../turn/run-turn.ts";
import { checkBody } from "../wire/check.ts";
import {
  CodeTool,
  CustomTool,
  FunctionTool,
  NamespaceTool,
  type ResponsesBody,
  SearchTool,
  ToolChoiceObject,
} from "./body.ts";

export type WebSearchRequest = {
  /** Pages of the web may be fetched now; false: only what is stored here. */
  readonly isLive: boolean;
  /** Only hosts of these domains, and of their subdomains; empty: all. */
  readonly allowedDomains: readonly string[];
  readonly contextSize: "low" | "medium" | "high";
};

export type RequestTools = {
  readonly client: readonly ClientTool[];
  readonly webSearch: WebSearchRequest | null;
  readonly hasCodeInterpreter: boolean;
  /** As the response repeats them, every key there. */
  readonly echo: readonly unknown[];
};

const WEB_SEARCH = /^web_search(?:_preview)?(?:_\d{4}_\d{2}_\d{2})?$/;
/** More than these are no tools that a model could read. */
const MAX_TOOLS = 1024;
const MAX_NAME_LENGTH = 256;

/** @throws ServerError that names the field */
export function readTools(tools: NonNullable<ResponsesBody["tools"]>): RequestTools {
  const client: ClientTool[] = [];
  const echo: unknown[] = [];
  let webSearch: WebSearchRequest | null = null;
  let hasCodeInterpreter = false;
  if (tools.length > MAX_TOOLS) {
    throw invalidField("tools", `There are ${tools.length} tools; accepted: up to ${MAX_TOOLS}.`);
  }
  for (const [at, tool] of tools.entries()) {
    const where = `tools[${at}]`;
    echo.push(tool.type === "function" ? functionEcho(tool) : tool);
    if (tool.type === "function" || tool.type === "custom") {
      client.push(clientTool(tool, null, where));
    } else if (tool.type === "namespace") {
      const { name, description, tools: inner } = checkBody(NamespaceTool, tool, where);
      for (const [place, one] of inner.entries()) {
        const held = clientTool(one, checkName(name, where), `${where}.tools[${place}]`);
        client.push({ ...held, namespaceDescription: description ?? null });
      }
    } else if (WEB_SEARCH.test(tool.type)) {
      webSearch = webSearchOf(tool, where);
    } else if (tool.type === "code_interpreter") {
      checkContainer(tool, where);
      hasCodeInterpreter = true;
    } else {
      throw invalidField(
        `${where}.type`,
        `Tools of the type '${tool.type}' are not carried out here; accepted: function, custom, ` +
          "namespace, web_search, code_interpreter.",
      );
    }
  }
  return { client, webSearch, hasCodeInterpreter, echo };
}

function clientTool(tool: object, namespace: string | null, where: string): ClientTool {
  if ("type" in tool && tool.type === "custom") {
    const { name, description, format } = checkBody(CustomTool, tool, where);
    const inputFormat = formatOf(format, `${where}.format`);
    return {
      name: checkName(name, where),
      namespace,
      description: description ?? null,
      isCustom: true,
      ...(inputFormat !== null && { format: inputFormat }),
    };
  }
  const { name, description, parameters, strict } = checkBody(FunctionTool, tool, where);
  return {
    name: checkName(name, where),
    namespace,
    description: description ?? null,
    parameters: (parameters ?? null) as JsonSchema | null,
    strict: strict ?? null,
  };
}

function checkName(name: string, where: string): string {
  if (name.trim() !== "" && name.length <= MAX_NAME_LENGTH) return name;
  throw invalidField(`${where}.name`, `A name has 1 to ${MAX_NAME_LENGTH} characters.`);
}

/** null: any text. */
function formatOf(format: CustomTool["format"], where: string): InputFormat | null {
  if (format?.type !== "grammar") return null;
  const { syntax, definition } = format;
  if (!syntax) throw invalidField(`${where}.syntax`, "A grammar has a syntax: lark or regex.");
  if (!definition) throw invalidField(`${where}.definition`, "A grammar has a definition.");
  return syntax === "lark"
    ? { type: "grammar", syntax, text: definition }
    : { type: "regex", pattern: definition };
}

function functionEcho(tool: Readonly<Record<string, unknown>>): unknown {
  const { description = null, parameters = null, strict } = tool;
  return { ...tool, description, parameters, strict: strict ?? true };
}

function webSearchOf(tool: object, where: string): WebSearchRequest {
  const { external_web_access, search_context_size, filters } = checkBody(SearchTool, tool, where);
  return {
    isLive: external_web_access ?? true,
    contextSize: search_context_size ?? "medium",
    allowedDomains: (filters?.allowed_domains ?? []).map((domain, at) => {
      if (/^[^\s/:]+$/.test(domain)) return domain.toLowerCase();
      const place = `${where}.filters.allowed_domains[${at}]`;
      throw invalidField(place, "A domain is a name without a scheme or a path: example.org.");
    }),
  };
}

/** Every response has an interpreter of its own: no container outlives it, and no files are uploaded to one. */
function checkContainer(tool: object, where: string): void {
  const { container } = checkBody(CodeTool, tool, where);
  if (typeof container !== "object" || (container?.file_ids ?? []).length === 0) return;
  throw invalidField(
    `${where}.container.file_ids`,
    "Files cannot be given to the code interpreter here; put their content into the input.",
  );
}

const SEARCH_TOOLS: readonly string[] = ["browser.search", "browser.open", "browser.find"];
const CODE_TOOL = "python";

type Named = { readonly name: string; readonly namespace: string | null };

/**
 * @param offered recipients of the tools of this server that were opened for the request
 * @throws ServerError for a tool that the request does not declare
 */
export function readToolChoice(
  choice: ResponsesBody["tool_choice"],
  tools: RequestTools,
  offered: readonly string[],
): TurnToolChoice {
  if (choice === null || choice === undefined) return "auto";
  if (choice === "auto" || choice === "none") return choice;
  if (choice === "required") {
    if (tools.client.length + offered.length > 0) return choice;
    throw invalidField("tool_choice", "tool_choice is 'required', and there are no tools.");
  }
  const chosen = checkBody(ToolChoiceObject, choice, "tool_choice");
  if (chosen.type !== "allowed_tools") {
    const names = named(chosen, tools, offered, "tool_choice");
    // A tool of this server that is not here was left out, and so is the wish to call it.
    return names.length === 0 ? "auto" : { mode: "required", names };
  }
  const names = (chosen.tools ?? []).flatMap((tool, at) => {
    const where = `tool_choice.tools[${at}]`;
    return named(checkBody(ToolChoiceObject, tool, where), tools, offered, where);
  });
  if (names.length > 0) return { mode: chosen.mode ?? "auto", names };
  throw invalidField("tool_choice.tools", "allowed_tools names no tool that the request has.");
}

function named(
  { type, name, namespace }: ToolChoiceObject,
  tools: RequestTools,
  offered: readonly string[],
  where: string,
): readonly Named[] {
  const ours = (names: readonly string[]): readonly Named[] =>
    names.filter((one) => offered.includes(one)).map((one) => ({ name: one, namespace: null }));
  if (WEB_SEARCH.test(type) && tools.webSearch !== null) return ours(SEARCH_TOOLS);
  if (type === "code_interpreter" && tools.hasCodeInterpreter) return ours([CODE_TOOL]);
  const found = tools.client.filter((tool) => {
    const space = tool.namespace ?? null;
    if (type === "namespace") return space === name;
    const isType = (tool.isCustom ? "custom" : "function") === type;
    return isType && tool.name === name && (!namespace || space === namespace);
  });
  if (found.length > 0) {
    return found.map((tool) => ({ name: tool.name, namespace: tool.namespace ?? null }));
  }
  throw invalidField(where, `The request declares no ${type}${name ? ` '${name}'` : ""}.`);
}
