import {
  type CommandGroup,
  defineCommand,
  optional,
  required,
  rest,
  subcommand,
} from "../command/command.ts";
import { colorFlag, reportFlag } from "../flags.ts";

const ID = required("The conversation; the beginning of its id is enough", "thread");

const limitFlag = {
  limit: {
    type: "integer",
    placeholder: "N",
    min: 1,
    max: 1_000_000,
    describe: "Most conversations (default: 20)",
  },
} as const;

const vocabularyFlag = {
  model: {
    type: "text",
    placeholder: "MODEL",
    short: "m",
    completes: "file",
    describe: "Whose vocabulary Harmony text is written in (default: that of gpt-oss)",
  },
} as const;

const FORMATS = ["markdown", "jsonl", "harmony"] as const;

export const command: CommandGroup = {
  commands: {
    list: subcommand(
      "List the conversations, the one used last first",
      defineCommand({
        flags: {
          here: { type: "switch", describe: "Only those that began in this folder" },
          ...limitFlag,
          ...reportFlag,
        },
        settings: colorFlag,
        examples: [["sessions list --here", "What was asked in this folder"]],
        run: async (args, context) => (await import("../sessions.ts")).listCommand(args, context),
      }),
    ),

    show: subcommand(
      "Show what was said in a conversation",
      defineCommand({
        positionals: { id: ID },
        flags: {
          full: { type: "switch", describe: "Results and reasoning whole" },
          source: {
            type: "integer",
            placeholder: "N",
            min: 0,
            max: 1_000_000,
            describe: "The page of cursor N, as it was read",
          },
          ...reportFlag,
        },
        settings: colorFlag,
        examples: [
          ["sessions show 1f3a", "With the beginning of its id"],
          ["sessions show 1f3a --source 2", "The page that 【2†L5】 cites"],
        ],
        run: async (args, context) => (await import("../sessions.ts")).showCommand(args, context),
      }),
    ),

    search: subcommand(
      "Find conversations by what was said in them",
      defineCommand({
        positionals: { text: rest('Words, and "phrases" in quotes') },
        flags: { ...limitFlag, ...reportFlag },
        settings: colorFlag,
        examples: [
          ["sessions search lisbon weather", "Both words, anywhere in the conversation"],
          ["sessions search '\"not found\"'", "These words in this order"],
        ],
        run: async (args, context) => (await import("../sessions.ts")).searchCommand(args, context),
      }),
    ),

    resume: {
      describe: "Go on with a conversation",
      load: async () => (await import("./sessions-resume.ts")).command,
    },

    fork: subcommand(
      "Copy a conversation, to go on from it in another way",
      defineCommand({
        positionals: { id: ID },
        flags: {
          turn: {
            type: "integer",
            placeholder: "N",
            min: 1,
            max: 2_147_483_647,
            describe: "Up to and including this turn (default: all)",
          },
          ...reportFlag,
        },
        settings: colorFlag,
        examples: [["sessions fork 1f3a --turn 2", "Without what was said after the second turn"]],
        run: async (args, context) => (await import("../sessions.ts")).forkCommand(args, context),
      }),
    ),

    rename: subcommand(
      "Name a conversation",
      defineCommand({
        positionals: { id: ID, title: rest("The title") },
        flags: reportFlag,
        settings: colorFlag,
        examples: [["sessions rename 1f3a Holidays in Oslo", "In the place of its first question"]],
        run: async (args, context) => (await import("../sessions.ts")).renameCommand(args, context),
      }),
    ),

    export: subcommand(
      "Write a conversation as Markdown, as its log, or as Harmony text for training",
      defineCommand({
        positionals: { id: ID },
        flags: {
          format: {
            type: "choice",
            words: FORMATS,
            describe: "Default: by the ending of the file, else markdown",
          },
          output: {
            type: "text",
            placeholder: "FILE",
            short: "o",
            completes: "file",
            describe: "Where it goes (default: stdout)",
          },
          turn: {
            type: "integer",
            placeholder: "N",
            min: 1,
            max: 2_147_483_647,
            describe:
              "Harmony only: up to this turn, without the analysis of earlier ones, as the model read it",
          },
          ids: { type: "switch", describe: "Harmony only: token ids as one JSON list" },
          ...vocabularyFlag,
        },
        settings: colorFlag,
        examples: [
          ["sessions export 1f3a -o talk.md", "For people"],
          ["sessions export 1f3a -o talk.jsonl", "The log itself; import gives it back exactly"],
          ["sessions export 1f3a --format harmony --turn 3", "An example for training"],
        ],
        run: async (args, context) =>
          (await import("../sessions-transfer.ts")).exportCommand(args, context),
      }),
    ),

    import: subcommand(
      "Read a conversation that was exported",
      defineCommand({
        positionals: { file: optional("The file; - or nothing reads stdin", "file") },
        flags: {
          format: {
            type: "choice",
            words: FORMATS,
            describe: "Default: by the ending of the file, else by what is in it",
          },
          copy: { type: "switch", describe: "Under a new id" },
          ...vocabularyFlag,
          ...reportFlag,
        },
        settings: colorFlag,
        examples: [["sessions import talk.jsonl", "Prints its id"]],
        run: async (args, context) =>
          (await import("../sessions-transfer.ts")).importCommand(args, context),
      }),
    ),

    rm: subcommand(
      "Remove conversations for good",
      defineCommand({
        positionals: { ids: rest("The conversations", "thread") },
        flags: reportFlag,
        settings: colorFlag,
        examples: [["sessions rm 1f3a 77b0", "Both, or none where one of them is not there"]],
        run: async (args, context) => (await import("../sessions.ts")).removeCommand(args, context),
      }),
    ),
  },
  examples: [
    ["sessions list", "The conversations of this user"],
    ['run --continue "And in Porto?"', "Goes on with the last one of this folder"],
  ],
};
