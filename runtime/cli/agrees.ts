/** A question with yes or no at the terminal. */
import { createInterface } from "node:readline/promises";
import { visibleText } from "./terminal-text.ts";

/** @returns whether the answer is yes; stdin has to be a terminal */
export async function agrees(question: string, signal: AbortSignal): Promise<boolean> {
  return /^(?:y|yes)$/i.test(await ask(`${question} [y/N] `, signal));
}

/** @returns one line, without space around it */
export async function ask(question: string, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(visibleText(question), { signal })).trim();
  } finally {
    lines.close();
  }
}
