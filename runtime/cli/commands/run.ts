import { type Command, defineCommand, optional } from "../command/command.ts";
import {
  agentFlags,
  colorFlag,
  engineFlags,
  fetchFlags,
  grantFlag,
  jsonFlag,
  mcpFlags,
  modelFlags,
  outputFlags,
  threadFlags,
  toolFlags,
  webFlags,
} from "../flags.ts";

/** Of one run, beside which conversation it belongs to. */
export const runFlags = {
  attach: {
    type: "text",
    placeholder: "FILE",
    short: "f",
    list: true,
    completes: "file",
    describe:
      "Document that is put into the prompt: text, Markdown, HTML, PDF, Word, a notebook, a mail, CSV",
  },
  output: {
    type: "text",
    placeholder: "FILE",
    short: "o",
    completes: "file",
    describe: "Also write the answer, alone and whole, to this file",
  },
  timeout: {
    type: "duration",
    placeholder: "TIME",
    describe: "Stop after this long, like 90s, 5m or 1h30m; loading the model counts",
  },
} as const;

export const runSettings: typeof engineFlags &
  typeof agentFlags &
  typeof toolFlags &
  typeof grantFlag &
  typeof mcpFlags &
  typeof webFlags &
  typeof fetchFlags &
  typeof modelFlags &
  typeof outputFlags &
  typeof colorFlag = {
  ...engineFlags,
  ...agentFlags,
  ...toolFlags,
  ...grantFlag,
  ...mcpFlags,
  ...webFlags,
  ...fetchFlags,
  ...modelFlags,
  ...outputFlags,
  ...colorFlag,
};

/** What the answer must be: one of these. */
export const exclusiveAnswers = [
  ["schema", "xsd"],
  ["schema", "choice"],
  ["schema", "regex"],
  ["schema", "grammar"],
  ["xsd", "choice"],
  ["xsd", "regex"],
  ["xsd", "grammar"],
  ["choice", "regex"],
  ["choice", "grammar"],
  ["regex", "grammar"],
] as const;

export const command: Command = defineCommand({
  positionals: { prompt: optional("The question; - reads stdin") },
  flags: { ...runFlags, ...threadFlags, ...jsonFlag },
  settings: runSettings,
  exclusive: [
    ...exclusiveAnswers,
    ["resume", "ephemeral"],
    ["resume", "continue"],
    ["continue", "ephemeral"],
  ],
  examples: [
    ['run "What is 12 * 34?"', "One question, one answer on stdout"],
    ["run - < question.txt", "The question from a file"],
    ['run "Summarise this change" < change.diff', "A question about what comes on stdin"],
    ['run -f contract.pdf "When does it end?"', "A question about a document"],
    [
      'run --file sales.csv --schema total.json "Sum the column amount"',
      "Python over a file, and an answer that passes a schema",
    ],
    ['run --web "What is new in Node 24?"', "The model may search the web and read its pages"],
    ['run --continue "And the day before?"', "The last conversation of this folder goes on"],
    ['run --json "Name a colour" | tail -1', "Events for a program; the last one has the outcome"],
  ],
  run: async (args, context) =>
    (await import("../run.ts")).runCommand({ ...args, agent: args, model: args }, context),
});
