import { type Command, defineCommand } from "../command/command.ts";
import { colorFlag, reportFlag } from "../flags.ts";

export const command: Command = defineCommand({
  flags: { ...reportFlag },
  settings: { ...colorFlag },
  examples: [["ps", "Servers of this user, and the models that they hold in memory"]],
  run: async (args, context) => (await import("../ps.ts")).psCommand(args, context),
});
