/**
 * From what a model writes after `to=` to the tool it means. Models write `python` as
 * `functions.python`, drop `functions.`, glue the content type to the name. Each rule below is exact
 * and tried in order; there is no nearest-name guess, since a wrong tool may have side effects.
 */
import type { Tool, ToolRegistry } from "../tools/index.ts";

const FUNCTIONS = "functions.";
/** Content types that were seen glued to a recipient. */
const GLUED_TYPE = /(?:json|code)$/;

/** @returns the tool, or undefined when no declared tool is meant */
export function resolveTool(recipient: string, tools: ToolRegistry): Tool | undefined {
  const name = cutChannelTail(recipient).trim();
  return (
    lookUp(name, tools) ??
    lookUp(name.replace(GLUED_TYPE, ""), tools) ??
    lookUp(toIdentifiers(name), tools)
  );
}

/** The name as written, without `functions.`, or with it. */
function lookUp(name: string, tools: ToolRegistry): Tool | undefined {
  const bare = name.startsWith(FUNCTIONS) ? name.slice(FUNCTIONS.length) : name;
  return tools.get(name) ?? tools.get(bare) ?? tools.get(FUNCTIONS + bare);
}

/** `get_cart<|channel|>commentary` → `get_cart`. */
function cutChannelTail(recipient: string): string {
  const tail = recipient.indexOf("<|");
  return tail < 0 ? recipient : recipient.slice(0, tail);
}

/**
 * A name in the form in which tools are declared to the model: where it was told `web_search`, it
 * sometimes answers with the `web-search` it knows.
 */
function toIdentifiers(name: string): string {
  return name.replace(/[^A-Za-z0-9_$.]/g, "_");
}

/** What a tool message can carry as its author when the model addressed something that is no name. */
export function printableRecipient(recipient: string): string {
  return toIdentifiers(cutChannelTail(recipient).trim()).slice(0, 64) || "functions";
}
