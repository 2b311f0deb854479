import { type Command, defineCommand, rest } from "../command/command.ts";
import {
  agentFlags,
  colorFlag,
  fetchFlags,
  grantFlag,
  reportFlag,
  toolFlags,
  webFlags,
} from "../flags.ts";

const { docs } = agentFlags;
const { plugin } = toolFlags;

export const command: Command = defineCommand({
  positionals: { query: rest("What to search for") },
  flags: {
    limit: {
      type: "integer",
      placeholder: "N",
      short: "n",
      min: 1,
      max: 50,
      default: 10,
      describe: "Most results",
    },
    ...reportFlag,
  },
  settings: { docs, ...webFlags, ...fetchFlags, plugin, ...grantFlag, ...colorFlag },
  examples: [
    ["search tide tables", "The web, without a key"],
    ["search --docs ./handbook travel approval", "A folder alone: nothing goes to the network"],
    ["search --search searxng,wikipedia --searxng http://localhost:8888 tide", "Two at once"],
    ["search --json tide | jq -r '.results[].url'", "For a program; status 1 if nothing is found"],
  ],
  run: async (args, context) => (await import("../search.ts")).searchCommand(args, context),
});
