import { type Command, defineCommand, required } from "../command/command.ts";
import { colorFlag, engineFlags, modelFlags } from "../flags.ts";

// Here --context names the files that are asked about.
const { context: _tokens, ...localFlags } = modelFlags;

export const command: Command = defineCommand({
  positionals: { question: required("The question") },
  flags: {
    context: {
      type: "text",
      placeholder: "FILE",
      list: true,
      completes: "file",
      describe: "A file or folder that only the model on this machine reads; may be repeated",
    },
    remote: {
      type: "text",
      placeholder: "NAME",
      describe:
        "The model that leads and does not see the files: its name at --remote-url; without that a URL as for --engine, or a model of this machine",
    },
    "remote-url": {
      type: "text",
      placeholder: "URL",
      describe:
        "The chat API that has the model of --remote, like https://api.openai.com/v1 or http://localhost:11434",
    },
    "remote-api": {
      type: "choice",
      words: ["chat", "responses", "ollama"],
      describe: "What the chat API speaks (default: chat)",
    },
    "remote-key-file": {
      type: "text",
      placeholder: "FILE",
      completes: "file",
      describe: "File with the key for --remote, which no other user may read",
    },
    protocol: {
      type: "choice",
      words: ["minion", "minions"],
      describe:
        "minion: both models talk; minions: tasks over parts of the files, done in parallel (default: minions)",
    },
    rounds: {
      type: "integer",
      placeholder: "N",
      min: 1,
      max: 20,
      describe: "Most rounds (default: 3)",
    },
    budget: {
      type: "integer",
      placeholder: "TOKENS",
      min: 1,
      max: 2_147_483_647,
      describe: "Most tokens that the remote model reads and writes (default: no limit)",
    },
    parallel: {
      type: "integer",
      placeholder: "N",
      min: 1,
      max: 64,
      describe: "Parts that are worked on at the same time (default: 4)",
    },
    redact: {
      type: "names",
      placeholder: "A,B",
      describe:
        "Replace these by labels in what leaves, and put them back in the answer: names, numbers, addresses",
    },
    private: {
      type: "text",
      placeholder: "FILE",
      completes: "file",
      describe: "A file with texts that must not leave, one on each line",
    },
    "dry-run": {
      type: "switch",
      describe: "Show what would be sent first, and send nothing",
    },
    prices: {
      type: "text",
      placeholder: "FILE",
      completes: "file",
      describe:
        'Prices of a million tokens as JSON, by the name that --remote has: {"NAME": {"input": 2.5, "output": 10}}',
    },
    receipt: {
      type: "text",
      placeholder: "FILE",
      completes: "file",
      describe: "Also write the receipt of what left this machine to this file, as JSON",
    },
    json: { type: "switch", describe: "Print the report, with the receipt, as one line of JSON" },
  },
  settings: { ...engineFlags, ...localFlags, ...colorFlag },
  examples: [
    [
      'minions --context contracts/ --remote gpt-4o --remote-url https://api.openai.com/v1 --remote-key-file key "Which end in 2027?"',
      "The files stay here",
    ],
    [
      'minions --context letter.pdf --remote gpt-oss:120b --redact names,addresses --dry-run "Who has to pay?"',
      "What would leave",
    ],
  ],
  run: async (args, context) =>
    (await import("../minions.ts")).minionsCommand({ ...args, model: args }, context),
});
