/** The arguments of `chorale python …`. What they do is loaded when they are run. */
import type { Argv, Options } from "yargs";
import type { ExitCode } from "../exit-codes.ts";
import type { CommandContext } from "./command-context.ts";
import { colorOption, one, type Parsed, value } from "./flags.ts";

type Handler = (parsed: Parsed) => Promise<void>;
type Command = (run: (parsed: Parsed, context: CommandContext) => Promise<ExitCode>) => Handler;

const jsonOption: Record<string, Options> = {
  json: { type: "boolean", describe: "Print JSON on stdout" },
};

/** @param command turns what a command does into a handler */
export function pythonCommands(parser: Argv, command: Command): Argv {
  return parser
    .command(
      "install <names..>",
      "Download packages with all that they need, check them by hash and keep them",
      (y) =>
        y
          .positional("names", { type: "string", describe: "Packages, like numpy or scikit-learn" })
          .options({
            from: value("DIR|URL", "Where the files are (default: Pyodide's own place on the web)"),
            lock: value(
              "FILE",
              "Lock file that says which packages there are (default: the one that Pyodide brings)",
            ),
            ...jsonOption,
            ...colorOption,
          }),
      command(async (parsed, context) => {
        const from = one(parsed, "from");
        const lock = one(parsed, "lock");
        const args = {
          names: (parsed["names"] as readonly unknown[]).map(String),
          ...(from !== undefined && { from }),
          ...(lock !== undefined && { lock }),
          json: parsed["json"] === true,
        };
        return (await import("./python-packages.ts")).installCommand(args, context);
      }),
    )
    .command(
      "list",
      "Show the packages that are installed",
      (y) => y.options({ ...jsonOption, ...colorOption }),
      command(async (parsed, context) =>
        (await import("./python-packages.ts")).listCommand(parsed["json"] === true, context),
      ),
    )
    .command(
      "verify",
      "Hash every installed package anew and say what is broken",
      (y) => y.options({ ...jsonOption, ...colorOption }),
      command(async (parsed, context) =>
        (await import("./python-packages.ts")).verifyCommand(parsed["json"] === true, context),
      ),
    )
    .demandCommand(1, "Name what to do with Python's packages: install, list or verify.");
}
