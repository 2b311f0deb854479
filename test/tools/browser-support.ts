import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { BrowserTools, Tool, ToolContext, ToolOutput } from "../../tools/index.ts";

/** A page is cut by tokens; words and signs will do where no model's vocabulary is at hand. */
export function countWords(text: string): number {
  return text.match(/[\p{L}\p{N}]+|[^\p{L}\p{N}\s]|\s+/gu)?.length ?? 0;
}

export function toolContext(resultTokenLimit = 400): ToolContext {
  return {
    signal: new AbortController().signal,
    callId: "call_1",
    idempotencyKey: "call_1",
    context: undefined,
    countTokens: countWords,
    resultTokenLimit,
  };
}

export async function callBrowser(
  browser: BrowserTools,
  recipient: string,
  input: unknown,
  context: ToolContext = toolContext(),
): Promise<ToolOutput> {
  const tool: Tool | undefined = browser.tools.find((each) => each.recipient === recipient);
  if (tool?.execute === undefined) throw new Error(`no tool ${recipient}`);
  const output = await tool.execute(input, context);
  return typeof output === "string" ? { text: output } : output;
}

/** A folder with these files, gone after the test. */
export async function folderWith(
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "chorale-docs-"));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), content);
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
