/**
 * Headers as models really write them. Instead of the reference's "the last word is the content type",
 * a scan for the pieces that mean something wherever they stand: channels (the last one counts), `to=`
 * words (the last one counts), content types, and the role. What is left of a header that nothing
 * separates from its content is the content.
 */

import type { Role } from "../message.ts";
import { isRole } from "./header.ts";
import type { Issue, IssueCode, MessageHeader } from "./issues.ts";

/** A header between `<|start|>` and its end: text, and the two special tokens that may stand in it. */
export type HeaderSegment =
  | { readonly mark: "channel" | "constrain" }
  | {
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

export type RecoveredHeader = {
  readonly header: MessageHeader;
  /** Text in front of the header that is none of its pieces but a sentence: a message of its own. */
  readonly leading: string;
  /** Incomplete headers: the content, untrimmed. */
  readonly body: string;
  readonly issues: readonly Issue[];
};

const CHANNELS: readonly string[] = ["analysis", "commentary", "final"];
const TYPE_WORDS: ReadonlySet<string> = new Set(["json", "code", "python", "text"]);
/**
 * So many unknown words in front of the first channel are text the model meant, fewer are debris; behind
 * a role word one more.
 */
const SENTENCE_WORDS = 2;

/** No tool has a longer name. */
const LONGEST_NAME = 256;

export function isChannel(word: string): boolean {
  return CHANNELS.includes(word);
}

/** Reads a damaged or sound header. Total: every input gives a header. */
export function recoverHeader(input: HeaderInput): RecoveredHeader {
  const scan = new HeaderScan(input);
  return scan.run();
}

class HeaderScan {
  readonly #input: HeaderInput;
  readonly #issues: Issue[] = [];
  readonly #channels: string[] = [];
  readonly #recipients: string[] = [];
  readonly #constrained: string[] = [];
  readonly #typeWords: string[] = [];
  readonly #extra: string[] = [];
  #role: Role | null;
  #name: string | null = null;
  /** A channel or a recipient that the role word turned out to be. */
  #roleChannel: string | null = null;
  #roleRecipient: string | null = null;
  #leading = "";
  #body = "";
  #sawMark = false;
  #sawRole = false;

  constructor(input: HeaderInput) {
    this.#input = input;
    this.#role = input.preset;
  }

  run(): RecoveredHeader {
    const { segments } = this.#input;
    let mark: "channel" | "constrain" | null = null;
    for (const segment of segments) {
      if (segment.mark !== null) {
        if (mark !== null) this.#marked(mark, null);
        mark = segment.mark;
      } else {
        const rest = mark === null ? segment.text : this.#marked(mark, segment);
        this.#words(rest);
        mark = null;
      }
    }
    if (mark !== null) this.#marked(mark, null);
    return this.#result();
  }

  /** Takes the value of a marker off the text behind it; returns the rest. */
  #marked(
    mark: "channel" | "constrain",
    segment: Extract<HeaderSegment, { mark: null }> | null,
  ): string {
    this.#sawMark = true;
    const text = segment?.text ?? "";
    return mark === "channel" ? this.#channel(text, segment) : this.#constrain(text);
  }

  #channel(text: string, segment: Extract<HeaderSegment, { mark: null }> | null): string {
    let value = /^[^\p{White_Space}<]*/u.exec(text)?.[0] ?? "";
    let rest = text.slice(value.length);
    if (value === "") {
      const spaced = /^\p{White_Space}+(analysis|commentary|final)(?![^\p{White_Space}<])/u.exec(
        text,
      );
      if (spaced === null) {
        this.#issue("empty_channel", "A channel marker has no value");
        return text;
      }
      value = spaced[1]!;
      rest = text.slice(spaced[0].length);
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
      const isPiece = glued.startsWith("to=") || TYPE_WORDS.has(glued);
      const splits = this.#input.complete
        ? isPiece || /^[^\p{L}\p{N}_-]/u.test(glued)
        : endsToken(segment?.tokenLengths ?? [], known.length);
      if (splits) {
        if (isPiece) this.#issue("unknown_channel", `The channel ${value} is read as ${known}`);
        value = known;
        rest = text.slice(known.length);
      }
    }
    this.#channels.push(value);
    return rest;
  }

  #constrain(text: string): string {
    const pattern = this.#input.complete
      ? /^\p{White_Space}*([^\p{White_Space}]*)/u
      : /^\p{White_Space}*([^\p{White_Space}{[]*)/u;
    const match = pattern.exec(text);
    const value = match?.[1] ?? "";
    if (value.startsWith("to=")) {
      this.#constrained.push("");
      return text;
    }
    this.#constrained.push(value);
    return text.slice(match?.[0].length ?? 0);
  }

  /** Reads the words of a text; in an incomplete header only up to the first that is none of its pieces. */
  #words(text: string): void {
    const unknown: string[] = [];
    let firstUnknown = 0;
    let at = 0;
    for (;;) {
      const match = /^(\p{White_Space}*)([^\p{White_Space}]+)/u.exec(text.slice(at));
      if (match === null) break;
      const word = match[2]!;
      const start = at + match[1]!.length;
      const end = start + word.length;
      const taken = this.#word(word, text.slice(end), unknown.length === 0);
      if (taken === 0) {
        if (!this.#input.complete) {
          this.#body += text.slice(at);
          return;
        }
        if (unknown.length === 0) firstUnknown = start;
        unknown.push(word);
        at = end;
      } else {
        at = start + taken;
      }
    }
    if (unknown.length === 0) return;
    const words = unknown.filter((word) => !/analysis|commentary|final|assistant/.test(word));
    const sentence = SENTENCE_WORDS + (this.#sawRole ? 1 : 0);
    if (!this.#sawMark && words.length >= sentence && this.#input.segments.length > 1) {
      this.#leading = text.slice(firstUnknown);
    } else {
      this.#extra.push(...unknown);
    }
  }

  /** Units of `word` (and of what follows) that are a piece of the header; 0 if it is none. */
  #word(word: string, rest: string, first: boolean): number {
    const roleLength = first && !this.#sawMark ? this.#roleWord(word, rest) : 0;
    if (roleLength > 0) return roleLength;
    if (word.startsWith("to=")) return this.#recipientWord(word, rest);
    const type = this.#input.complete ? word : (/^[^{[]*/.exec(word)?.[0] ?? word);
    if (TYPE_WORDS.has(type) && this.#mayBeType(first, word.slice(type.length) + rest)) {
      this.#typeWords.push(type);
      return type.length;
    }
    // Behind words that mean nothing, a name is a word of a sentence.
    if (!this.#input.complete || !first) return 0;
    if (word.startsWith("functions.") || this.#input.isDeclared(word)) {
      this.#issue("bare_word_header", `The bare word ${word} is read as the recipient`);
      this.#recipients.push(word);
      return word.length;
    }
    const spelled = this.#spelledRecipient(word, rest);
    if (spelled > 0) return spelled;
    if (!this.#sawMark && isChannel(word) && this.#roleChannel === null) {
      this.#issue("role_is_channel", `The word ${word} is read as the channel`);
      this.#roleChannel = word;
      return word.length;
    }
    return 0;
  }

  /**
   * Whether a word like `code` or `text` is a content type here: it may as well be a word of a sentence
   * in front of the header, or the first word of the content where nothing separates that.
   */
  #mayBeType(first: boolean, rest: string): boolean {
    if (this.#recipients.length > 0) return true;
    if (this.#input.complete) return this.#sawMark || first;
    return /^\p{White_Space}*[{[]/u.test(rest);
  }

  /** `to: functions.f`, `to = functions.f`, `to functions.f`; 0 if it is no such thing. */
  #spelledRecipient(word: string, rest: string): number {
    if (!/^to(?::|$)/.test(word)) return 0;
    const pattern =
      /^to(?:\p{White_Space}*[:=]\p{White_Space}*|\p{White_Space}+)([^\p{White_Space}]+)/u;
    const match = pattern.exec(word + rest);
    const name = match?.[1] ?? "";
    if (!name.startsWith("functions.") && !this.#input.isDeclared(name)) return 0;
    this.#issue("bare_word_header", `The recipient is written ${match?.[0]}`);
    this.#recipients.push(name);
    return match?.[0].length ?? 0;
  }

  #recipientWord(word: string, rest: string): number {
    let value = word.slice(3);
    let length = word.length;
    if (value === "") {
      const next = /^\p{White_Space}+([^\p{White_Space}]+)/u.exec(rest);
      if (
        next !== null &&
        (next[1]!.startsWith("functions.") || this.#input.isDeclared(next[1]!))
      ) {
        value = next[1]!;
        length += next[0].length;
      }
    }
    if (!this.#input.complete) {
      const body = value.search(/[{[]/);
      if (body !== -1) {
        length -= value.length - body;
        value = value.slice(0, body);
      }
    }
    const tail = value.indexOf("<|");
    if (tail !== -1) {
      this.#issue("recipient_tail", `The recipient ${value} is cut at <|`, value.slice(tail));
      value = value.slice(0, tail);
    }
    if (value !== "") this.#recipients.push(value);
    return length;
  }

  /** Reads the role word, if this is one; otherwise assumes the assistant and leaves the word. */
  #roleWord(word: string, rest: string): number {
    const repeated = /^(user|assistant|system|developer|tool)\1*$/.exec(word)?.[1];
    if (repeated !== undefined && isRole(repeated)) {
      if (repeated !== word || (this.#role !== null && this.#role === repeated)) {
        this.#issue("duplicate_role", `The role is written ${word}`);
      }
      if (this.#role === null || this.#role === repeated) {
        this.#setRole(repeated, repeated);
        return word.length;
      }
    }
    if (this.#role !== null) return 0;
    const named = /^(user|assistant|system|developer):([^\p{White_Space}]+)$/u.exec(word);
    if (named !== null) {
      this.#setRole(named[1] as Role, named[2]!);
      return word.length;
    }
    const glued = /^assistant(analysis|commentary|final)$/.exec(word)?.[1];
    if (glued !== undefined || isChannel(word)) {
      this.#issue("role_is_channel", `The role is written ${word}`);
      this.#role = "assistant";
      this.#roleChannel = glued ?? word;
      return word.length;
    }
    if (word.startsWith("to=")) {
      this.#assumeAssistant();
      return 0;
    }
    if (this.#isSpeaker(word, rest)) {
      this.#setRole("tool", word);
      return word.length;
    }
    if (this.#input.isDeclared(word)) {
      this.#issue("role_is_tool", `The role is the tool ${word}: read as a call to it`);
      this.#role = "assistant";
      this.#roleRecipient = word;
      return word.length;
    }
    const folded = word.toLowerCase();
    if (isRole(folded) && (this.#input.complete || this.#input.segments.length > 1)) {
      this.#issue("unknown_role", `The role is written ${word}`);
      this.#setRole(folded, folded);
      return word.length;
    }
    if (this.#input.complete && /^[A-Za-z_][\w.-]*$/.test(word)) {
      this.#issue("unknown_role", `The role ${word} is read as a tool's name`);
      this.#setRole("tool", word);
      return word.length;
    }
    this.#assumeAssistant();
    return 0;
  }

  #setRole(role: Role, name: string): void {
    this.#sawRole = true;
    if (this.#role === null && (role === "tool" || name !== role)) this.#name = name;
    this.#role = role;
  }

  #assumeAssistant(): void {
    this.#issue("missing_role", "A header has no role; assistant is assumed");
    this.#role = "assistant";
  }

  /** A tool's result is addressed to the assistant: that tells it from a call with a missing role. */
  #isSpeaker(word: string, rest: string): boolean {
    const toAssistant = /(^|\p{White_Space})to=assistant(?!\p{L})/u;
    return (
      !word.startsWith("<") &&
      (toAssistant.test(rest) ||
        this.#input.segments.some(
          (segment) => segment.mark === null && toAssistant.test(segment.text),
        ))
    );
  }

  #result(): RecoveredHeader {
    if (this.#role === null) this.#assumeAssistant();
    const role = this.#role ?? "assistant";
    const hint = this.#roleRecipient ?? this.#recipientHint();
    let recipient = this.#recipients.at(-1) ?? hint;
    const channel = this.#resultChannel();
    let contentType = this.#resultType();
    // Of several recipients or types the last one counts; the others are reported.
    this.#extra.push(...this.#recipients.slice(0, -1), ...this.#superseded());
    if (role === "assistant" && recipient !== null && /^(assistant|user|all)$/.test(recipient)) {
      this.#issue("self_recipient", `The assistant addresses ${recipient}: not a call`);
      recipient = null;
    }
    recipient = this.#withoutPunctuation(recipient);
    if (recipient?.endsWith("json") === true && !this.#input.isDeclared(recipient)) {
      const stripped = recipient.slice(0, -"json".length);
      if (this.#input.isDeclared(stripped)) {
        this.#issue(
          "glued_content_type",
          `The recipient ${recipient} is ${stripped} with type json`,
        );
        recipient = stripped;
        contentType ??= "json";
      }
    }
    if (contentType !== null && recipient === null && this.#recipients.length === 0) {
      const code = contentType.startsWith("<|") ? "constrain_as_recipient" : "bare_word_header";
      this.#issue(code, `${contentType} is the content type of a message without recipient`);
    }
    if (this.#extra.length > 0) {
      const words = this.#extra.join(" ");
      this.#issue("extra_header_words", `Words of the header mean nothing: ${words}`, words);
    }
    return {
      header: {
        role,
        ...(this.#name === null ? {} : { name: this.#name }),
        channel,
        recipient,
        contentType,
      },
      leading: this.#leading,
      body: this.#body,
      issues: this.#issues,
    };
  }

  /** `"functions.f"`, `functions.f:`: the declared tool in it, if there is one. */
  #withoutPunctuation(recipient: string | null): string | null {
    const { isDeclared } = this.#input;
    if (recipient === null || recipient.length > LONGEST_NAME || isDeclared(recipient)) {
      return recipient;
    }
    const bare = recipient.replace(/^["'`([]+|["'`)\]>.:,;]+$/g, "");
    if (bare === recipient || !isDeclared(bare)) return recipient;
    this.#issue("recipient_tail", `The recipient ${recipient} is ${bare}`);
    return bare;
  }

  /** A declared tool where a content type or a channel stands, for a message without `to=`. */
  #recipientHint(): string | null {
    const { isDeclared } = this.#input;
    for (const value of this.#constrained.toReversed()) {
      const name = value.replace(/:$/, "");
      if (name !== "" && isDeclared(name)) {
        if (this.#recipients.length > 0) {
          this.#extra.push(value);
        } else {
          this.#issue(
            "recipient_from_constrain",
            `The content type ${value} is read as the recipient`,
          );
        }
        this.#constrained.splice(this.#constrained.lastIndexOf(value), 1);
        if (this.#recipients.length === 0) return name;
      }
    }
    if (this.#recipients.length > 0) return null;
    const tool = this.#channels.findLast((value) => !isChannel(value) && isDeclared(value));
    if (tool === undefined) return null;
    this.#issue("recipient_from_channel", `The channel ${tool} is read as the recipient`);
    this.#channels.splice(this.#channels.lastIndexOf(tool), 1);
    return tool;
  }

  #resultChannel(): string | null {
    if (this.#channels.length > 1) {
      this.#issue(
        "duplicate_channel",
        `Several channels: ${this.#channels.join(", ")}; the last counts`,
      );
    }
    const channel = this.#channels.at(-1) ?? this.#roleChannel ?? this.#input.channelHint;
    if (channel !== null && !isChannel(channel)) {
      this.#issue("unknown_channel", `The channel ${channel} is none of ${CHANNELS.join(", ")}`);
    }
    return channel;
  }

  #resultType(): string | null {
    const constrained = this.#constrained.at(-1);
    return constrained === undefined
      ? (this.#typeWords.at(-1) ?? null)
      : `<|constrain|>${constrained}`;
  }

  /** Content types and channel words that another one stands in for. */
  #superseded(): string[] {
    const types = [...this.#typeWords, ...this.#constrained];
    const kept = this.#constrained.length > 0 ? types.length - 1 : this.#typeWords.length - 1;
    const channels = this.#channels.length > 0 && this.#roleChannel ? [this.#roleChannel] : [];
    return [...types.filter((word, at) => at !== kept && word !== ""), ...channels];
  }

  #issue(code: IssueCode, detail: string, dropped?: string): void {
    this.#issues.push(dropped === undefined ? { code, detail } : { code, detail, dropped });
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
