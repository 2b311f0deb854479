/** The arguments of `chorale harmony …`. What they do is loaded when they are run. */
import type { Argv, Options } from "yargs";
import type { Role } from "../../harmony/index.ts";
import { all, choice, type MakeHandler, one, type Parsed, value } from "./flags.ts";
import type { TranscriptArguments } from "./harmony.ts";

/** Loaded when a command runs: help needs nothing of Harmony. */
async function roles(): Promise<readonly Role[]> {
  return (await import("../../harmony/index.ts")).ROLES;
}

const vocabularyOption: Record<string, Options> = {
  model: value("PATH", "Use this model's vocabulary (default: o200k_harmony)"),
};

const renderOptions: Record<string, Options> = {
  ...vocabularyOption,
  format: value("text|ids|json", "What is printed (default: text, with special tokens as written)"),
  as: value(
    "conversation|completion|training",
    "completion adds the start of the next message, training ends an answer with <|return|> (default: conversation)",
  ),
  "next-role": value("ROLE", "Whose message a completion starts (default: assistant)"),
  "drop-policy": value("turn|none|reference", "Which analysis is left out (default: turn)"),
  recipient: value("role|channel", "What a recipient stands behind (default: role)"),
  "content-type": value(
    "as-given|constrain|bare|none",
    "How a content type is written (default: as-given)",
  ),
  schemas: value(
    "normalised|reference",
    "Whether schemas are rewritten to what the format can say before printing (default: normalised)",
  ),
};

const transcriptOptions: Record<string, Options> = {
  ...vocabularyOption,
  ids: { type: "boolean", describe: "The input is token ids: a JSON list, or numbers" },
  text: {
    type: "boolean",
    describe: "The input is text with special tokens as written (the default)",
  },
  role: value(
    "ROLE|none",
    "The role that the prompt ended with (default: assistant, unless the input begins with <|start|>)",
  ),
  tool: value("NAME", "A declared tool, which damaged headers are held against; may be repeated"),
};

/** @param command turns what a command does into a handler */
export function harmonyCommands(parser: Argv, command: MakeHandler): Argv {
  return parser
    .command(
      "render <file>",
      "Render a conversation in the reference's JSON form",
      (y) =>
        y
          .positional("file", { type: "string", describe: "{messages: […]}; - reads stdin" })
          .options(renderOptions),
      command(async (parsed, context) => {
        const args = {
          file: fileArgument(parsed),
          model: one(parsed, "model"),
          format: choice(parsed, "format", ["text", "ids", "json"]) ?? "text",
          as: choice(parsed, "as", ["conversation", "completion", "training"]) ?? "conversation",
          nextRole: choice(parsed, "next-role", await roles()) ?? "assistant",
          rendering: {
            dropPolicy: choice(parsed, "drop-policy", ["turn", "none", "reference"]),
            schemas: choice(parsed, "schemas", ["normalised", "reference"]),
            headerStyle: {
              recipientPosition: choice(parsed, "recipient", ["role", "channel"]) ?? "role",
              contentType:
                choice(parsed, "content-type", ["as-given", "constrain", "bare", "none"]) ??
                "as-given",
            },
          },
        } as const;
        return (await import("./harmony.ts")).renderCommand(args, context);
      }),
    )
    .command(
      "parse [file]",
      "Read what a model said: one line of JSON per message",
      (y) =>
        transcript(y).options({
          strict: { type: "boolean", describe: "Refuse what the reference refuses" },
          format: value("lines|json", "json: one document, all issues included (default: lines)"),
        }),
      command(async (parsed, context) => {
        const args = {
          ...(await transcriptArguments(parsed)),
          strict: parsed["strict"] === true,
          format: choice(parsed, "format", ["lines", "json"]) ?? "lines",
        } as const;
        return (await import("./harmony.ts")).parseCommand(args, context);
      }),
    )
    .command(
      "explain [file]",
      "Show every part of a raw transcript: start, role, recipient, channel, content type, content",
      (y) =>
        transcript(y).options({
          format: value("text|json", "json: one line per part (default: text)"),
          color: value("auto|always|never", "Colour on stdout (default: auto)"),
        }),
      command(async (parsed, context) => {
        const format = choice(parsed, "format", ["text", "json"]) ?? "text";
        const args = { ...(await transcriptArguments(parsed)), format };
        return (await import("./harmony.ts")).explainCommand(args, context);
      }),
    )
    .demandCommand(1, "Name one of render, parse and explain.");
}

function transcript(parser: Argv): Argv {
  return parser
    .positional("file", { type: "string", describe: "The transcript; without, or -: stdin" })
    .options(transcriptOptions)
    .conflicts("ids", "text");
}

/** @throws UsageError naming the flag, what was given, and what would be accepted */
async function transcriptArguments(parsed: Parsed): Promise<TranscriptArguments> {
  const role = choice(parsed, "role", [...(await roles()), "none"]);
  return {
    file: fileArgument(parsed),
    model: one(parsed, "model"),
    ids: parsed["ids"] === true,
    role: role === "none" ? null : role,
    tools: all(parsed, "tool"),
  };
}

/** yargs turns a lone `-` into an empty text. */
function fileArgument(parsed: Parsed): string | undefined {
  const file = parsed["file"];
  return file === "" ? "-" : (file as string | undefined);
}
