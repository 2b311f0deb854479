import { type Command, defineCommand, optional } from "../command/command.ts";
import {
  agentFlags,
  colorFlag,
  engineFlags,
  grantFlag,
  jsonFlag,
  modelFlags,
  outputFlags,
  threadFlags,
  toolFlags,
} from "../flags.ts";

export const command: Command = defineCommand({
  positionals: { prompt: optional("The question; - reads stdin") },
  flags: { ...threadFlags, ...jsonFlag },
  settings: {
    ...engineFlags,
    ...agentFlags,
    ...toolFlags,
    ...grantFlag,
    ...modelFlags,
    ...outputFlags,
    ...colorFlag,
  },
  exclusive: [
    ["schema", "xsd"],
    ["resume", "ephemeral"],
  ],
  examples: [
    ['run "What is 12 * 34?"', "One question, one answer on stdout"],
    ["run - < question.txt", "The question from a file"],
    ['run "Summarise this change" < change.diff', "A question about what comes on stdin"],
    [
      'run --file sales.csv --schema total.json "Sum the column amount"',
      "Python over a file, and an answer that passes a schema",
    ],
    ['run --json "Name a colour" | tail -1', "Events for a program; the last one has the outcome"],
  ],
  run: async (args, context) =>
    (await import("../run.ts")).runCommand({ ...args, agent: args, model: args }, context),
});
