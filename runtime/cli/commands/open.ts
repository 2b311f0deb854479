import { type Command, defineCommand, required } from "../command/command.ts";
import { agentFlags, colorFlag, fetchFlags, reportFlag } from "../flags.ts";

const { docs } = agentFlags;

export const command: Command = defineCommand({
  positionals: { address: required("A URL, or with --docs the path of a document", "file") },
  flags: {
    find: {
      type: "text",
      placeholder: "TEXT",
      describe: "Only where this stands, with the lines around; status 1 if it is not there",
    },
    numbers: { type: "switch", describe: "Show the numbers of lines, as the model cites them" },
    links: { type: "switch", describe: "Show where the links of the page lead, behind its text" },
    ...reportFlag,
  },
  settings: { docs, ...fetchFlags, ...colorFlag },
  examples: [
    ["open https://example.com", "A page as the model would read it"],
    ["open --find deadline https://example.com/call.pdf", "Where a PDF says something"],
    ["open --docs ./handbook travel.md --numbers", "A document of a folder"],
  ],
  run: async (args, context) => (await import("../open-page.ts")).openCommand(args, context),
});
