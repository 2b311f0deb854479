import type { ReplayReport } from "../index.ts";
import { visibleText } from "./terminal-text.ts";

/** A report for people. */
export function reportLines(report: ReplayReport): readonly string[] {
  const { threadId, steps, skipped, tokens, conditions, difference } = report;
  const seen = `${steps} step${steps === 1 ? "" : "s"} of ${threadId}: ${tokens} tokens`;
  const left = skipped === 0 ? "" : ` (${skipped} without ids or without an end were left out)`;
  const lines = conditions.map(({ what, message }) => `${what}: ${message}`);
  if (difference === null) lines.push(`${seen}, all the same${left}.`);
  else {
    const { seq, step, message, recorded, replayed } = difference;
    lines.push(
      `${seen} are the same${left}; then step ${step} differs (entry ${seq} of the log).`,
      `  ${message}`,
      `  recorded: ${recorded}`,
      `  replayed: ${replayed}`,
    );
  }
  return lines.map((line) => visibleText(line.replaceAll("\n", "⏎")));
}
