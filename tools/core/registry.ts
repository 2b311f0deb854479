/** The tools of one run, by the name under which the model addresses them. */
import { DuplicateToolError, ToolDefinitionError } from "./errors.ts";
import type { Tool } from "./tool.ts";

/**
 * A name that can stand in the signature the model reads (`type NAME = (…) => any`).
 * ASCII only: look-alike letters of other scripts would let one tool pass for another.
 */
const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]{0,63}$/;

/** `functions` of `functions.get_weather`; `python` of `python`. */
export function namespaceOf(recipient: string): string {
  const dot = recipient.indexOf(".");
  return dot < 0 ? recipient : recipient.slice(0, dot);
}

/** `get_weather` of `functions.get_weather`; `python` of `python`. */
export function nameOf(recipient: string): string {
  return recipient.slice(recipient.indexOf(".") + 1);
}

/** Whether `name` can be the name of a function as the model sees it. */
export function isToolName(name: string): boolean {
  return IDENTIFIER.test(name);
}

/** Keeps tools in the order they were added, which is the order the model is shown. */
export class ToolRegistry {
  readonly #tools = new Map<string, Tool>();

  constructor(tools: Iterable<Tool> = []) {
    for (const tool of tools) this.add(tool);
  }

  /**
   * @throws DuplicateToolError when the recipient is taken
   * @throws ToolDefinitionError when the recipient is neither `name` nor `namespace.name` of identifiers
   */
  add(tool: Tool): this {
    const parts = tool.recipient.split(".");
    if (parts.length > 2 || !parts.every(isToolName)) {
      throw new ToolDefinitionError(
        tool.recipient,
        "the model addresses a tool as `name` or `namespace.name`, each a TypeScript identifier of at most 64 ASCII letters, digits, _ or $.",
      );
    }
    if (this.#tools.has(tool.recipient)) throw new DuplicateToolError(tool.recipient);
    this.#tools.set(tool.recipient, tool);
    return this;
  }

  get(recipient: string): Tool | undefined {
    return this.#tools.get(recipient);
  }

  list(): readonly Tool[] {
    return [...this.#tools.values()];
  }

  /** The tools of one namespace: `functions`, `browser`, `python`. */
  inNamespace(namespace: string): readonly Tool[] {
    return this.list().filter((tool) => namespaceOf(tool.recipient) === namespace);
  }

  /** Ends what the tools hold; every tool gets its turn even if one fails. */
  async close(): Promise<void> {
    const outcomes = await Promise.allSettled(this.list().map((tool) => tool.close?.()));
    const failures = outcomes.flatMap((o) => (o.status === "rejected" ? [o.reason] : []));
    if (failures.length > 0) throw new AggregateError(failures, "Some tools did not close cleanly");
  }
}
