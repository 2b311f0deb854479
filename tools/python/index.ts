/** Python for the model: stateful, sandboxed, nothing to install. */
import { PythonStartError } from "../errors.ts";
import type { Tool } from "../tool.ts";

export type PythonToolOptions = {
  /** Longest run of one cell; the description the model was trained with promises 120 s. */
  readonly timeoutMs?: number;
  /** Where the memory snapshot that makes starting fast is kept; absent or not writable: start slowly. */
  readonly cacheDir?: string;
};

export interface PythonTool extends Tool<string> {
  /** Starts the interpreter ahead of the first call. Never rejects: a failure is told by the first call. */
  warmUp(): Promise<void>;
  close(): Promise<void>;
}

/** Creates the tool without starting anything; one conversation needs one of its own. */
export function createPythonTool(_options: PythonToolOptions = {}): PythonTool {
  throw new PythonStartError("not built yet");
}
