/**
 * The streaming parser: token ids (or text with special tokens as written) in, messages out as they
 * come. Two ways of reading:
 *
 * - `lenient`, the default: whatever a model writes becomes messages. Every deviation from the format is
 *   an issue event; nothing is lost silently and nothing throws.
 * - `strict`: exactly the reference implementation, its results and its error texts.
 *
 * One parser reads one completion. Its states: between messages, in a header, in content.
 */
import { ContentDecoder } from "./content-decoder.ts";
import { HarmonyError, HarmonyParseError } from "./errors.ts";
import { parseHeader } from "./header.ts";
import type {
  Issue,
  IssueCode,
  MessageHeader,
  ParsedMessage,
  ParserEvent,
  Terminator,
} from "./issues.ts";
import type { Role } from "./message.ts";
import { type HeaderSegment, isChannel, recoverHeader } from "./recover-header.ts";
import { mayBeStripped, splitStripped } from "./recover-stripped.ts";
import { SPECIAL_TEXT, type SpecialName } from "./special-tokens.ts";
import { SpecialMatcher, type Tokenizer } from "./tokenizer.ts";

export type ParserOptions = {
  readonly tokenizer: Tokenizer;
  /** The role that the prompt already ended with (`<|start|>assistant`); without: input starts with `<|start|>`. */
  readonly role?: Role | null | undefined;
  readonly mode?: "strict" | "lenient" | undefined;
  /** Names of declared tools, with or without `functions.`: what damaged headers are held against. */
  readonly knownTools?: Iterable<string> | undefined;
  /**
   * Longest header in tokens. Lenient: the rest is taken as content. Strict: an error.
   * Default 512, strict 65,536.
   */
  readonly maxHeaderTokens?: number | undefined;
};

type Kind = SpecialName | "endOfText";
type Where = "between" | "header" | "content";

const NO_EVENTS: readonly ParserEvent[] = Object.freeze([]);

const LENIENT_HEADER_TOKENS = 512;
const STRICT_HEADER_TOKENS = 65_536;
/** Text without any special token may be a whole completion whose specials were stripped: up to here. */
const STRIPPED_LIMIT = 65_536;
/** Between messages: shorter text may still turn out to be a filler word. */
const FILLER_LIMIT = 64;
const FILLER = /^\s*((commentary|analysis|final|assistant|json|code|\?+)\s*)*$/;

const ASSISTANT: MessageHeader = {
  role: "assistant",
  channel: null,
  recipient: null,
  contentType: null,
};

export class HarmonyParser {
  readonly #tokenizer: Tokenizer;
  readonly #strict: boolean;
  readonly #knownTools: ReadonlySet<string>;
  readonly #maxHeaderTokens: number;
  readonly #kinds: ReadonlyMap<number, Kind>;
  /** Ids outside of this range are no structural tokens: most need no look-up. */
  readonly #lowestKind: number;
  readonly #highestKind: number;
  readonly #matcher: SpecialMatcher;
  readonly #decoder: ContentDecoder;
  readonly #messages: ParsedMessage[] = [];
  #events: ParserEvent[] = [];
  #collecting = true;
  #finished = false;
  #where: Where;
  /** The role of the next header; strict: kept until a header could be read with it. */
  #presetRole: Role | null;

  // In a header: ids, and text where the input is text.
  #header: (number | string)[] = [];
  #headerSize = 0;
  /** Whether the header began without `<|start|>`. */
  #implied = false;
  #channelHint: string | null = null;

  // In content.
  #current: MessageHeader = ASSISTANT;
  #text = "";
  #lastDelta: string | null = null;
  /** Whether the message is text between messages, which nothing opened. */
  #isStray = false;

  // Between messages: text that may be filler.
  #stray = "";

  /** Issues of the message being read. */
  #issues: Issue[] = [];

  // Text input.
  #tail = "";
  /** All text so far, while it had no special token and may be stripped Harmony; else null. */
  #unmarked: string | null = "";

  constructor(options: ParserOptions) {
    const { tokenizer } = options;
    this.#tokenizer = tokenizer;
    this.#strict = options.mode === "strict";
    this.#knownTools = new Set(options.knownTools ?? []);
    this.#maxHeaderTokens =
      options.maxHeaderTokens ?? (this.#strict ? STRICT_HEADER_TOKENS : LENIENT_HEADER_TOKENS);
    const kinds = new Map<number, Kind>();
    const texts = new Map<string, number>();
    for (const name of Object.keys(SPECIAL_TEXT) as SpecialName[]) {
      kinds.set(tokenizer.special[name], name);
      texts.set(SPECIAL_TEXT[name], tokenizer.special[name]);
    }
    const { endOfText } = tokenizer.special;
    if (endOfText !== null && !this.#strict) {
      kinds.set(endOfText, "endOfText");
      texts.set("<|endoftext|>", endOfText);
    }
    this.#kinds = kinds;
    this.#lowestKind = Math.min(...kinds.keys());
    this.#highestKind = Math.max(...kinds.keys());
    this.#matcher = new SpecialMatcher(texts);
    this.#decoder = new ContentDecoder(tokenizer, this.#strict);
    this.#presetRole = options.role ?? null;
    this.#where = this.#presetRole === null ? "between" : "header";
    if (this.#strict) this.#unmarked = null;
  }

  /**
   * Reads one id.
   * @returns what it completed, in order
   * @throws HarmonyParseError in strict mode only; the messages so far stay
   */
  push(id: number): readonly ParserEvent[] {
    this.#open();
    this.#unmarked = null;
    this.#token(id);
    return this.#take();
  }

  /**
   * Reads a piece of text in which special tokens stand as written; they may be cut anywhere.
   * @throws HarmonyParseError in strict mode only
   */
  pushText(chunk: string): readonly ParserEvent[] {
    this.#open();
    this.#lastDelta = null;
    const text = this.#tail + chunk;
    this.#tail = "";
    let start = 0;
    for (;;) {
      const match = this.#matcher.find(text, start, "all");
      if (match === null) break;
      // In strict mode both may throw; what comes after is then read by the next call.
      this.#tail = text.slice(match.start);
      this.#ordinaryText(text.slice(start, match.start));
      this.#tail = text.slice(match.end);
      this.#unmarked = null;
      this.#token(match.id);
      start = match.end;
    }
    this.#tail = "";
    let held = this.#matcher.heldBack(text.slice(start)) + start;
    // Half a surrogate pair waits for its other half.
    if (held > start && /[\uD800-\uDBFF]/.test(text[held - 1]!)) held--;
    this.#tail = text.slice(held);
    this.#ordinaryText(text.slice(start, held));
    return this.#take();
  }

  /**
   * The end of the input: closes what is open.
   * @throws HarmonyParseError in strict mode, when a header is open
   */
  finish(): readonly ParserEvent[] {
    this.#open();
    const tail = this.#tail;
    this.#tail = "";
    this.#ordinaryText(tail.toWellFormed());
    this.#lastDelta = null;
    if (this.#strict) this.#finishStrictly();
    else this.#finishLeniently();
    this.#finished = true;
    return this.#take();
  }

  /** The messages completed so far. */
  get messages(): readonly ParsedMessage[] {
    return this.#messages;
  }

  /** The header of the message whose content is being read. */
  get currentHeader(): MessageHeader | null {
    return this.#where === "content" ? this.#current : null;
  }

  /** The role of the message being read, as far as it is known. */
  get currentRole(): Role | null {
    return this.#where === "content" ? this.#current.role : this.#presetRole;
  }

  /** The content of the message being read. */
  get currentContent(): string {
    return this.#where === "content" ? this.#text : "";
  }

  /** What the last id or chunk added to the content; null when nothing. */
  get lastContentDelta(): string | null {
    return this.#lastDelta;
  }

  /**
   * Reads a whole completion.
   * @throws HarmonyParseError in strict mode only
   */
  static parse(ids: Iterable<number>, options: ParserOptions): readonly ParsedMessage[] {
    const parser = new HarmonyParser(options);
    parser.#collecting = false;
    parser.#unmarked = null;
    for (const id of ids) parser.#token(id);
    parser.finish();
    return parser.#messages;
  }

  /**
   * Reads a whole completion as text.
   * @throws HarmonyParseError in strict mode only
   */
  static parseText(text: string, options: ParserOptions): readonly ParsedMessage[] {
    const parser = new HarmonyParser(options);
    parser.#collecting = false;
    parser.pushText(text);
    parser.finish();
    return parser.#messages;
  }

  #open(): void {
    if (!this.#finished) return;
    throw new HarmonyError(
      "CHORALE_HARMONY_FINISHED",
      "The parser was given more input after finish(); a parser reads one completion, so make a new one",
    );
  }

  #take(): readonly ParserEvent[] {
    if (this.#events.length === 0) return NO_EVENTS;
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #token(id: number): void {
    this.#lastDelta = null;
    const kind =
      id >= this.#lowestKind && id <= this.#highestKind ? this.#kinds.get(id) : undefined;
    if (kind === undefined) this.#ordinary(id);
    else if (this.#strict) this.#specialStrictly(id, kind);
    else this.#special(kind);
  }

  #ordinary(id: number): void {
    switch (this.#where) {
      case "content": {
        const text = this.#decoder.push(id);
        if (text !== null) this.#addContent(text);
        return;
      }
      case "header":
        this.#addToHeader(id);
        return;
      case "between":
        if (this.#strict) throw this.#unexpected(id);
        this.#addStray(this.#decoder.push(id) ?? "");
    }
  }

  #ordinaryText(raw: string): void {
    if (raw === "") return;
    const text = raw.isWellFormed() ? raw : raw.toWellFormed();
    if (this.#unmarked !== null) {
      this.#unmarked += text;
      if (this.#unmarked.length > STRIPPED_LIMIT || !mayBecomeStripped(this.#unmarked)) {
        this.#unmarked = null;
      }
    }
    switch (this.#where) {
      case "content":
        this.#addContent(text);
        return;
      case "header":
        this.#addToHeader(text);
        return;
      case "between":
        if (this.#strict) throw this.#unexpected(this.#tokenizer.encode(text)[0] ?? 0);
        this.#addStray(text);
    }
  }

  #addContent(text: string): void {
    if (text === "") return;
    this.#text += text;
    this.#lastDelta = this.#lastDelta === null ? text : this.#lastDelta + text;
    if (this.#collecting) {
      const { channel, recipient } = this.#current;
      this.#events.push({ type: "delta", channel, recipient, text });
    }
  }

  #addToHeader(part: number | string): void {
    const last = this.#header.length - 1;
    if (typeof part === "string" && typeof this.#header[last] === "string") {
      this.#header[last] += part;
    } else {
      this.#header.push(part);
    }
    // Four characters of text count as one token, roughly what they are.
    this.#headerSize += typeof part === "string" ? part.length / 4 : 1;
    if (this.#headerSize <= this.#maxHeaderTokens || this.#unmarked !== null) return;
    if (this.#strict) {
      this.#resetHeader("between");
      throw new HarmonyParseError(
        `message header is longer than ${this.#maxHeaderTokens} tokens without ${SPECIAL_TEXT.message}`,
      );
    }
    this.#issue("truncated_header", `A header of more than ${this.#maxHeaderTokens} tokens`);
    this.#closeHeader(false, null, true);
  }

  #resetHeader(where: Where): void {
    this.#where = where;
    this.#header = [];
    this.#headerSize = 0;
  }

  #startContent(header: MessageHeader): void {
    this.#where = "content";
    this.#current = header;
    this.#text = "";
    this.#decoder.replaced = false;
    this.#isStray = false;
    if (this.#collecting) this.#events.push({ type: "message-start", header });
  }

  #endContent(terminator: Terminator): void {
    const rest = this.#decoder.end();
    if (!this.#strict && this.#decoder.replaced) {
      this.#issue("invalid_utf8", "Bytes that are no UTF-8 were replaced by U+FFFD");
    }
    this.#addContent(rest);
    this.#lastDelta = null;
    const text = this.#text;
    const message: ParsedMessage = {
      ...this.#current,
      content: [{ type: "text", text }],
      text,
      terminator,
      issues: this.#issues,
    };
    this.#messages.push(message);
    if (this.#collecting) this.#events.push({ type: "message-end", message });
    this.#issues = [];
    this.#text = "";
    this.#where = "between";
  }

  #issue(code: IssueCode, detail: string, dropped?: string): void {
    this.#report(dropped === undefined ? { code, detail } : { code, detail, dropped });
  }

  #report(issue: Issue): void {
    this.#issues.push(issue);
    if (this.#collecting) this.#events.push({ type: "issue", issue });
  }

  // ── Strict: the reference implementation ────────────────────────────────────────────────────────

  #specialStrictly(id: number, kind: Kind): void {
    switch (this.#where) {
      case "between":
        if (kind !== "start") throw this.#unexpected(id);
        this.#resetHeader("header");
        return;
      case "header": {
        if (kind !== "message") {
          this.#addToHeader(id);
          return;
        }
        const parts = this.#header;
        this.#resetHeader("between");
        const header = parseHeader(this.#headerText(parts), this.#presetRole);
        this.#presetRole = null;
        this.#startContent(header);
        return;
      }
      case "content":
        if (kind === "end" || kind === "call" || kind === "return") this.#endContent(kind);
        else {
          const text = this.#decoder.push(id);
          if (text !== null) this.#addContent(text);
        }
    }
  }

  #headerText(parts: readonly (number | string)[]): string {
    let text = "";
    let ids: number[] = [];
    const flush = (): void => {
      try {
        text += this.#tokenizer.decode(ids);
      } catch {
        throw new HarmonyParseError("could not decode header");
      }
      ids = [];
    };
    for (const part of parts) {
      if (typeof part === "number") ids.push(part);
      else {
        flush();
        text += part;
      }
    }
    flush();
    return text;
  }

  #finishStrictly(): void {
    if (this.#where === "header") {
      throw new HarmonyParseError("Unexpected EOS while waiting for message header to complete");
    }
    if (this.#where === "content") this.#endContent(null);
  }

  #unexpected(id: number): HarmonyParseError {
    return new HarmonyParseError(
      `Unexpected token ${id} while expecting start token ${this.#tokenizer.special.start}`,
    );
  }

  // ── Lenient: messages out of whatever comes ─────────────────────────────────────────────────────

  #special(kind: Kind): void {
    switch (this.#where) {
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
        this.#flushStray(null);
        this.#issue("missing_start", `A message begins with ${SPECIAL_TEXT[kind]}`);
        this.#openHeader(true);
        if (kind === "message" && isChannel(filler)) this.#channelHint = filler;
        this.#specialInHeader(kind);
        return;
      }
      default: {
        const terminator = kind === "endOfText" ? null : kind;
        if (this.#flushStray(terminator) || kind === "endOfText") return;
        this.#issue("stray_stop_token", `${SPECIAL_TEXT[kind]} where no message is open`);
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
        this.#addToHeader(this.#tokenizer.special[kind]);
        return;
      case "start":
        if (this.#headerIsBare()) {
          this.#issue("duplicate_start", "<|start|> again before the header said anything");
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
        if (!this.#isStray) this.#issue("missing_end", "<|start|> inside a message ends it");
        this.#endContentOrDrop(null);
        this.#openHeader(false);
        return;
      case "channel":
        if (!this.#isStray) this.#issue("missing_end", "<|channel|> inside a message ends it");
        this.#endContentOrDrop(null);
        this.#issue("missing_start", "A message begins with <|channel|>");
        this.#openHeader(true);
        this.#specialInHeader("channel");
        return;
      case "message":
      case "constrain":
        this.#addContent(this.#decoder.end() + SPECIAL_TEXT[kind]);
    }
  }

  #openHeader(implied: boolean): void {
    this.#resetHeader("header");
    this.#implied = implied;
    this.#channelHint = null;
    this.#presetRole = implied ? "assistant" : null;
  }

  /** Whether the header has at most a role word. */
  #headerIsBare(): boolean {
    const segments = this.#headerSegments();
    if (segments.length === 0) return true;
    const only = segments[0]!;
    return (
      segments.length === 1 &&
      only.mark === null &&
      /^\s*((user|assistant|system|developer|tool)\s*)*$/.test(only.text)
    );
  }

  /** The header as text and marks; text input is encoded, so that token boundaries are known. */
  #headerSegments(): HeaderSegment[] {
    const segments: HeaderSegment[] = [];
    const { channel, constrain } = this.#tokenizer.special;
    let ids: number[] = [];
    const flush = (): void => {
      if (ids.length === 0) return;
      const tokenLengths = ids.map((id) => this.#tokenizer.tokenText(id)?.length ?? 0);
      segments.push({ mark: null, text: this.#tokenizer.decodeLossy(ids), tokenLengths });
      ids = [];
    };
    for (const part of this.#header) {
      if (typeof part === "string") this.#tokenizer.encodeInto(part, ids);
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
    const { header, leading, body, isBare, issues } = recoverHeader({
      segments: this.#headerSegments(),
      preset: this.#presetRole,
      complete,
      channelHint: this.#channelHint,
      isDeclared: (name) => this.#isDeclared(name),
    });
    this.#resetHeader("between");
    this.#presetRole = null;
    if (leading !== "") this.#strayMessage(leading, null);
    for (const issue of issues) this.#report(issue);
    if (complete) {
      this.#startContent(header);
      return;
    }
    const text = stayOpen ? body.trimStart() : body.trim();
    const sayNothing = text === "" && header.recipient === null;
    if (!stayOpen && !(isBare && text === "")) {
      this.#issue("missing_message_token", "A header ended without <|message|>");
    }
    if (sayNothing && !stayOpen) {
      this.#dropIssues();
      return;
    }
    if (header.recipient !== null && !stayOpen && !text.startsWith("{")) {
      this.#issue(
        "incomplete_tool_call",
        `A call of ${header.recipient} without arguments is dropped`,
        text,
      );
      this.#dropIssues();
      return;
    }
    this.#startContent(header);
    this.#implied = false;
    this.#addContent(text);
    if (!stayOpen) this.#endContent(terminator);
  }

  /** What went wrong belongs to no message: the issues were reported as events. */
  #dropIssues(): void {
    this.#issues = [];
  }

  /** Ends the message; one that nothing opened and that has no content is no message. */
  #endContentOrDrop(terminator: Terminator): void {
    if (this.#implied && this.#text === "" && this.#current.recipient === null) {
      const rest = this.#decoder.end();
      if (rest === "") {
        this.#issue("empty_message", "A message without <|start|> and without content is dropped");
        this.#dropIssues();
        this.#where = "between";
        return;
      }
      this.#addContent(rest);
    }
    this.#endContent(terminator);
  }

  #addStray(text: string): void {
    this.#stray += text;
    if (this.#stray.trim().length <= FILLER_LIMIT && this.#stray.length <= STRIPPED_LIMIT) return;
    const stray = this.#stray;
    if (this.#unmarked !== null) return;
    this.#stray = "";
    this.#openStray(stray);
  }

  #openStray(text: string): void {
    this.#issue("text_between_messages", "Text outside of any message");
    this.#startContent(ASSISTANT);
    this.#implied = false;
    this.#isStray = true;
    this.#addContent(text);
  }

  #strayMessage(text: string, terminator: Terminator): void {
    this.#openStray(text);
    this.#endContent(terminator);
  }

  /** Decides what the text between two messages was; true if it became a message. */
  #flushStray(terminator: Terminator): boolean {
    const text = this.#stray + this.#decoder.end();
    this.#stray = "";
    if (text === "") return false;
    if (FILLER.test(text)) {
      const words = text.trim();
      if (words !== "") {
        this.#issue("filler_text", `Filler between messages: ${words}`, text);
        this.#dropIssues();
      }
      return false;
    }
    this.#strayMessage(text, terminator);
    return true;
  }

  #isDeclared(name: string): boolean {
    const known = this.#knownTools;
    return (
      known.has(name) ||
      known.has(`functions.${name}`) ||
      (name.startsWith("functions.") && known.has(name.slice("functions.".length)))
    );
  }

  #finishLeniently(): void {
    const stripped = this.#unmarked === null ? null : splitStripped(this.#unmarked);
    if (stripped !== null) {
      this.#resetHeader("between");
      this.#stray = "";
      for (const { content, ...header } of stripped) {
        this.#issue("specials_stripped", "The text has no special tokens; read by its words");
        this.#startContent({ role: "assistant", ...header });
        this.#addContent(content);
        this.#endContent(null);
      }
      return;
    }
    switch (this.#where) {
      case "between":
        this.#flushStray(null);
        return;
      case "header":
        if (this.#headerIsBare()) {
          if (this.#header.length > 0) {
            this.#issue("truncated_header", "The output ends in a header");
          }
          return;
        }
        this.#closeHeader(false, null, false);
        return;
      case "content":
        this.#endContentOrDrop(null);
    }
  }
}

/** Whether text so far is, or with more text may become, stripped Harmony. */
function mayBecomeStripped(text: string): boolean {
  return text.length < 20 || mayBeStripped(text);
}
