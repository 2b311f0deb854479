/**
 * What calls of a tool may do, by what the tool says about itself. What it does not say is taken the careful
 * way, as MCP has it: it changes things, destroys some, and speaks to strangers. Of the person's own code (a
 * function of the program, a module named with `--tool`) only the first is taken for granted.
 */
import type { Tool } from "../../tools/index.ts";

export type Effects = {
  /** Nothing is changed. */
  readonly isReadOnly: boolean;
  /** What is changed may be lost. */
  readonly isDestructive: boolean;
  /** It speaks to more than this machine. */
  readonly isOpenWorld: boolean;
};

/** Where a tool comes from. `own`: the program, or a module of the person. */
export type PolicyOrigin = "own" | "builtin" | "plugin" | "mcp";

export const ORIGINS: readonly PolicyOrigin[] = ["own", "builtin", "plugin", "mcp"];

/** Tools of MCP servers are named `mcp__SERVER__TOOL`. */
const MCP_NAME = /^(?:functions\.)?mcp__/;

export function originOf({ origin, recipient }: Tool, name: string = recipient): PolicyOrigin {
  if (origin !== undefined) return origin;
  return MCP_NAME.test(name) || MCP_NAME.test(recipient) ? "mcp" : "own";
}

export function effectsOf(tool: Tool, name?: string): Effects {
  const { readOnlyHint, destructiveHint, openWorldHint } = tool.annotations ?? {};
  const isStrange = originOf(tool, name) !== "own";
  // Hints of strangers may be of any type: only true is true, and only false is false.
  const isReadOnly = readOnlyHint === true;
  return {
    isReadOnly,
    isDestructive:
      destructiveHint === undefined ? !isReadOnly && isStrange : destructiveHint !== false,
    isOpenWorld: openWorldHint === undefined ? isStrange : openWorldHint !== false,
  };
}

/** Whether calls of the tool change anything. A tool that says both counts as one that does. */
export function changesThings({ isReadOnly, isDestructive }: Effects): boolean {
  return !isReadOnly || isDestructive;
}

/** Whether what the tool returns is text of strangers: it may say what its author wants the model to do. */
export function returnsStrangeText(tool: Tool, name?: string): boolean {
  if (originOf(tool, name) === "mcp" || tool.recipient.startsWith("browser.")) return true;
  return effectsOf(tool, name).isOpenWorld;
}

/** What rules go by, for people. */
export function toolFacts(tool: Tool): Readonly<Record<string, string | boolean>> {
  const { isReadOnly, isDestructive, isOpenWorld } = effectsOf(tool);
  return {
    origin: originOf(tool),
    readOnly: isReadOnly,
    destructive: isDestructive,
    openWorld: isOpenWorld,
  };
}
