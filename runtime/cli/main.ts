/**
 * The `chorale` command: arguments in, exit status out. Every failure ends as one sentence on stderr
 * (and, with `--json`, as the events that a failed run has); only a bug of ours shows a stack.
 */
import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import yargs from "yargs";
import {
  type InterruptedBy,
  InterruptedError,
  isForeseen,
  messageOf,
  RunError,
  UsageError,
} from "../errors.ts";
import type { CommandContext } from "./command-context.ts";
import { readConfig } from "./config-file.ts";
import { errorText } from "./error-text.ts";
import { EXIT, type ExitCode, runExitCode } from "./exit-codes.ts";
import {
  agentArguments,
  agentOptions,
  benchArguments,
  benchOptions,
  colorArgument,
  colorOption,
  jsonOption,
  modelArguments,
  modelOptions,
  outputOptions,
  type Parsed,
  resumeArgument,
  threadOptions,
} from "./flags.ts";
import { harmonyCommands } from "./harmony-flags.ts";
import { Output } from "./output.ts";
import { pythonCommands } from "./python-flags.ts";
import { toolsCommands } from "./tools-flags.ts";

/** What `config.json` may set. */
const CONFIGURABLE: readonly string[] = Object.keys({
  ...agentOptions,
  ...modelOptions,
  ...outputOptions,
  ...colorOption,
});

/** After Ctrl-C everything has this long to end in order; then the end is told and the process ends anyway. */
const SHUTDOWN_MS = 200;
/** And the telling has this long. */
const REPORT_MS = 80;

/** Runs one command and sets the exit status of the process. */
export async function main(argv: readonly string[]): Promise<void> {
  // The arguments may be what is wrong, so there is an output before they are parsed.
  let output = new Output("auto", process.env);
  const signal = interruption((reason) => report(reason, argv, output), argv[0] === "harmony");
  surviveStrayErrors(argv, () => output);
  let exitCode: ExitCode = EXIT.ok;
  const command =
    (run: (parsed: Parsed, context: CommandContext) => Promise<ExitCode>) =>
    async (parsed: Parsed): Promise<void> => {
      output = new Output(colorArgument(parsed), process.env);
      if (parsed["quiet"] === true) output.beQuiet();
      exitCode = await run(parsed, { output, env: process.env, signal });
    };

  const parser = yargs(withLiteralPrompt(argv))
    .scriptName("chorale")
    .locale("en")
    .usage("$0 <command>\n\nAsk a gpt-oss model that runs on this machine and can use tools.")
    // Values stay the text that was typed; flags.ts converts and checks them.
    .parserConfiguration({
      "parse-numbers": false,
      "parse-positional-numbers": false,
      "dot-notation": false,
      "boolean-negation": false,
    })
    .command(
      ["run [prompt]"],
      "Answer one question; the prompt may also come from stdin",
      (y) =>
        y
          .positional("prompt", { type: "string", describe: "The question; - reads stdin" })
          .options({
            ...agentOptions,
            ...threadOptions,
            ...outputOptions,
            ...modelOptions,
            ...jsonOption,
            ...colorOption,
          })
          .config(readConfig(process.env, CONFIGURABLE)),
      command(async (parsed, context) => {
        const args = {
          prompt: promptArgument(parsed, argv),
          json: parsed["json"] === true,
          verbose: parsed["verbose"] === true,
          ephemeral: parsed["ephemeral"] === true,
          resume: resumeArgument(parsed),
          agent: agentArguments(parsed),
          model: modelArguments(parsed),
        };
        // Commands are loaded when they run: a wrong flag is said at once.
        const { runCommand } = await import("./run.ts");
        return runCommand(args, context);
      }),
    )
    .command(
      "demo",
      "Ask the embedded model three questions and check its answers",
      (y) => y.options(colorOption),
      command(async (_parsed, context) => {
        const { demoCommand } = await import("./demo.ts");
        return demoCommand(context);
      }),
    )
    .command(
      "bench",
      "Measure how fast a model is on this machine, and what its memory allows",
      (y) => y.options({ ...benchOptions, ...jsonOption, ...colorOption }),
      command(async (parsed, context) => {
        const args = { ...benchArguments(parsed), json: parsed["json"] === true };
        const { benchCommand } = await import("./bench.ts");
        return benchCommand(args, context);
      }),
    )
    .command("harmony", "Render, parse and explain the format that gpt-oss speaks", (y) =>
      harmonyCommands(y, command),
    )
    .command(
      "doctor",
      "Say what this machine has of what Chorale uses",
      (y) => y.options({ json: { type: "boolean", describe: "Print JSON" }, ...colorOption }),
      command(async (parsed, context) => {
        const { doctorCommand } = await import("./doctor.ts");
        return doctorCommand(parsed["json"] === true, context);
      }),
    )
    .command("python", "Install packages for Python, list and check them", (y) =>
      pythonCommands(y, command),
    )
    .command("tools", "Make, check and try out tools and plugins", (y) => toolsCommands(y, command))
    .demandCommand(1, "Name a command.")
    .strict()
    .version(version())
    .alias("help", "h")
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .exitProcess(false)
    .fail((message, error) => {
      // yargs gives its own complaints with or without an error, those of a command always with one.
      if (error !== undefined && error !== null && error.name !== "YError") throw error;
      throw new CommandLineError(message);
    });

  // The types of yargs do not know this one: a placeholder says more than "string".
  const usage = parser as unknown as {
    usageConfiguration(options: { "hide-types": boolean }): void;
  };
  usage.usageConfiguration({ "hide-types": true });
  try {
    await parser.parseAsync();
  } catch (error) {
    exitCode = await report(await explained(error, argv), argv, output);
  }
  // The command may have ended well and its output not have arrived.
  const isCutOff = exitCode === EXIT.ok && signal.aborted;
  process.exitCode = isCutOff ? await report(signal.reason, argv, output) : exitCode;
}

/** What yargs says about a command line that it cannot read. */
class CommandLineError extends Error {}

/** Names what was probably meant; the code that knows is loaded only then. */
async function explained(error: unknown, argv: readonly string[]): Promise<unknown> {
  if (!(error instanceof CommandLineError)) return error;
  const { usageSentence } = await import("./usage-sentence.ts");
  return new UsageError(usageSentence(error.message, argv));
}

/** Flags of `run` that take no value. */
const SWITCHES: readonly string[] = Object.entries({
  ...agentOptions,
  ...threadOptions,
  ...outputOptions,
  ...jsonOption,
}).flatMap(([name, { type, alias }]) =>
  type === "boolean" ? [`--${name}`, ...(alias === undefined ? [] : [`-${alias}`])] : [],
);

/** What yargs is given for a prompt that reads `help`. */
const LITERAL_HELP = "help ";

/** A prompt that reads `help` is a question: yargs would print the help of the command. */
function withLiteralPrompt(argv: readonly string[]): readonly string[] {
  const isPrompt = argv[0] === "run" && argv.length > 1 && argv.at(-1) === "help";
  const before = argv.at(-2) ?? "";
  const isValue = before.startsWith("-") && before !== "--" && !SWITCHES.includes(before);
  return isPrompt && !isValue ? [...argv.slice(0, -1), LITERAL_HELP] : argv;
}

/**
 * The prompt as typed. yargs turns a lone `-` into an empty text, and leaves what follows `--` (where
 * a prompt like "-5 + 3 = ?" must stand) with the name of the command.
 */
function promptArgument(parsed: Parsed, argv: readonly string[]): string | undefined {
  const bound = parsed["prompt"] as string | undefined;
  const given = bound === undefined ? [] : [bound];
  const prompts = [...given, ...parsed._.slice(1).map(String)];
  if (prompts.length > 1) {
    throw new UsageError(`${prompts.length} prompts are given; put the question into quotes.`);
  }
  if (prompts[0] === LITERAL_HELP) return "help";
  return prompts[0] === "" && argv.includes("-") ? "-" : prompts[0];
}

/** Says what ended the command, in the form the arguments asked for, unless that has been said. */
async function report(error: unknown, argv: readonly string[], output: Output): Promise<ExitCode> {
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
function surviveStrayErrors(argv: readonly string[], current: () => Output): void {
  process.on("unhandledRejection", (error) => {
    const message = `a promise was rejected and its rejection was not handled: ${messageOf(error)}`;
    const output = current();
    if (argv.includes("--json") && !output.runCompleted)
      output.jsonLine({ type: "error", message });
    output.problem(message);
  });
  process.on("uncaughtException", (error) => {
    const message = `an error was thrown outside of any call: ${messageOf(error)}`;
    const end = (): never => process.exit(EXIT.failed);
    setTimeout(end, REPORT_MS);
    const stray = new RunError("CHORALE_STRAY_ERROR", message, { cause: error });
    report(stray, argv, current()).then(end, end);
  });
}

/**
 * The signal that ends a command. What does not end by itself within `SHUTDOWN_MS` is ended with
 * the process: child processes watch their connection to it and end as well.
 */
function interruption(
  tell: (reason: InterruptedError) => Promise<unknown>,
  isSynchronous: boolean,
): AbortSignal {
  const controller = new AbortController();
  const stop = (by: InterruptedBy, cause?: unknown): void => {
    if (controller.signal.aborted) return;
    const reason = new InterruptedError(by, cause);
    const exitCode = runExitCode(reason);
    // Also where nothing is left to wait for but a promise that is never kept.
    process.exitCode = exitCode;
    controller.abort(reason);
    // The command may be over: what it wrote is still on its way.
    if (by === "stdout") void tell(reason);
    const end = (): never => process.exit(exitCode);
    setTimeout(() => {
      setTimeout(end, REPORT_MS);
      tell(reason).then(end, end);
    }, SHUTDOWN_MS).unref();
  };
  // Commands about the format compute in one piece: no handler could run before they have ended.
  if (!isSynchronous) {
    process.on("SIGINT", () => stop("SIGINT"));
    process.on("SIGTERM", () => stop("SIGTERM"));
    process.on("SIGHUP", () => stop("SIGHUP"));
  }
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    stop(error.code === "EPIPE" ? "SIGPIPE" : "stdout", error);
  });
  // There is no reader any more; the answer still matters.
  process.stderr.on("error", () => {});
  return controller.signal;
}

function version(): string {
  const manifest: unknown = JSON.parse(
    readFileSync(findPackageJSON("..", import.meta.url) ?? "", "utf8"),
  );
  return (manifest as { version: string }).version;
}
