import {
  type Command,
  type CommandGroup,
  defineCommand,
  optional,
  required,
  rest,
  subcommand,
} from "../command/command.ts";
import { reportFlag } from "../flags.ts";

const profileFlag = {
  profile: {
    type: "text",
    placeholder: "NAME",
    completes: "profile",
    describe: "Read or change this profile of the configuration",
  },
} as const;

const list: Command = defineCommand({
  flags: { ...profileFlag, ...reportFlag },
  examples: [
    ["config", "Every setting, its value and where it comes from"],
    ["config --profile quick --json", "As a program would see it with this profile"],
  ],
  run: async (args, context) => (await import("../config.ts")).listCommand(args, context),
});

export const command: CommandGroup = {
  otherwise: list,
  commands: {
    list: subcommand("Show every setting, its value and where it comes from", list),

    get: subcommand(
      "Print the value of one setting",
      defineCommand({
        positionals: { name: required("The setting", "setting") },
        flags: { ...profileFlag, ...reportFlag },
        examples: [["config get model", "One value, for a script; status 1 if it is not set"]],
        run: async (args, context) => (await import("../config.ts")).getCommand(args, context),
      }),
    ),

    set: subcommand(
      "Write a setting into the configuration",
      defineCommand({
        positionals: {
          name: required("The setting, or profile for the profile that counts", "setting"),
          values: rest("Its value; several for one that may be repeated", "value"),
        },
        flags: profileFlag,
        examples: [
          ["config set model gpt-oss:20b", "The model of every command"],
          ["config set effort low --profile quick", "In a profile, which is made if need be"],
          ["config set profile quick", "The profile that counts where none is named"],
        ],
        run: async (args, context) => (await import("../config-edit.ts")).setCommand(args, context),
      }),
    ),

    unset: subcommand(
      "Take a setting out of the configuration",
      defineCommand({
        positionals: { name: optional("The setting; without, the whole profile", "setting") },
        flags: profileFlag,
        examples: [
          ["config unset model", "The default counts again"],
          ["config unset --profile quick", "A whole profile"],
        ],
        run: async (args, context) =>
          (await import("../config-edit.ts")).unsetCommand(args, context),
      }),
    ),

    path: subcommand(
      "Print where the configuration is",
      defineCommand({
        examples: [["config path", "Also where there is none yet"]],
        run: async (_args, context) => (await import("../config.ts")).pathCommand(context),
      }),
    ),

    edit: subcommand(
      "Open the configuration in an editor, and check it afterwards",
      defineCommand({
        examples: [["config edit", "With VISUAL, else EDITOR, else vi"]],
        run: async (_args, context) => (await import("../config-edit.ts")).editCommand(context),
      }),
    ),
  },
  examples: [
    ["config", "What counts, and where it comes from"],
    ["config set model gpt-oss:20b", "A default for every command"],
    ['run --profile quick "What is 12 * 34?"', "With the settings of a profile"],
  ],
};
