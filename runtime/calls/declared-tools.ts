/**
 * The tools of a turn, by the names the model knows them by. It reads a tool as `type NAME = (…) => any`
 * and addresses it as `functions.NAME`, so a name with a space or a dash is shown in the form of an
 * identifier; and a function named like a tool that the model was trained with gets another name, since
 * the model would send it that tool's input (raw code instead of JSON).
 */
import { createHash } from "node:crypto";
import type { Message } from "../../harmony/index.ts";
import {
  DuplicateToolError,
  isClientSideTool,
  isToolName,
  namespaceOf,
  type Tool,
} from "../../tools/index.ts";
import type { ToolPin } from "../context.ts";
import { returnsStrangeText } from "../policy/effects.ts";

/** Functions of these names would be taken for the builtin ones. */
const TRAINED: ReadonlySet<string> = new Set(["python", "browser", "container", "bash"]);
const MAX_NAME_LENGTH = 64;

export type DeclaredTool = {
  /** What the model addresses. */
  readonly recipient: string;
  /** What its author called it: events and people read this name. */
  readonly name: string;
  /** The tool; its `recipient` is the one the model addresses, so that errors speak of the same name. */
  readonly tool: Tool;
};

/** Finds tools that are not declared at once. */
export type DeferredTools = {
  /** @returns null where there is nothing new to declare */
  declaration(
    data: unknown,
    known: readonly string[],
  ): { readonly recipients: readonly string[]; readonly message: Message } | null;
};

export class DeclaredTools {
  /** The search for tools that are not declared at once; null where all are. */
  readonly deferred: DeferredTools | null;
  readonly list: readonly DeclaredTool[];
  readonly pins: readonly ToolPin[];
  readonly #byRecipient: ReadonlyMap<string, DeclaredTool>;

  /** @throws DuplicateToolError (of tools) when two have the same name from the start */
  constructor(tools: readonly Tool[], deferred: DeferredTools | null = null) {
    this.deferred = deferred;
    this.list = declare(tools);
    this.#byRecipient = new Map(this.list.map((declared) => [declared.recipient, declared]));
    this.pins = this.list.map(({ recipient, name, tool }) => ({
      recipient,
      name,
      hash: definitionHash(tool),
      execution: isClientSideTool(tool) ? "client" : "local",
      isUntrusted: returnsStrangeText(tool, name),
    }));
  }

  get(recipient: string): DeclaredTool | undefined {
    return this.#byRecipient.get(recipient);
  }

  /** All names that a model may write for one of them, as the parser of its output wants them. */
  get names(): readonly string[] {
    return [...new Set(this.list.flatMap(({ recipient, name }) => [recipient, name]))];
  }

  /** The tools of one namespace: `functions`, `browser`, `python`. */
  inNamespace(namespace: string): readonly DeclaredTool[] {
    return this.list.filter(({ recipient }) => namespaceOf(recipient) === namespace);
  }
}

function declare(tools: readonly Tool[]): readonly DeclaredTool[] {
  const seen = new Set<string>();
  for (const { recipient } of tools) {
    if (seen.has(recipient)) throw new DuplicateToolError(recipient);
    seen.add(recipient);
  }
  const taken = new Set(tools.map(({ recipient }) => recipient).filter(isFit));
  return tools.map((tool) => {
    const name = tool.recipient;
    if (isFit(name)) return { recipient: name, name, tool };
    const recipient = unused(fitRecipient(name), taken);
    taken.add(recipient);
    return { recipient, name, tool: underName(tool, recipient) };
  });
}

function isFit(recipient: string): boolean {
  const parts = recipient.split(".");
  if (parts.length > 2 || !parts.every(isToolName)) return false;
  return !(parts[0] === "functions" && TRAINED.has(parts[1] ?? ""));
}

/** `functions.get-weather` → `functions.get_weather`; `functions.python` → `functions.python_tool`. */
function fitRecipient(recipient: string): string {
  const dot = recipient.indexOf(".");
  const namespace = dot < 0 ? "functions" : identifier(recipient.slice(0, dot));
  const name = identifier(recipient.slice(dot + 1));
  return `${namespace}.${TRAINED.has(name) ? `${name}_tool` : name}`;
}

function identifier(text: string): string {
  const plain = text.replace(/[\s.\-/:]+/g, "_").replace(/[^A-Za-z0-9_$]/g, "");
  const named = plain === "" ? "tool" : plain;
  return (/^[0-9]/.test(named) ? `_${named}` : named).slice(0, MAX_NAME_LENGTH);
}

function unused(recipient: string, taken: ReadonlySet<string>): string {
  let candidate = recipient;
  for (let n = 2; taken.has(candidate); n++) {
    const suffix = `_${n}`;
    const longest = recipient.indexOf(".") + 1 + MAX_NAME_LENGTH;
    candidate = recipient.slice(0, longest - suffix.length) + suffix;
  }
  return candidate;
}

function underName(tool: Tool, recipient: string): Tool {
  const { description, inputSchema, timeoutMs, needsApproval } = tool;
  return {
    recipient,
    description,
    inputSchema,
    timeoutMs,
    ...(tool.namespaceDescription && { namespaceDescription: tool.namespaceDescription }),
    ...(tool.descriptionSuffix !== undefined && { descriptionSuffix: tool.descriptionSuffix }),
    ...(tool.inputStandardSchema && { inputStandardSchema: tool.inputStandardSchema }),
    ...(tool.inputFormat && { inputFormat: tool.inputFormat }),
    ...(tool.strict !== undefined && { strict: tool.strict }),
    ...(tool.annotations && { annotations: tool.annotations }),
    ...(tool.origin && { origin: tool.origin }),
    ...(needsApproval !== undefined && { needsApproval }),
    ...(tool.execute && { execute: tool.execute.bind(tool) }),
  };
}

/** First 16 hexadecimal digits of the SHA-256 of what the model is told about a tool. */
function definitionHash({ description, inputSchema }: Tool): string {
  const definition = JSON.stringify([description, inputSchema]);
  return createHash("sha256").update(definition).digest("hex").slice(0, 16);
}
