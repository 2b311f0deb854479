/** From sampled ids to messages: feeds the parser and tells what it recognises. */
import type { HarmonyParser, ParsedMessage, ParserEvent } from "../../harmony/index.ts";
import type { ModelMessage } from "../context.ts";
import type { ModelEvent } from "./language-model.ts";

export class MessageReader {
  readonly #parser: HarmonyParser;
  readonly #onEvent: (event: ModelEvent) => void | Promise<void>;
  /** Ids read so far, and those of them that belong to messages that have ended. */
  #read = 0;
  #ended = 0;
  #isReasoning = false;
  #lastEnded: ModelMessage | null = null;
  #hasCall = false;
  /** The output ended with the vocabulary's own end of text, which ends a message like `<|return|>`. */
  #isEndOfText = false;
  reasoningTokens = 0;

  constructor(parser: HarmonyParser, onEvent: (event: ModelEvent) => void | Promise<void>) {
    this.#parser = parser;
    this.#onEvent = onEvent;
  }

  /** The next token is content of an analysis message, or ends it. */
  get isReasoning(): boolean {
    return this.#isReasoning;
  }

  /** The message that the last id ended; null when it ended none. */
  get lastEnded(): ModelMessage | null {
    return this.#lastEnded;
  }

  get hasCall(): boolean {
    return this.#hasCall;
  }

  async push(id: number): Promise<void> {
    this.#read++;
    this.#lastEnded = null;
    for (const event of this.#parser.push(id)) await this.#take(event);
  }

  /** Ends the reading: what is open becomes a message without a terminator. */
  async finish(isEndOfText: boolean): Promise<void> {
    this.#isEndOfText = isEndOfText;
    for (const event of this.#parser.finish()) await this.#take(event);
  }

  async #take(event: ParserEvent): Promise<void> {
    switch (event.type) {
      case "message-start":
        this.#isReasoning = event.header.channel === "analysis" && !event.header.recipient;
        await this.#onEvent({ type: "message_started", header: event.header });
        break;
      case "delta":
        await this.#onEvent({ type: "delta", text: event.text });
        break;
      case "message-end": {
        this.#isReasoning = false;
        const message = this.#modelMessage(event.message);
        this.#ended = this.#read;
        this.#lastEnded = message;
        if (message.role === "assistant") {
          this.#hasCall ||= Boolean(message.recipient);
          if (message.channel === "analysis" && !message.recipient) {
            this.reasoningTokens += message.ids[1] - message.ids[0];
          }
        }
        await this.#onEvent({ type: "message_ended", message });
        break;
      }
      case "issue":
        break;
    }
  }

  #modelMessage(parsed: ParsedMessage): ModelMessage {
    const { role, name, channel, recipient, contentType, text, issues } = parsed;
    return {
      role,
      ...(name !== undefined && { name }),
      channel,
      recipient,
      contentType,
      text,
      terminator: parsed.terminator ?? (this.#isEndOfText ? "return" : null),
      issues,
      ids: [this.#ended, this.#read],
    };
  }
}
