/** Output items while they are written: what each event of a turn adds to one, and the events that come of it. */
import type { OutputItem as TurnItem } from "../turn/items.ts";
import { webSearchAction } from "./web-search-action.ts";
import type {
  CodeInterpreterCall,
  OutputItem,
  OutputText,
  ReasoningText,
  ResponseEventBody,
  SummaryText,
  UrlCitation,
  WebSearchCall,
  WireItemStatus,
} from "./wire.ts";

/** An item of the output, from its first event to its last. */
export interface OpenItem {
  /** The item as it stands. */
  readonly item: OutputItem;
  /** The events that begin it. */
  begin(): readonly ResponseEventBody[];
  /** More of its text. */
  append(delta: string): readonly ResponseEventBody[];
  /**
   * The events that end it.
   * @param item as the turn tells it; null where the turn ended before it did
   */
  end(status: "completed" | "incomplete", item: TurnItem | null): readonly ResponseEventBody[];
}

/** Where an item stands in the output. */
export type ItemPlace = { readonly id: string; readonly index: number };

/** How the trace is told. */
export type ReasoningOptions = {
  /** The trace again as its summary. */
  readonly hasSummary: boolean;
  /** Open Responses has names of its own for the events of a raw trace. */
  readonly names: "openai" | "open-responses";
  /** null: the trace is not sealed. */
  readonly seal: ((trace: string) => string) | null;
};

export class OpenReasoning implements OpenItem {
  item: OutputItem & { type: "reasoning" };
  readonly #at: { readonly item_id: string; readonly output_index: number };
  readonly #options: ReasoningOptions;
  #text = "";

  constructor({ id, index }: ItemPlace, options: ReasoningOptions) {
    this.item = {
      type: "reasoning",
      id,
      summary: [],
      content: [],
      ...sealed(null, options),
      status: "in_progress",
    };
    this.#at = { item_id: id, output_index: index };
    this.#options = options;
  }

  begin(): readonly ResponseEventBody[] {
    const inPart = { ...this.#at, content_index: 0 };
    return [
      added(this.#at.output_index, this.item),
      { type: "response.content_part.added", ...inPart, part: reasoningText("") },
      ...this.#summaryPart("response.reasoning_summary_part.added", ""),
    ];
  }

  append(delta: string): readonly ResponseEventBody[] {
    this.#text += delta;
    const type =
      this.#options.names === "openai"
        ? "response.reasoning_text.delta"
        : "response.reasoning.delta";
    const told: ResponseEventBody = { type, ...this.#at, content_index: 0, delta };
    if (!this.#options.hasSummary) return [told];
    const again = "response.reasoning_summary_text.delta";
    return [told, { type: again, ...this.#at, summary_index: 0, delta }];
  }

  end(status: "completed" | "incomplete"): readonly ResponseEventBody[] {
    const { hasSummary, names, seal } = this.#options;
    const text = this.#text;
    this.item = {
      ...this.item,
      summary: hasSummary ? [summaryText(text)] : [],
      content: [reasoningText(text)],
      ...sealed(seal === null ? null : seal(text), this.#options),
      status,
    };
    const inPart = { ...this.#at, content_index: 0 };
    const type = names === "openai" ? "response.reasoning_text.done" : "response.reasoning.done";
    const summaryDone = "response.reasoning_summary_text.done";
    return [
      { type, ...inPart, text },
      { type: "response.content_part.done", ...inPart, part: reasoningText(text) },
      ...(hasSummary ? [{ type: summaryDone, ...this.#at, summary_index: 0, text } as const] : []),
      ...this.#summaryPart("response.reasoning_summary_part.done", text),
      done(this.#at.output_index, this.item),
    ];
  }

  #summaryPart(
    type: "response.reasoning_summary_part.added" | "response.reasoning_summary_part.done",
    text: string,
  ): readonly ResponseEventBody[] {
    if (!this.#options.hasSummary) return [];
    return [{ type, ...this.#at, summary_index: 0, part: summaryText(text) }];
  }
}

/** OpenAI has the key always, Open Responses only with a value. */
function sealed(
  encrypted_content: string | null,
  { names }: ReasoningOptions,
): { readonly encrypted_content?: string | null } {
  return encrypted_content === null && names === "open-responses" ? {} : { encrypted_content };
}

export class OpenMessage implements OpenItem {
  item: OutputItem & { type: "message" };
  readonly #at: { readonly item_id: string; readonly output_index: number };
  #text = "";

  constructor({ id, index }: ItemPlace, phase: "commentary" | "final_answer") {
    this.item = {
      type: "message",
      id,
      status: "in_progress",
      role: "assistant",
      content: [],
      phase,
    };
    this.#at = { item_id: id, output_index: index };
  }

  begin(): readonly ResponseEventBody[] {
    const type = "response.content_part.added";
    return [
      added(this.#at.output_index, this.item),
      { type, ...this.#at, content_index: 0, part: outputText("", []) },
    ];
  }

  append(delta: string): readonly ResponseEventBody[] {
    this.#text += delta;
    const type = "response.output_text.delta";
    return [{ type, ...this.#at, content_index: 0, delta, logprobs: [] }];
  }

  end(status: "completed" | "incomplete", item: TurnItem | null): readonly ResponseEventBody[] {
    const text = this.#text;
    const cited = item?.type === "message" ? (item.citations ?? []) : [];
    const annotations = cited.map(
      ({ url, title, startIndex, endIndex }): UrlCitation => ({
        type: "url_citation",
        start_index: startIndex,
        end_index: endIndex,
        url,
        title,
      }),
    );
    const part = outputText(text, annotations);
    this.item = { ...this.item, status, content: [part] };
    const inPart = { ...this.#at, content_index: 0 };
    return [
      ...annotations.map(
        (annotation, annotation_index): ResponseEventBody => ({
          type: "response.output_text.annotation.added",
          ...inPart,
          annotation_index,
          annotation,
        }),
      ),
      { type: "response.output_text.done", ...inPart, text, logprobs: [] },
      { type: "response.content_part.done", ...inPart, part },
      done(this.#at.output_index, this.item),
    ];
  }
}

/** A call that the client carries out, as it declared its tool. */
export type ClientCall = {
  readonly kind: "function" | "custom";
  readonly callId: string;
  readonly name: string;
  readonly namespace: string | null;
};

export class OpenClientCall implements OpenItem {
  readonly #place: ItemPlace;
  readonly #call: ClientCall;
  #text = "";
  #status: WireItemStatus = "in_progress";

  constructor(place: ItemPlace, call: ClientCall) {
    this.#place = place;
    this.#call = call;
  }

  get item(): OutputItem {
    const { kind, callId, name, namespace } = this.#call;
    const shared = {
      id: this.#place.id,
      call_id: callId,
      name,
      ...(namespace !== null && { namespace }),
      status: this.#status,
    };
    return kind === "function"
      ? { type: "function_call", ...shared, arguments: this.#text }
      : { type: "custom_tool_call", ...shared, input: this.#text };
  }

  begin(): readonly ResponseEventBody[] {
    return [added(this.#place.index, this.item)];
  }

  append(delta: string): readonly ResponseEventBody[] {
    this.#text += delta;
    const type =
      this.#call.kind === "function"
        ? "response.function_call_arguments.delta"
        : "response.custom_tool_call_input.delta";
    return [{ type, ...this.#at, delta }];
  }

  end(status: "completed" | "incomplete", item: TurnItem | null): readonly ResponseEventBody[] {
    // The arguments may be whole before a piece of them was told.
    const whole = item?.type === "call" ? item.arguments : this.#text;
    const told = whole.startsWith(this.#text) ? whole.slice(this.#text.length) : "";
    const rest = told === "" ? [] : this.append(told);
    this.#status = status;
    const { kind, name } = this.#call;
    const last: ResponseEventBody =
      kind === "function"
        ? {
            type: "response.function_call_arguments.done",
            ...this.#at,
            name,
            arguments: this.#text,
          }
        : { type: "response.custom_tool_call_input.done", ...this.#at, input: this.#text };
    return [...rest, last, done(this.#place.index, this.item)];
  }

  get #at(): { readonly item_id: string; readonly output_index: number } {
    return { item_id: this.#place.id, output_index: this.#place.index };
  }
}

/** A search, or a page that is read, carried out by this server. */
export class OpenWebSearch implements OpenItem {
  item: WebSearchCall;
  readonly #index: number;

  /** @param action as far as it is known */
  constructor({ id, index }: ItemPlace, action: WebSearchCall["action"]) {
    this.item = { type: "web_search_call", id, status: "in_progress", action };
    this.#index = index;
  }

  begin(): readonly ResponseEventBody[] {
    const begun: ResponseEventBody[] = [
      added(this.#index, this.item),
      { type: "response.web_search_call.in_progress", ...this.#at },
      { type: "response.web_search_call.searching", ...this.#at },
    ];
    this.item = { ...this.item, status: "searching" };
    return begun;
  }

  append(): readonly ResponseEventBody[] {
    return [];
  }

  end(status: "completed" | "incomplete", item: TurnItem | null): readonly ResponseEventBody[] {
    const call = item?.type === "tool" ? item : null;
    const isDone = status === "completed" && call?.status === "completed";
    this.item = {
      ...this.item,
      // The address of a page that was opened by the number of its link is known by now.
      ...(call !== null && { action: webSearchAction(call) }),
      status: isDone ? "completed" : "failed",
    };
    return [
      ...(isDone ? [{ type: "response.web_search_call.completed", ...this.#at } as const] : []),
      done(this.#index, this.item),
    ];
  }

  get #at(): { readonly item_id: string; readonly output_index: number } {
    return { item_id: this.item.id, output_index: this.#index };
  }
}

/** A program that this server runs. */
export class OpenCode implements OpenItem {
  item: CodeInterpreterCall;
  readonly #index: number;
  readonly #code: string;
  readonly #hasOutputs: boolean;

  constructor(
    { id, index }: ItemPlace,
    code: string,
    { containerId, hasOutputs }: { readonly containerId: string; readonly hasOutputs: boolean },
  ) {
    this.item = {
      type: "code_interpreter_call",
      id,
      status: "in_progress",
      code: "",
      container_id: containerId,
      outputs: null,
    };
    this.#index = index;
    this.#code = code;
    this.#hasOutputs = hasOutputs;
  }

  begin(): readonly ResponseEventBody[] {
    const code = this.#code;
    const stem = "response.code_interpreter_call";
    const begun: ResponseEventBody[] = [
      added(this.#index, this.item),
      { type: `${stem}.in_progress`, ...this.#at },
      ...(code === "" ? [] : [{ type: `${stem}_code.delta`, ...this.#at, delta: code } as const]),
      { type: `${stem}_code.done`, ...this.#at, code },
      { type: `${stem}.interpreting`, ...this.#at },
    ];
    this.item = { ...this.item, status: "interpreting", code };
    return begun;
  }

  append(): readonly ResponseEventBody[] {
    return [];
  }

  end(status: "completed" | "incomplete", item: TurnItem | null): readonly ResponseEventBody[] {
    const result = item?.type === "tool" ? item.result : null;
    // A program that ends with an error has been run: the error is in its output.
    const isDone = status === "completed" && result !== null;
    this.item = {
      ...this.item,
      status: isDone ? "completed" : "incomplete",
      outputs: this.#hasOutputs && isDone ? [{ type: "logs", logs: result.text }] : null,
    };
    return [
      ...(isDone
        ? [{ type: "response.code_interpreter_call.completed", ...this.#at } as const]
        : []),
      done(this.#index, this.item),
    ];
  }

  get #at(): { readonly item_id: string; readonly output_index: number } {
    return { item_id: this.item.id, output_index: this.#index };
  }
}

function added(output_index: number, item: OutputItem): ResponseEventBody {
  return { type: "response.output_item.added", output_index, item };
}

function done(output_index: number, item: OutputItem): ResponseEventBody {
  return { type: "response.output_item.done", output_index, item };
}

function reasoningText(text: string): ReasoningText {
  return { type: "reasoning_text", text };
}

function summaryText(text: string): SummaryText {
  return { type: "summary_text", text };
}

function outputText(text: string, annotations: readonly UrlCitation[]): OutputText {
  return { type: "output_text", text, annotations, logprobs: [] };
}
