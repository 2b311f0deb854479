/**
 * Names that a model can be shown. It reads a tool as `type NAME = (…) => any` and addresses it as
 * `functions.NAME`, so a name with a space or a dash breaks the declaration and the call alike; and a
 * function named like a tool it was trained with gets that tool's input (raw code instead of JSON).
 */
import { DuplicateToolError, isToolName, type Tool, ToolRegistry } from "../tools/index.ts";

/** Functions of these names would be taken for the builtin ones. */
const TRAINED: ReadonlySet<string> = new Set(["python", "browser", "container", "bash"]);
const LONGEST_NAME = 64;

/**
 * The tools by the names the model knows them by. A tool whose own name will do is taken as it is; any
 * other answers to a name made of it, and calls come back to the tool itself.
 *
 * @throws DuplicateToolError (of tools) when two have the same name from the start
 */
export function toolsForModel(tools: readonly Tool[]): ToolRegistry {
  const own = new Set(tools.map(({ recipient }) => recipient).filter(isFit));
  const taken = new Set(own);
  const renamed = new Set<string>();
  const registry = new ToolRegistry();
  for (const tool of tools) {
    if (renamed.has(tool.recipient)) throw new DuplicateToolError(tool.recipient);
    if (own.has(tool.recipient)) {
      registry.add(tool);
      continue;
    }
    const recipient = unused(fitRecipient(tool.recipient), taken);
    renamed.add(tool.recipient);
    taken.add(recipient);
    registry.add(underName(tool, recipient));
  }
  return registry;
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
  return (/^[0-9]/.test(named) ? `_${named}` : named).slice(0, LONGEST_NAME);
}

function unused(recipient: string, taken: ReadonlySet<string>): string {
  let candidate = recipient;
  for (let n = 2; taken.has(candidate); n++) {
    const suffix = `_${n}`;
    const longest = recipient.indexOf(".") + 1 + LONGEST_NAME;
    candidate = recipient.slice(0, longest - suffix.length) + suffix;
  }
  return candidate;
}

const ownNames = new WeakMap<Tool, string>();

/** What its author called a tool: for events and people, where the model's name is for the model. */
export function ownName(tool: Tool): string {
  return ownNames.get(tool) ?? tool.recipient;
}

function underName(tool: Tool, recipient: string): Tool {
  const { execute, close } = tool;
  const renamed: Tool = {
    ...tool,
    recipient,
    ...(execute && { execute: (input, context) => execute.call(tool, input, context) }),
    ...(close && { close: () => close.call(tool) }),
  };
  ownNames.set(renamed, tool.recipient);
  return renamed;
}
