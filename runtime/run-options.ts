/** What a run is given and what it gives back. */
import { randomInt } from "node:crypto";
import type { Message, ReasoningEffort, Tokenizer } from "../harmony/index.ts";
import type { Sampling, TokenEngine } from "../inference/index.ts";
import type { Tool, ValidatorOptions } from "../tools/index.ts";
import { PromptTooLongError, UsageError } from "./errors.ts";
import type { EventListener, RunStatus, Timing, Usage } from "./events.ts";
import type { ExitCode } from "./exit-codes.ts";
import { structuralIds } from "./sampleable-ids.ts";

export type RunOptions = {
  readonly engine: TokenEngine;
  /** The engine's own vocabulary. */
  readonly tokenizer: Tokenizer;
  readonly prompt: string;
  /** An earlier conversation: `messages` of its result. Its analysis is dropped, as models expect. */
  readonly history?: readonly Message[] | undefined;
  /** What the model may call. The caller closes them; a stateful tool keeps its state between runs. */
  readonly tools?: readonly Tool[] | undefined;
  /** Text of the developer message. */
  readonly instructions?: string | undefined;
  /** Default medium. */
  readonly effort?: ReasoningEffort | undefined;
  /** What the answer must pass; one that does not goes back to the model. */
  readonly outputSchema?: ValidatorOptions | undefined;
  /** Default: temperature 1, top-p 1, a random seed. */
  readonly sampling?: Partial<Sampling> | undefined;
  /** Most samplings of the model. Default 20. */
  readonly maxTurns?: number | undefined;
  /** Most tokens sampled in all turns together. Default: what the context holds. */
  readonly maxTokens?: number | undefined;
  /** Most tokens of reasoning before each call or answer; then its analysis is ended. Default: no limit. */
  readonly maxReasoningTokens?: number | undefined;
  /** How often in a row the model may produce something unusable and try again. Default 3. */
  readonly maxRetries?: number | undefined;
  /** How often an invalid answer goes back to the model. Default 2. */
  readonly maxRepairs?: number | undefined;
  /**
   * How often in one header a wrong token is taken back and another sampled; 0: never. Default 4. Only
   * with engines that can go back.
   */
  readonly resample?: { readonly headers: number } | undefined;
  /** `YYYY-MM-DD`, told to the model. Default: today, by this machine's clock. */
  readonly date?: string | undefined;
  /** Ends the run; a reason that is an `InterruptedError` sets the exit code. */
  readonly signal?: AbortSignal | undefined;
  /** Gets every event; the run waits for it. */
  readonly onEvent?: EventListener | undefined;
};

export type RunResult = {
  readonly status: RunStatus;
  readonly exitCode: ExitCode;
  /** The accepted answer; null when there is none. */
  readonly output: string | null;
  /** The answer parsed, where `outputSchema` is a JSON Schema. */
  readonly value?: unknown;
  /** Why there is no answer. */
  readonly error?: Error;
  /** The conversation without system and developer message: `history` of the next run. */
  readonly messages: readonly Message[];
  readonly usage: Usage;
  readonly timing: Timing;
};

/** The options with every default filled in. */
export type RunSettings = {
  readonly sampling: Sampling;
  readonly effort: ReasoningEffort;
  readonly date: string;
  readonly maxTurns: number;
  readonly maxTokens: number;
  readonly maxReasoningTokens: number;
  readonly maxRetries: number;
  readonly maxRepairs: number;
  readonly resample: { readonly headers: number };
  readonly signal: AbortSignal;
};

/** No token of any vocabulary covers more characters: absurd prompts need no counting. */
const MOST_CHARACTERS_PER_TOKEN = 128;

export function settle(options: RunOptions): RunSettings {
  return {
    sampling: {
      unpenalisedIds: structuralIds(options.tokenizer),
      ...options.sampling,
      temperature: options.sampling?.temperature ?? 1,
      topP: options.sampling?.topP ?? 1,
      seed: options.sampling?.seed ?? randomInt(2 ** 32),
    },
    effort: options.effort ?? "medium",
    date: options.date ?? today(),
    maxTurns: options.maxTurns ?? 20,
    maxTokens: options.maxTokens ?? Number.POSITIVE_INFINITY,
    maxReasoningTokens: options.maxReasoningTokens ?? Number.POSITIVE_INFINITY,
    maxRetries: options.maxRetries ?? 3,
    maxRepairs: options.maxRepairs ?? 2,
    resample: options.resample ?? { headers: 4 },
    signal: options.signal ?? new AbortController().signal,
  };
}

/** @throws UsageError, PromptTooLongError: what can be refused before anything is computed */
export function checkPrompt({ prompt, engine }: RunOptions): void {
  if (prompt.trim() === "") throw new UsageError("The prompt is empty; give a question.");
  if (prompt.length > engine.contextLength * MOST_CHARACTERS_PER_TOKEN) {
    throw new PromptTooLongError(`${prompt.length} characters`, engine.contextLength);
  }
}

/** In this machine's time zone, which is the user's. */
function today(): string {
  const now = new Date();
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}
