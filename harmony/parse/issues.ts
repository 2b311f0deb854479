/**
 * What the parser reports: events while a message is read, and issues, one for every deviation of a
 * model's output from the format. An issue never stops anything; it says what was done about it.
 */
import type { Message, Role } from "../message.ts";

export type IssueCode =
  /** A stop token where no message was open; ignored. */
  | "stray_stop_token"
  /** A word like `commentary` or `?` between messages; dropped. */
  | "filler_text"
  /** A message began without `<|start|>`; an assistant message is assumed. */
  | "missing_start"
  /** A message was ended by the beginning of the next one. */
  | "missing_end"
  /** A header was ended without `<|message|>`; what was left of it is the content. */
  | "missing_message_token"
  /** `<|start|>` again before the header said anything. */
  | "duplicate_start"
  /** The role twice, e.g. `assistantassistant`. */
  | "duplicate_role"
  /** A header without a role; assistant is assumed. */
  | "missing_role"
  /** Several channels in one header; the last one counts. */
  | "duplicate_channel"
  /** `<|channel|>` without a value; the message has no channel. */
  | "empty_channel"
  /** `<|message|>` or `<|constrain|>` inside of content: text; a second `<|message|>` in a row is dropped. */
  | "special_in_content"
  /** A channel that is none of analysis, commentary, final: kept, unless it is one written differently. */
  | "unknown_channel"
  /** A message of the assistant to itself, the user or all; the recipient is dropped. */
  | "self_recipient"
  /** A content type where a recipient could have been read; it is not one. */
  | "constrain_as_recipient"
  /** The content type names a declared tool and there is no recipient: it is the recipient. */
  | "recipient_from_constrain"
  /** A superseded channel names a declared tool and there is no recipient: it is the recipient. */
  | "recipient_from_channel"
  /** The role word is a channel's name: an assistant message on that channel. */
  | "role_is_channel"
  /** The role word is a declared tool's name: the assistant's call to it. */
  | "role_is_tool"
  /** A role word that is no role: a role in capitals is that role, another word a tool that speaks. */
  | "unknown_role"
  /** A bare word of the header was read as content type or recipient. */
  | "bare_word_header"
  /** Words of the header that mean nothing; dropped. */
  | "extra_header_words"
  /** `shelljson`: the content type stuck to the recipient; separated. */
  | "glued_content_type"
  /** The rest of a recipient from `<|` on, or quotes and punctuation around a declared tool; cut off. */
  | "recipient_tail"
  /** Text outside of any message; kept as a message without channel. */
  | "text_between_messages"
  /** The output ended, or grew too long, inside a header. */
  | "truncated_header"
  /** A call without a body; dropped. */
  | "incomplete_tool_call"
  /** A message that was opened without `<|start|>` and has no content; dropped. */
  | "empty_message"
  /** Bytes that are no UTF-8, or ids the vocabulary does not have; U+FFFD instead. */
  | "invalid_utf8"
  /** The text came without special tokens; messages were told apart by their words. */
  | "specials_stripped"
  // The following are for the layer that reads arguments; the parser leaves content as it is.
  | "incomplete_json"
  | "trailing_text_after_json"
  | "args_not_json"
  /** The arguments stood inside of a description of the call, `{"name": …, "arguments": {…}}`. */
  | "args_unwrapped"
  /** A value of the arguments stood in another spelling, `"20"` for 20; it was read. */
  | "args_coerced"
  | "unknown_tool";

export type Issue = {
  readonly code: IssueCode;
  /** One sentence for people. */
  readonly detail: string;
  /** Text of the model that is in no message because of this. */
  readonly dropped?: string;
};

/** What a header says. */
export type MessageHeader = {
  readonly role: Role;
  /** Tool messages: the tool that speaks. */
  readonly name?: string;
  readonly channel: string | null;
  readonly recipient: string | null;
  readonly contentType: string | null;
};

/** Which token ended a message; null: none did, the output or the next message's beginning. */
export type Terminator = "end" | "call" | "return" | null;

/** A message as parsed; `content` is one text. */
export type ParsedMessage = Message &
  MessageHeader & {
    readonly text: string;
    readonly terminator: Terminator;
    readonly issues: readonly Issue[];
  };

export type ParserEvent =
  /** The header is complete; content follows. */
  | { readonly type: "message-start"; readonly header: MessageHeader }
  /** New content, whole characters only. */
  | {
      readonly type: "delta";
      readonly channel: string | null;
      readonly recipient: string | null;
      readonly text: string;
    }
  | { readonly type: "message-end"; readonly message: ParsedMessage }
  | { readonly type: "issue"; readonly issue: Issue };
