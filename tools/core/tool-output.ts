/** What a tool returned, in the one form that the loop works with. */
import { blockProblem, type ContentBlock, isContentList, textOfContent } from "./content.ts";
import { describeAsJson, type JsonValue, NotJsonError, toJsonValue } from "./json-value.ts";
import type { ToolOutput } from "./tool.ts";

const ACCEPTED =
  "a tool may return a text, a value that JSON can hold (also a Map, a Set, a Date or a bigint), or { content: [...] } with blocks as MCP has them";

const OUTPUT_KEYS: ReadonlySet<string> = new Set([
  ...["text", "data", "isError", "threadState"],
  ...["content", "structuredContent", "_meta"],
]);

/**
 * Takes a text, any value that JSON can hold, a `ToolOutput`, or a result as MCP has it. What came out
 * of it is taken again as it is.
 *
 * @throws Error with a sentence's end ("it ran, but returned …") for what the model could not be told
 */
export function toToolOutput(returned: unknown): ToolOutput {
  if (typeof returned === "string") return { text: returned };
  // Most tools that return nothing did something; null would read as a failure.
  if (returned === undefined) return { text: "(The tool returned nothing.)" };
  if (returned instanceof Error) throw returned;
  if (isResult(returned)) return fromResult(returned);
  const data = jsonOf(returned);
  return { text: textOf(data), data };
}

type Result = Omit<Partial<ToolOutput>, "content" | "structuredContent"> & {
  readonly content?: readonly { readonly type: string }[];
  readonly structuredContent?: unknown;
};

/** A result, and not data that happens to have a `text` or a `content`. */
function isResult(value: unknown): value is Result {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { text, content, isError, structuredContent } = value as Record<string, unknown>;
  if (!Object.keys(value).every((key) => OUTPUT_KEYS.has(key))) return false;
  if (isError !== undefined && typeof isError !== "boolean") return false;
  if (text !== undefined && typeof text !== "string") return false;
  const isEmptyList = Array.isArray(content) && content.length === 0;
  if (content !== undefined && !isContentList(content) && !isEmptyList) return false;
  if (typeof text === "string" || isContentList(content)) return true;
  return structuredContent !== undefined || (isEmptyList && isError !== undefined);
}

function fromResult(result: Result): ToolOutput {
  const { text, content, structuredContent, isError, data, threadState } = result;
  const blocks = content?.map(toBlock);
  const structured = structuredContent === undefined ? undefined : jsonOf(structuredContent);
  const isReadable = blocks?.some(({ type }) => type === "text") ?? false;
  const parts = [
    ...(blocks === undefined || blocks.length === 0 ? [] : [textOfContent(blocks)]),
    // By MCP the text blocks say the same; a result without them says it here alone.
    ...(structured === undefined || isReadable ? [] : [textOf(structured)]),
  ];
  return {
    text: text ?? parts.join("\n"),
    ...(isError && { isError }),
    ...(blocks && { content: blocks }),
    ...(structured !== undefined && { structuredContent: structured }),
    ...(data !== undefined && { data }),
    ...(threadState !== undefined && { threadState }),
  };
}

function toBlock(block: { readonly type: string }, index: number): ContentBlock {
  const problem = blockProblem(block);
  if (problem !== null) {
    throw new Error(
      `it ran, but content[${index}] of its result is no ${block.type} block: ${problem}`,
    );
  }
  return describeAsJson(block) as ContentBlock;
}

function jsonOf(value: unknown): JsonValue {
  try {
    return toJsonValue(value);
  } catch (error) {
    if (!(error instanceof NotJsonError)) throw error;
    throw new Error(`it ran, but returned ${error.message}; ${ACCEPTED}`);
  }
}

function textOf(value: JsonValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
