/** How far a call has come, told to those who watch the run; a tool may say it as often as it likes. */
import type { ToolProgress } from "../../tools/index.ts";
import type { RunContext } from "./run-context.ts";

const PAUSE_MS = 100;
/** Of what is printed at once, the end is told: the result has more of it. */
const MAX_OUTPUT_CHARS = 16_384;

export type ProgressTeller = {
  readonly onProgress: (progress: ToolProgress) => void;
  /** Resolves when all is told; nothing is told after that. Rejects with what a listener threw. */
  end(): Promise<void>;
};

export function progressTeller({ emit }: Pick<RunContext, "emit">, itemId: string): ProgressTeller {
  let lastAt = Number.NEGATIVE_INFINITY;
  let isOver = false;
  /** Printed, and not told yet. */
  let waiting = "";
  let telling: Promise<void> = Promise.resolve();
  return {
    onProgress({ progress, total, message, output }) {
      const now = performance.now();
      if (output !== undefined) waiting = (waiting + output).slice(-MAX_OUTPUT_CHARS);
      if (isOver || now - lastAt < PAUSE_MS || !Number.isFinite(progress)) return;
      lastAt = now;
      const printed = waiting;
      waiting = "";
      telling = telling.then(() =>
        emit({
          type: "tool.progress",
          item_id: itemId,
          progress,
          ...(total !== undefined && Number.isFinite(total) && { total }),
          ...(message !== undefined && { message }),
          ...(printed !== "" && { output: printed }),
        }),
      );
      // What a listener throws is thrown by `end`.
      telling.catch(() => {});
    },
    end() {
      isOver = true;
      return telling;
    },
  };
}
