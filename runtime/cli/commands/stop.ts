import { type Command, defineCommand, optional } from "../command/command.ts";
import { colorFlag } from "../flags.ts";

export const command: Command = defineCommand({
  positionals: { model: optional("Take only this model out of memory") },
  settings: { ...colorFlag },
  examples: [
    ["stop", "Ends the servers of this user"],
    ["stop gpt-oss:20b", "Only takes a model out of their memory"],
  ],
  run: async (args, context) => (await import("../stop.ts")).stopCommand(args, context),
});
