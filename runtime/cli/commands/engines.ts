import { anyNumber, type CommandGroup, defineCommand, subcommand } from "../command/command.ts";
import { colorFlag, modelFlags, reportFlag } from "../flags.ts";

const { engine, "engine-key-file": engineKeyFile } = modelFlags;
const settings = { engine, "engine-key-file": engineKeyFile, ...colorFlag };

export const command: CommandGroup = {
  commands: {
    list: subcommand(
      "Say which servers of models answer at the usual ports of this machine, and those of --engine",
      defineCommand({
        flags: reportFlag,
        settings,
        examples: [["engines list --json", "For a program"]],
        run: async (args, context) =>
          (await import("../engines.ts")).enginesListCommand(args, context),
      }),
    ),
    test: subcommand(
      "Say what servers can do, and sample some tokens with them",
      defineCommand({
        positionals: { urls: anyNumber("Address of a server, like vllm://gpu1:8000") },
        flags: reportFlag,
        settings,
        examples: [
          ["engines test vllm://gpu1:8000", "Whether ids go in and out, and how fast they come"],
        ],
        run: async (args, context) =>
          (await import("../engines.ts")).enginesTestCommand(args, context),
      }),
    ),
  },
  examples: [["engines list", "What this machine has"]],
};
