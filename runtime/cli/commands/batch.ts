import { type Command, defineCommand, required } from "../command/command.ts";
import { runSettings } from "./run.ts";

export const command: Command = defineCommand({
  positionals: {
    prompts: required(
      'One prompt on each line: a JSON text, or an object like {"prompt": …}',
      "file",
    ),
  },
  flags: {
    output: {
      type: "text",
      placeholder: "FILE",
      short: "o",
      completes: "file",
      describe: "Where the results go; an interrupted batch goes on from there (default: stdout)",
    },
    parallel: {
      type: "integer",
      placeholder: "N",
      min: 1,
      max: 64,
      short: "p",
      describe: "Prompts at work at once, over one set of weights (default: 1)",
    },
    "retry-failed": {
      type: "switch",
      describe: "Ask those again that failed, in the place of their results",
    },
    timeout: {
      type: "duration",
      placeholder: "TIME",
      describe: "Most time for each prompt, like 90s or 5m",
    },
  },
  settings: runSettings,
  examples: [
    ["batch prompts.jsonl -o answers.jsonl", "Once more after an interruption, it goes on"],
    ["batch prompts.jsonl -o answers.jsonl --retry-failed", "Only those that failed"],
    ["batch prompts.jsonl --parallel 4 --schema person.json", "Four at once; answers are checked"],
  ],
  run: async (args, context) =>
    (await import("../batch.ts")).batchCommand({ ...args, agent: args, model: args }, context),
});
