/** Makes a response: the request becomes a turn, its events become those of the response, and the end is kept. */
import { SchemaError } from "../../../tools/index.ts";
import { describeOutput, UsageError } from "../../index.ts";
import { invalidField, ServerError } from "../errors.ts";
import { newId } from "../ids.ts";
import type { ConversationItem, TurnEvent, TurnResult, TurnUsage } from "../turn/items.ts";
import type { TurnRequest } from "../turn/run-turn.ts";
import { conversationOf, type HiddenCall, type ItemSource, readItems } from "./input-items.ts";
import { LiveResponse } from "./live-response.ts";
import type { ResponsesRequest } from "./request.ts";
import { type ResponseStore, ResponseStoreError, type StoredItem } from "./response-store.ts";
import { type ResponseEnd, ResponseWriter, type ResponseWriterOptions } from "./response-writer.ts";
import type { TraceSeal } from "./sealed-trace.ts";
import { openServerTools, type ServerToolSession, type ServerTools } from "./server-tools.ts";
import type { ResponseEvent, ResponseObject } from "./wire.ts";

/** What all responses of a server share. */
export type Responses = {
  readonly store: ResponseStore;
  readonly seal: TraceSeal;
  readonly tools: ServerTools;
  /** Those that are made now, by id. */
  readonly live: Map<string, LiveResponse>;
  /** How the events of a raw trace are called. */
  readonly names: "openai" | "open-responses";
  /** Aborted when the server stops what is still running, with the reason. */
  readonly closing: AbortSignal;
  /** Gets a sentence about a request that is answered all the same. */
  readonly warn: (sentence: string) => void;
};

/** What a request asks, with what it refers to. */
export type ReadConversation = {
  /** Of the responses before this one. */
  readonly before: readonly StoredItem[];
  /** New in this request. */
  readonly input: readonly StoredItem[];
  /** All of it, instructions first. */
  readonly items: readonly ConversationItem[];
};

function itemSource({ store, seal }: Responses): ItemSource {
  return { item: (id) => store.item(id), openSeal: (content) => seal.open(content) };
}

/** @throws ServerError for an earlier response, or an item, that is not kept */
export function readConversation(
  responses: Responses,
  request: {
    readonly input: string | readonly object[];
    readonly previousResponseId: string | null;
    readonly instructions: string | null;
  },
): ReadConversation {
  const source = itemSource(responses);
  const { input, previousResponseId, instructions } = request;
  const before = previousResponseId === null ? [] : earlier(responses, previousResponseId);
  const { items, skipped } = readItems(input, source);
  if (skipped.length > 0) {
    responses.warn(`Items of an input were left out, since their type is not known: ${skipped}.`);
  }
  return {
    before,
    input: items,
    items: [
      ...(instructions === null ? [] : [{ type: "system", text: instructions } as const]),
      ...conversationOf([...before, ...items], source),
    ],
  };
}

function earlier({ store, live }: Responses, id: string): readonly StoredItem[] {
  if (live.has(id)) {
    throw invalidField(
      "previous_response_id",
      `The response '${id}' is still being made; go on with it when it has ended.`,
    );
  }
  const items = store.conversation(id);
  if (items !== null) return items;
  throw new ServerError(
    "CHORALE_REQUEST",
    `Previous response with id '${id}' not found: it, or one before it, was not stored or was let go.`,
    { param: "previous_response_id", wireCode: "previous_response_not_found" },
  );
}

/** Begins a turn: resolves when it was accepted. */
export type BeginTurn = (
  request: TurnRequest,
) => Promise<AsyncGenerator<TurnEvent, TurnResult, void>>;

/**
 * One response, from its request to its end. `begin` resolves when the request was accepted, so what it throws can
 * still be told by a status; then `events` is the stream. Where an answer has to begin before that, `keepalive` and
 * `fail` give events as well.
 */
export class ResponseRun {
  readonly live: LiveResponse;
  readonly #responses: Responses;
  readonly #request: ResponsesRequest;
  readonly #conversation: ReadConversation;
  readonly #hidden = new Map<string, HiddenCall>();
  readonly #writer: ResponseWriter;
  #session: ServerToolSession | null = null;
  #turn: AsyncGenerator<TurnEvent, TurnResult, void> | null = null;
  /** Events were numbered, and are on their way to the client. */
  #isTelling = false;
  #failure: unknown = null;
  #isRead = false;
  /** Stops listening for a client that goes. */
  #forget = (): void => {};

  /** @throws ServerError for what the request refers to and is not there */
  constructor(responses: Responses, request: ResponsesRequest) {
    this.#responses = responses;
    this.#request = request;
    this.#conversation = readConversation(responses, request);
    const id = newId("resp_");
    this.#writer = new ResponseWriter({ id, ...writerOptions(responses, request) });
    this.live = new LiveResponse(id, () => this.#writer.response);
  }

  get response(): ResponseObject {
    return this.#writer.response;
  }

  /** What the response has failed with; null where it has not. */
  get failure(): unknown {
    return this.#failure;
  }

  /**
   * @param load loads the model, for a request that asks for nothing else
   * @param signal aborted where the client is gone
   * @throws ServerError, UsageError, RunError; what loading throws
   */
  async begin(begin: BeginTurn, load: () => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await checkFormats(this.#request);
      const { items } = this.#conversation;
      // Codex sends an empty input so that the model is loaded before it is needed.
      if (items.every(isEmpty)) await load();
      else {
        this.#session = await openServerTools(this.#responses.tools, this.#request.tools);
        this.#turn = await begin({
          ...turnRequest(this.#request, items, this.#session),
          signal: AbortSignal.any([signal, this.live.signal]),
        });
      }
      this.#responses.live.set(this.live.id, this.live);
      // It is known by its id from now on, also where the process ends before it.
      if (this.#request.isBackground) this.#keep();
      // A client may go before anybody has begun to read.
      const onGone = (): void => void this.drain();
      signal.addEventListener("abort", onGone, { once: true });
      this.#forget = () => signal.removeEventListener("abort", onGone);
      if (signal.aborted) await this.drain();
    } catch (error) {
      await this.#session?.close();
      throw withField(error);
    }
  }

  /** The events of the stream, as they come. A reader that stops cancels the response. */
  async *events(): AsyncGenerator<readonly ResponseEvent[], void, void> {
    if (this.#isRead) return;
    this.#isRead = true;
    let end: ResponseEnd = { status: "cancelled" };
    let usage: TurnUsage | null = null;
    let last: readonly ResponseEvent[] = [];
    try {
      this.#isTelling = true;
      yield this.#begun();
      this.#isTelling = false;
      const turn = this.#turn;
      if (turn === null) end = { status: "completed" };
      else {
        for (let next = await turn.next(); ; next = await turn.next()) {
          if (next.done) {
            usage = next.value.usage;
            end = endOf(next.value, this.#responses.closing);
            if (end.status === "failed") this.#failure = next.value.error;
            break;
          }
          keepHidden(this.#hidden, next.value);
          const told = this.#writer.take(next.value);
          if (told.length === 0) continue;
          this.#isTelling = true;
          yield this.live.push(told);
          this.#isTelling = false;
        }
      }
    } catch (error) {
      end = failure(error);
      this.#failure = error;
    } finally {
      await this.#turn?.return(undefined as never);
      await this.#session?.close();
      last = this.#ended(end, usage);
    }
    yield last;
  }

  /** Reads the events to their end, where no client does. */
  async drain(): Promise<void> {
    for await (const _ of this.events());
  }

  /** For a stream in which nothing has happened for a while, also before its first event. */
  keepalive(): readonly ResponseEvent[] {
    // Numbers are told in their order: what has one already comes first.
    if (this.live.isOver || this.#isTelling) return [];
    if (this.live.events.length === 0) return this.#begun();
    return this.live.push(this.#writer.keepalive());
  }

  /** The events of a stream whose request was not accepted, after an answer had to begin. */
  fail(error: unknown): readonly ResponseEvent[] {
    return [...this.#begun(), ...this.#ended(failure(error), null)];
  }

  #begun(): readonly ResponseEvent[] {
    return this.live.events.length > 0 ? [] : this.live.push(this.#writer.begin());
  }

  #ended(end: ResponseEnd, usage: TurnUsage | null): readonly ResponseEvent[] {
    const last = this.live.push(this.#writer.end(end, usage));
    if (this.#request.isStored) this.#keep();
    this.#responses.live.delete(this.live.id);
    this.#forget();
    this.live.end();
    return last;
  }

  #keep(): void {
    const { store, warn } = this.#responses;
    const { response } = this.#writer;
    const { input } = this.#conversation;
    try {
      store.save(
        { response, input, output: outputItems(response, this.#hidden) },
        this.live.events,
      );
    } catch (error) {
      // It is answered all the same.
      if (!(error instanceof ResponseStoreError)) throw error;
      warn(`${error.message}; the response ${response.id} cannot be used later.`);
    }
  }
}

function isEmpty(item: ConversationItem): boolean {
  return item.type !== "call" && item.text === "";
}

function writerOptions(
  { names, seal }: Responses,
  { echo, tools, hasSummary, include }: ResponsesRequest,
): Omit<ResponseWriterOptions, "id"> {
  const isSealed = include.has("reasoning.encrypted_content");
  return {
    echo,
    isCustom: (name, namespace) =>
      tools.client.some(
        (tool) => tool.isCustom && tool.name === name && (tool.namespace ?? null) === namespace,
      ),
    reasoning: { hasSummary, names, seal: isSealed ? (trace) => seal.seal(trace) : null },
    hasCodeOutputs: include.has("code_interpreter_call.outputs"),
    now: () => Math.floor(Date.now() / 1000),
  };
}

/** What a request asks of a turn. */
export function turnRequest(
  request: ResponsesRequest,
  items: readonly ConversationItem[],
  session: Pick<ServerToolSession, "tools">,
): Omit<TurnRequest, "signal"> {
  const { tools, output, sampling, maxTokens, maxToolCalls, effort, promptCacheKey } = request;
  return {
    items,
    clientTools: tools.client,
    serverTools: session.tools,
    toolChoice: request.toolChoice(session.tools.map(({ recipient }) => recipient)),
    output,
    sampling,
    maxTokens,
    maxToolCalls,
    effort,
    cacheKey: promptCacheKey,
  };
}

/** @throws ServerError for a grammar of a custom tool that cannot be used */
async function checkFormats({ tools }: ResponsesRequest): Promise<void> {
  for (const { name, format } of tools.client) {
    if (format === undefined) continue;
    try {
      await describeOutput(
        format.type === "regex" ? { regex: format.pattern } : { grammar: format },
      );
    } catch (error) {
      if (!UsageError.isInstance(error)) throw error;
      const problem = `The format of the tool '${name}' cannot be used. ${error.message}`;
      throw invalidField("tools", problem);
    }
  }
}

/** An error of a part that does not know the request, with the field that it is about. */
function withField(error: unknown): unknown {
  if (SchemaError.isInstance(error)) return invalidField("text.format.schema", error.message);
  if (error instanceof ServerError && error.wireCode === "context_length_exceeded") {
    const { code, message, wireCode } = error;
    return new ServerError(code, message, { param: "input", wireCode });
  }
  if (!UsageError.isInstance(error)) return error;
  const fields: Readonly<Record<string, string>> = {
    toolChoice: "tool_choice",
    output: "text.format",
    prompt: "input",
    maxTokens: "max_output_tokens",
  };
  const field = fields[error.option ?? ""];
  return field === undefined ? error : invalidField(field, error.message);
}

function endOf({ finish, error }: TurnResult, closing: AbortSignal): ResponseEnd {
  switch (finish) {
    case "stop":
    case "calls":
      return { status: "completed" };
    case "length":
      return { status: "incomplete", reason: "max_output_tokens" };
    case "cancelled":
      // A server that ends says so in the stream; a client that cancelled knows.
      return closing.aborted ? failure(closing.reason) : { status: "cancelled" };
    case "failed":
      return failure(error);
  }
}

function failure(error: unknown): ResponseEnd {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof ServerError ? error.wireCode : null;
  return { status: "failed", error: { code: code ?? "server_error", message } };
}

function keepHidden(hidden: Map<string, HiddenCall>, event: TurnEvent): void {
  if (event.type !== "item.completed" || event.item.type !== "tool") return;
  const { id, tool, arguments: args, result } = event.item;
  hidden.set(id, { tool, arguments: args, result: result?.text ?? "" });
}

function outputItems(
  { output }: ResponseObject,
  hidden: ReadonlyMap<string, HiddenCall>,
): readonly StoredItem[] {
  return output.map((item) => {
    const call = hidden.get(item.id);
    return { id: item.id, item, ...(call !== undefined && { hidden: JSON.stringify(call) }) };
  });
}
