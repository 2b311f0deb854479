import { type Command, defineCommand, required } from "../command/command.ts";
import {
  agentFlags,
  colorFlag,
  engineFlags,
  fetchFlags,
  grantFlag,
  jsonFlag,
  modelFlags,
  toolFlags,
  webFlags,
} from "../flags.ts";

const {
  docs,
  effort,
  policy,
  "max-steps": maxSteps,
  "max-tokens": maxTokens,
  "max-seconds": maxSeconds,
  "max-tool-calls": maxToolCalls,
} = agentFlags;

export const command: Command = defineCommand({
  positionals: { question: required("The question") },
  flags: {
    output: {
      type: "text",
      placeholder: "FILE",
      short: "o",
      completes: "file",
      describe: "Also write question, answer, sources and what was used to this file, as Markdown",
    },
    searches: {
      type: "integer",
      placeholder: "N",
      min: 1,
      max: 100,
      describe: "Most searches (default: 4)",
    },
    pages: {
      type: "integer",
      placeholder: "N",
      min: 1,
      max: 20,
      describe: "Most pages that are read for one search (default: 2)",
    },
    timeout: {
      type: "duration",
      placeholder: "TIME",
      describe: "Stop after this long, like 90s, 5m or 1h30m; loading the model counts",
    },
    ephemeral: { type: "switch", describe: "Do not keep the conversation" },
    ...jsonFlag,
  },
  settings: {
    ...engineFlags,
    effort,
    docs,
    policy,
    "max-steps": maxSteps,
    "max-tokens": maxTokens,
    "max-seconds": maxSeconds,
    "max-tool-calls": maxToolCalls,
    // A plugin may be a search service.
    plugin: toolFlags.plugin,
    ...grantFlag,
    ...webFlags,
    ...fetchFlags,
    ...modelFlags,
    ...colorFlag,
  },
  examples: [
    ['research --docs ./handbook "Who approves travel, and since when?"', "Over a folder, offline"],
    [
      'research --web -o report.md "What changed in HTTP/3 since 2022?"',
      "Over the web, with a report as a file",
    ],
  ],
  run: async (args, context) =>
    (await import("../research.ts")).researchCommand({ ...args, model: args }, context),
});
