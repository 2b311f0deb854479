/**
 * The contract between the agent loop and a model: the conversation in, messages out. It knows messages,
 * tools and output formats, and no token engine: `HarmonyModel` implements it over any `TokenEngine`,
 * `ScriptedModel` plays what a test wrote, and models behind a chat API implement it as well.
 */
import type { Issue, Message, MessageHeader } from "../../harmony/index.ts";
import type { Sampling } from "../../inference/index.ts";
import type { DeclaredTools } from "../calls/declared-tools.ts";
import type {
  ModelMessage,
  StepFinish,
  StepTiming,
  StepUsage,
  ToolChoice,
  TranscriptMessage,
  TurnSettings,
} from "../context.ts";

/** What a step has sampled so far. */
export type SampledCount = { readonly tokens: number; readonly reasoningTokens: number };

/** What one step is asked. */
export type ModelRequest = {
  /** A model may keep what it computed for a thread, so that the next step computes only new tokens. */
  readonly threadId: string;
  readonly settings: TurnSettings;
  readonly tools: DeclaredTools;
  /** The conversation without system and developer message. */
  readonly transcript: readonly TranscriptMessage[];
  /** `final`: the message begins as an answer. */
  readonly prefill: "final" | null;
  /** What its answer begins with: the model writes on behind it. */
  readonly answerPrefix?: string | undefined;
  /** The call that the model has to make in this step, after it has thought; `auto`: none. */
  readonly toolChoice: ToolChoice;
  /** Most tokens to sample; null: what the context holds. */
  readonly maxTokens: number | null;
  /** Most tokens of reasoning in this step: then its analysis is ended, and it goes on behind it; null: no limit. */
  readonly maxReasoningTokens: number | null;
  /**
   * Asked behind each token of reasoning. True: the analysis is ended there, and the step as `paused`, so
   * that the model reads something before it goes on.
   */
  readonly shouldPause: (sampled: SampledCount) => boolean;
  readonly signal: AbortSignal;
  /** Threads with the same text are likely to begin alike; see `LanguageModel.leave`. */
  readonly affinity?: string | undefined;
  /** System and developer message as a log has them; absent: what the settings and tools say. */
  readonly opening?: readonly Message[];
};

export type ModelEvent =
  /** Prompt tokens computed so far, of those that are not cached. */
  | { readonly type: "prefill"; readonly done: number; readonly total: number }
  /** A header is complete; content follows. */
  | { readonly type: "message_started"; readonly header: MessageHeader }
  | { readonly type: "delta"; readonly text: string }
  | { readonly type: "message_ended"; readonly message: ModelMessage }
  /** The model had reasoned as long as it may: its analysis was ended with these ids. */
  | {
      readonly type: "reasoning_limited";
      /** Tokens that it might reason in this step. */
      readonly limit: number;
      readonly forcedIds: readonly number[];
    };

/** What one step came to. */
export type ModelStep = {
  /** What was put in front (`prefill` of them) and what was sampled. Empty where the model gives text. */
  readonly ids: readonly number[];
  readonly prefill: number;
  /** Which vocabulary the ids belong to; null without ids. */
  readonly vocabulary: string | null;
  /** SHA-256 of the ids that the model read, the first 16 hexadecimal digits. Absent where it reads text. */
  readonly promptHash?: string;
  /** Deviations from the format, those in messages included. */
  readonly issues: readonly Issue[];
  readonly finish: StepFinish;
  readonly usage: StepUsage;
  readonly timing: StepTiming;
  /** With `cancelled` and `failed`: what ended it. */
  readonly error?: unknown;
};

/** What the probabilities of answers are asked for. */
export type ScoreRequest = Pick<
  ModelRequest,
  "threadId" | "settings" | "tools" | "transcript" | "signal"
> & {
  /** Texts of the final message. */
  readonly answers: readonly string[];
  /** Whether the model reasons first; then the answers stand behind what it thought. */
  readonly reasons: boolean;
};

export type ScoredAnswers = {
  /** Natural logarithm of the probability of each answer, its end included. */
  readonly logprobs: readonly number[];
  /** What the model thought; null where it was not asked to. */
  readonly reasoning: string | null;
  readonly usage: StepUsage;
};

export interface LanguageModel extends AsyncDisposable {
  /** For people. */
  readonly name: string;
  /** Most tokens of prompt and answer together. */
  readonly contextLength: number;
  /** How its makers sample it. */
  readonly sampling: Partial<Sampling>;
  /** Whether it takes and gives token ids: then results can be measured exactly. */
  readonly vocabulary: string | null;
  /** What the engine below tells about itself, for `run.completed`. */
  readonly statistics?: unknown;
  /** Which weights it has, and how it computes: where two are equal, the same prompt and seed give the same ids. */
  readonly fingerprint?: string | undefined;
  /**
   * Samples until the model calls a tool, answers, stops, or is cut off. `onEvent` gets what is written
   * while it is written; the model waits for its promise.
   *
   * Does not throw for what happens while it samples: an abort, a failure of the engine or of `onEvent`
   * ends the step as `cancelled` or `failed`, with what was sampled until then.
   * @throws RunError with the code CHORALE_PROMPT_TOO_LONG or CHORALE_CONTEXT_FULL before anything is computed
   */
  sample(
    request: ModelRequest,
    onEvent: (event: ModelEvent) => void | Promise<void>,
  ): Promise<ModelStep>;
  /**
   * The probability with which the model gives each of several answers. Absent where a model does not tell
   * probabilities.
   * @throws RunError as `sample`; the signal's reason; what the engine throws
   */
  score?(request: ScoreRequest): Promise<ScoredAnswers>;
  /** Tokens of the prompt of a request. */
  promptTokens(request: Pick<ModelRequest, "settings" | "tools" | "transcript">): number;
  countTokens(text: string): number;
  /**
   * What is kept for a thread is kept for another from now on: one that goes on in its place and begins as it does.
   * Absent where nothing is kept.
   */
  handOver?(fromThreadId: string, toThreadId: string): void;
  /**
   * The thread does not come again: what is kept for it is for the next thread that begins as it did, and first for
   * one of the same affinity. Absent where nothing is kept.
   */
  leave?(threadId: string, affinity: string | null): void;
  /** Gives back what is kept for a thread. */
  release(threadId: string): Promise<void>;
  close(): Promise<void>;
}
