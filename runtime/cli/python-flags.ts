/** The arguments of `chorale python …`. What they do is loaded when they are run. */
import type { Argv } from "yargs";
import { colorOption, type MakeHandler, one, reportOption, value } from "./flags.ts";

/** @param command turns what a command does into a handler */
export function pythonCommands(parser: Argv, command: MakeHandler): Argv {
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
            ...reportOption,
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
      (y) => y.options({ ...reportOption, ...colorOption }),
      command(async (parsed, context) =>
        (await import("./python-packages.ts")).listCommand(parsed["json"] === true, context),
      ),
    )
    .command(
      "verify",
      "Hash every installed package anew and say what is broken",
      (y) => y.options({ ...reportOption, ...colorOption }),
      command(async (parsed, context) =>
        (await import("./python-packages.ts")).verifyCommand(parsed["json"] === true, context),
      ),
    )
    .demandCommand(1, "Name what to do with Python's packages: install, list or verify.");
}
