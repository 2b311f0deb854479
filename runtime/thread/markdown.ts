/**
 * A conversation as Markdown that can be read back. Each message is a section of level two whose heading says
 * who speaks; calls and results stand in code fences. A line of a text that looks like such a heading gets a
 * backslash in front, which reading takes away. So what is in it of roles, tools and texts comes back exactly;
 * system and developer message, token ids, settings and times are not in it. What an answer cites stands in a
 * section behind it, which reading leaves out.
 */
import { type Message, messageSegments } from "../../harmony/index.ts";
import { sourceText, supportText } from "../citations/index.ts";
import { annotationsOf } from "./annotate.ts";
import { conversationOf } from "./conversation.ts";
import type { LogEntry } from "./entry.ts";
import { ThreadImportError } from "./errors.ts";
import { fold } from "./fold.ts";
import type { ThreadState } from "./state.ts";
import { titleOf } from "./title.ts";

const CITED = "## Cited lines";
const HEADING =
  /^## (?:Cited lines|(System|Developer|User|Assistant|Assistant \((?:reasoning|commentary)\))|(Call|Result) `([^`\s]+)`( \(analysis\))?)$/;
/** What could be read as a heading, with the backslashes that say that it is none. */
const LIKE_HEADING = /^(?=\\*## (?:System|Developer|User|Assistant|Call|Result|Cited lines)\b)/gm;
const ESCAPED = /^\\(?=\\*## (?:System|Developer|User|Assistant|Call|Result|Cited lines)\b)/gm;
const FENCED = /^(`{3,})[^\n`]*\n([\s\S]*?)\n?\1\s*$/;

/** @throws ThreadLogError when the entries are no log */
export function exportMarkdown(entries: readonly LogEntry[]): string {
  const turns = conversationOf(entries);
  const messages = turns.flatMap((turn) => turn.messages.map(({ message }) => message));
  const [first] = entries;
  const facts = [
    ["Conversation", first?.type === "thread" ? first.threadId : undefined],
    ["Begun", first?.at],
    ["Model", turns.at(-1)?.model],
  ].filter(([, value]) => value !== undefined);
  const state = fold(entries);
  const sections = turns.flatMap((turn) =>
    turn.messages.flatMap(({ message }) => [
      `${headingOf(message)}\n\n${bodyOf(message)}\n`,
      ...citedSection(message, state, turn.verifiesCitations),
    ]),
  );
  return [
    `# ${titleOf(messages) ?? "Conversation"}\n`,
    `${facts.map(([name, value]) => `- ${name}: ${value}`).join("\n")}\n`,
    ...sections,
  ].join("\n");
}

/**
 * The messages of such a document; what stands before its first section is left out.
 * @throws ThreadImportError where there is no section, or the fence of a call or result is not closed
 */
export function messagesOfMarkdown(text: string): readonly Message[] {
  const lines = withPlainBreaks(text.replace(/^\ufeff/, "")).split("\n");
  const messages: Message[] = [];
  for (let at = 0; at < lines.length; ) {
    const heading = HEADING.exec(lines[at] ?? "");
    at++;
    if (heading === null) continue;
    const end = sectionEnd(lines, at);
    if (heading[0] !== CITED) {
      messages.push(messageOf(heading, lines.slice(at, end).join("\n"), at));
    }
    at = end;
  }
  if (messages.length > 0) return messages;
  throw new ThreadImportError(
    "The Markdown has no conversation: no line is ## User, ## Assistant, or another heading that " +
      "`chorale sessions export` writes.",
  );
}

/** The line of the next heading that stands in no fence. */
function sectionEnd(lines: readonly string[], from: number): number {
  const first = lines.findIndex((line, at) => at >= from && line.trim() !== "");
  const isCall = /^## (?:Call|Result) /.test(lines[from - 1] ?? "");
  const fence = isCall ? /^(`{3,})/.exec(lines[first] ?? "")?.[1] : undefined;
  let at = from;
  if (fence !== undefined) {
    const close = lines.findIndex((line, index) => index > first && line.trimEnd() === fence);
    if (close !== -1) at = close;
  }
  while (at < lines.length && !HEADING.test(lines[at] ?? "")) at++;
  return at;
}

/** What an answer cites, as a list; nothing where it cites nothing. */
function citedSection(
  message: Message,
  state: ThreadState,
  isVerified: boolean,
): readonly string[] {
  const { role, recipient, channel } = message;
  if (role !== "assistant" || recipient || channel === "analysis") return [];
  const text = contentText(message);
  const items = annotationsOf(text, state, isVerified).map((annotation) => {
    const written = text.slice(annotation.start_index, annotation.end_index);
    const cited =
      annotation.type === "url_citation"
        ? `${sourceText(annotation)}${supportText(annotation)}`
        : `does not hold: ${annotation.message}.`;
    return `- ${written}: ${cited}`;
  });
  return items.length === 0 ? [] : [`${CITED}\n\n${[...new Set(items)].join("\n")}\n`];
}

function headingOf({ role, name, recipient, channel }: Message): string {
  const analysis = channel === "analysis" ? " (analysis)" : "";
  if (role === "tool") return `## Result \`${tag(name ?? "tool")}\`${analysis}`;
  if (role !== "assistant") return `## ${role.charAt(0).toUpperCase()}${role.slice(1)}`;
  if (recipient) return `## Call \`${tag(recipient)}\`${analysis}`;
  if (channel === "analysis") return "## Assistant (reasoning)";
  return channel === "commentary" ? "## Assistant (commentary)" : "## Assistant";
}

/** A name that a model made up may have any character. */
function tag(name: string): string {
  return name.replace(/[`%\s]/g, (character) => encodeURIComponent(character));
}

function bodyOf(message: Message): string {
  const { role, recipient } = message;
  const text = contentText(message);
  const isCode = role === "tool" || Boolean(recipient);
  return isCode ? fenced(text, recipient) : text.replace(LIKE_HEADING, "\\");
}

/** The content as the model reads it. */
function contentText(message: Message): string {
  const segments = messageSegments(message);
  const start = segments.findIndex(
    (segment) => "special" in segment && segment.special === "message",
  );
  return segments
    .slice(start + 1)
    .map((segment) => ("text" in segment ? segment.text : ""))
    .join("");
}

function fenced(text: string, recipient: string | null | undefined): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  const language = recipient === "python" ? "python" : recipient === "assistant" ? "" : "json";
  return `${fence}${language}\n${text}\n${fence}`;
}

function messageOf(heading: RegExpExecArray, section: string, line: number): Message {
  const [, speaker, kind, name = "", analysis] = heading;
  if (kind === undefined) {
    const text = textOf(section);
    const content = [{ type: "text", text }] as const;
    const role = speaker?.toLowerCase();
    if (role === "user" || role === "system" || role === "developer") return { role, content };
    const channel = /\((.*)\)/.exec(speaker ?? "")?.[1] ?? "final";
    return {
      role: "assistant",
      channel: channel === "reasoning" ? "analysis" : channel,
      content,
    };
  }
  const body = FENCED.exec(section.replace(/^\s*\n/, "").trimEnd())?.[2];
  if (body === undefined) {
    throw new ThreadImportError(
      `The section in line ${line} of the Markdown, ${heading[0]}, needs a code fence that is closed.`,
    );
  }
  const tool = untagged(name);
  const channel = analysis === undefined ? "commentary" : "analysis";
  const content = [{ type: "text", text: body }] as const;
  if (kind === "Result")
    return { role: "tool", name: tool, recipient: "assistant", channel, content };
  const isJson = tool.startsWith("functions.");
  return {
    role: "assistant",
    recipient: tool,
    channel,
    ...(isJson && { contentType: "<|constrain|>json" }),
    content,
  };
}

function untagged(name: string): string {
  return name.replace(/%(?:60|25|20|09|0A|0B|0C|0D|C2%A0|E2%80%A8|E2%80%A9)/g, decodeURIComponent);
}

/** An editor of Windows ends every line with two characters; an export never does. */
function withPlainBreaks(text: string): string {
  return /(?<!\r)\n/.test(text) ? text : text.replaceAll("\r\n", "\n");
}

/** Without the blank line on each side, and the backslashes in front of what is no heading. */
function textOf(section: string): string {
  return section.replace(/^\n/, "").replace(/\n$/, "").replace(ESCAPED, "");
}
