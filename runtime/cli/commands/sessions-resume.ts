import { type Command, defineCommand, optional, required } from "../command/command.ts";
import { jsonFlag } from "../flags.ts";
import { runFlags, runSettings } from "./run.ts";

export const command: Command = defineCommand({
  positionals: {
    id: required("The conversation; the beginning of its id is enough", "thread"),
    prompt: optional("What is asked next; without it, an unfinished turn goes on"),
  },
  flags: { ...runFlags, ...jsonFlag },
  settings: runSettings,
  exclusive: [["schema", "xsd"]],
  examples: [
    ['sessions resume 1f3a "And in Porto?"', "The next question"],
    ["sessions resume 1f3a", "Goes on with a turn that was interrupted"],
  ],
  run: async ({ id, ...args }, context) =>
    (await import("../run.ts")).runCommand(
      { ...args, resume: id, continue: false, ephemeral: false, agent: args, model: args },
      context,
    ),
});
