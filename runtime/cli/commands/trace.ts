import { type Command, defineCommand, optional } from "../command/command.ts";
import { colorFlag } from "../flags.ts";

export const command: Command = defineCommand({
  positionals: {
    id: optional(
      "The conversation: its id or the beginning of it (default: the last one of this folder)",
      "thread",
    ),
  },
  flags: {
    output: {
      type: "text",
      placeholder: "FILE",
      short: "o",
      completes: "file",
      describe: "Where it goes (default: stdout)",
    },
    "no-tokens": { type: "switch", describe: "Messages without their tokens: a smaller file" },
  },
  settings: colorFlag,
  examples: [
    ["trace -o trace.html", "The last conversation of this folder, for a browser"],
    ["trace 1f3a -o trace.html", "Another one"],
  ],
  run: async (args, context) => (await import("../trace.ts")).traceCommand(args, context),
});
