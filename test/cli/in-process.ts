import { readArguments } from "../../runtime/cli/arguments.ts";
import type { CommandContext } from "../../runtime/cli/command-context.ts";
import { COMMANDS } from "../../runtime/cli/commands.ts";
import { errorText } from "../../runtime/cli/error-text.ts";
import { exitCodeOf } from "../../runtime/cli/exit-code-of.ts";
import { findCommand } from "../../runtime/cli/find-command.ts";

/** One command in this process, where starting it many times would take long. */
export async function inProcess(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  let stdout = "";
  let stderr = "";
  const say = (sentence: string): void => {
    stderr += `${sentence}\n`;
  };
  const output = {
    line: (text: string) => {
      stdout += `${text}\n`;
    },
    answer: (text: string) => {
      stdout += text;
    },
    jsonLine: (value: unknown) => {
      stdout += `${JSON.stringify(value)}\n`;
    },
    paint: (text: string) => text,
    progress: () => {},
    isLive: false,
    note: say,
    problem: say,
  };
  const { signal } = new AbortController();
  const stopAfter = (): void => {};
  const takeTime = (): void => {};
  const context = {
    output,
    env,
    signal,
    stopAfter,
    takeTime,
    commands: COMMANDS,
  } as unknown as CommandContext;
  try {
    const called = await findCommand(argv);
    if (called.text !== undefined) return { code: 0, stdout: called.text, stderr };
    const code = await called.command.run(await readArguments(called, env), context);
    return { code, stdout, stderr };
  } catch (error) {
    say(errorText(error));
    return { code: exitCodeOf(error), stdout, stderr };
  }
}
