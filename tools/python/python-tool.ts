/** The `python` tool: raw code in, what a notebook cell would show out. */
import type { Tool, ToolContext, ToolOutput } from "../tool.ts";
import { type CellResult, PythonSession } from "./session.ts";

export type PythonToolOptions = {
  /** Longest run of one cell; the description the model was trained with promises 120 s. */
  readonly timeoutMs?: number;
  /**
   * Where the memory snapshot that makes starting fast is kept. Absent or not writable: every start
   * takes seconds.
   */
  readonly cacheDir?: string;
};

export interface PythonTool extends Tool<string> {
  /** Starts the interpreter ahead of the first call. Never rejects: the first call tells what failed. */
  warmUp(): Promise<void>;
  close(): Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 120_000;
/** On top of the cell's own time: starting, and ending a cell that does not want to end. */
const START_ALLOWANCE_MS = 130_000;

/** What the model was trained to see when a cell printed nothing. Source: openai/gpt-oss. */
const NO_OUTPUT =
  "[WARN] No output available. Use print() to output anything to stdout to receive the output";

/** Creates the tool without starting anything. Its variables belong to one conversation. */
export function createPythonTool(options: PythonToolOptions = {}): PythonTool {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, cacheDir } = options;
  const session = new PythonSession({ timeoutMs, ...(cacheDir && { cacheFolder: cacheDir }) });
  return {
    recipient: "python",
    description:
      "Runs Python code in a stateful, sandboxed interpreter without internet access and shows what it prints and the value of its last expression.",
    inputSchema: null,
    timeoutMs: timeoutMs + START_ALLOWANCE_MS,
    annotations: { openWorldHint: false, destructiveHint: false },
    async warmUp() {
      await session.start().catch(() => undefined);
    },
    async execute(code: string, context: ToolContext): Promise<ToolOutput> {
      return present(await session.run(code, context.signal));
    },
    close: () => session.close(),
  };
}

/** The result as the model reads it: output, then value or traceback, then what it must know. */
function present(result: CellResult): ToolOutput {
  const { output, value, error, ending, reason, startedAnew } = result;
  const parts = [output, error ?? "", value ?? ""].map((part) => part.replace(/\n+$/, ""));
  const shown = parts.filter((part) => part !== "");
  const notes: string[] = [];
  if (startedAnew) {
    notes.push(
      "[WARN] The interpreter had ended since the last call and was restarted before this one; earlier variables and imports were lost.",
    );
  }
  if (ending === "interrupted")
    notes.push(`[ERROR] The code was interrupted: ${reason}. Variables are kept.`);
  if (ending === "killed") {
    notes.push(
      `[ERROR] The code was stopped: ${reason}. The interpreter was restarted; variables are lost.`,
    );
  }
  if (ending === "crashed") {
    notes.push(`[ERROR] The interpreter ended: ${reason}. It was restarted; variables are lost.`);
  }
  const isError = ending !== "finished" || error !== null;
  const text = [...shown, ...notes].join("\n");
  return {
    text: text === "" ? NO_OUTPUT : text,
    ...(isError && { isError }),
    data: {
      output,
      value,
      error,
      ending,
      stateLost: startedAnew || ending === "killed" || ending === "crashed",
    },
  };
}
