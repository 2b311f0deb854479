/**
 * What strict and lenient reading have in common: where in the stream the parser is, the header being
 * collected, the content being decoded, and the messages and events that come of it. How damaged input
 * is met is the two subclasses' business.
 */
import { ContentDecoder } from "./content-decoder.ts";
import type {
  Issue,
  IssueCode,
  MessageHeader,
  ParsedMessage,
  ParserEvent,
  Terminator,
} from "./issues.ts";
import type { Role } from "./message.ts";
import { SPECIAL_TEXT, type SpecialName } from "./special-tokens.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Special tokens with a meaning for the parser. */
export type Kind = SpecialName | "endOfText";

/** Ids, and text where the input is text. */
export type HeaderPart = number | string;

/**
 * Content grows by a few characters at a time. Joined one by one they would be a chain of as many small
 * strings, which the garbage collector walks again and again; so they are made one string at this length.
 */
const PART_LENGTH = 4096;

const NO_EVENTS: readonly ParserEvent[] = Object.freeze([]);

export abstract class MessageReader {
  readonly messages: ParsedMessage[] = [];
  /** All issues, also those that belong to no message. */
  readonly allIssues: Issue[] = [];
  /** Whether events are made; off where only the messages are wanted. */
  collecting = true;
  /** What the last id or text added to the content; null when nothing. */
  lastDelta: string | null = null;
  where: "between" | "header" | "content" = "between";
  /** The role of the next header, where it is known before it is read. */
  presetRole: Role | null;
  /** In content: the header and the text so far. */
  current: MessageHeader = { role: "assistant", channel: null, recipient: null, contentType: null };
  readonly #parts: string[] = [];
  #text = "";
  /** The structural tokens: as written, and by id. */
  readonly texts: ReadonlyMap<string, number>;

  protected readonly tokenizer: Tokenizer;
  protected readonly decoder: ContentDecoder;
  protected header: HeaderPart[] = [];
  /** Issues of the message being read. */
  protected issues: Issue[] = [];
  readonly #kinds: ReadonlyMap<number, Kind>;
  /** Ids outside of this range are no structural tokens: most need no look-up. */
  readonly #lowestKind: number;
  readonly #highestKind: number;
  readonly #maxHeaderTokens: number;
  #headerSize = 0;
  /** Whether the message being read has had its `message-start`. */
  #announced = false;
  /** Events of this call; null while there is none. */
  #events: ParserEvent[] | null = null;

  constructor(
    tokenizer: Tokenizer,
    options: {
      readonly role: Role | null;
      readonly maxHeaderTokens: number;
      readonly endOfText: boolean;
      readonly holdAfterUnknown: boolean;
    },
  ) {
    this.tokenizer = tokenizer;
    this.decoder = new ContentDecoder(tokenizer, options.holdAfterUnknown);
    this.#maxHeaderTokens = options.maxHeaderTokens;
    this.presetRole = options.role;
    if (options.role !== null) this.where = "header";
    const kinds = new Map<number, Kind>();
    const texts = new Map<string, number>();
    for (const name of Object.keys(SPECIAL_TEXT) as SpecialName[]) {
      kinds.set(tokenizer.special[name], name);
      texts.set(SPECIAL_TEXT[name], tokenizer.special[name]);
    }
    const { endOfText } = tokenizer.special;
    if (options.endOfText && endOfText !== null) {
      kinds.set(endOfText, "endOfText");
      texts.set("<|endoftext|>", endOfText);
    }
    this.#kinds = kinds;
    this.texts = texts;
    this.#lowestKind = Math.min(...kinds.keys());
    this.#highestKind = Math.max(...kinds.keys());
  }

  /** The content so far of the message being read. */
  get text(): string {
    return this.#parts.length === 0 ? this.#text : this.#parts.join("") + this.#text;
  }

  /** Reads one id. */
  readToken(id: number): void {
    this.lastDelta = null;
    const kind = this.#kindOf(id);
    if (kind !== undefined) {
      this.readSpecial(id, kind);
    } else if (this.where === "content") {
      const text = this.decoder.push(id);
      if (text !== null) this.addContent(text);
    } else if (this.where === "header") {
      this.addToHeader(id);
    } else {
      this.readBetween(id);
    }
  }

  /** Reads ids without events in between: the content of a message is decoded in one piece. */
  readTokens(ids: readonly number[]): void {
    for (let at = 0; at < ids.length; ) {
      let end = at;
      if (this.where === "content" && this.decoder.isEmpty) {
        while (end < ids.length && this.#kindOf(ids[end]!) === undefined) end++;
      }
      const text = end - at > 1 ? this.#decodeWhole(ids.slice(at, end)) : null;
      if (text !== null) {
        this.addContent(text);
        at = end;
      } else {
        // What is no valid text as a whole is read id by id.
        do this.readToken(ids[at++]!);
        while (at < end);
      }
    }
  }

  #kindOf(id: number): Kind | undefined {
    return id >= this.#lowestKind && id <= this.#highestKind ? this.#kinds.get(id) : undefined;
  }

  #decodeWhole(ids: readonly number[]): string | null {
    try {
      return this.tokenizer.decode(ids);
    } catch {
      return null;
    }
  }

  /** Reads well-formed text in which no structural token stands. */
  readText(text: string): void {
    if (this.where === "content") this.addContent(text);
    else if (this.where === "header") this.addToHeader(text);
    else this.readBetween(text);
  }

  /** The end of the input. */
  abstract finish(): void;

  /** The events since the last call. */
  takeEvents(): readonly ParserEvent[] {
    const events = this.#events;
    if (events === null) return NO_EVENTS;
    this.#events = null;
    return events;
  }

  protected abstract readSpecial(id: number, kind: Kind): void;

  /** Ordinary tokens or text where a message should begin. */
  protected abstract readBetween(part: HeaderPart): void;

  /** The header has more tokens than it may. */
  protected abstract headerTooLong(limit: number): void;

  protected addContent(text: string): void {
    if (text === "") return;
    if (!this.#announced) this.#announce();
    this.#text += text;
    if (this.#text.length > PART_LENGTH) {
      this.#text.charCodeAt(0); // makes the chain one string
      this.#parts.push(this.#text);
      this.#text = "";
    }
    this.lastDelta = this.lastDelta === null ? text : this.lastDelta + text;
    if (this.collecting) {
      const { channel, recipient } = this.current;
      this.#emit({ type: "delta", channel, recipient, text });
    }
  }

  protected addToHeader(part: HeaderPart): void {
    const last = this.header.length - 1;
    if (typeof part === "string" && typeof this.header[last] === "string") {
      this.header[last] += part;
    } else {
      this.header.push(part);
    }
    // Four characters of text count as one token, roughly what they are.
    this.#headerSize += typeof part === "string" ? part.length / 4 : 1;
    if (this.#headerSize > this.#maxHeaderTokens) this.headerTooLong(this.#maxHeaderTokens);
  }

  /** Goes to another state with an empty header; returns what it held. */
  protected leaveHeader(where: "between" | "header"): HeaderPart[] {
    const parts = this.header;
    this.where = where;
    this.header = [];
    this.#headerSize = 0;
    return parts;
  }

  /** @param mayBeDropped the message counts only once it has content: its start is told with that */
  protected startContent(header: MessageHeader, mayBeDropped: boolean = false): void {
    this.where = "content";
    this.current = header;
    this.#parts.length = 0;
    this.#text = "";
    this.decoder.replaced = false;
    this.#announced = false;
    if (!mayBeDropped) this.#announce();
  }

  #announce(): void {
    this.#announced = true;
    if (this.collecting) this.#emit({ type: "message-start", header: this.current });
  }

  protected endContent(terminator: Terminator): void {
    this.addContent(this.decoder.end());
    if (!this.#announced) this.#announce();
    this.lastDelta = null;
    const { text } = this;
    const message: ParsedMessage = {
      ...this.current,
      content: [{ type: "text", text }],
      text,
      terminator,
      issues: this.issues,
    };
    this.messages.push(message);
    if (this.collecting) this.#emit({ type: "message-end", message });
    this.issues = [];
    this.where = "between";
  }

  /** Mostly one event per id: a list of just that costs less than a list made to grow. */
  #emit(event: ParserEvent): void {
    if (this.#events === null) this.#events = [event];
    else this.#events.push(event);
  }

  protected issue(code: IssueCode, detail: string, dropped?: string): void {
    this.report(dropped === undefined ? { code, detail } : { code, detail, dropped });
  }

  protected report(issue: Issue): void {
    this.issues.push(issue);
    this.allIssues.push(issue);
    if (this.collecting) this.#emit({ type: "issue", issue });
  }
}
