/**
 * From what a model writes after `to=` to the tool it means. Models write `python` as
 * `functions.python`, drop `functions.` or write it twice, add brackets, glue the content type to the
 * name. Each rule below is exact and tried in order; there is no nearest-name guess, since a wrong tool
 * may have side effects.
 */
import type { Issue, Message } from "../../harmony/index.ts";
import type { ResolvedCall } from "../context.ts";
import type { DeclaredTool, DeclaredTools } from "./declared-tools.ts";

const FUNCTIONS = "functions.";
/** Content types that were seen glued to a recipient. */
const GLUED_TYPE = /(?:json|code)$/;

export type Resolution = {
  readonly call: ResolvedCall;
  /** What is wrong with the recipient, beyond what the parser said. */
  readonly issues: readonly Issue[];
};

export function resolveCall(addressed: string, tools: DeclaredTools): Resolution {
  const name = plainName(addressed);
  const exact = lookUp(name, tools);
  const declared =
    exact ??
    byOwnName(name, tools) ??
    lookUp(withoutType(name), tools) ??
    lookUp(toIdentifiers(name), tools);
  if (declared === undefined) {
    const recipient = printableRecipient(addressed);
    return {
      call: { addressed, recipient, tool: addressed, execution: "unknown", isRaw: false },
      issues: [{ code: "unknown_tool", detail: `There is no tool ${JSON.stringify(addressed)}` }],
    };
  }
  const isGlued = exact === undefined && lookUp(withoutType(name), tools) === declared;
  return {
    call: {
      addressed,
      recipient: declared.recipient,
      tool: declared.name,
      execution: declared.tool.execute === undefined ? "client" : "local",
      isRaw: declared.tool.inputSchema === null,
    },
    issues: isGlued
      ? [{ code: "glued_content_type", detail: `${name} is read as ${declared.recipient}` }]
      : [],
  };
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

/** What a tool message can carry as its author when the model addressed something that is no name. */
export function printableRecipient(recipient: string): string {
  return toIdentifiers(plainName(recipient)).slice(0, 64) || "functions";
}

/** The name as written, without `functions.`, or with it. */
function lookUp(name: string, tools: DeclaredTools): DeclaredTool | undefined {
  const bare = withoutNamespace(name);
  return tools.get(name) ?? tools.get(bare) ?? tools.get(FUNCTIONS + bare);
}

/** The name that its author gave a tool, where the model was shown another. */
function byOwnName(name: string, tools: DeclaredTools): DeclaredTool | undefined {
  const bare = withoutNamespace(name);
  return only(tools.list.filter((tool) => [name, bare, FUNCTIONS + bare].includes(tool.name)));
}

function only(found: readonly DeclaredTool[]): DeclaredTool | undefined {
  return found.length === 1 ? found[0] : undefined;
}

function withoutNamespace(name: string): string {
  return name.startsWith(FUNCTIONS) ? withoutNamespace(name.slice(FUNCTIONS.length)) : name;
}

function withoutType(name: string): string {
  return name.replace(GLUED_TYPE, "");
}

/** Without what cannot be part of a name: a channel's tail, the brackets of a call, a slash for the dot. */
function plainName(addressed: string): string {
  const name = cutChannelTail(addressed)
    .trim()
    .replace(/\(\s*\)$/, "");
  return name.replace(/^functions\//, FUNCTIONS);
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
