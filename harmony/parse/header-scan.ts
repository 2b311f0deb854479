/**
 * The pieces of a header, wherever they stand in it: role, channels, `to=` words, content types, words that
 * mean nothing. What is left of a header that nothing separates from its content is the content.
 */

import {
  CHANNELS,
  FUNCTIONS_PREFIX,
  type HeaderMark,
  isChannel,
  isContentType,
  markValue,
  recipientOf,
} from "../header-grammar.ts";
import type { Role } from "../message.ts";
import { MISSING_ROLE, type RoleReading, readRole } from "./header-role.ts";
import type { Issue, IssueCode } from "./issues.ts";

/** A header between `<|start|>` and its end: text, and the two special tokens that may stand in it. */
export type HeaderSegment = { readonly mark: HeaderMark } | HeaderText;

export type HeaderText = {
  readonly mark: null;
  readonly text: string;
  /** Lengths of the tokens of the text: where a word can have been glued to another. */
  readonly tokenLengths: readonly number[];
};

export type HeaderInput = {
  readonly segments: readonly HeaderSegment[];
  /** The role, where the prompt or a missing `<|start|>` gives it. */
  readonly preset: Role | null;
  /** Whether `<|message|>` ended the header. If not, it may hold the content too. */
  readonly complete: boolean;
  /** The channel that a filler word before the header names. */
  readonly channelHint: string | null;
  readonly isDeclared: (name: string) => boolean;
};

/** Lists in the order in which the pieces stand in the header. */
export type HeaderPieces = {
  role: Role | null;
  /** The author, where the role word is one. */
  name: string | null;
  /** A channel or a recipient that the role word turned out to be. */
  roleChannel: string | null;
  roleRecipient: string | null;
  readonly channels: string[];
  readonly recipients: string[];
  /** Values behind `<|constrain|>`. */
  readonly constrained: string[];
  /** Content types without it. */
  readonly typeWords: string[];
  /** Words that mean nothing. */
  readonly extra: string[];
  /** Text in front of the header that is none of its pieces but a sentence. */
  leading: string;
  /** Incomplete headers: the content, untrimmed. */
  body: string;
  readonly issues: Issue[];
};

/**
 * So many unknown words in front of the first channel are text the model meant, fewer are leftovers; behind
 * a role word one more.
 */
const SENTENCE_WORDS = 2;
const ASSISTANT = "assistant";
/** A tool's name has no more words. */
const MAX_NAME_WORDS = 8;

const SPACED_CHANNEL = new RegExp(
  `^\\p{White_Space}+(${CHANNELS.join("|")})(?![^\\p{White_Space}<])`,
  "u",
);
const WORD = /^(\p{White_Space}*)([^\p{White_Space}]+)/u;
/** `to=f`, `to= f`, `to: f`, `to = f`, `to f`. */
const SPELLED_RECIPIENT =
  /^to(?:\p{White_Space}*[:=]\p{White_Space}*|\p{White_Space}+)([^\p{White_Space}]+)/u;
/** How a tool's result is addressed. */
const TO_ASSISTANT = /(^|\p{White_Space})to=assistant(?!\p{L})/u;

export function scanHeader(input: HeaderInput): HeaderPieces {
  return new HeaderScan(input).run();
}

class HeaderScan {
  readonly #input: HeaderInput;
  readonly #pieces: HeaderPieces;
  #sawMark = false;
  #sawRole = false;

  constructor(input: HeaderInput) {
    this.#input = input;
    this.#pieces = {
      role: input.preset,
      name: null,
      roleChannel: null,
      roleRecipient: null,
      channels: [],
      recipients: [],
      constrained: [],
      typeWords: [],
      extra: [],
      leading: "",
      body: "",
      issues: [],
    };
  }

  run(): HeaderPieces {
    let mark: HeaderMark | null = null;
    for (const segment of this.#input.segments) {
      if (segment.mark !== null) {
        if (mark !== null) this.#marked(mark, null);
        mark = segment.mark;
      } else {
        this.#words(mark === null ? segment.text : this.#marked(mark, segment));
        mark = null;
      }
    }
    if (mark !== null) this.#marked(mark, null);
    if (this.#pieces.role === null) this.#takeRole(MISSING_ROLE, "");
    return this.#pieces;
  }

  /** Takes the value of a mark off the text behind it; returns the rest. */
  #marked(mark: HeaderMark, segment: HeaderText | null): string {
    this.#sawMark = true;
    const text = segment?.text ?? "";
    if (mark === "channel") return this.#channel(text, segment?.tokenLengths ?? []);
    const { value, length } = markValue(mark, text, this.#input.complete);
    const isRecipient = recipientOf(value) !== null;
    this.#pieces.constrained.push(isRecipient ? "" : value);
    return isRecipient ? text : text.slice(length);
  }

  #channel(text: string, tokenLengths: readonly number[]): string {
    let { value, length } = markValue("channel", text);
    if (value === "") {
      const spaced = SPACED_CHANNEL.exec(text);
      if (spaced === null) {
        this.#issue("empty_channel", "A channel marker has no value");
        return text;
      }
      value = spaced[1]!;
      length = spaced[0].length;
    }
    const known = CHANNELS.find((channel) => value.startsWith(channel));
    const folded = value.toLowerCase();
    if (known === undefined && isChannel(folded)) {
      this.#issue("unknown_channel", `The channel is written ${value}`);
      value = folded;
    } else if (known !== undefined && value !== known) {
      const glued = value.slice(known.length);
      // `final__HANDOFF__`: content stuck to the channel, if a token ended in between. In a complete
      // header another word may be meant, unless punctuation or the header's next piece follows.
      const isPiece = recipientOf(glued) !== null || isContentType(glued);
      const splits = this.#input.complete
        ? isPiece || /^[^\p{L}\p{N}_-]/u.test(glued)
        : endsToken(tokenLengths, known.length);
      if (splits) {
        if (isPiece) this.#issue("unknown_channel", `The channel ${value} is read as ${known}`);
        value = known;
        length = known.length;
      }
    }
    this.#pieces.channels.push(value);
    return text.slice(length);
  }

  /** Reads the words of a text; in an incomplete header only up to the first that is none of its pieces. */
  #words(text: string): void {
    const unknown: string[] = [];
    let firstUnknown = 0;
    for (let at = 0; ; ) {
      const match = WORD.exec(text.slice(at));
      if (match === null) break;
      const word = match[2]!;
      const start = at + match[1]!.length;
      const end = start + word.length;
      const taken = this.#word(word, text.slice(end), unknown.length === 0);
      at = taken === 0 ? end : start + taken;
      if (taken > 0) continue;
      if (!this.#input.complete) {
        this.#pieces.body += text.slice(start - match[1]!.length);
        return;
      }
      if (unknown.length === 0) firstUnknown = start;
      unknown.push(word);
    }
    const words = unknown.filter((word) => !/analysis|commentary|final|assistant/.test(word));
    const sentence = SENTENCE_WORDS + (this.#sawRole ? 1 : 0);
    if (!this.#sawMark && words.length >= sentence && this.#input.segments.length > 1) {
      this.#pieces.leading = text.slice(firstUnknown);
    } else this.#pieces.extra.push(...unknown);
  }

  /** Units of `word` (and of what follows) that are a piece of the header; 0 if it is none. */
  #word(word: string, rest: string, isFirst: boolean): number {
    const { complete, isDeclared } = this.#input;
    const roleLength = isFirst && !this.#sawMark ? this.#roleWord(word, rest) : 0;
    if (roleLength > 0) return roleLength;
    const recipient = recipientOf(word);
    if (recipient !== null) return this.#recipient(recipient, word, rest);
    const type = complete ? word : markValue("constrain", word, false).value;
    if (isContentType(type) && this.#mayBeType(isFirst, word.slice(type.length) + rest)) {
      this.#pieces.typeWords.push(type);
      return type.length;
    }
    // Behind words that mean nothing, a name is a word of a sentence.
    if (!complete || !isFirst) return 0;
    if (word.startsWith(FUNCTIONS_PREFIX) || isDeclared(word)) {
      this.#issue("bare_word_header", `The bare word ${word} is read as the recipient`);
      this.#pieces.recipients.push(word);
      return word.length;
    }
    if (/^to(?::|$)/.test(word)) {
      const spelled = this.#spelledRecipient(word + rest);
      if (spelled !== null) {
        this.#issue("bare_word_header", `The recipient is written ${spelled.text}`);
        this.#pieces.recipients.push(spelled.name);
        return spelled.text.length;
      }
    }
    if (!this.#sawMark && isChannel(word) && this.#pieces.roleChannel === null) {
      this.#issue("role_is_channel", `The word ${word} is read as the channel`);
      this.#pieces.roleChannel = word;
      return word.length;
    }
    return 0;
  }

  /**
   * Whether a word like `code` or `text` is a content type here: it may as well be a word of a sentence
   * in front of the header, or the first word of the content where nothing separates that.
   */
  #mayBeType(isFirst: boolean, rest: string): boolean {
    if (this.#pieces.recipients.length > 0) return true;
    if (this.#input.complete) return this.#sawMark || isFirst;
    return /^\p{White_Space}*[{[]/u.test(rest);
  }

  #spelledRecipient(text: string): { readonly name: string; readonly text: string } | null {
    const [whole = "", name = ""] = SPELLED_RECIPIENT.exec(text) ?? [];
    const isTool = name.startsWith(FUNCTIONS_PREFIX) || this.#input.isDeclared(name);
    return isTool ? { name, text: whole } : null;
  }

  /** @param recipient what stands behind `to=` in `word` */
  #recipient(recipient: string, word: string, rest: string): number {
    const { complete, isDeclared } = this.#input;
    let value = recipient;
    let { length } = word;
    const spelled = value === "" ? this.#spelledRecipient(word + rest) : null;
    if (spelled !== null) {
      value = spelled.name;
      length = spelled.text.length;
    }
    const body = complete ? -1 : value.search(/[{[]/);
    if (body !== -1) {
      length -= value.length - body;
      value = value.slice(0, body);
    }
    const tail = value.indexOf("<|");
    if (tail !== -1) {
      this.#issue("recipient_tail", `The recipient ${value} is cut at <|`, value.slice(tail));
      value = value.slice(0, tail);
    }
    if (complete && value !== "" && !isDeclared(value)) {
      const spaced = this.#spacedName(value, rest);
      length += spaced.length;
      value += spaced;
    }
    if (value !== "") this.#pieces.recipients.push(value);
    return length;
  }

  /** The words behind `name` that make it the name of a declared tool, which may have blanks. */
  #spacedName(name: string, rest: string): string {
    let found = "";
    for (let length = 0, words = 0; words < MAX_NAME_WORDS; words++) {
      const next = WORD.exec(rest.slice(length));
      if (next === null) break;
      length += next[0].length;
      if (this.#input.isDeclared(name + rest.slice(0, length))) found = rest.slice(0, length);
    }
    return found;
  }

  /** Reads the role word, if this is one; otherwise assumes the assistant and leaves the word. */
  #roleWord(word: string, rest: string): number {
    const { complete, segments, isDeclared } = this.#input;
    const reading = readRole(word, this.#pieces.role, {
      isDeclared,
      isSpeaker: () =>
        TO_ASSISTANT.test(rest) ||
        segments.some((part) => part.mark === null && TO_ASSISTANT.test(part.text)),
      isComplete: complete,
      isHeader: complete || segments.length > 1,
    });
    if (reading === MISSING_ROLE && !complete && this.#isRoleGluedToContent(word)) {
      return this.#takeRole({ role: ASSISTANT }, ASSISTANT);
    }
    return reading === null ? 0 : this.#takeRole(reading, word);
  }

  /** `assistantThere are …`: the role is a token of its own, and nothing separates it from the content. */
  #isRoleGluedToContent(word: string): boolean {
    const [first] = this.#input.segments;
    return (
      word.startsWith(ASSISTANT) &&
      first?.mark === null &&
      first.text.startsWith(word) &&
      endsToken(first.tokenLengths, ASSISTANT.length)
    );
  }

  #takeRole(reading: RoleReading, word: string): number {
    const { role, name, channel, recipient, issue } = reading;
    if (issue !== undefined) this.#issue(issue.code, issue.detail);
    const pieces = this.#pieces;
    pieces.role = role;
    pieces.name ??= name ?? null;
    pieces.roleChannel ??= channel ?? null;
    pieces.roleRecipient ??= recipient ?? null;
    if (reading.isMissing) return 0;
    if (channel === undefined && recipient === undefined) this.#sawRole = true;
    return word.length;
  }

  #issue(code: IssueCode, detail: string, dropped?: string): void {
    this.#pieces.issues.push({ code, detail, ...(dropped !== undefined && { dropped }) });
  }
}

/** Whether some token ends after exactly `length` units. */
function endsToken(tokenLengths: readonly number[], length: number): boolean {
  let end = 0;
  for (const tokenLength of tokenLengths) {
    end += tokenLength;
    if (end >= length) return end === length;
  }
  return false;
}
