import {
  type CommandGroup,
  defineCommand,
  optional,
  required,
  subcommand,
} from "../command/command.ts";
import type { Flags } from "../command/flag.ts";
import { colorFlag } from "../flags.ts";

/** The model of the configuration does not count here: only a vocabulary is wanted. */
const vocabularyFlag = {
  model: {
    type: "text",
    placeholder: "PATH",
    completes: "file",
    describe: "Use this model's vocabulary (default: o200k_harmony)",
  },
} as const satisfies Flags;

const renderFlags = {
  ...vocabularyFlag,
  format: {
    type: "choice",
    words: ["text", "ids", "json"],
    default: "text",
    describe: "What is printed; text has special tokens as written",
  },
  as: {
    type: "choice",
    words: ["conversation", "completion", "training"],
    default: "conversation",
    describe:
      "completion adds the start of the next message, training ends an answer with <|return|>",
  },
  "next-role": {
    type: "choice",
    words: ["system", "developer", "user", "assistant", "tool"],
    default: "assistant",
    describe: "Whose message a completion starts",
  },
  "drop-policy": {
    type: "choice",
    words: ["turn", "none", "reference"],
    default: "turn",
    describe: "Which analysis is left out",
  },
  recipient: {
    type: "choice",
    words: ["role", "channel"],
    default: "role",
    describe: "What a recipient stands behind",
  },
  "content-type": {
    type: "choice",
    words: ["as-given", "constrain", "bare", "none"],
    default: "as-given",
    describe: "How a content type is written",
  },
  schemas: {
    type: "choice",
    words: ["normalised", "reference"],
    default: "normalised",
    describe: "Whether schemas are rewritten to what the format can say before printing",
  },
} as const satisfies Flags;

const transcriptFlags = {
  ...vocabularyFlag,
  ids: { type: "switch", describe: "The input is token ids: a JSON list, or numbers" },
  text: {
    type: "switch",
    describe: "The input is text with special tokens as written (the default)",
  },
  role: {
    type: "choice",
    words: ["system", "developer", "user", "assistant", "tool", "none"],
    describe:
      "The role that the prompt ended with (default: assistant, unless the input begins with <|start|>)",
  },
  tool: {
    type: "text",
    placeholder: "NAME",
    list: true,
    describe: "A declared tool, which damaged headers are held against",
  },
} as const satisfies Flags;

const transcript = optional("The transcript; without, or -: stdin", "file");

export const command: CommandGroup = {
  commands: {
    render: subcommand(
      "Render a conversation in the reference's JSON form",
      defineCommand({
        positionals: { file: required("{messages: [...]}; - reads stdin", "file") },
        flags: renderFlags,
        isSynchronous: true,
        examples: [
          ["harmony render conversation.json", "As text"],
          [
            "harmony render --as completion --format ids conversation.json",
            "What a model would read",
          ],
        ],
        run: async (args, context) => (await import("../harmony.ts")).renderCommand(args, context),
      }),
    ),

    parse: subcommand(
      "Read what a model said: one line of JSON per message",
      defineCommand({
        positionals: { file: transcript },
        flags: {
          ...transcriptFlags,
          strict: { type: "switch", describe: "Refuse what the reference refuses" },
          format: {
            type: "choice",
            words: ["lines", "json"],
            default: "lines",
            describe: "json: one document, all issues included",
          },
        },
        exclusive: [["ids", "text"]],
        isSynchronous: true,
        examples: [["harmony parse output.txt", "A file with special tokens as written"]],
        run: async (args, context) => (await import("../harmony.ts")).parseCommand(args, context),
      }),
    ),

    explain: subcommand(
      "Show every part of a raw transcript: start, role, recipient, channel, content type, content",
      defineCommand({
        positionals: { file: transcript },
        flags: {
          ...transcriptFlags,
          format: {
            type: "choice",
            words: ["text", "json"],
            default: "text",
            describe: "json: one line per part",
          },
        },
        settings: colorFlag,
        exclusive: [["ids", "text"]],
        isSynchronous: true,
        examples: [["harmony explain --ids < ids.json", "Token ids from stdin"]],
        run: async (args, context) => (await import("../harmony.ts")).explainCommand(args, context),
      }),
    ),
  },
  examples: [["harmony explain output.txt", "Why a transcript reads as it does"]],
};
