/** Questions to the person at the terminal, answered by a line each. */
import { createInterface } from "node:readline";
import { visibleText } from "./terminal-text.ts";

/** @returns whether the answer is yes. @throws the reason of the signal */
export async function agrees(question: string, signal: AbortSignal): Promise<boolean> {
  return /^(?:y|yes)$/i.test(await ask(`${question} [y/N] `, signal));
}

/** @returns a line without space around it; nothing at the end of the input. @throws the reason of the signal */
export async function ask(question: string, signal: AbortSignal): Promise<string> {
  process.stderr.write(visibleText(question));
  const line = await nextLine(signal);
  // Ctrl-D ends no line.
  if (line === null) process.stderr.write("\n");
  return line?.trim() ?? "";
}

/** null at the end of the input. @throws the reason of the signal */
export function nextLine(signal: AbortSignal): Promise<string | null> {
  // Not as a terminal: the keyboard stays in line mode, where Ctrl-C is a signal to the program.
  const lines = createInterface({ input: process.stdin, terminal: false });
  const { promise, resolve, reject } = Promise.withResolvers<string | null>();
  const stop = (): void => reject(signal.reason);
  lines.once("line", resolve);
  lines.once("close", () => resolve(null));
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  return promise.finally(() => {
    signal.removeEventListener("abort", stop);
    lines.close();
    process.stdin.pause();
  });
}
