/**
 * A model behind a chat API: any model, not only gpt-oss. The server has its format; messages, tools and output
 * formats go to it in its own fields, and come back as the messages that the loop knows.
 */
import { randomUUID } from "node:crypto";
import type { MessageHeader, Terminator } from "../../../harmony/index.ts";
import {
  EngineClient,
  eventData,
  lines,
  PassingFailure,
  RemoteEngineError,
  Retries,
  type Sampling,
} from "../../../inference/index.ts";
import type { ModelMessage, StepFinish, StepUsage } from "../../context.ts";
import { ModelError } from "../../errors.ts";
import { readEngineKey } from "../engine-key.ts";
import type { LanguageModel, ModelEvent, ModelRequest, ModelStep } from "../language-model.ts";
import { ChatCompletions } from "./chat-completions.ts";
import { conversationOf } from "./conversation.ts";
import { OllamaChat } from "./ollama.ts";
import {
  type ChatDelta,
  type ChatProtocol,
  type ChatProtocolName,
  type ChatReader,
  fieldsOf,
} from "./protocol.ts";
import { Responses } from "./responses.ts";
import { ToolNames } from "./tool-names.ts";

export type ChatApiModelOptions = {
  /**
   * Where the paths of the API begin: `https://api.openai.com/v1`, `http://localhost:8000/v1`, for Ollama
   * `http://localhost:11434`.
   */
  readonly url: string;
  /** As the server calls it. */
  readonly model: string;
  /** `chat`: chat completions; `responses`: the Responses API; `ollama`: `/api/chat`. Default `chat`. */
  readonly api?: ChatProtocolName | undefined;
  /** Sent as `Authorization: Bearer`; never part of an error, an event or a log. */
  readonly apiKey?: string | undefined;
  /** A file with the key, which no other user may read. Default: without one. */
  readonly keyFile?: string | undefined;
  /** Whether the model reasons, and takes an effort. Default: no effort is sent; what it thinks is read in any case. */
  readonly reasons?: boolean | undefined;
  /** Most tokens of prompt and answer together. Default 131,072. */
  readonly contextLength?: number | undefined;
  /** Milliseconds to connect in. Default 10,000. */
  readonly connectMs?: number | undefined;
  /** Milliseconds that the server may be silent. Default 300,000. */
  readonly idleMs?: number | undefined;
};

const PROTOCOLS: Readonly<Record<ChatProtocolName, new () => ChatProtocol>> = {
  chat: ChatCompletions,
  responses: Responses,
  ollama: OllamaChat,
};

const CONTEXT_LENGTH = 131_072;
/** Characters of a token, where nothing better is known. */
const TOKEN_CHARACTERS = 4;
const NO_USAGE: StepUsage = {
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
};

/** @throws UsageError for a file of keys; ModelError for a URL that is none */
export async function openChatApiModel(options: ChatApiModelOptions): Promise<LanguageModel> {
  const { keyFile, apiKey = keyFile === undefined ? undefined : await readEngineKey(keyFile) } =
    options;
  const base = URL.parse(options.url);
  if (base === null || !/^https?:$/.test(base.protocol) || base.username || base.password) {
    throw new ModelError(
      "The URL of a chat API cannot be used; accepted: http://… or https://… without a name or password in it.",
    );
  }
  return new ChatApiModel({ ...options, apiKey }, base);
}

class ChatApiModel implements LanguageModel {
  readonly name: string;
  readonly contextLength: number;
  readonly sampling: Partial<Sampling> = { temperature: 1, topP: 1 };
  readonly vocabulary = null;
  readonly #options: ChatApiModelOptions;
  readonly #client: EngineClient;
  readonly #protocol: ChatProtocol;
  readonly #cacheKey = randomUUID();

  constructor(options: ChatApiModelOptions, base: URL) {
    const { model, api = "chat", apiKey, connectMs, idleMs, contextLength } = options;
    this.#options = options;
    this.name = `${model} at ${base.host}`;
    this.contextLength = contextLength ?? CONTEXT_LENGTH;
    this.#client = new EngineClient({ base, apiKey, connectMs, idleMs });
    this.#protocol = new PROTOCOLS[api]();
  }

  async sample(
    request: ModelRequest,
    onEvent: (event: ModelEvent) => void | Promise<void>,
  ): Promise<ModelStep> {
    const startedAt = performance.now();
    const names = new ToolNames(request.tools);
    const functions = names.functions(request);
    const writer = new StepWriter(names, functions.length > 0, request.answerPrefix ?? "", onEvent);
    let finish: StepFinish = "failed";
    let error: unknown;
    let firstAt: number | null = null;
    try {
      for await (const delta of this.#deltas(request, names, functions)) {
        firstAt ??= performance.now();
        await writer.take(delta);
        const { sampled } = writer;
        if (delta.type === "reasoning" && writer.isReasoning && request.shouldPause(sampled)) {
          finish = "paused";
          break;
        }
      }
      finish = await writer.end(finish === "paused" ? finish : writer.finish);
    } catch (thrown) {
      error = thrown;
      finish = request.signal.aborted ? "cancelled" : "failed";
      await writer.end(finish).catch(() => {});
    }
    const endedAt = performance.now();
    return {
      ids: [],
      prefill: 0,
      vocabulary: null,
      issues: [],
      finish,
      usage: writer.usage,
      timing: {
        prefillMs: (firstAt ?? endedAt) - startedAt,
        decodeMs: firstAt === null ? 0 : endedAt - firstAt,
        firstTokenMs: firstAt === null ? null : firstAt - startedAt,
      },
      ...(error !== undefined && { error: asModelError(error) }),
    };
  }

  /** What is tried again is a request that nothing has come of. */
  async *#deltas(
    request: ModelRequest,
    names: ToolNames,
    functions: ReturnType<ToolNames["functions"]>,
  ): AsyncGenerator<ChatDelta, void, void> {
    const { settings, signal, maxTokens } = request;
    const { output } = settings;
    const hasField = output?.type === "json" && this.#hasField(functions.length > 0);
    const body = this.#protocol.body({
      model: this.#options.model,
      entries: conversationOf(request, names, output !== null && !hasField),
      functions,
      choice: names.choice(request, functions),
      settings,
      maxTokens,
      schema: hasField ? { schema: output.schema } : null,
      reasons: this.#options.reasons ?? false,
      cacheKey: request.affinity ?? `${this.#cacheKey}-${request.threadId}`,
    });
    const retries = new Retries({});
    const asked = { method: "POST", path: this.#protocol.path, body, signal } as const;
    for (;;) {
      let hasCome = false;
      try {
        const answer = await this.#client.expect(asked);
        const reader = this.#protocol.reader();
        for await (const delta of this.#read(answer.chunks(), reader)) {
          hasCome = true;
          yield delta;
        }
        return;
      } catch (error) {
        if (hasCome || !(error instanceof PassingFailure)) throw error;
        await retries.failed(error, false, signal);
      }
    }
  }

  async *#read(
    chunks: AsyncIterable<Uint8Array>,
    reader: ChatReader,
  ): AsyncGenerator<ChatDelta, void, void> {
    const outcome = { text: "", name: "", arguments: "" };
    const { framing } = this.#protocol;
    let hasEnded = false;
    for await (const text of framing === "events" ? eventData(chunks) : lines(chunks)) {
      if (text === "[DONE]") break;
      if (text.trim() === "") continue;
      for (const delta of reader.read(fieldsOf(parsed(text)))) {
        hasEnded ||= delta.type === "end";
        if (delta.type === "text") outcome.text += delta.text;
        if (delta.type === "call") {
          outcome.name ||= delta.name ?? "";
          outcome.arguments += delta.arguments ?? "";
        }
        yield delta;
      }
    }
    if (!hasEnded) throw new PassingFailure("the server's answer was cut off");
    const { name, text } = outcome;
    reader.ended?.({ text, call: name === "" ? null : { name, arguments: outcome.arguments } });
  }

  /** Whether the API has a field for the schema of an answer. */
  #hasField(hasTools: boolean): boolean {
    return !(this.#protocol instanceof OllamaChat && hasTools);
  }

  promptTokens({
    settings,
    tools,
    transcript,
  }: Pick<ModelRequest, "settings" | "tools" | "transcript">): number {
    const names = new ToolNames(tools);
    const entries = conversationOf({ settings, transcript }, names, settings.output !== null);
    const declared = tools.list.map(({ tool }) => [tool.description, tool.inputSchema]);
    return this.countTokens(JSON.stringify([entries, declared]));
  }

  /** An estimate: the server has the vocabulary. */
  countTokens(text: string): number {
    return Math.ceil(text.length / TOKEN_CHARACTERS);
  }

  async release(): Promise<void> {}

  async close(): Promise<void> {
    this.#client.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Makes messages of pieces. */
class StepWriter {
  usage: StepUsage = NO_USAGE;
  finish: StepFinish = "stop";
  readonly #names: ToolNames;
  readonly #offersTools: boolean;
  /** Whether a text may turn out to be words before a call: then it is told once that is known. */
  readonly #holds: boolean;
  readonly #answerPrefix: string;
  readonly #onEvent: (event: ModelEvent) => void | Promise<void>;
  #open: { readonly header: MessageHeader; text: string } | null = null;
  #held = "";
  /** The first call; the model is asked for one at a time. */
  #call: { readonly key: string; name: string; arguments: string } | null = null;
  #reasoningCharacters = 0;
  #characters = 0;

  constructor(
    names: ToolNames,
    offersTools: boolean,
    answerPrefix: string,
    onEvent: (event: ModelEvent) => void | Promise<void>,
  ) {
    this.#names = names;
    this.#offersTools = offersTools;
    this.#answerPrefix = answerPrefix;
    this.#onEvent = onEvent;
    // Whether the answer begins with what it has to begin with is not known before its end, either.
    this.#holds = offersTools || answerPrefix !== "";
  }

  get isReasoning(): boolean {
    return this.#open?.header.channel === "analysis";
  }

  /** Estimates, until the server says what it counted. */
  get sampled(): { readonly tokens: number; readonly reasoningTokens: number } {
    return {
      tokens: Math.ceil(this.#characters / TOKEN_CHARACTERS),
      reasoningTokens: Math.ceil(this.#reasoningCharacters / TOKEN_CHARACTERS),
    };
  }

  async take(delta: ChatDelta): Promise<void> {
    switch (delta.type) {
      case "reasoning":
        this.#characters += delta.text.length;
        this.#reasoningCharacters += delta.text.length;
        await this.#say("analysis", delta.text);
        break;
      case "text":
        this.#characters += delta.text.length;
        if (this.#holds) this.#held += delta.text;
        else await this.#say("final", delta.text);
        break;
      case "call":
        this.#call ??= { key: delta.key, name: "", arguments: "" };
        if (this.#call.key !== delta.key) break;
        this.#call.name ||= delta.name ?? "";
        this.#call.arguments += delta.arguments ?? "";
        this.#characters += delta.arguments?.length ?? 0;
        break;
      case "usage": {
        const { type: _, ...usage } = delta;
        this.usage = usage;
        break;
      }
      case "end":
        this.finish = delta.reason;
    }
  }

  /** @returns how the step ended: with a call, where one came */
  async end(finish: StepFinish): Promise<StepFinish> {
    if (this.usage.outputTokens === 0 && this.#characters > 0) {
      const { tokens, reasoningTokens } = this.sampled;
      this.usage = { ...this.usage, outputTokens: tokens, reasoningTokens };
    }
    const isWhole = finish === "stop" || finish === "paused";
    const call = finish === "stop" && this.#offersTools ? this.#call : null;
    if (this.#held !== "") {
      const prefix = this.#answerPrefix;
      const text = this.#held.startsWith(prefix) ? this.#held : prefix + this.#held;
      await this.#say(call === null ? "final" : "commentary", text);
    }
    const isAnswer = this.#open?.header.channel === "final";
    await this.#close(isWhole ? (isAnswer ? "return" : "end") : null);
    if (call === null || call.name === "") return finish;
    const header = {
      role: "assistant",
      channel: "commentary",
      recipient: this.#names.recipientOf(call.name),
      contentType: null,
    } as const;
    const body = this.#names.unwrapped(call.name, call.arguments);
    this.#open = { header, text: body };
    await this.#onEvent({ type: "message_started", header });
    await this.#onEvent({ type: "delta", text: body });
    await this.#close("call");
    return "call";
  }

  async #say(channel: "analysis" | "final" | "commentary", text: string): Promise<void> {
    if (text === "") return;
    if (this.#open?.header.channel !== channel) {
      await this.#close("end");
      const header = { role: "assistant", channel, recipient: null, contentType: null } as const;
      this.#open = { header, text: "" };
      await this.#onEvent({ type: "message_started", header });
    }
    if (this.#open !== null) this.#open.text += text;
    await this.#onEvent({ type: "delta", text });
  }

  async #close(terminator: Terminator): Promise<void> {
    if (this.#open === null) return;
    const { header, text } = this.#open;
    this.#open = null;
    const message: ModelMessage = {
      role: "assistant",
      channel: header.channel,
      recipient: header.recipient,
      contentType: header.contentType,
      text,
      terminator,
      issues: [],
      ids: [0, 0],
    };
    await this.#onEvent({ type: "message_ended", message });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new PassingFailure("the server sends what is no JSON");
  }
}

function asModelError(error: unknown): unknown {
  if (error instanceof PassingFailure || RemoteEngineError.isInstance(error)) {
    return new ModelError(`The model's server fails: ${error.message}`, { cause: error });
  }
  return error;
}
