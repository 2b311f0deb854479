/** How far a call has come, told to those who watch the run; a tool may say it as often as it likes. */
import type { ToolProgress } from "../../tools/index.ts";
import type { RunContext } from "./run-context.ts";

const PAUSE_MS = 100;

export type ProgressTeller = {
  readonly onProgress: (progress: ToolProgress) => void;
  /** Resolves when all is told; nothing is told after that. Rejects with what a listener threw. */
  end(): Promise<void>;
};

export function progressTeller({ emit }: Pick<RunContext, "emit">, itemId: string): ProgressTeller {
  let lastAt = Number.NEGATIVE_INFINITY;
  let isOver = false;
  let telling: Promise<void> = Promise.resolve();
  return {
    onProgress({ progress, total, message }) {
      const now = performance.now();
      if (isOver || now - lastAt < PAUSE_MS || !Number.isFinite(progress)) return;
      lastAt = now;
      telling = telling.then(() =>
        emit({
          type: "tool.progress",
          item_id: itemId,
          progress,
          ...(total !== undefined && Number.isFinite(total) && { total }),
          ...(message !== undefined && { message }),
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
