import { type Command, defineCommand } from "../command/command.ts";
import { colorFlag, engineFlags, modelFlags, reportFlag } from "../flags.ts";

const { context, memory } = modelFlags;

export const command: Command = defineCommand({
  flags: {
    load: { type: "switch", describe: "Load the model and compute, also where it is large" },
    ...reportFlag,
  },
  settings: { ...engineFlags, context, memory, ...colorFlag },
  mendsConfiguration: true,
  examples: [
    ["doctor", "One line for each thing; status 1 if something does not work"],
    ["doctor --model gpt-oss:20b --load", "With a large model, which is loaded"],
    ["doctor --json", "For a program"],
  ],
  run: async (args, context) => (await import("../doctor.ts")).doctorCommand(args, context),
});
