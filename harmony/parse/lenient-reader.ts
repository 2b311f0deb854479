/**
 * Reads what models really write. Every input becomes messages, and every deviation from the format becomes
 * an issue: no text is lost silently, and no input makes the reader throw.
 */

import { CHANNELS, declaredTools, isChannel, ROLES } from "../header-grammar.ts";
import type { Role } from "../message.ts";
import { SPECIAL_TEXT } from "../tokenizer/special-tokens.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { HeaderSegment } from "./header-scan.ts";
import type { IssueCode, MessageHeader, Terminator } from "./issues.ts";
import { type HeaderPart, type Kind, MessageReader } from "./message-reader.ts";
import { recoverHeader } from "./recover-header.ts";
import { mayBeStripped, splitStripped } from "./recover-stripped.ts";

/** A longer header is content without a header; few real ones have more than twenty tokens. */
const MAX_HEADER_TOKENS = 512;
/** Text without any special token may be a whole completion whose specials were stripped: up to here. */
const STRIPPED_LIMIT = 65_536;
/** Between messages: shorter text may still turn out to be a filler word. */
const FILLER_LIMIT = 64;
/** Blank text between messages is dropped, up to this length. */
const BLANK_LIMIT = 1024;
/** From this length on it is clear whether a text begins with a channel's name. */
const STRIPPED_DECISION = 24;
const HEADER_WORDS = ["assistant", ...CHANNELS].join("|");
/** Words, question marks and special tokens without a meaning; each `?` by itself: no text is tried twice. */
const FILLER = new RegExp(`^\\s*((${HEADER_WORDS}|json|code|\\?|<\\|\\w+\\|>)\\s*)*$`);
/** A header in words alone: the tokens in front of them are missing. */
const BARE_HEADER = new RegExp(`^\\s*((${HEADER_WORDS})\\s+)*to=\\S+(\\s+(json|code))?\\s*$`);
const ROLE_WORDS = new RegExp(`^\\s*((${ROLES.join("|")})\\s*)*$`);
const ONLY_SPECIALS = /^(<\|\w+\|>\s*)*$/;

const ASSISTANT: MessageHeader = {
  role: "assistant",
  channel: null,
  recipient: null,
  contentType: null,
};

export class LenientReader extends MessageReader {
  readonly #isDeclared: (name: string) => boolean;
  /** Whether the header began without `<|start|>`. */
  #implied = false;
  /** The channel that a filler word in front of the header names. */
  #channelHint: string | null = null;
  /** Whether the message is text between messages, which nothing opened. */
  #isStray = false;
  /** Text between messages that may be filler. */
  #stray = "";
  /** All text so far, while it had no special token and may be stripped Harmony; else null. */
  #unmarked: string | null = "";

  constructor(
    tokenizer: Tokenizer,
    role: Role | null,
    knownTools: Iterable<string>,
    maxHeaderTokens: number = MAX_HEADER_TOKENS,
  ) {
    super(tokenizer, { role, maxHeaderTokens, endOfText: true, holdAfterUnknown: false });
    this.#isDeclared = declaredTools(knownTools);
  }

  override readText(text: string): void {
    if (this.#unmarked !== null) {
      const known = this.#unmarked.length >= STRIPPED_DECISION;
      this.#unmarked += text;
      if (this.#unmarked.length > STRIPPED_LIMIT) this.#unmarked = null;
      else if (!known && this.#unmarked.length >= STRIPPED_DECISION) {
        if (!mayBeStripped(this.#unmarked)) this.#unmarked = null;
      }
    }
    super.readText(text);
  }

  override finish(): void {
    const stripped = this.#unmarked === null ? null : splitStripped(this.#unmarked);
    if (stripped !== null) {
      this.leaveHeader("between");
      this.#stray = "";
      for (const { content, ...header } of stripped) {
        this.issue("specials_stripped", "The text has no special tokens; read by its words");
        this.startContent({ role: "assistant", ...header });
        this.addContent(content);
        this.endContent(null);
      }
      return;
    }
    switch (this.where) {
      case "between":
        this.#flushStray(null);
        return;
      case "header":
        if (this.header.length > 0) this.#note("truncated_header", "The output ends in a header");
        if (!this.#headerIsBare()) this.#closeHeader(false, null, false);
        return;
      case "content":
        this.#endContentOrDrop(null);
    }
  }

  protected override readSpecial(_id: number, kind: Kind): void {
    this.#unmarked = null;
    switch (this.where) {
      case "between":
        this.#specialBetween(kind);
        return;
      case "header":
        this.#specialInHeader(kind);
        return;
      case "content":
        this.#specialInContent(kind);
    }
  }

  protected override readBetween(part: HeaderPart): void {
    if (typeof part === "number") this.#unmarked = null;
    this.#addStray(typeof part === "string" ? part : (this.decoder.push(part) ?? ""));
  }

  protected override headerTooLong(limit: number): void {
    if (typeof this.header.at(-1) === "number") this.#unmarked = null;
    if (this.#unmarked !== null) return;
    this.issue("truncated_header", `A header of more than ${limit} tokens`);
    this.#closeHeader(false, null, true);
  }

  protected override startContent(header: MessageHeader, mayBeDropped = false): void {
    super.startContent(header, mayBeDropped);
    this.#isStray = false;
  }

  protected override endContent(terminator: Terminator): void {
    this.addContent(this.decoder.end());
    if (this.decoder.replaced) {
      this.issue("invalid_utf8", "Bytes that are no UTF-8 were replaced by U+FFFD");
    }
    super.endContent(terminator);
  }

  #specialBetween(kind: Kind): void {
    switch (kind) {
      case "start":
        this.#flushStray(null);
        this.#openHeader(false);
        return;
      case "channel":
      case "message":
      case "constrain": {
        // `commentary<|message|>` names the channel of what follows.
        const filler = this.#stray.trim();
        const isHeader = BARE_HEADER.test(filler);
        if (isHeader) this.#stray = this.decoder.end();
        this.#flushStray(null);
        this.issue("missing_start", `A message begins with ${SPECIAL_TEXT[kind]}`);
        this.#openHeader(true);
        if (isHeader) this.addToHeader(`${filler} `);
        if (kind === "message" && isChannel(filler)) this.#channelHint = filler;
        this.#specialInHeader(kind);
        return;
      }
      default: {
        const terminator = kind === "endOfText" ? null : kind;
        if (this.#flushStray(terminator) || kind === "endOfText") return;
        this.#note("stray_stop_token", `${SPECIAL_TEXT[kind]} where no message is open`);
      }
    }
  }

  #specialInHeader(kind: Kind): void {
    switch (kind) {
      case "message":
        this.#closeHeader(true, null, false);
        return;
      case "channel":
      case "constrain":
        this.addToHeader(this.tokenizer.special[kind]);
        return;
      case "start":
        if (this.#headerIsBare()) {
          this.#note("duplicate_start", "<|start|> again before the header said anything");
        } else {
          this.#closeHeader(false, null, false);
        }
        this.#openHeader(false);
        return;
      default:
        this.#closeHeader(false, kind === "endOfText" ? null : kind, false);
    }
  }

  #specialInContent(kind: Kind): void {
    switch (kind) {
      case "end":
      case "call":
      case "return":
        this.#endContentOrDrop(kind);
        return;
      case "endOfText":
        this.#endContentOrDrop(null);
        return;
      case "start":
        if (!this.#isStray) this.issue("missing_end", "<|start|> inside a message ends it");
        this.#endContentOrDrop(null);
        this.#openHeader(false);
        return;
      case "channel":
        if (!this.#isStray) this.issue("missing_end", "<|channel|> inside a message ends it");
        this.#endContentOrDrop(null);
        this.issue("missing_start", "A message begins with <|channel|>");
        this.#openHeader(true);
        this.#specialInHeader("channel");
        return;
      case "message":
      case "constrain":
        this.#literalInContent(SPECIAL_TEXT[kind], kind === "message");
    }
  }

  /** A special token that may not stand in content: text, but for a second `<|message|>` in a row. */
  #literalInContent(token: string, mayBeDouble: boolean): void {
    const rest = this.decoder.end();
    if (mayBeDouble && this.text === "" && rest === "") {
      this.issue("special_in_content", `A second ${token} before the content`, token);
      return;
    }
    this.issue("special_in_content", `${token} inside of content is kept as text`);
    this.addContent(rest + token);
  }

  #openHeader(implied: boolean): void {
    this.leaveHeader("header");
    this.#implied = implied;
    this.#channelHint = null;
    this.presetRole = implied ? "assistant" : null;
  }

  /** Whether the header has at most a role word. */
  #headerIsBare(): boolean {
    const segments = this.#headerSegments();
    if (segments.length === 0) return true;
    const only = segments[0]!;
    return segments.length === 1 && only.mark === null && ROLE_WORDS.test(only.text);
  }

  /** The header as text and marks; text input is encoded, so that token boundaries are known. */
  #headerSegments(): HeaderSegment[] {
    const segments: HeaderSegment[] = [];
    const { channel, constrain } = this.tokenizer.special;
    let ids: number[] = [];
    const flush = (): void => {
      if (ids.length === 0) return;
      const tokenLengths = ids.map((id) => this.tokenizer.tokenText(id)?.length ?? 0);
      segments.push({ mark: null, text: this.tokenizer.decodeLossy(ids), tokenLengths });
      ids = [];
    };
    for (const part of this.header) {
      if (typeof part === "string") this.tokenizer.encodeInto(part, ids);
      else if (part === channel || part === constrain) {
        flush();
        segments.push({ mark: part === channel ? "channel" : "constrain" });
      } else ids.push(part);
    }
    flush();
    return segments;
  }

  /**
   * Reads the header and goes on in its content.
   * @param complete   whether `<|message|>` ended it; if not, what is left of it is the content
   * @param terminator the stop token that ended it
   * @param stayOpen   incomplete, but more content may follow
   */
  #closeHeader(complete: boolean, terminator: Terminator, stayOpen: boolean): void {
    const segments = this.#headerSegments();
    const { header, leading, body, issues } = recoverHeader({
      segments,
      preset: this.presetRole,
      complete,
      channelHint: this.#channelHint,
      isDeclared: this.#isDeclared,
    });
    this.leaveHeader("between");
    this.presetRole = null;
    if (leading !== "") this.#strayMessage(leading, null);
    for (const issue of issues) this.report(issue);
    if (complete) {
      this.startContent(header, this.#implied && header.recipient === null);
      return;
    }
    const text = stayOpen ? body.trimStart() : body.trim();
    if (!stayOpen) {
      const isCall = header.recipient !== null;
      const isDropped = isCall ? !text.startsWith("{") : ONLY_SPECIALS.test(text);
      const dropped = isDropped
        ? segments.map((part) => part.mark ?? part.text).join(" ")
        : undefined;
      this.issue("missing_message_token", "A header ended without <|message|>", dropped);
      if (isDropped) {
        if (isCall) {
          this.issue(
            "incomplete_tool_call",
            `A call of ${header.recipient} has no arguments: dropped`,
          );
        }
        this.issues = [];
        return;
      }
    }
    this.startContent(header);
    this.#implied = false;
    this.addContent(text);
    if (!stayOpen) this.endContent(terminator);
  }

  /** An issue that belongs to no message. */
  #note(code: IssueCode, detail: string, dropped?: string): void {
    const { issues } = this;
    this.issues = [];
    this.issue(code, detail, dropped);
    this.issues = issues;
  }

  /** Ends the message; one that nothing opened and that has no content is no message. */
  #endContentOrDrop(terminator: Terminator): void {
    if (this.#implied && this.text === "" && this.current.recipient === null) {
      const rest = this.decoder.end();
      if (rest === "") {
        this.issue("empty_message", "A message without <|start|> and without content is dropped");
        this.issues = [];
        this.where = "between";
        return;
      }
      this.addContent(rest);
    }
    this.endContent(terminator);
  }

  #addStray(text: string): void {
    this.#stray += text;
    const { length } = this.#stray;
    if (length <= FILLER_LIMIT || this.#unmarked !== null) return;
    if (length <= BLANK_LIMIT && this.#stray.trim().length <= FILLER_LIMIT) return;
    const stray = this.#stray;
    this.#stray = "";
    this.#openStray(stray);
  }

  #openStray(text: string): void {
    this.issue("text_between_messages", "Text outside of any message");
    this.startContent(ASSISTANT);
    this.#implied = false;
    this.#isStray = true;
    this.addContent(text);
  }

  #strayMessage(text: string, terminator: Terminator): void {
    this.#openStray(text);
    this.endContent(terminator);
  }

  /** Decides what the text between two messages was; true if it became a message. */
  #flushStray(terminator: Terminator): boolean {
    const text = this.#stray + this.decoder.end();
    this.#stray = "";
    if (text === "") return false;
    if (FILLER.test(text)) {
      const words = text.trim();
      if (words !== "") {
        this.#note("filler_text", `Filler between messages: ${words}`, words);
      }
      return false;
    }
    this.#strayMessage(text, terminator);
    return true;
  }
}
