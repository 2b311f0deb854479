/** A language model that says what it was told to: for tests of agents and tools without a token engine. */
import type { Terminator } from "../../harmony/index.ts";
import type { ModelMessage, StepFinish } from "../context.ts";
import { RunError } from "../errors.ts";
import type { LanguageModel, ModelEvent, ModelRequest, ModelStep } from "./language-model.ts";
import { RepetitionDetector } from "./repetition.ts";

export type ScriptedMessage = {
  readonly text: string;
  /** Default: `final`, for a call `commentary`. */
  readonly channel?: string | null;
  /** The tool that is called: `functions.get_weather`. */
  readonly recipient?: string;
  readonly contentType?: string;
  /** Default: `end`, for the last message `return` or `call`. */
  readonly terminator?: Terminator;
};

/** One step: a text is an answer; an error is thrown by the model; a function may look at the request. */
export type ScriptedStep =
  | string
  | readonly ScriptedMessage[]
  | Error
  | ((request: ModelRequest) => string | readonly ScriptedMessage[]);

export type ScriptedModelOptions = {
  readonly name?: string;
  /** Default 131,072. */
  readonly contextLength?: number;
};

export class ScriptedModel implements LanguageModel {
  readonly name: string;
  readonly contextLength: number;
  readonly sampling = {};
  readonly vocabulary = null;
  /** Every request so far, oldest first. */
  readonly requests: ModelRequest[] = [];
  readonly #steps: readonly ScriptedStep[];
  readonly #words = new Map<string, number>();

  constructor(steps: readonly ScriptedStep[], options: ScriptedModelOptions = {}) {
    this.#steps = steps;
    this.name = options.name ?? "scripted";
    this.contextLength = options.contextLength ?? 131_072;
  }

  /** Steps that were not asked for yet. */
  get remaining(): number {
    return Math.max(0, this.#steps.length - this.requests.length);
  }

  async sample(
    request: ModelRequest,
    onEvent: (event: ModelEvent) => void | Promise<void>,
  ): Promise<ModelStep> {
    const startedAt = performance.now();
    const inputTokens = this.promptTokens(request);
    let outputTokens = 0;
    let reasoningTokens = 0;
    let finish: StepFinish = "stop";
    let error: unknown;
    try {
      request.signal.throwIfAborted();
      for (const message of this.#next(request)) {
        await onEvent({ type: "message_started", header: message });
        const isReasoning = message.channel === "analysis" && message.recipient === null;
        const words = (message.text.match(/\S*\s*/g) ?? []).filter((word) => word !== "");
        let said = "";
        let cut: "length" | "paused" | "circling" | null = null;
        const repetition = new RepetitionDetector();
        for (const text of words) {
          request.signal.throwIfAborted();
          if (outputTokens >= (request.maxTokens ?? Number.POSITIVE_INFINITY)) cut = "length";
          if (cut !== null) break;
          outputTokens++;
          said += text;
          await onEvent({ type: "delta", text });
          if (!isReasoning) continue;
          reasoningTokens++;
          if (repetition.take(this.#idOf(text))) cut = "circling";
          else if (request.shouldPause({ tokens: outputTokens, reasoningTokens })) cut = "paused";
        }
        const terminator = cut === null ? message.terminator : cut === "paused" ? "end" : null;
        await onEvent({ type: "message_ended", message: { ...message, text: said, terminator } });
        if (cut !== null) finish = cut;
        else if (message.recipient !== null) finish = "call";
        if (cut !== null) break;
      }
    } catch (thrown) {
      error = thrown;
      finish = thrown === request.signal.reason ? "cancelled" : "failed";
    }
    const decodeMs = performance.now() - startedAt;
    return {
      ids: [],
      prefill: 0,
      vocabulary: null,
      issues: [],
      finish,
      usage: { inputTokens, cachedTokens: 0, outputTokens, reasoningTokens },
      timing: { prefillMs: 0, decodeMs, firstTokenMs: outputTokens > 0 ? 0 : null },
      ...(error !== undefined && { error }),
    };
  }

  promptTokens({ transcript }: Pick<ModelRequest, "transcript">): number {
    return transcript.reduce((sum, { message }) => {
      const texts = message.content.map((part) => (part.type === "text" ? part.text : ""));
      return sum + 4 + this.countTokens(texts.join(""));
    }, 4);
  }

  /** One token for four characters, as an estimate. */
  countTokens(text: string): number {
    return Math.ceil(text.length / 4);
  }

  async release(): Promise<void> {}

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Words as a vocabulary would have them. */
  #idOf(word: string): number {
    const id = this.#words.get(word) ?? this.#words.size;
    this.#words.set(word, id);
    return id;
  }

  #next(request: ModelRequest): readonly ModelMessage[] {
    const scripted = this.#steps[this.requests.length];
    this.requests.push(request);
    if (scripted === undefined) {
      throw new RunError(
        "CHORALE_MODEL",
        `The script has ${this.#steps.length} steps, and the run asks for one more.`,
      );
    }
    if (scripted instanceof Error) throw scripted;
    const said = typeof scripted === "function" ? scripted(request) : scripted;
    const messages = typeof said === "string" ? [{ text: said }] : said;
    return messages.map((message, at) => wholeMessage(message, at === messages.length - 1));
  }
}

function wholeMessage(
  { text, recipient, channel, contentType, terminator }: ScriptedMessage,
  isLast: boolean,
): ModelMessage {
  const isCall = recipient !== undefined;
  return {
    role: "assistant",
    channel: channel === undefined ? (isCall ? "commentary" : "final") : channel,
    recipient: recipient ?? null,
    contentType: contentType ?? null,
    text,
    terminator:
      terminator === undefined ? (isCall ? "call" : isLast ? "return" : "end") : terminator,
    issues: [],
    ids: [0, 0],
  };
}
