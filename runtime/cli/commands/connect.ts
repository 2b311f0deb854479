import { type Command, defineCommand, required } from "../command/command.ts";
import { colorFlag, reportFlag } from "../flags.ts";

export const command: Command = defineCommand({
  flags: {
    url: {
      type: "text",
      placeholder: "URL",
      describe: "The server (default: the one that this user runs)",
    },
    // Not the setting of the same name, which is a model that this program loads.
    model: {
      type: "text",
      placeholder: "NAME",
      describe: "The model as the server names it (default: its first)",
    },
    write: { type: "switch", describe: "Write the files; in a terminal you are asked first" },
    yes: { type: "switch", short: "y", describe: "Do not ask, also where something is replaced" },
    ...reportFlag,
  },
  settings: { ...colorFlag },
  positionals: {
    client: required("codex, open-webui, continue, opencode, pi, cline or claude"),
  },
  examples: [
    ["connect codex --write", "Writes a profile: codex --profile chorale"],
    ["connect open-webui", "Says which variables it is started with"],
    ["connect pi --url http://10.0.0.5:11434 --json", "For a server on another machine"],
  ],
  run: async (args, context) => (await import("../connect.ts")).connectCommand(args, context),
});
