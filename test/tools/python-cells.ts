/** For tests with real interpreters: cells in the session that a file shares, and sessions of their own. */
import { onTestFinished } from "vitest";
import {
  createPythonTool,
  executeTool,
  type PythonTool,
  type PythonToolOptions,
  type ToolResult,
} from "../../tools/index.ts";
import { context } from "./support.ts";

export type Cells = {
  run(code: string, tool?: PythonTool): Promise<ToolResult>;
  /** What the model would read. */
  text(code: string, tool?: PythonTool): Promise<string>;
  /** A session of its own, for cells that end theirs. It ends with the test. */
  session(options?: PythonToolOptions): PythonTool;
};

/** @param shared the session that cells run in where no other is named */
export function pythonCells(cacheDir: string, shared: () => PythonTool): Cells {
  const run = (code: string, tool = shared()): Promise<ToolResult> =>
    executeTool(tool, code, context());
  return {
    run,
    text: async (code, tool) => (await run(code, tool)).text,
    session: (options = {}) => {
      const tool = createPythonTool({ cacheDir, timeoutMs: 20_000, ...options });
      onTestFinished(() => tool.close());
      return tool;
    },
  };
}
