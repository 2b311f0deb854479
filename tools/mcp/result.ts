/** From what a server returns to what the loop works with. */
import { type ContentBlock, textOfContent } from "../core/content.ts";
import { formatBytes, messageOf } from "../core/text.ts";
import type { ToolOutput } from "../core/tool.ts";
import { toToolOutput } from "../core/tool-output.ts";
import type { McpArtifact, McpArtifacts } from "./artifacts.ts";

/** A larger image does not belong into a log of the conversation: the file is there. */
const INLINE_UNITS = 256 * 1024;

/** What the SDK took for a result; its parts are checked here. */
type Result = {
  readonly content?: unknown;
  readonly structuredContent?: unknown;
  readonly isError?: boolean | undefined;
};

/**
 * @param artifacts  where images, sounds and files are saved; undefined: they stay in the blocks alone
 * @param stem  of the names of saved files
 * @throws Error with the end of a sentence for content that MCP does not have
 */
export async function resultOutput(
  { content, structuredContent, isError }: Result,
  artifacts: McpArtifacts | undefined,
  stem: string,
): Promise<ToolOutput> {
  const output = toToolOutput({
    content: Array.isArray(content) ? content : [],
    ...(structuredContent !== undefined && { structuredContent }),
    isError: isError ?? false,
  });
  if (artifacts === undefined || output.content === undefined) return output;
  const parts = await Promise.all(
    output.content.map((block) => savedBlock(block, artifacts, stem)),
  );
  const saved = parts.flatMap(({ artifact }) => artifact ?? []);
  if (saved.length === 0) return output;
  const isReadable = output.content.some(({ type }) => type === "text");
  const structured = isReadable ? undefined : output.structuredContent;
  const texts = parts.map(({ text }) => text);
  return {
    ...output,
    // As in `toToolOutput`: structured content is read where no text says the same.
    text: [...texts, ...(structured === undefined ? [] : [JSON.stringify(structured)])].join("\n"),
    content: parts.map(({ block }) => block),
    data: { artifacts: saved },
  };
}

type Part = {
  readonly block: ContentBlock;
  /** What the model reads of it. */
  readonly text: string;
  readonly artifact?: McpArtifact;
};

async function savedBlock(
  block: ContentBlock,
  artifacts: McpArtifacts,
  stem: string,
): Promise<Part> {
  const found = binaryOf(block);
  const plain = textOfContent([block]);
  if (found === null) return { block, text: plain };
  const { data, mimeType, what } = found;
  try {
    const artifact = await artifacts.save(stem, data, mimeType);
    const size = formatBytes(artifact.bytes);
    const text = `[${what} (${artifact.mimeType || "unknown type"}, ${size}) was saved for the user as ${artifact.name}; this model reads text only.]`;
    return { block: data.length > INLINE_UNITS ? linkTo(artifact) : block, text, artifact };
  } catch (error) {
    return { block, text: `${plain}\n[It was not saved for the user: ${messageOf(error)}]` };
  }
}

function binaryOf(
  block: ContentBlock,
): { readonly data: string; readonly mimeType: string; readonly what: string } | null {
  switch (block.type) {
    case "image":
      return { data: block.data, mimeType: block.mimeType, what: "An image" };
    case "audio":
      return { data: block.data, mimeType: block.mimeType, what: "A sound recording" };
    case "resource": {
      const { blob, mimeType = "" } = block.resource;
      return blob === undefined ? null : { data: blob, mimeType, what: "A file" };
    }
    default:
      return null;
  }
}

function linkTo({ name, path, bytes, mimeType }: McpArtifact): ContentBlock {
  const uri = `file://${encodeURI(path)}`;
  return { type: "resource_link", uri, name, mimeType, size: bytes };
}
