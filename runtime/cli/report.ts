/** What is said when a command fails. */
import { isForeseen, messageOf, RunError } from "../errors.ts";
import { errorText } from "./error-text.ts";
import { EXIT, type ExitCode, runExitCode } from "./exit-codes.ts";
import { REPORT_MS } from "./interruption.ts";
import type { Output } from "./output.ts";

/** Says what ended the command, in the form the arguments asked for, unless that has been said. */
export async function report(
  error: unknown,
  argv: readonly string[],
  output: Output,
): Promise<ExitCode> {
  const exitCode = runExitCode(error) ?? (await import("./exit-code-of.ts")).exitCodeOf(error);
  if (argv.includes("--json") && !output.runCompleted) {
    const { reportUnstarted } = await import("./json-events.ts");
    reportUnstarted(output, error, exitCode);
  }
  const sentence = errorText(error);
  if (output.lastNote !== sentence) output.problem(sentence);
  if (!isForeseen(error) && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return exitCode;
}

/**
 * What no `await` of ours saw, most likely of a tool that left a promise behind: a rejection is said and
 * the command goes on, an exception may have left anything half done and ends it.
 */
export function surviveStrayErrors(argv: readonly string[], output: Output): void {
  process.on("unhandledRejection", (error) => {
    const message = `a promise was rejected and its rejection was not handled: ${messageOf(error)}`;
    if (argv.includes("--json") && !output.runCompleted)
      output.jsonLine({ type: "error", message });
    output.problem(message);
  });
  process.on("uncaughtException", (error) => {
    const message = `an error was thrown outside of any call: ${messageOf(error)}`;
    const end = (): never => process.exit(EXIT.failed);
    setTimeout(end, REPORT_MS);
    const stray = new RunError("CHORALE_STRAY_ERROR", message, { cause: error });
    report(stray, argv, output).then(end, end);
  });
}
