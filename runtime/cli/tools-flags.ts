/** The arguments of `chorale tools …`. What they do is loaded when they are run. */
import type { Argv, Options } from "yargs";
import { all, grantOption, type MakeHandler, type Parsed, reportOption, value } from "./flags.ts";
import type { ToolSources } from "./tools.ts";

const sourceOptions: Record<string, Options> = {
  plugin: value("PATH", "Folder or npm package of a plugin; may be repeated"),
  tool: value("FILE", "Module that exports function tools; may be repeated"),
  ...grantOption,
};

/** @param command turns what a command does into a handler */
export function toolsCommands(parser: Argv, command: MakeHandler): Argv {
  return parser
    .command(
      "new <name>",
      "Make the folder of a new plugin, with a tool and its tests",
      (y) =>
        y.positional("name", {
          type: "string",
          demandOption: true,
          describe: "Name of the package and of its folder",
        }),
      command(async (parsed, context) =>
        (await import("./tools.ts")).newCommand(String(parsed["name"]), context),
      ),
    )
    .command(
      "list",
      "Show tools as the model will see them",
      (y) => y.options({ ...sourceOptions, ...reportOption }),
      command(async (parsed, context) =>
        (await import("./tools.ts")).listCommand(sources(parsed), isJson(parsed), context),
      ),
    )
    .command(
      "call <name> [input]",
      "Run one call outside of an agent: functions.NAME with JSON, or python with code",
      (y) =>
        y
          .positional("name", { type: "string", demandOption: true, describe: "The tool" })
          .positional("input", {
            type: "string",
            describe: "Its arguments as JSON (default: {}); - reads stdin",
          })
          .options({ ...sourceOptions, ...reportOption }),
      command(async (parsed, context) => {
        const input = parsed["input"];
        const args = {
          name: String(parsed["name"]),
          // yargs turns a lone `-` into an empty text.
          input: input === undefined ? "{}" : input === "" ? "-" : String(input),
          json: isJson(parsed),
        };
        return (await import("./tools.ts")).callCommand(args, sources(parsed), context);
      }),
    )
    .command(
      "validate [plugin]",
      "Check a plugin's manifest, code and schemas",
      (y) =>
        y
          .positional("plugin", { type: "string", default: ".", describe: "Folder or package" })
          .options({ ...grantOption, ...reportOption }),
      command(async (parsed, context) => {
        const args = { plugin: String(parsed["plugin"]), json: isJson(parsed) };
        const { validateCommand } = await import("./tools.ts");
        return validateCommand(args, all(parsed, "grant"), context);
      }),
    )
    .command(
      "test [plugin]",
      "Run the cases of a plugin's tests.json",
      (y) =>
        y
          .positional("plugin", { type: "string", default: ".", describe: "Folder or package" })
          .options(grantOption),
      command(async (parsed, context) => {
        const { testCommand } = await import("./tools.ts");
        return testCommand(String(parsed["plugin"]), all(parsed, "grant"), context);
      }),
    )
    .demandCommand(1, "Name one of new, list, call, validate and test.");
}

function sources(parsed: Parsed): ToolSources {
  return {
    plugins: all(parsed, "plugin"),
    modules: all(parsed, "tool"),
    grants: all(parsed, "grant"),
  };
}

function isJson(parsed: Parsed): boolean {
  return parsed["json"] === true;
}
