/**
 * From what a model writes after `to=` to the tool it means. Models write `python` as
 * `functions.python`, drop `functions.`, glue the content type to the name. Each rule below is exact
 * and tried in order; there is no nearest-name guess, since a wrong tool may have side effects.
 */
import type { Issue, Message } from "../harmony/index.ts";
import type { Tool, ToolRegistry } from "../tools/index.ts";
import { ownName } from "./tool-names.ts";

const FUNCTIONS = "functions.";
/** Content types that were seen glued to a recipient. */
const GLUED_TYPE = /(?:json|code)$/;

/** @returns the tool, or undefined when no declared tool is meant */
export function resolveTool(recipient: string, tools: ToolRegistry): Tool | undefined {
  const name = cutChannelTail(recipient).trim();
  return (
    lookUp(name, tools) ??
    byOwnName(name, tools) ??
    lookUp(withoutType(name), tools) ??
    lookUp(toIdentifiers(name), tools)
  );
}

/** What is wrong with a recipient, beyond what the parser said: for the call's item. */
export function recipientIssues(recipient: string, tools: ToolRegistry): readonly Issue[] {
  const tool = resolveTool(recipient, tools);
  if (tool === undefined) {
    return [{ code: "unknown_tool", detail: `There is no tool ${JSON.stringify(recipient)}` }];
  }
  const name = cutChannelTail(recipient).trim();
  const isGlued = tool !== lookUp(name, tools) && tool === lookUp(withoutType(name), tools);
  return isGlued
    ? [{ code: "glued_content_type", detail: `${name} is read as ${tool.recipient}` }]
    : [];
}

/** A message of an earlier conversation without what once was glued to a tool's name. */
export function withCleanNames(message: Message): Message {
  const { name, recipient } = message;
  return {
    ...message,
    ...(name?.includes("<|") && { name: printableRecipient(name) }),
    ...(recipient?.includes("<|") && { recipient: cutChannelTail(recipient).trim() || null }),
  };
}

/** The name as written, without `functions.`, or with it. */
function lookUp(name: string, tools: ToolRegistry): Tool | undefined {
  const bare = name.startsWith(FUNCTIONS) ? name.slice(FUNCTIONS.length) : name;
  return tools.get(name) ?? tools.get(bare) ?? tools.get(FUNCTIONS + bare);
}

/** The name that its author gave a tool, where the model was shown another. */
function byOwnName(name: string, tools: ToolRegistry): Tool | undefined {
  const found = tools.list().filter((tool) => {
    const own = ownName(tool);
    return own === name || own === FUNCTIONS + name;
  });
  return found.length === 1 ? found[0] : undefined;
}

function withoutType(name: string): string {
  return name.replace(GLUED_TYPE, "");
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
