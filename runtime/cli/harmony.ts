/**
 * `chorale harmony render|parse|explain`: the format by itself, for authors of tools and for users who
 * look into what a model said. No model is loaded; of `--model` only its vocabulary is read.
 */
import {
  conversationFromJson,
  conversationSegments,
  encodeSegments,
  HarmonyError,
  HarmonyParser,
  type Issue,
  type Message,
  type ParsedMessage,
  type RenderOptions,
  type Role,
  segmentsToText,
  type Tokenizer,
  trainingSegments,
} from "../../harmony/index.ts";
import { messageOf, UsageError } from "../errors.ts";
import { loadTokenizer } from "../index.ts";
import type { CommandContext } from "./command-context.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { explainTranscript, type PartKind, type TranscriptPart } from "./explain.ts";
import { readInput } from "./read-input.ts";
import { visibleText } from "./terminal-text.ts";

export type RenderArguments = {
  readonly file: string | undefined;
  readonly model: string | undefined;
  readonly as: "conversation" | "completion" | "training";
  /** Whose turn it is after a `completion`. */
  readonly nextRole: Role;
  readonly dropPolicy: RenderOptions["dropPolicy"];
  readonly schemas: RenderOptions["schemas"];
  readonly recipient: "role" | "channel";
  readonly contentType: "as-given" | "constrain" | "bare" | "none";
  readonly format: "text" | "ids" | "json";
};

/** What `parse` and `explain` read. */
export type TranscriptArguments = {
  readonly file: string | undefined;
  readonly model: string | undefined;
  /** Token ids instead of text with special tokens as written. */
  readonly ids: boolean;
  /** What the prompt ended with; undefined: `assistant`, unless the transcript begins with `<|start|>`. */
  readonly role: Role | "none" | undefined;
  readonly tool: readonly string[];
};

/** @throws UsageError for what is no conversation, or one that Harmony cannot say */
export async function renderCommand(
  args: RenderArguments,
  context: CommandContext,
): Promise<ExitCode> {
  const text = await readInput(args.file, { stdin: process.stdin, signal: context.signal });
  const messages = refused(() => conversationFromJson(jsonOf(text)));
  const segments = refused(() => segmentsOf(messages, args));
  const { output } = context;
  const tokenizer = await loadTokenizer(args.model);
  if (args.format === "text") {
    output.answer(segmentsToText(segments));
    output.finishAnswer();
    return EXIT.ok;
  }
  const ids = encodeSegments(tokenizer, segments);
  output.jsonLine(args.format === "ids" ? ids : { tokens: ids.length, ids, segments });
  return EXIT.ok;
}

function segmentsOf(
  messages: readonly Message[],
  { as, nextRole, dropPolicy, schemas, recipient, contentType }: RenderArguments,
): ReturnType<typeof conversationSegments> {
  const headerStyle = { recipientPosition: recipient, contentType };
  const rendering: RenderOptions = { dropPolicy, schemas, headerStyle };
  if (as === "training") return trainingSegments(messages, rendering);
  const segments = conversationSegments(messages, rendering);
  if (as === "completion") segments.push({ special: "start" }, { text: nextRole });
  return segments;
}

/**
 * One line of JSON per message, in the form that `render` reads; or one document with all of them.
 * @throws UsageError in strict mode, after the messages that were good
 */
export async function parseCommand(
  args: TranscriptArguments & { readonly strict: boolean; readonly format: "lines" | "json" },
  context: CommandContext,
): Promise<ExitCode> {
  const { output } = context;
  const { tokenizer, transcript, role } = await readTranscript(args, context);
  const mode = args.strict ? "strict" : "lenient";
  const parser = new HarmonyParser({ tokenizer, role, mode, knownTools: args.tool });
  let failure: unknown;
  try {
    if (typeof transcript === "string") parser.pushText(transcript);
    else for (const id of transcript) parser.process(id);
    parser.finish();
  } catch (error) {
    failure = error;
  }
  const messages = parser.messages.map(toWire);
  if (args.format === "json") output.jsonLine({ messages, issues: parser.issues });
  else {
    for (const message of messages) output.jsonLine(message);
    // Not on stdout, where every line is a message.
    for (const issue of issuesOutsideMessages(parser)) output.note(sentenceOf(issue));
  }
  if (failure !== undefined) refused(() => raise(failure));
  return EXIT.ok;
}

/** Every part of a transcript on a line of its own, with what it is and what is wrong with it. */
export async function explainCommand(
  args: TranscriptArguments & { readonly format: "text" | "json" },
  context: CommandContext,
): Promise<ExitCode> {
  const { output } = context;
  const { tokenizer, transcript, role } = await readTranscript(args, context);
  const ids =
    typeof transcript === "string"
      ? tokenizer.encodeWithSpecials(transcript.toWellFormed())
      : transcript;
  const parts = explainTranscript(ids, { tokenizer, role, knownTools: args.tool });
  let message: number | null = null;
  for (const part of parts) {
    if (args.format === "json") {
      output.jsonLine(part);
      continue;
    }
    if (part.message !== message && message !== null) output.line("");
    output.line(lineOf(part, part.message !== message, (text, code) => output.paint(text, code)));
    message = part.message;
  }
  return EXIT.ok;
}

const COLORS: Readonly<Record<PartKind, string>> = {
  start: "2",
  role: "35",
  recipient: "33",
  channel: "36",
  "content type": "34",
  message: "2",
  content: "32",
  end: "2",
  other: "31",
};
const NUMBER_WIDTH = 4;
const LABEL_WIDTH = "content type".length + 2;

function lineOf(
  { message, part, text, issues }: TranscriptPart,
  isFirst: boolean,
  paint: (text: string, code: string) => string,
): string {
  const number = (isFirst ? String(message) : "").padEnd(NUMBER_WIDTH);
  const indent = " ".repeat(NUMBER_WIDTH + LABEL_WIDTH);
  // Painted line by line: a pager cuts colours at the end of a line.
  const shown = visibleText(text)
    .split("\n")
    .map((line) => paint(line, COLORS[part]))
    .join(`\n${indent}`);
  const problems = issues.map(
    (issue) => `\n${indent}${paint(`! ${visibleText(sentenceOf(issue))}`, COLORS.other)}`,
  );
  return `${number}${part.padEnd(LABEL_WIDTH)}${shown}${problems.join("")}`;
}

async function readTranscript(
  args: TranscriptArguments,
  { signal }: CommandContext,
): Promise<{ tokenizer: Tokenizer; transcript: string | readonly number[]; role: Role | null }> {
  const text = await readInput(args.file, { stdin: process.stdin, signal });
  const transcript = args.ids ? idsOf(text) : withoutFinalNewline(text);
  const tokenizer = await loadTokenizer(args.model);
  const beginsItself =
    typeof transcript === "string"
      ? transcript.startsWith("<|start|>")
      : transcript[0] === tokenizer.special.start;
  const begun = args.role ?? (beginsItself ? "none" : "assistant");
  return { tokenizer, transcript, role: begun === "none" ? null : begun };
}

/** Editors and `echo` end a file with a newline that is not part of what was said. */
function withoutFinalNewline(text: string): string {
  return text.replace(/(?<=\|>)\r?\n$/, "");
}

/** A JSON list, or numbers with blanks or commas between them. @throws UsageError */
function idsOf(text: string): readonly number[] {
  const items: unknown = text.trimStart().startsWith("[")
    ? jsonOf(text)
    : text.split(/[\s,]+/).filter((word) => word !== "");
  if (!Array.isArray(items)) throw new UsageError("The ids are no list of numbers.");
  return items.map((item: unknown, at) => {
    const id = typeof item === "string" && /^\d{1,9}$/.test(item) ? Number(item) : item;
    if (typeof id === "number" && Number.isSafeInteger(id) && id >= 0) return id;
    throw new UsageError(
      `Id ${at + 1} is ${visibleText(JSON.stringify(item).slice(0, 60))}; accepted: whole numbers from 0.`,
    );
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`The input is not JSON: ${visibleText(messageOf(cause))}.`, { cause });
  }
}

/** Of a parsed message what the wire form has, with how it ended and what was wrong. */
function toWire(message: ParsedMessage): object {
  const { role, name, channel, recipient, contentType, text, terminator, issues } = message;
  return {
    role,
    ...(name !== undefined && { name }),
    channel,
    recipient,
    content_type: contentType,
    content: [{ type: "text", text }],
    terminator,
    issues,
  };
}

function issuesOutsideMessages({ issues, messages }: HarmonyParser): readonly Issue[] {
  const inside = new Set(messages.flatMap((message) => message.issues));
  return issues.filter((issue) => !inside.has(issue));
}

function sentenceOf({ code, detail, dropped }: Issue): string {
  return `${code}: ${detail}${dropped === undefined ? "" : ` (dropped: ${dropped})`}`;
}

/** What Harmony refuses is what the user gave it. */
function refused<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof HarmonyError)) throw error;
    throw new UsageError(`${error.message.replace(/\.?$/, "")}.`, { cause: error });
  }
}

function raise(error: unknown): never {
  throw error;
}
