import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { ExecuteContext, ToolContext } from "../../tools/index.ts";

/** One token per word or sign: easy to count by eye. */
export const countWords = (text: string): number => text.match(/\w+|[^\w\s]/g)?.length ?? 0;

export function context(changes: Partial<ExecuteContext> = {}): ExecuteContext {
  return {
    signal: new AbortController().signal,
    callId: "call_1",
    countTokens: countWords,
    resultTokenLimit: 10_000,
    ...changes,
  };
}

/** What a tool itself gets. */
export function toolContext(): ToolContext {
  return { ...context(), context: undefined, idempotencyKey: "call_1" };
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "chorale-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
