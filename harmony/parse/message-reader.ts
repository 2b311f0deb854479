/**
 * What strict and lenient reading have in common: where in the stream the parser is, the header being
 * collected, the content being decoded, and the messages and events that come of it. The two subclasses
 * decide what damaged input becomes.
 */

import type { Role } from "../message.ts";
import { SPECIAL_TEXT, type SpecialName } from "../tokenizer/special-tokens.ts";
import { packedIds, type Tokenizer } from "../tokenizer/tokenizer.ts";
import { ContentDecoder } from "./content-decoder.ts";
import type {
  Issue,
  IssueCode,
  MessageHeader,
  ParsedMessage,
  ParserEvent,
  Terminator,
} from "./issues.ts";

/** Special tokens with a meaning for the parser. */
export type Kind = SpecialName | "endOfText";

/** Ids, and text where the input is text. */
export type HeaderPart = number | string;

/**
 * Content grows by a few characters at a time. Joined one by one they would be a chain of as many small
 * strings, which the garbage collector walks again and again; so they are made one string at this length.
 */
const PART_LENGTH = 4096;

/** Ids of content that may wait to be decoded: about 16 KB of text, which stays in the processor's cache. */
const QUEUE_LENGTH = 4096;

const NO_EVENTS: readonly ParserEvent[] = Object.freeze([]);

export abstract class MessageReader {
  readonly messages: ParsedMessage[] = [];
  /** All issues, also those that belong to no message. */
  readonly allIssues: Issue[] = [];
  /** Whether events are made; off where only the messages are wanted. */
  collecting = true;
  where: "between" | "header" | "content" = "between";
  /** The role of the next header, where it is known before it is read. */
  presetRole: Role | null;
  /** In content: the header and the text so far. */
  current: MessageHeader = { role: "assistant", channel: null, recipient: null, contentType: null };
  #lastDelta: string | null = null;
  /** Ids of content read without events: decoded many at a time, when the text is asked for. */
  readonly #queue: Int32Array = new Int32Array(QUEUE_LENGTH);
  #queued = 0;
  #text = "";
  /** The end of `#text` that is still short. */
  #textTail = "";
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
    this.#decodeQueue();
    return this.#text + this.#textTail;
  }

  /** What the last id or text added to the content; null when nothing. */
  get lastDelta(): string | null {
    this.#decodeQueue();
    return this.#lastDelta;
  }

  /** Makes events from here on; what was read silently gets none. */
  collect(): void {
    this.#decodeQueue();
    this.collecting = true;
  }

  /** Before anything but an id of content is read: nothing waits, and `lastDelta` is null. */
  clearDelta(): void {
    this.#decodeQueue();
    this.#lastDelta = null;
  }

  /** Reads one id, with events if `collecting`. */
  readToken(id: number): void {
    this.clearDelta();
    const kind = this.#kindOf(id);
    if (kind !== undefined) this.readSpecial(id, kind);
    else if (this.where === "content") this.#readContent(id);
    else if (this.where === "header") this.addToHeader(id);
    else this.readBetween(id);
  }

  /** Reads one id without events. Most are content, of which nothing is to be seen yet: they wait. */
  readTokenSilently(id: number): void {
    this.collecting = false;
    if (this.where !== "content" || id >= this.#lowestKind || id >>> 0 !== id) {
      this.readToken(id);
      return;
    }
    if (this.#queued === QUEUE_LENGTH) this.#decodeQueue();
    this.#queue[this.#queued++] = id;
  }

  /** Reads many ids without events; contents are decoded in one piece. */
  readSilently(ids: readonly number[] | Int32Array): void {
    this.collecting = false;
    const packed = packedIds(ids);
    const lowest = this.#lowestKind;
    for (let at = 0; at < packed.length; ) {
      const start = at;
      if (this.where === "content") while (at < packed.length && packed[at]! < lowest) at++;
      if (at > start) this.#readRun(packed.subarray(start, at));
      else this.readTokenSilently(ids[at++]!);
    }
  }

  /** Reads ids of content: in one piece if they are sound, else in short ones that mostly are. */
  #readRun(ids: Int32Array): void {
    this.clearDelta();
    const whole = this.#decodeWhole(ids);
    if (whole !== null) {
      this.addContent(whole);
      return;
    }
    for (let at = 0; at < ids.length; at += QUEUE_LENGTH) {
      this.#readPiece(ids.subarray(at, at + QUEUE_LENGTH));
    }
  }

  #readPiece(ids: Int32Array): void {
    const text = this.#decodeWhole(ids);
    if (text !== null) this.addContent(text);
    else for (const id of ids) this.#readContent(id);
  }

  /** Leaves everything as if the ids that wait had been read one by one. */
  #decodeQueue(): void {
    if (this.#queued === 0) return;
    const last = this.#queued - 1;
    this.#queued = 0;
    if (last > 0) this.#readPiece(this.#queue.subarray(0, last));
    this.#lastDelta = null;
    this.#readContent(this.#queue[last]!);
  }

  #readContent(id: number): void {
    const text = this.decoder.push(id);
    if (text !== null) this.addContent(text);
  }

  /** Null where characters are cut off or damaged: these ids have to be read one by one. */
  #decodeWhole(ids: Int32Array): string | null {
    if (!this.decoder.isEmpty) return null;
    try {
      return this.tokenizer.decode(ids);
    } catch {
      return null;
    }
  }

  #kindOf(id: number): Kind | undefined {
    return id >= this.#lowestKind && id <= this.#highestKind ? this.#kinds.get(id) : undefined;
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
    this.#textTail += text;
    if (this.#textTail.length > PART_LENGTH) {
      this.#textTail.charCodeAt(0); // makes the chain one string
      this.#text += this.#textTail;
      this.#textTail = "";
    }
    this.#lastDelta = this.#lastDelta === null ? text : this.#lastDelta + text;
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
    this.#text = "";
    this.#textTail = "";
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
    this.#lastDelta = null;
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
