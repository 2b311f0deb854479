import { type Command, defineCommand, optional, required } from "../command/command.ts";
import { jsonFlag } from "../flags.ts";
import { runFlags, runSettings } from "./run.ts";

export const command: Command = defineCommand({
  positionals: {
    id: required("The conversation; the beginning of its id is enough", "thread"),
    prompt: optional(
      "What is asked next; without it, a chat in a terminal, else an unfinished turn goes on",
    ),
  },
  flags: { ...runFlags, ...jsonFlag },
  settings: runSettings,
  examples: [
    ['sessions resume 1f3a "And in Porto?"', "The next question"],
    ["sessions resume 1f3a", "A chat, which begins with a turn that was interrupted"],
  ],
  run: async ({ id, ...args }, context) => {
    const given = {
      ...args,
      resume: id,
      continue: false,
      ephemeral: false,
      agent: args,
      model: args,
    };
    const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
    if (args.prompt === undefined && isTerminal && !args.json) {
      return (await import("../chat.ts")).chatCommand(given, context);
    }
    return (await import("../run.ts")).runCommand(given, context);
  },
});
