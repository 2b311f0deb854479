import { type Command, defineCommand, optional } from "../command/command.ts";
import { agentFlags, colorFlag, engineFlags, modelFlags, reportFlag } from "../flags.ts";

const { instructions, effort, "max-reasoning-tokens": maxReasoningTokens } = agentFlags;

export const command: Command = defineCommand({
  positionals: { question: optional("The question; - reads stdin") },
  flags: {
    choices: {
      type: "names",
      placeholder: "A,B",
      describe: "The answers",
    },
    boolean: { type: "switch", describe: "The answers are yes and no" },
    score: {
      type: "text",
      placeholder: "MIN..MAX",
      describe: "The answers are the whole numbers from MIN to MAX",
    },
    questions: {
      type: "text",
      placeholder: "FILE",
      completes: "file",
      describe: 'Many questions, each a line of JSON: {"question": "…", "choices": ["…", "…"]}',
    },
    reason: { type: "switch", describe: "Let the model reason before it answers" },
    ...reportFlag,
  },
  settings: {
    ...engineFlags,
    ...modelFlags,
    instructions,
    effort,
    "max-reasoning-tokens": maxReasoningTokens,
    ...colorFlag,
  },
  examples: [
    ['decide --choices bug,feature,question "What is this?" < issue.txt', "Sorts an issue"],
    [
      'decide --boolean --reason --json "Is this text in French?" < letter.txt',
      "With its thoughts",
    ],
    ["decide --score 1..5 --questions reviews.jsonl", "Many questions in one go"],
  ],
  run: async (args, context) =>
    (await import("../decide.ts")).decideCommand({ ...args, model: args }, context),
});
