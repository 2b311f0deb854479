/** Turns that are over, summarised by the model, so that later ones read the summary instead. */

import type { TranscriptMessage, TurnSettings } from "../context.ts";
import { UsageError } from "../errors.ts";
import { userMessage } from "../model/opening.ts";
import type { Compaction } from "../thread/entry.ts";
import { apply } from "../thread/fold.ts";
import { promptTranscript, type ThreadState } from "../thread/state.ts";
import { type RunContext, record } from "./run-context.ts";

/** What a compaction works with. */
export type CompactContext = Pick<
  RunContext,
  "thread" | "model" | "tools" | "projection" | "emit" | "signal"
>;

export type Compacted = {
  readonly summary: string;
  /** Tokens of the prompt. */
  readonly tokensBefore: number;
  readonly tokensAfter: number;
};

/** A summary takes at most this share of the context. */
const SUMMARY_SHARE = 0.1;
const MAX_SUMMARY_TOKENS = 1024;
/** A model says about so many words with four tokens. */
const WORDS_PER_TOKEN = 0.6;

const requestText = (words: number): string =>
  `Summarise our conversation so far in at most ${words} words, so that it can go on without the messages ` +
  "themselves. Keep what I asked for and decided, facts and figures with their sources, names of files and " +
  "identifiers, what was tried and what came of it, and what is still open. Write nothing else.";

/**
 * Summarises all turns of a thread.
 * @returns null where there is nothing to summarise, or it would not be shorter
 * @throws UsageError while a turn is open; what the model or the store throws; the signal's reason
 */
export async function compactThread(
  context: CompactContext,
  settings: TurnSettings,
): Promise<Compacted | null> {
  const { state } = context.thread;
  if (state.turn !== null) {
    throw new UsageError(
      `Thread ${context.thread.id} cannot be summarised: its last turn is not over. Run it on first.`,
    );
  }
  const [first, ...others] = state.turnStarts;
  if (first?.isSummary && others.length === 0) return null;
  return summarise(context, settings, state.transcript.length, "asked");
}

/**
 * Replaces the first messages of the conversation by the model's summary of them.
 * @param messages  how many; they end with a turn that is over
 * @returns null where it would not be shorter, or does not fit the context
 */
export async function summarise(
  context: CompactContext,
  settings: TurnSettings,
  messages: number,
  reason: Compaction["reason"],
): Promise<Compacted | null> {
  const { thread, model, emit, signal } = context;
  const { state } = thread;
  const tokensBefore = promptTokens(context, settings, state);
  if (messages === 0 || !canSummarise(context, settings, messages)) return null;
  const maxTokens = summaryTokens(model.contextLength);
  const { request, ...asked } = requestFor(context, settings, messages);
  await emit({ type: "compaction.started", tokens: tokensBefore });
  let summary = "";
  const step = await model.sample(
    {
      ...asked,
      threadId: thread.id,
      prefill: "final",
      toolChoice: "auto",
      maxTokens,
      maxReasoningTokens: 0,
      shouldPause: () => false,
      signal,
    },
    (event) => {
      const message = event.type === "message_ended" ? event.message : null;
      if (summary === "" && message?.channel === "final") summary = message.text.trim();
    },
  );
  if (step.error !== undefined) throw step.error;
  if (summary === "") return null;
  const [first] = state.turnStarts;
  const next = state.turnStarts.find(({ at }) => at === messages);
  const entry: Compaction = {
    type: "compaction",
    kind: "summary",
    reason,
    tokensBefore,
    tokensAfter: 0,
    messages,
    range: { fromSeq: first?.seq ?? 0, toSeq: (next?.seq ?? state.length) - 1 },
    request,
    summary,
    model: model.name,
    usage: step.usage,
    timing: step.timing,
  };
  const tokensAfter = promptTokens(context, settings, apply(state, entry));
  if (tokensAfter >= tokensBefore) return null;
  await record(context, { ...entry, tokensAfter });
  return { summary, tokensBefore, tokensAfter };
}

/** Whether the messages, the request and the summary fit the context. */
export function canSummarise(
  context: CompactContext,
  settings: TurnSettings,
  messages: number,
): boolean {
  const { model } = context;
  const { request: _, ...asked } = requestFor(context, settings, messages);
  return model.promptTokens(asked) + summaryTokens(model.contextLength) < model.contextLength;
}

function requestFor(
  { thread, model, tools }: CompactContext,
  settings: TurnSettings,
  messages: number,
) {
  const words = Math.floor(summaryTokens(model.contextLength) * WORDS_PER_TOKEN);
  const request = userMessage(requestText(words));
  const earlier = withoutAnalysis(thread.state.transcript.slice(0, messages));
  return {
    request,
    // The summary is no answer of the turn.
    settings: settings.output === null ? settings : { ...settings, output: null },
    tools,
    transcript: [...earlier, { message: request }],
  };
}

/** Most tokens of a summary. */
export function summaryTokens(contextLength: number): number {
  return Math.max(16, Math.min(MAX_SUMMARY_TOKENS, Math.floor(contextLength * SUMMARY_SHARE)));
}

/** Tokens of the next prompt. */
export function promptTokens(
  { model, tools }: Pick<CompactContext, "model" | "tools">,
  settings: TurnSettings,
  state: ThreadState,
): number {
  return model.promptTokens({ settings, tools, transcript: promptTranscript(state) });
}

function withoutAnalysis(transcript: readonly TranscriptMessage[]): readonly TranscriptMessage[] {
  return transcript.filter(({ message }) => message.channel !== "analysis");
}
