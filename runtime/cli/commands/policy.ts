import {
  anyNumber,
  type CommandGroup,
  defineCommand,
  optional,
  required,
  subcommand,
} from "../command/command.ts";
import { agentFlags, grantFlag, mcpFlags, reportFlag, toolFlags } from "../flags.ts";

export const command: CommandGroup = {
  commands: {
    show: subcommand(
      "Show the rules about calls that count here, the answers for always and the trusted tools",
      defineCommand({
        flags: reportFlag,
        settings: { policy: agentFlags.policy },
        examples: [
          ["policy show", "What counts in this folder"],
          ["policy show --policy ci.yaml", "What a file would mean"],
        ],
        run: async (args, context) => (await import("../policy.ts")).showCommand(args, context),
      }),
    ),

    check: subcommand(
      "Say what would be decided about a call: status 0 allowed, 8 asked, 5 denied",
      defineCommand({
        positionals: {
          call: required('The call, like \'functions.write_file {"path":"notes.txt"}\''),
          arguments: anyNumber("Its arguments, where they do not stand in the same word"),
        },
        flags: {
          tainted: { type: "switch", describe: "As if text of strangers had been read before" },
          ...reportFlag,
        },
        settings: { policy: agentFlags.policy, ...toolFlags, ...grantFlag, ...mcpFlags },
        examples: [
          [
            'policy check \'write_file {"path":"/etc/passwd"}\'',
            "A tool of which only the name is known",
          ],
          [
            'policy check \'get_weather {"city":"Rome"}\' --tool weather.ts --tainted',
            "With what the tool says about itself",
          ],
        ],
        run: async (args, context) => (await import("../policy.ts")).checkCommand(args, context),
      }),
    ),

    trust: subcommand(
      "Let the policy of a project count, as it is now",
      defineCommand({
        positionals: {
          file: optional("The file (default: that in .chorale of this folder)", "file"),
        },
        examples: [
          ["policy trust", "Read it first: chorale policy show --policy .chorale/policy.yaml"],
        ],
        run: async (args, context) => (await import("../policy.ts")).trustCommand(args, context),
      }),
    ),
  },
  examples: [
    ["policy show", "The rules that count here"],
    ["policy check 'python print(1)'", "What would be decided about a call"],
  ],
};
