/** What Anthropic's `/v1/messages` gives: the message, its content, and the events of a stream. */

export type ContentBlock =
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "tool_use";
      readonly id: string;
      readonly name: string;
      readonly input: unknown;
    };

export type StopReason = "end_turn" | "max_tokens" | "stop_sequence" | "tool_use";

export type MessagesUsage = {
  /** Tokens that were computed for this request. */
  readonly input_tokens: number;
  readonly cache_creation_input_tokens: number;
  /** Tokens that were computed before. */
  readonly cache_read_input_tokens: number;
  readonly output_tokens: number;
};

export type WireMessage = {
  readonly id: string;
  readonly type: "message";
  readonly role: "assistant";
  readonly model: string;
  readonly content: readonly ContentBlock[];
  readonly stop_reason: StopReason | null;
  readonly stop_sequence: string | null;
  readonly usage: MessagesUsage;
};

export type BlockDelta =
  | { readonly type: "thinking_delta"; readonly thinking: string }
  | { readonly type: "text_delta"; readonly text: string }
  | { readonly type: "input_json_delta"; readonly partial_json: string };

export type MessagesEvent =
  | { readonly type: "message_start"; readonly message: WireMessage }
  | {
      readonly type: "content_block_start";
      readonly index: number;
      readonly content_block: ContentBlock;
    }
  | { readonly type: "content_block_delta"; readonly index: number; readonly delta: BlockDelta }
  | { readonly type: "content_block_stop"; readonly index: number }
  | {
      readonly type: "message_delta";
      readonly delta: {
        readonly stop_reason: StopReason | null;
        readonly stop_sequence: string | null;
      };
      readonly usage: MessagesUsage;
    }
  | { readonly type: "message_stop" }
  | { readonly type: "ping" };
