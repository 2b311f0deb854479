/**
 * The text of a header, read exactly as the reference implementation reads it: same result, same error
 * texts, including what it misreads. How damaged headers are read is in `recover-header.ts`.
 */
import { HarmonyParseError } from "../errors.ts";
import { isRole, markValue, recipientOf } from "../header-grammar.ts";
import type { Role } from "../message.ts";
import { SPECIAL_TEXT } from "../tokenizer/special-tokens.ts";
import type { MessageHeader } from "./issues.ts";

/**
 * @param text the header with special tokens as written
 * @param preset the role, when the prompt already ended with it
 * @throws HarmonyParseError
 */
export function parseHeader(text: string, preset: Role | null): MessageHeader {
  const { channel, rest } = cutChannel(text);
  const parts = trim(trim(rest).replaceAll(SPECIAL_TEXT.constrain, ` ${SPECIAL_TEXT.constrain}`))
    .split(/[ \t\n\f\r]+/)
    .filter((part) => part !== "");
  const first = parts[0];
  let role: Role;
  let name: string | null = null;
  if (preset !== null) {
    role = preset;
  } else if (first === undefined) {
    throw new HarmonyParseError("message header did not contain a role");
  } else if (isRole(first)) {
    role = first;
    name = first;
  } else if (parts.length > 1 || recipientOf(first) !== null) {
    role = "tool";
    name = first;
    parts.shift();
  } else {
    throw new HarmonyParseError(`Unknown role: ${first}`);
  }
  if (parts[0] === role) parts.shift();

  let recipient: string | null = null;
  let contentType: string | null = null;
  const count = parts.length;
  const last = parts.pop();
  if (last !== undefined) {
    recipient = recipientOf(last);
    if (recipient === null && count === 1) recipient = last;
    else if (recipient === null) {
      contentType = last;
      const beforeLast = parts.pop() ?? "";
      recipient = recipientOf(beforeLast) ?? beforeLast;
    }
  }
  if (parts.length > 0) {
    throw new HarmonyParseError(
      `unexpected tokens remaining in message header: Some(${rustDebug(parts.join(" "))})`,
    );
  }
  return {
    role,
    ...(role === "tool" && name !== null ? { name } : {}),
    channel,
    recipient,
    contentType,
  };
}

/** Cuts the first channel marker and its value out; later markers stay in the text. */
function cutChannel(text: string): { channel: string | null; rest: string } {
  const at = text.indexOf(SPECIAL_TEXT.channel);
  if (at === -1) return { channel: null, rest: text };
  const after = text.slice(at + SPECIAL_TEXT.channel.length);
  const channel = markValue("channel", after).value;
  if (channel === "") {
    throw new HarmonyParseError("channel marker present but no channel value found in header");
  }
  return { channel, rest: text.slice(0, at) + after.slice(channel.length) };
}

/** Rust's `trim`: Unicode white space, which is not quite JavaScript's. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhiteSpace(text[start]!)) start++;
  while (end > start && isWhiteSpace(text[end - 1]!)) end--;
  return text.slice(start, end);
}

/** Whether one UTF-16 unit is Unicode white space. */
function isWhiteSpace(unit: string): boolean {
  return /\p{White_Space}/u.test(unit);
}

const RUST_ESCAPES: { readonly [char: string]: string } = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\0": "\\0",
};

/** A text as Rust's `{:?}` prints it. */
function rustDebug(text: string): string {
  const escaped = text.replace(/["\\]|[\p{C}\p{Z}\p{Grapheme_Extend}]/gu, (char) => {
    if (char === " ") return char;
    return RUST_ESCAPES[char] ?? `\\u{${char.codePointAt(0)?.toString(16)}}`;
  });
  return `"${escaped}"`;
}
