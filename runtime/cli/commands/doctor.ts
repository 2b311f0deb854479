import { type Command, defineCommand } from "../command/command.ts";
import { colorFlag, reportFlag } from "../flags.ts";

export const command: Command = defineCommand({
  flags: reportFlag,
  settings: colorFlag,
  mendsConfiguration: true,
  examples: [
    ["doctor", "One line for each thing; status 1 if something does not work"],
    ["doctor --json", "For a program"],
  ],
  run: async ({ json }, context) => (await import("../doctor.ts")).doctorCommand(json, context),
});
