/**
 * Golden cases of the parser: Markdown files of input and what becomes of it, for people to review.
 *
 *     ## name of the case
 *     Why it is there.
 *     role: assistant            options, one per line: role, tools, mode, text-only
 *     ```harmony
 *     <|channel|>final<|message|>Hi<|return|>
 *     ```
 *     ```events
 *     assistant channel=final "Hi" return
 *     ```
 *
 * The input is one line or several; a line break before the closing fence does not count.
 */
import {
  HarmonyParser,
  type ParsedMessage,
  type ParserEvent,
  type ParserOptions,
  type Role,
  type Tokenizer,
} from "../../harmony/index.ts";

import { readSections } from "./golden-file.ts";

export type GoldenCase = {
  readonly name: string;
  readonly options: Omit<ParserOptions, "tokenizer">;
  /** The case is about text input: as ids it would be read differently. */
  readonly textOnly: boolean;
  readonly input: string;
  readonly events: string;
};

export function readGoldenCases(markdown: string): GoldenCase[] {
  return readSections(markdown).map(({ name, option, block }) => ({
    name,
    options: {
      role: (option("role") ?? null) as Role | null,
      mode: option("mode") === "strict" ? "strict" : "lenient",
      knownTools: option("tools")?.split(", ") ?? [],
    },
    textOnly: option("input") === "text",
    input: block("harmony"),
    events: block("events"),
  }));
}

/** Reads the pieces; a line for every message and issue, and for the error that ended it. */
export function eventLog(
  tokenizer: Tokenizer,
  options: Omit<ParserOptions, "tokenizer">,
  pieces: readonly (string | number)[],
): string {
  const parser = new HarmonyParser({ ...options, tokenizer });
  const lines: string[] = [];
  let shown = 0;
  const read = (events: readonly ParserEvent[]): void => {
    for (const event of events) {
      if (event.type === "issue") lines.push(`issue ${event.issue.code}`);
      if (event.type === "message-end") {
        lines.push(messageLine(event.message));
        shown++;
      }
    }
  };
  try {
    for (const piece of pieces) {
      read(typeof piece === "number" ? parser.push(piece) : parser.pushText(piece));
    }
    read(parser.finish());
  } catch (error) {
    // What the failing call completed before it failed is to be had from the parser.
    lines.push(...parser.messages.slice(shown).map(messageLine));
    lines.push(`error ${(error as Error).message}`);
  }
  return lines.join("\n");
}

function messageLine(message: ParsedMessage): string {
  const { role, name, channel, recipient, contentType, text, terminator } = message;
  return [
    role,
    ...(name === undefined ? [] : [`name=${name}`]),
    ...(channel === null ? [] : [`channel=${channel}`]),
    ...(recipient === null ? [] : [`to=${recipient}`]),
    ...(contentType === null ? [] : [`type=${contentType}`]),
    JSON.stringify(text),
    terminator ?? "open",
  ].join(" ");
}
