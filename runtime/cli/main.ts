/**
 * The `chorale` command: arguments in, exit status out. Every failure ends as one sentence on stderr
 * (and, with `--json`, as the events that a failed run has); only a bug of ours shows a stack.
 *
 * Modules are loaded when they are needed: help waits for no model, no tool and no terminal text.
 */
import { COMMANDS } from "./commands.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { findCommand } from "./find-command.ts";
import { interruption } from "./interruption.ts";
import type { ColorMode, Output } from "./output.ts";

/** Runs one command and sets the exit status of the process. */
export async function main(given: readonly string[]): Promise<void> {
  const argv = isChatByItself(given) ? ["chat", ...given] : given;
  let output: Output | undefined;
  const currentOutput = async (): Promise<Output> => {
    output ??= new (await import("./output.ts")).Output("auto", process.env);
    return output;
  };
  const tell = async (error: unknown): Promise<ExitCode> =>
    (await import("./report.ts")).report(error, argv, await currentOutput());
  const { signal, listen, stopAfter, takeTime } = interruption(tell);
  let exitCode: ExitCode = EXIT.ok;
  try {
    const called = await findCommand(argv);
    if (called.text !== undefined) process.stdout.write(called.text);
    else {
      const { command } = called;
      if (!command.isSynchronous) listen();
      const { readArguments } = await import("./arguments.ts");
      const args = await readArguments(called, process.env);
      const { Output: Streams } = await import("./output.ts");
      output = new Streams(args["color"] as ColorMode | undefined, process.env);
      if (args["quiet"] === true) output.beQuiet();
      const { surviveStrayErrors } = await import("./report.ts");
      surviveStrayErrors(argv, output);
      exitCode = await command.run(args, {
        output,
        env: process.env,
        signal,
        stopAfter,
        takeTime,
        commands: COMMANDS,
      });
    }
  } catch (error) {
    exitCode = await tell(error);
  }
  // The command may have ended well and its output not have arrived.
  const isCutOff = exitCode === EXIT.ok && signal.aborted;
  process.exitCode = isCutOff ? await tell(signal.reason) : exitCode;
}

/**
 * A person at a terminal who names no command wants to talk; a script has forgotten one. Flags alone are those of
 * the chat.
 */
function isChatByItself(argv: readonly string[]): boolean {
  const [first] = argv;
  const isMeant =
    first === undefined || (/^-/.test(first) && !/^(?:--help|-h|--version)$/.test(first));
  return isMeant && process.stdin.isTTY === true && process.stdout.isTTY === true;
}
