/**
 * From the events of a turn to the events of a response. A state machine without I/O: it gets what happened, and
 * gives what a client is told of it, numbered. What it knows of the response so far is `response`.
 */
import type { TurnEvent, OutputItem as TurnItem, TurnUsage } from "../turn/items.ts";
import {
  type ItemPlace,
  OpenClientCall,
  OpenCode,
  type OpenItem,
  OpenMessage,
  OpenReasoning,
  OpenWebSearch,
  type ReasoningOptions,
} from "./open-item.ts";
import { webSearchAction } from "./web-search-action.ts";
import type {
  ResponseEcho,
  ResponseError,
  ResponseEvent,
  ResponseEventBody,
  ResponseObject,
  ResponseStatus,
  WireUsage,
} from "./wire.ts";

export type ResponseWriterOptions = {
  readonly id: string;
  readonly echo: ResponseEcho;
  /** Whether a tool of the client takes a text instead of JSON. */
  readonly isCustom: (name: string, namespace: string | null) => boolean;
  readonly reasoning: ReasoningOptions;
  /** What a program printed is told. */
  readonly hasCodeOutputs: boolean;
  /** Seconds since 1970. */
  readonly now: () => number;
};

/** How a turn ended, as the client is told. */
export type ResponseEnd =
  | { readonly status: "completed" | "cancelled" }
  /** A limit or the context ended it. */
  | { readonly status: "incomplete"; readonly reason: "max_output_tokens" | "content_filter" }
  | {
      readonly status: "failed";
      readonly error: ResponseError;
      readonly param?: string | null;
    };

export class ResponseWriter {
  readonly #options: ResponseWriterOptions;
  readonly #createdAt: number;
  readonly #items: OpenItem[] = [];
  readonly #open = new Map<string, OpenItem>();
  /** The item that was completed last: whether a limit cut it is known with what comes next. */
  #closing: { readonly open: OpenItem; readonly item: TurnItem } | null = null;
  #usage: WireUsage = usageOf(null);
  #status: ResponseStatus = "in_progress";
  #ending: Pick<ResponseObject, "completed_at" | "error" | "incomplete_details"> = {
    completed_at: null,
    error: null,
    incomplete_details: null,
  };
  #next = 0;

  constructor(options: ResponseWriterOptions) {
    this.#options = options;
    this.#createdAt = options.now();
  }

  /** The response as it stands. */
  get response(): ResponseObject {
    const isOver = this.#status !== "in_progress" && this.#status !== "queued";
    return {
      id: this.#options.id,
      object: "response",
      created_at: this.#createdAt,
      status: this.#status,
      ...this.#ending,
      ...this.#options.echo,
      output: this.#items.map(({ item }) => item),
      usage: isOver ? this.#usage : null,
    };
  }

  begin(): readonly ResponseEvent[] {
    const { response } = this;
    return this.#numbered([
      { type: "response.created", response },
      { type: "response.in_progress", response },
    ]);
  }

  /** For a stream in which nothing has happened for a while. */
  keepalive(): readonly ResponseEvent[] {
    // Open Responses has a closed set of events, in which this one says that nothing is new.
    return this.#numbered(
      this.#options.reasoning.names === "openai"
        ? [{ type: "keepalive" }]
        : [{ type: "response.in_progress", response: this.response }],
    );
  }

  take(event: TurnEvent): readonly ResponseEvent[] {
    return this.#numbered(this.#take(event));
  }

  /**
   * The last events.
   * @param usage null where nothing was computed
   */
  end(ending: ResponseEnd, usage: TurnUsage | null): readonly ResponseEvent[] {
    const told: ResponseEventBody[] = [];
    this.#usage = usageOf(usage);
    // A stream that fails says so at once; one that was cut off has whole items, marked as such.
    const isWhole = ending.status === "completed" || ending.status === "incomplete";
    if (isWhole) {
      told.push(...this.#settle(ending.status === "incomplete"));
      const status = ending.status === "completed" ? "completed" : "incomplete";
      for (const open of this.#open.values()) told.push(...open.end(status, null));
      this.#open.clear();
    }
    this.#status = ending.status;
    this.#ending = {
      completed_at: ending.status === "completed" ? this.#options.now() : null,
      error: ending.status === "failed" ? ending.error : null,
      incomplete_details: ending.status === "incomplete" ? { reason: ending.reason } : null,
    };
    const { response } = this;
    switch (ending.status) {
      case "completed":
        told.push({ type: "response.completed", response });
        break;
      case "incomplete":
        told.push({ type: "response.incomplete", response });
        break;
      case "failed": {
        const { code, message } = ending.error;
        const facts = { code, message, param: ending.param ?? null };
        const isOpen = this.#options.reasoning.names === "open-responses";
        told.push(
          isOpen
            ? { type: "error", error: { type: "server_error", ...facts } }
            : { type: "error", ...facts },
        );
        told.push({ type: "response.failed", response });
        break;
      }
      case "cancelled":
        // OpenAI has no event of its own for it.
        told.push({ type: "response.incomplete", response });
        break;
    }
    return this.#numbered(told);
  }

  #take(event: TurnEvent): readonly ResponseEventBody[] {
    switch (event.type) {
      case "item.started":
        return [...this.#settle(false), ...this.#begin(event.item)];
      case "item.delta":
        if (event.text === "") return [];
        return [...this.#settle(false), ...(this.#open.get(event.id)?.append(event.text) ?? [])];
      case "item.completed": {
        const settled = this.#settle(false);
        const open = this.#open.get(event.item.id);
        if (open !== undefined) this.#closing = { open, item: event.item };
        // What this server carried out is whole, and the model goes on.
        return event.item.type === "tool" ? [...settled, ...this.#settle(false)] : settled;
      }
      default:
        return [];
    }
  }

  #begin(item: TurnItem): readonly ResponseEventBody[] {
    const isCustom = item.type === "call" && this.#options.isCustom(item.name, item.namespace);
    // A turn knows one kind of calls.
    const id = isCustom ? item.id.replace(/^fc_/, "ctc_") : item.id;
    const place = { id, index: this.#items.length };
    const open = this.#opened(item, place);
    if (open === null) return [];
    this.#items.push(open);
    this.#open.set(item.id, open);
    return open.begin();
  }

  #opened(item: TurnItem, place: ItemPlace): OpenItem | null {
    const { reasoning, isCustom, hasCodeOutputs, id } = this.#options;
    switch (item.type) {
      case "reasoning":
        return new OpenReasoning(place, reasoning);
      case "message":
        return new OpenMessage(place, item.phase);
      case "call": {
        const kind = isCustom(item.name, item.namespace) ? "custom" : "function";
        return new OpenClientCall(place, { ...item, kind });
      }
      case "tool":
        if (item.tool.startsWith("browser.")) {
          return new OpenWebSearch(place, webSearchAction(item));
        }
        if (item.tool !== "python") return null;
        return new OpenCode(place, item.arguments, {
          containerId: `cntr_${id.slice(id.indexOf("_") + 1)}`,
          hasOutputs: hasCodeOutputs,
        });
    }
  }

  /** Ends the item that was completed last. */
  #settle(isCut: boolean): readonly ResponseEventBody[] {
    if (this.#closing === null) return [];
    const { open, item } = this.#closing;
    this.#closing = null;
    this.#open.delete(item.id);
    return open.end(isCut ? "incomplete" : "completed", item);
  }

  #numbered(bodies: readonly ResponseEventBody[]): readonly ResponseEvent[] {
    return bodies.map((body) => ({ ...body, sequence_number: this.#next++ }));
  }
}

/** @param usage null where nothing was computed */
export function usageOf(usage: TurnUsage | null): WireUsage {
  const { inputTokens = 0, cachedTokens = 0, outputTokens = 0, reasoningTokens = 0 } = usage ?? {};
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: inputTokens + outputTokens,
  };
}
