/**
 * The streaming parser: token ids (or text with special tokens as written) in, messages out as they
 * come. Two ways of reading:
 *
 * - `lenient`, the default: every input becomes messages. Every deviation from the format is an issue event;
 *   no text is lost silently, and no input makes the parser throw.
 * - `strict`: exactly the reference implementation, its results and its error texts.
 *
 * One parser reads one completion.
 */
import { HarmonyError } from "../errors.ts";
import type { Role } from "../message.ts";
import { SpecialMatcher } from "../tokenizer/special-matcher.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import type { Issue, MessageHeader, ParsedMessage, ParserEvent } from "./issues.ts";
import { LenientReader } from "./lenient-reader.ts";
import type { MessageReader } from "./message-reader.ts";
import { StrictReader } from "./strict-reader.ts";

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

export class HarmonyParser {
  readonly #reader: MessageReader;
  readonly #matcher: SpecialMatcher;
  /** Text input: what may be the beginning of a special token or half a surrogate pair. */
  #tail = "";
  #finished = false;

  constructor(options: ParserOptions) {
    const { tokenizer, role = null, maxHeaderTokens } = options;
    this.#reader =
      options.mode === "strict"
        ? new StrictReader(tokenizer, role, maxHeaderTokens)
        : new LenientReader(tokenizer, role, options.knownTools ?? [], maxHeaderTokens);
    this.#matcher = new SpecialMatcher(this.#reader.texts);
  }

  /**
   * Reads one id.
   * @returns what it completed, in order
   * @throws HarmonyParseError in strict mode only; the messages so far stay, and reading can go on
   */
  push(id: number): readonly ParserEvent[] {
    this.#expectOpen();
    this.#reader.collect();
    this.#reader.readToken(id);
    return this.#reader.takeEvents();
  }

  /**
   * Reads one id without making events, for callers that only look at `messages` and
   * `lastContentDelta`.
   * @throws HarmonyParseError as `push` does
   */
  process(id: number): void {
    this.#expectOpen();
    this.#reader.readTokenSilently(id);
  }

  /**
   * Reads a piece of text in which special tokens stand as written; they may be cut anywhere.
   * @throws HarmonyParseError in strict mode only; what comes after the fault is read by the next call
   */
  pushText(chunk: string): readonly ParserEvent[] {
    this.#expectOpen();
    this.#reader.collect();
    this.#readText(chunk);
    return this.#reader.takeEvents();
  }

  /**
   * The end of the input: closes what is open.
   * @throws HarmonyParseError in strict mode, when a header is open
   */
  finish(): readonly ParserEvent[] {
    this.#expectOpen();
    this.#finished = true;
    this.#reader.clearDelta();
    const tail = this.#tail;
    this.#tail = "";
    this.#readOrdinary(tail);
    this.#reader.finish();
    this.#reader.clearDelta();
    return this.#reader.takeEvents();
  }

  /** The messages completed so far. */
  get messages(): readonly ParsedMessage[] {
    return this.#reader.messages;
  }

  /** All issues so far, also those that belong to no message. */
  get issues(): readonly Issue[] {
    return this.#reader.allIssues;
  }

  /** The header of the message whose content is being read. */
  get currentHeader(): MessageHeader | null {
    return this.#reader.where === "content" ? this.#reader.current : null;
  }

  /** The role of the message being read, as far as it is known. */
  get currentRole(): Role | null {
    return this.currentHeader?.role ?? this.#reader.presetRole;
  }

  /** The content of the message being read. */
  get currentContent(): string {
    return this.#reader.where === "content" ? this.#reader.text : "";
  }

  /** What the last id or chunk added to the content; null when nothing. */
  get lastContentDelta(): string | null {
    return this.#reader.lastDelta;
  }

  /**
   * Reads a whole completion.
   * @throws HarmonyParseError in strict mode only
   */
  static parse(ids: Iterable<number>, options: ParserOptions): readonly ParsedMessage[] {
    const parser = new HarmonyParser(options);
    parser.#reader.readSilently(Array.isArray(ids) || ids instanceof Int32Array ? ids : [...ids]);
    parser.finish();
    return parser.#reader.messages;
  }

  /**
   * Reads a whole completion as text.
   * @throws HarmonyParseError in strict mode only
   */
  static parseText(text: string, options: ParserOptions): readonly ParsedMessage[] {
    const parser = new HarmonyParser(options);
    parser.#reader.collecting = false;
    parser.#readText(text);
    parser.finish();
    return parser.#reader.messages;
  }

  #readText(chunk: string): void {
    this.#reader.clearDelta();
    const text = this.#tail + chunk;
    let start = 0;
    for (;;) {
      const match = this.#matcher.find(text, start, "all");
      if (match === null) break;
      // Strict reading may throw at either: what follows is then still to come.
      this.#tail = text.slice(match.start);
      this.#readOrdinary(text.slice(start, match.start));
      this.#tail = text.slice(match.end);
      this.#reader.readToken(match.id);
      start = match.end;
    }
    let held = this.#matcher.heldBack(text, start);
    if (held > start && /[\uD800-\uDBFF]/.test(text[held - 1]!)) held--;
    this.#tail = text.slice(held);
    this.#readOrdinary(text.slice(start, held));
  }

  #readOrdinary(text: string): void {
    if (text !== "") this.#reader.readText(text.isWellFormed() ? text : text.toWellFormed());
  }

  #expectOpen(): void {
    if (!this.#finished) return;
    throw new HarmonyError(
      "CHORALE_HARMONY_FINISHED",
      "The parser was given more input after finish(); a parser reads one completion, so make a new one",
    );
  }
}
