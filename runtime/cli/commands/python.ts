import { type CommandGroup, defineCommand, rest, subcommand } from "../command/command.ts";
import { colorFlag, reportFlag } from "../flags.ts";

export const command: CommandGroup = {
  commands: {
    install: subcommand(
      "Download packages with all that they need, check them by hash and keep them",
      defineCommand({
        positionals: { names: rest("Packages, like numpy or scikit-learn") },
        flags: {
          from: {
            type: "text",
            placeholder: "DIR|URL",
            completes: "folder",
            describe: "Where the files are (default: Pyodide's own place on the web)",
          },
          lock: {
            type: "text",
            placeholder: "FILE",
            completes: "file",
            describe:
              "Lock file that says which packages there are (default: the one that Pyodide brings)",
          },
          ...reportFlag,
        },
        settings: colorFlag,
        examples: [
          ["python install numpy pandas", "From the web"],
          ["python install --from ./wheels numpy", "From a folder, without a network"],
        ],
        run: async (args, context) =>
          (await import("../python-packages.ts")).installCommand(args, context),
      }),
    ),

    list: subcommand(
      "Show the packages that are installed",
      defineCommand({
        flags: reportFlag,
        settings: colorFlag,
        examples: [["python list --json", "For a program"]],
        run: async ({ json }, context) =>
          (await import("../python-packages.ts")).listCommand(json, context),
      }),
    ),

    verify: subcommand(
      "Hash every installed package anew and say what is broken",
      defineCommand({
        flags: reportFlag,
        settings: colorFlag,
        examples: [["python verify", "Status 1 when one is broken"]],
        run: async ({ json }, context) =>
          (await import("../python-packages.ts")).verifyCommand(json, context),
      }),
    ),
  },
  examples: [["python install numpy", "Then Python code of the model can import numpy"]],
};
