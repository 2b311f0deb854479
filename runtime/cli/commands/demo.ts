import { type Command, defineCommand } from "../command/command.ts";
import { colorFlag } from "../flags.ts";

export const command: Command = defineCommand({
  settings: colorFlag,
  examples: [["demo", "The shortest way to see that an installation works"]],
  run: async (_args, context) => (await import("../demo.ts")).demoCommand(context),
});
