/**
 * Parts of a tool's result as MCP has them, and what a model that reads only text is told of them.
 * Source: Model Context Protocol, revision 2025-11-25, "Tool Result".
 */
import { formatBytes } from "./text.ts";

export type ContentBlock =
  | { readonly type: "text"; readonly text: string }
  /** `data` is base64. */
  | { readonly type: "image" | "audio"; readonly data: string; readonly mimeType: string }
  | { readonly type: "resource"; readonly resource: EmbeddedResource }
  | {
      readonly type: "resource_link";
      readonly uri: string;
      readonly name: string;
      readonly description?: string;
      readonly mimeType?: string;
      /** Bytes. */
      readonly size?: number;
    };

/** One of `text` and `blob` is there; `blob` is base64. */
export type EmbeddedResource = {
  readonly uri: string;
  readonly mimeType?: string;
  readonly text?: string;
  readonly blob?: string;
};

const TYPES: ReadonlySet<unknown> = new Set([
  "text",
  "image",
  "audio",
  "resource",
  "resource_link",
] satisfies ContentBlock["type"][]);

/** Whether a value is a list of blocks, and not data that happens to be a list of typed objects. */
export function isContentList(value: unknown): value is readonly { readonly type: string }[] {
  return (
    Array.isArray(value) &&
    value.every((block) => typeof (block as { type?: unknown } | null)?.type === "string") &&
    value.some(({ type }) => TYPES.has(type))
  );
}

/** What is missing of a block of a known type; null where it is whole, or of a type of later revisions. */
export function blockProblem(block: { readonly type: string }): string | null {
  const fields = block as unknown as Record<string, unknown>;
  const lacking = (REQUIRED.get(block.type) ?? []).filter((key) => typeof fields[key] !== "string");
  if (lacking.length > 0) return `${lacking.join(" and ")} must be a text`;
  if (block.type !== "resource") return null;
  const resource = fields["resource"] as Partial<Record<string, unknown>> | null | undefined;
  const isWhole =
    typeof resource?.["uri"] === "string" &&
    (typeof resource["text"] === "string" || typeof resource["blob"] === "string");
  return isWhole ? null : "resource must have a uri, and a text or a blob";
}

const REQUIRED: ReadonlyMap<string, readonly string[]> = new Map([
  ["text", ["text"]],
  ["image", ["data", "mimeType"]],
  ["audio", ["data", "mimeType"]],
  ["resource_link", ["uri", "name"]],
]);

/** All that can be read of the blocks, and a note for each that cannot. */
export function textOfContent(content: readonly ContentBlock[]): string {
  return content.map(textOfBlock).join("\n");
}

function textOfBlock(block: ContentBlock): string {
  switch (block.type) {
    case "text":
      return block.text;
    case "image":
      return leftOut("An image", [block.mimeType, sizeOf(block.data)]);
    case "audio":
      return leftOut("A sound recording", [block.mimeType, sizeOf(block.data)]);
    case "resource": {
      const { uri, mimeType, text, blob = "" } = block.resource;
      if (text !== undefined) return `[${oneLine(uri)}]\n${text}`;
      return leftOut(`The resource ${oneLine(uri)}`, [mimeType, sizeOf(blob)]);
    }
    case "resource_link": {
      const { name, uri, description, mimeType, size } = block;
      const facts = [mimeType, size === undefined ? undefined : formatBytes(size)];
      const about = description === undefined ? "" : `: ${oneLine(description)}`;
      return `[A link to ${oneLine(name)}, ${oneLine(uri)}${inBrackets(facts)}${about}]`;
    }
    default:
      return leftOut(`A part of the type ${oneLine((block as { type: string }).type)}`, []);
  }
}

function leftOut(what: string, facts: readonly (string | undefined)[]): string {
  return `[${what}${inBrackets(facts)} was left out: this model reads text only.]`;
}

function inBrackets(facts: readonly (string | undefined)[]): string {
  const known = facts.filter((fact) => fact !== undefined).map(oneLine);
  return known.length === 0 ? "" : ` (${known.join(", ")})`;
}

/** Of base64: four characters are three bytes. */
function sizeOf(base64: string): string {
  return formatBytes(Math.floor((base64.replace(/=+$/, "").length * 3) / 4));
}

const MAX_LINE_UNITS = 300;

/** Names and addresses stand inside of a line that is ours: they must not end it. */
function oneLine(text: string): string {
  return text
    .slice(0, MAX_LINE_UNITS)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .trim();
}
