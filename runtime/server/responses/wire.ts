/**
 * What `/v1/responses` gives: the response object, its output items, and the events of a stream. The names are
 * OpenAI's; every key of an object is always there. `sequence_number` counts the events of one response from 0.
 */

export type ResponseStatus =
  | "queued"
  | "in_progress"
  | "completed"
  | "incomplete"
  | "failed"
  | "cancelled";

export type WireItemStatus = "in_progress" | "completed" | "incomplete";

export type UrlCitation = {
  readonly type: "url_citation";
  /** Characters of the text, the second not included. */
  readonly start_index: number;
  readonly end_index: number;
  readonly url: string;
  readonly title: string;
};

export type OutputText = {
  readonly type: "output_text";
  readonly text: string;
  readonly annotations: readonly UrlCitation[];
  readonly logprobs: readonly never[];
};

export type ReasoningText = { readonly type: "reasoning_text"; readonly text: string };
export type SummaryText = { readonly type: "summary_text"; readonly text: string };

export type OutputMessage = {
  readonly type: "message";
  readonly id: string;
  readonly status: WireItemStatus;
  readonly role: "assistant";
  readonly content: readonly OutputText[];
  /** `commentary`: said before or between calls. */
  readonly phase: "commentary" | "final_answer";
};

export type ReasoningOutput = {
  readonly type: "reasoning";
  readonly id: string;
  /** The trace again, for clients that show only this; empty unless it was asked for. */
  readonly summary: readonly SummaryText[];
  readonly content: readonly ReasoningText[];
  /** The trace, sealed for this server; null unless it was asked for. Open Responses leaves it out then. */
  readonly encrypted_content?: string | null;
  readonly status: WireItemStatus;
};

export type FunctionCallOutputItem = {
  readonly type: "function_call";
  readonly id: string;
  readonly call_id: string;
  readonly name: string;
  /** Only of a tool that was declared in a namespace. */
  readonly namespace?: string;
  /** JSON, as the model wrote it. */
  readonly arguments: string;
  readonly status: WireItemStatus;
};

export type CustomToolCall = {
  readonly type: "custom_tool_call";
  readonly id: string;
  readonly call_id: string;
  readonly name: string;
  readonly namespace?: string;
  readonly input: string;
  readonly status: WireItemStatus;
};

export type WebSearchAction =
  | { readonly type: "search"; readonly query: string }
  | { readonly type: "open_page"; readonly url: string | null }
  | { readonly type: "find_in_page"; readonly url: string | null; readonly pattern: string };

export type WebSearchCall = {
  readonly type: "web_search_call";
  readonly id: string;
  readonly status: "in_progress" | "searching" | "completed" | "failed";
  readonly action: WebSearchAction;
};

export type CodeInterpreterCall = {
  readonly type: "code_interpreter_call";
  readonly id: string;
  readonly status: "in_progress" | "interpreting" | "completed" | "incomplete" | "failed";
  readonly code: string;
  readonly container_id: string;
  /** What the code printed; null while it runs, and unless `include` asks for it. */
  readonly outputs: readonly { readonly type: "logs"; readonly logs: string }[] | null;
};

/** A summary in the place of a conversation, as `/v1/responses/compact` gives it. */
export type CompactionItem = {
  readonly type: "compaction";
  readonly id: string;
  readonly encrypted_content: string;
};

export type OutputItem =
  | OutputMessage
  | ReasoningOutput
  | FunctionCallOutputItem
  | CustomToolCall
  | WebSearchCall
  | CodeInterpreterCall;

export type WireUsage = {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
};

export type ResponseError = { readonly code: string; readonly message: string };

/** What the request said, as the response repeats it. */
export type ResponseEcho = {
  readonly model: string;
  readonly background: boolean;
  readonly previous_response_id: string | null;
  readonly instructions: string | null;
  readonly tools: readonly unknown[];
  readonly tool_choice: unknown;
  readonly truncation: "auto" | "disabled";
  readonly parallel_tool_calls: boolean;
  readonly text: { readonly format: unknown; readonly verbosity: string };
  readonly top_p: number;
  readonly presence_penalty: number;
  readonly frequency_penalty: number;
  readonly top_logprobs: number;
  readonly temperature: number;
  readonly reasoning: { readonly effort: string; readonly summary: string | null };
  readonly user: string | null;
  readonly max_output_tokens: number | null;
  readonly max_tool_calls: number | null;
  readonly store: boolean;
  readonly service_tier: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly safety_identifier: string | null;
  readonly prompt_cache_key: string | null;
};

export type ResponseObject = ResponseEcho & {
  readonly id: string;
  readonly object: "response";
  /** Seconds since 1970. */
  readonly created_at: number;
  readonly completed_at: number | null;
  readonly status: ResponseStatus;
  readonly incomplete_details: { readonly reason: string } | null;
  readonly output: readonly OutputItem[];
  readonly error: ResponseError | null;
  readonly usage: WireUsage | null;
};

type OfItem = { readonly output_index: number };
type InItem = OfItem & { readonly item_id: string };
type InPart = InItem & { readonly content_index: number };
type InSummary = InItem & { readonly summary_index: number };

/** An event without its number. */
export type ResponseEventBody =
  | {
      readonly type:
        | "response.created"
        | "response.in_progress"
        | "response.queued"
        | "response.completed"
        | "response.incomplete"
        | "response.failed";
      readonly response: ResponseObject;
    }
  | (OfItem & {
      readonly type: "response.output_item.added" | "response.output_item.done";
      readonly item: OutputItem;
    })
  | (InPart & {
      readonly type: "response.content_part.added" | "response.content_part.done";
      readonly part: OutputText | ReasoningText;
    })
  | (InPart & {
      readonly type: "response.output_text.delta";
      readonly delta: string;
      readonly logprobs: readonly never[];
    })
  | (InPart & {
      readonly type: "response.output_text.done";
      readonly text: string;
      readonly logprobs: readonly never[];
    })
  | (InPart & {
      readonly type: "response.output_text.annotation.added";
      readonly annotation_index: number;
      readonly annotation: UrlCitation;
    })
  | (InPart & {
      readonly type: "response.reasoning_text.delta" | "response.reasoning.delta";
      readonly delta: string;
    })
  | (InPart & {
      readonly type: "response.reasoning_text.done" | "response.reasoning.done";
      readonly text: string;
    })
  | (InSummary & {
      readonly type:
        | "response.reasoning_summary_part.added"
        | "response.reasoning_summary_part.done";
      readonly part: SummaryText;
    })
  | (InSummary & {
      readonly type: "response.reasoning_summary_text.delta";
      readonly delta: string;
    })
  | (InSummary & { readonly type: "response.reasoning_summary_text.done"; readonly text: string })
  | (InItem & {
      readonly type:
        | "response.function_call_arguments.delta"
        | "response.custom_tool_call_input.delta"
        | "response.code_interpreter_call_code.delta";
      readonly delta: string;
    })
  | (InItem & {
      readonly type: "response.function_call_arguments.done";
      readonly name: string;
      readonly arguments: string;
    })
  | (InItem & { readonly type: "response.custom_tool_call_input.done"; readonly input: string })
  | (InItem & {
      readonly type: "response.code_interpreter_call_code.done";
      readonly code: string;
    })
  | (InItem & {
      readonly type:
        | "response.web_search_call.in_progress"
        | "response.web_search_call.searching"
        | "response.web_search_call.completed"
        | "response.code_interpreter_call.in_progress"
        | "response.code_interpreter_call.interpreting"
        | "response.code_interpreter_call.completed";
    })
  | {
      readonly type: "error";
      readonly code: string | null;
      readonly message: string;
      readonly param: string | null;
    }
  /** The same in Open Responses. */
  | {
      readonly type: "error";
      readonly error: {
        readonly type: string;
        readonly code: string | null;
        readonly message: string;
        readonly param: string | null;
      };
    }
  /** Nothing has happened for a while, and the response is still being made. */
  | { readonly type: "keepalive" };

export type ResponseEvent = ResponseEventBody & { readonly sequence_number: number };
