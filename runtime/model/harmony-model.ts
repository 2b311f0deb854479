/**
 * A language model over a token engine: the conversation is rendered as Harmony, sampled token by token,
 * and parsed while it is written.
 */
import {
  type Message,
  MODEL_HEADER_STYLE,
  renderMessage,
  type Tokenizer,
} from "../../harmony/index.ts";
import type { Sampling, TokenEngine } from "../../inference/index.ts";
import { isDemanded } from "../calls/allowed-tools.ts";
import type { ModelMessage, StepUsage, TranscriptMessage, TurnSettings } from "../context.ts";
import { RunError } from "../errors.ts";
import {
  type Completion,
  type CompletionRequest,
  complete,
  type SampledToken,
} from "./complete.ts";
import type {
  LanguageModel,
  ModelEvent,
  ModelRequest,
  ModelStep,
  ScoredAnswers,
  ScoreRequest,
} from "./language-model.ts";
import { messageIds, vocabularyOf } from "./message-ids.ts";
import { openingMessages } from "./opening.ts";
import { sampleStep } from "./sample-step.ts";
import { scoreAnswers } from "./score-answers.ts";
import { SessionPool } from "./session-pool.ts";

export type HarmonyModelOptions = {
  readonly engine: TokenEngine;
  /** The engine's own vocabulary. */
  readonly tokenizer: Tokenizer;
  /** How the model's makers sample it. */
  readonly sampling?: Partial<Sampling> | undefined;
  /**
   * Conversations whose KV cache is kept between their turns. Each costs the memory of its tokens.
   * Default 4.
   */
  readonly maxSessions?: number | undefined;
  /** Which weights the engine has, and how it multiplies; see `LanguageModel`. */
  readonly fingerprint?: string | undefined;
};

type OpeningRequest = Pick<ModelRequest, "settings" | "tools" | "opening">;

/** The ids a conversation begins with. */
type Opening = { readonly ids: readonly number[]; readonly hasFunctionTools: boolean };

const DEFAULT_SESSIONS = 4;

export class HarmonyModel implements LanguageModel {
  readonly engine: TokenEngine;
  readonly tokenizer: Tokenizer;
  readonly sampling: Partial<Sampling>;
  readonly vocabulary: string;
  readonly fingerprint: string | undefined;
  readonly #sessions: SessionPool;
  readonly #assistantStart: readonly number[];
  /** The settings of a turn are one object as long as it lasts. */
  readonly #openings = new WeakMap<TurnSettings, Opening>();
  /** Messages of a thread's state stay the same objects from step to step. */
  readonly #rendered = new WeakMap<TranscriptMessage, readonly number[]>();

  constructor(options: HarmonyModelOptions) {
    const { engine, tokenizer, sampling = {}, maxSessions, fingerprint } = options;
    this.engine = engine;
    this.tokenizer = tokenizer;
    this.sampling = sampling;
    this.vocabulary = vocabularyOf(tokenizer);
    this.fingerprint = fingerprint;
    this.#sessions = new SessionPool(engine, maxSessions ?? DEFAULT_SESSIONS);
    this.#assistantStart = [tokenizer.special.start, ...tokenizer.encode("assistant")];
  }

  get name(): string {
    return this.engine.name;
  }

  get contextLength(): number {
    return this.engine.contextLength;
  }

  get statistics(): unknown {
    return this.engine.statistics;
  }

  async sample(
    request: ModelRequest,
    onEvent: (event: ModelEvent) => void | Promise<void>,
  ): Promise<ModelStep> {
    const { maxTokens } = request;
    const opening = this.#opening(request);
    const prefill = this.#prefill(request);
    const prompt = this.#prompt(request, prefill);
    const room = this.contextLength - prompt.length;
    const user = {
      threadId: request.threadId,
      affinity: request.affinity ?? null,
      prompt,
      openingTokens: opening.ids.length,
      turnTokens: this.#turnTokens(request, opening),
    };
    return this.#sessions.use(user, (session) =>
      sampleStep({
        session,
        engine: this.engine,
        tokenizer: this.tokenizer,
        vocabulary: this.vocabulary,
        request,
        prompt,
        prefill,
        openingTokens: opening.ids.length,
        maxTokens: Math.min(room, maxTokens ?? room),
        room,
        onEvent,
      }),
    );
  }

  async score(request: ScoreRequest): Promise<ScoredAnswers> {
    const { answers, signal, threadId } = request;
    const thought = request.reasons ? await this.#think(request) : NO_THOUGHT;
    const prompt = this.#prompt(request, [...thought.ids, ...this.#channelHeader("final")]);
    const opening = this.#opening(request);
    const openingTokens = opening.ids.length;
    const user = { threadId, affinity: null, prompt, openingTokens, turnTokens: openingTokens };
    const { logprobs, cachedTokens, answerTokens } = await this.#sessions.use(user, (session) =>
      scoreAnswers({
        session,
        tokenizer: this.tokenizer,
        vocabSize: this.engine.vocabSize,
        prompt,
        openingTokens,
        answers,
        signal,
      }),
    );
    return {
      logprobs,
      reasoning: thought.text,
      usage: {
        inputTokens: thought.usage?.inputTokens ?? prompt.length,
        cachedTokens: thought.usage?.cachedTokens ?? cachedTokens,
        outputTokens: answerTokens + (thought.usage?.outputTokens ?? 0),
        reasoningTokens: thought.usage?.reasoningTokens ?? 0,
      },
    };
  }

  /**
   * Samples behind ids that the caller has rendered itself.
   * @throws RunError with the code CHORALE_PROMPT_TOO_LONG; what the engine and `onToken` throw
   */
  async complete(
    request: CompletionRequest,
    onToken: (token: SampledToken) => Promise<void>,
  ): Promise<Completion> {
    const { prompt, threadId, affinity = null } = request;
    if (prompt.length >= this.contextLength) {
      throw promptTooLong(`${prompt.length} tokens`, this.contextLength);
    }
    const user = { threadId, affinity, prompt, openingTokens: 0, turnTokens: prompt.length };
    return this.#sessions.use(user, (session) =>
      complete(session, this.engine, this.tokenizer, request, onToken),
    );
  }

  /** What the model writes before an answer, up to where the next message begins with its channel. */
  async #think(request: ScoreRequest): Promise<Thought> {
    const messages: ModelMessage[] = [];
    const step = await this.sample(
      {
        ...request,
        prefill: null,
        toolChoice: "none",
        maxTokens: null,
        maxReasoningTokens: request.settings.maxReasoningTokens,
        shouldPause: () => false,
      },
      (event) => {
        if (event.type === "message_ended") messages.push(event.message);
      },
    );
    if (step.finish === "failed" || step.finish === "cancelled") throw step.error;
    // An answer or a call is where the thought is over.
    const length = messages.findIndex(
      ({ channel, recipient }) => channel === "final" || recipient !== null,
    );
    const thoughts = length < 0 ? messages : messages.slice(0, length);
    const text = thoughts
      .filter(({ channel }) => channel === "analysis")
      .map((message) => message.text)
      .join("\n");
    const { start, end } = this.tokenizer.special;
    const ids = step.ids.slice(0, thoughts.at(-1)?.ids[1] ?? 0);
    // A thought that was cut off, or ended the step, is ended as one that an answer follows.
    if (ids.length > 0 && ids.at(-1) !== end) ids.push(end);
    const between = ids.length === 0 ? [] : [start, ...this.tokenizer.encode("assistant")];
    return { ids: [...ids, ...between], text, usage: step.usage };
  }

  /**
   * Everything that the model reads, up to where it goes on.
   * @param beginning  what its message begins with
   * @throws RunError where the context has no room behind it
   */
  #prompt(
    request: OpeningRequest & Pick<ModelRequest, "transcript">,
    beginning: readonly number[],
  ): readonly number[] {
    const { transcript } = request;
    const opening = this.#opening(request);
    const prompt = [...opening.ids];
    for (const message of transcript) {
      for (const id of this.#idsOf(message, opening)) prompt.push(id);
    }
    prompt.push(...this.#assistantStart);
    for (const id of beginning) prompt.push(id);
    if (prompt.length < this.contextLength) return prompt;
    throw contextFull(transcript, prompt.length, this.contextLength);
  }

  /** Tokens up to the end of what the user said last: a conversation that goes on begins with all of them. */
  #turnTokens({ transcript }: Pick<ModelRequest, "transcript">, opening: Opening): number {
    const last = transcript.findLastIndex(({ message }) => message.role === "user");
    return transcript
      .slice(0, last + 1)
      .reduce((sum, message) => sum + this.#idsOf(message, opening).length, opening.ids.length);
  }

  promptTokens({
    settings,
    tools,
    transcript,
  }: Pick<ModelRequest, "settings" | "tools" | "transcript">): number {
    const opening = this.#opening({ settings, tools });
    const conversation = transcript.reduce((sum, message) => {
      return sum + this.#idsOf(message, opening).length;
    }, 0);
    return opening.ids.length + conversation + this.#assistantStart.length;
  }

  countTokens(text: string): number {
    return this.tokenizer.countTokens(text);
  }

  handOver(fromThreadId: string, toThreadId: string): void {
    this.#sessions.handOver(fromThreadId, toThreadId);
  }

  leave(threadId: string, affinity: string | null): void {
    this.#sessions.leave(threadId, affinity);
  }

  release(threadId: string): Promise<void> {
    return this.#sessions.release(threadId);
  }

  async close(): Promise<void> {
    await this.#sessions.close();
    await this.engine.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #opening({ settings, tools, opening: recorded }: OpeningRequest): Opening {
    const known = recorded === undefined ? this.#openings.get(settings) : undefined;
    if (known !== undefined) return known;
    const hasFunctionTools =
      settings.toolChoice !== "none" && tools.inNamespace("functions").length > 0;
    const messages = recorded ?? openingMessages(settings, tools);
    const ids = messages.flatMap((message) => this.#render(message, hasFunctionTools));
    const opening = { ids, hasFunctionTools };
    if (recorded === undefined) this.#openings.set(settings, opening);
    return opening;
  }

  /** What was sampled with this vocabulary stays as sampled, except that `<|return|>` becomes `<|end|>`. */
  #idsOf(entry: TranscriptMessage, { hasFunctionTools }: Opening): readonly number[] {
    const known = this.#rendered.get(entry);
    if (known !== undefined) return known;
    const { end, return: returnId } = this.tokenizer.special;
    const ids = messageIds(this.tokenizer, this.vocabulary, entry, hasFunctionTools).map((id) =>
      id === returnId ? end : id,
    );
    this.#rendered.set(entry, ids);
    return ids;
  }

  #render(message: Message, hasFunctionTools: boolean): readonly number[] {
    return renderMessage(this.tokenizer, message, {
      headerStyle: MODEL_HEADER_STYLE,
      hasFunctionTools,
    });
  }

  /** A call that is demanded comes behind a thought, so that the model can choose its arguments. */
  #prefill({ prefill, toolChoice, answerPrefix = "" }: ModelRequest): readonly number[] {
    if (answerPrefix !== "") {
      return [...this.#channelHeader("final"), ...this.tokenizer.encode(answerPrefix)];
    }
    const channelName = prefill ?? (isDemanded(toolChoice) ? "analysis" : null);
    return channelName === null ? [] : this.#channelHeader(channelName);
  }

  #channelHeader(name: string): readonly number[] {
    const { channel, message } = this.tokenizer.special;
    return [channel, ...this.tokenizer.encode(name), message];
  }
}

/** What a model wrote before its answer. */
type Thought = {
  readonly ids: readonly number[];
  /** Of its analysis. */
  readonly text: string | null;
  readonly usage: StepUsage | null;
};

const NO_THOUGHT: Thought = { ids: [], text: null, usage: null };

function contextFull(
  transcript: readonly TranscriptMessage[],
  used: number,
  contextLength: number,
): RunError {
  const facts = { usedTokens: used, contextLength };
  const hasAnswered = transcript.some(({ message }) => message.role === "assistant");
  return hasAnswered
    ? new RunError(
        "CHORALE_CONTEXT_FULL",
        `The context is full before the model could go on: ${used} of ${contextLength} tokens are in ` +
          "use. Nothing was cut; ask for less at once, or use a model with a larger context.",
        { option: "contextLength", facts },
      )
    : promptTooLong(`${used} tokens`, contextLength);
}

/** @param size what the prompt has, with its unit */
export function promptTooLong(size: string, contextLength: number): RunError {
  return new RunError(
    "CHORALE_PROMPT_TOO_LONG",
    `The prompt does not fit: it has ${size}, and the model's context holds ${contextLength} tokens, ` +
      "the system and developer message and the answer included. Shorten the prompt, or use a model " +
      "with a larger context.",
    { option: "contextLength", facts: { contextLength } },
  );
}
