/** From the events of a turn to those of Anthropic's stream; the message is what they come to. */
import type { OutputItem, TurnEvent, TurnResult, TurnUsage } from "../turn/items.ts";
import type {
  BlockDelta,
  ContentBlock,
  MessagesEvent,
  MessagesUsage,
  WireMessage,
} from "./wire.ts";

export type MessageWriterOptions = {
  readonly id: string;
  /** As it was sent. */
  readonly model: string;
  /** Whether thoughts are told: they are made in any case. */
  readonly hasThinking: boolean;
};

export class MessageWriter {
  readonly #hasThinking: boolean;
  readonly #content: ContentBlock[] = [];
  /** Places in the content, by the items of the turn. */
  readonly #open = new Map<string, number>();
  #message: WireMessage;

  constructor({ id, model, hasThinking }: MessageWriterOptions) {
    this.#hasThinking = hasThinking;
    this.#message = {
      id,
      type: "message",
      role: "assistant",
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: usageOf(null),
    };
  }

  get message(): WireMessage {
    return { ...this.#message, content: [...this.#content] };
  }

  begin(inputTokens: number): readonly MessagesEvent[] {
    const usage = { ...usageOf(null), input_tokens: inputTokens };
    this.#message = { ...this.#message, usage };
    return [{ type: "message_start", message: this.message }];
  }

  take(event: TurnEvent): readonly MessagesEvent[] {
    switch (event.type) {
      case "item.started":
        return this.#started(event.item);
      case "item.delta":
        return this.#delta(event.id, event.text);
      case "item.completed":
        return this.#completed(event.item.id);
      default:
        return [];
    }
  }

  end({ finish, stopString, usage }: TurnResult): readonly MessagesEvent[] {
    const closed = [...this.#open.keys()].flatMap((id) => this.#completed(id));
    const reasons = { calls: "tool_use", length: "max_tokens" } as const;
    const stop =
      finish === "calls" || finish === "length"
        ? reasons[finish]
        : stopString === null
          ? "end_turn"
          : "stop_sequence";
    const delta = { stop_reason: stop, stop_sequence: stopString } as const;
    this.#message = { ...this.#message, ...delta, usage: usageOf(usage) };
    return [
      ...closed,
      { type: "message_delta", delta, usage: this.#message.usage },
      { type: "message_stop" },
    ];
  }

  #started(item: OutputItem): readonly MessagesEvent[] {
    const block = blockOf(item);
    if (block === null || (block.type === "thinking" && !this.#hasThinking)) return [];
    const index = this.#content.length;
    this.#content.push(block);
    this.#open.set(item.id, index);
    return [{ type: "content_block_start", index, content_block: block }];
  }

  #delta(id: string, text: string): readonly MessagesEvent[] {
    const index = this.#open.get(id);
    if (index === undefined || text === "") return [];
    const block = this.#content[index] as ContentBlock;
    let delta: BlockDelta;
    switch (block.type) {
      case "thinking":
        delta = { type: "thinking_delta", thinking: text };
        this.#content[index] = { ...block, thinking: block.thinking + text };
        break;
      case "text":
        delta = { type: "text_delta", text };
        this.#content[index] = { ...block, text: block.text + text };
        break;
      case "tool_use":
        delta = { type: "input_json_delta", partial_json: text };
        // A text until the call is whole.
        this.#content[index] = { ...block, input: textOf(block.input) + text };
        break;
    }
    return [{ type: "content_block_delta", index, delta }];
  }

  #completed(id: string): readonly MessagesEvent[] {
    const index = this.#open.get(id);
    if (index === undefined) return [];
    this.#open.delete(id);
    const block = this.#content[index] as ContentBlock;
    if (block.type === "tool_use") {
      this.#content[index] = { ...block, input: argumentsOf(textOf(block.input)) };
    }
    return [{ type: "content_block_stop", index }];
  }
}

/** null: what this server carries out itself is not told. */
function blockOf(item: OutputItem): ContentBlock | null {
  switch (item.type) {
    case "reasoning":
      return { type: "thinking", thinking: "", signature: "" };
    case "message":
      return { type: "text", text: "" };
    case "call":
      return { type: "tool_use", id: item.callId, name: item.name, input: {} };
    case "tool":
      return null;
  }
}

function textOf(input: unknown): string {
  return typeof input === "string" ? input : "";
}

/** Arguments that a limit has cut off are no JSON. */
function argumentsOf(text: string): unknown {
  try {
    return text === "" ? {} : (JSON.parse(text) as unknown);
  } catch {
    return {};
  }
}

function usageOf(usage: TurnUsage | null): MessagesUsage {
  const { inputTokens = 0, cachedTokens = 0, outputTokens = 0 } = usage ?? {};
  return {
    input_tokens: inputTokens - cachedTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cachedTokens,
    output_tokens: outputTokens,
  };
}
