/** One step of the model: what it writes is told while it is written, and is one entry of the log. */
import type { MessageHeader } from "../../harmony/index.ts";
import { laterChoice } from "../calls/allowed-tools.ts";
import type { BudgetName, ModelMessage, Notice, UnderstoodMessage } from "../context.ts";
import type { ModelEvent, ModelStep } from "../model/language-model.ts";
import { annotated, annotationsOf } from "../thread/annotate.ts";
import { itemOf, startedItem } from "../thread/items.ts";
import { promptTranscript, type ThreadState } from "../thread/state.ts";
import { isForUser } from "../thread/transcript.ts";
import { type StepLimits, stepLimits } from "./budgets.ts";
import { PartialJson } from "./partial-json.ts";
import { roundMs } from "./run-clock.ts";
import { type RunContext, record } from "./run-context.ts";
import { canReturnCitations } from "./step.ts";
import { BudgetStop } from "./time-budget.ts";
import { callOf, looseIssues, sampledRecord, understand } from "./understand.ts";

/** @throws what ended the step, when it is no limit */
export async function sample(run: RunContext, prefill: "final" | null): Promise<void> {
  const { thread, model, tools, time } = run;
  const { state } = thread;
  const { turn } = state;
  if (turn === null) return;
  const { settings } = turn;
  const limits = stepLimits(turn);
  const stop = new AbortController();
  const signal = AbortSignal.any([time.signal, stop.signal]);
  const reader = new StepReader(run, state.items, limits, stop);
  const startedAt = performance.now();
  const isTimeTold = turn.budgets.seconds !== undefined;
  const sampled = await model.sample(
    {
      threadId: thread.id,
      settings,
      tools,
      transcript: promptTranscript(state),
      prefill,
      toolChoice: turn.steps === 0 ? settings.toolChoice : laterChoice(settings.toolChoice),
      maxTokens: limits.tokens,
      maxReasoningTokens: limits.reasoningTokens,
      shouldPause: ({ tokens, reasoningTokens }) =>
        tokens >= limits.pauseAt.tokens ||
        reasoningTokens >= limits.pauseAt.reasoningTokens ||
        (!isTimeTold && time.isNear),
      signal,
    },
    (event) => reader.take(event),
  );
  const spent = sampled.finish === "cancelled" ? budgetOf(signal.reason) : null;
  const step: ModelStep =
    spent === null ? sampled : { ...sampled, finish: "budget", error: undefined };
  reader.closeOpenMessage();
  for (const { code, detail, dropped } of looseIssues(step, reader.messages)) {
    reader.addNotice(code, dropped ? `${detail} (dropped: ${dropped})` : detail);
  }
  // What goes back to the model is told as a problem.
  if (!canReturnCitations(turn, turn.steps + 1)) {
    for (const [code, message] of citationNotices(reader.messages, state)) {
      reader.addNotice(code, message);
    }
  }
  const timing = {
    prefillMs: roundMs(step.timing.prefillMs),
    decodeMs: roundMs(step.timing.decodeMs),
    firstTokenMs: step.timing.firstTokenMs === null ? null : roundMs(step.timing.firstTokenMs),
  };
  run.clock.stepEnded(startedAt, timing, step.usage.outputTokens);
  const { messages, notices, hasForeign } = reader;
  await record(run, {
    ...sampledRecord({ ...step, timing }, messages, notices, hasForeign),
    ...(spent !== null && { budget: spent }),
    contextLength: model.contextLength,
  });
  if (step.error !== undefined) throw step.error;
}

/** What is said of citations that do not hold, or that are checked and do not say what their sentence says. */
function citationNotices(
  messages: readonly UnderstoodMessage[],
  state: ThreadState,
): readonly (readonly [code: string, message: string])[] {
  const annotations = messages.filter(isForUser).flatMap(({ text }) => annotationsOf(text, state));
  const broken = annotations.flatMap((annotation) =>
    annotation.type === "broken_citation" ? [annotation.message] : [],
  );
  const unsupported = annotations.flatMap((annotation) =>
    annotation.type === "url_citation" && annotation.support === "unsupported"
      ? [`${(annotation.missing ?? []).join(", ")} is not in what page ${annotation.cursor} says`]
      : [],
  );
  return [
    ...notice("broken_citation", "does not hold", "do not hold", broken),
    ...notice("unsupported_citation", "is not supported", "are not supported", unsupported),
  ];
}

const MAX_TOLD_CITATIONS = 5;

function notice(
  code: string,
  one: string,
  several: string,
  reasons: readonly string[],
): readonly (readonly [code: string, message: string])[] {
  if (reasons.length === 0) return [];
  const shown = [...new Set(reasons)].slice(0, MAX_TOLD_CITATIONS).join("; ");
  const subject =
    reasons.length === 1
      ? `A citation of the answer ${one}`
      : `${reasons.length} citations of the answer ${several}`;
  return [[code, `${subject}: ${shown}.`]];
}

/** The budget that ended a step; null where something else did. */
function budgetOf(reason: unknown): BudgetName | null {
  return reason instanceof BudgetStop ? reason.budget : null;
}

/** Collects the messages of one step and tells them as items. */
class StepReader {
  readonly messages: UnderstoodMessage[] = [];
  readonly notices: Notice[] = [];
  /** The model wrote in another's name. */
  hasForeign = false;
  readonly #run: RunContext;
  #nextItem: number;
  /** The header of the message that is being written, and its item once it has content. */
  #header: Extract<ModelEvent, { type: "message_started" }>["header"] | null = null;
  #itemId: string | null = null;
  #text = "";
  /** Of an answer that is JSON. */
  #partial: PartialJson | null = null;
  readonly #limits: StepLimits;
  readonly #stop: AbortController;
  /** Bytes said to the user in this step. */
  #outputBytes = 0;
  /** Ended without a terminator: whether that was another message or the end of the step is not known yet. */
  #unterminated: UnderstoodMessage | null = null;

  /** @param stop aborted where the step says more than it may */
  constructor(run: RunContext, items: number, limits: StepLimits, stop: AbortController) {
    this.#run = run;
    this.#nextItem = items;
    this.#limits = limits;
    this.#stop = stop;
  }

  addNotice(code: string, message: string): void {
    this.notices.push({ itemId: this.#newItemId(), code, message });
  }

  /** A model that failed in the middle of a message may not have ended it; its item is in the events. */
  closeOpenMessage(): void {
    const header = this.#header;
    if (header === null) return;
    const message: ModelMessage = {
      ...header,
      text: this.#text,
      terminator: null,
      issues: [],
      ids: [0, 0],
    };
    this.messages.push(understand(message, this.#itemId, this.#run.tools));
  }

  async take(event: ModelEvent): Promise<void> {
    const { emit } = this.#run;
    switch (event.type) {
      case "prefill":
        await emit({ type: "prefill.progress", done: event.done, total: event.total });
        break;
      case "reasoning_limited":
        await emit({
          type: "generation.reasoning_limited",
          reason: "limit",
          limit: event.limit,
          forced_ids: event.forcedIds,
        });
        break;
      case "message_started":
        await this.#completeUnterminated();
        this.#itemId = null;
        this.#text = "";
        this.#partial = null;
        this.#header = event.header.role === "assistant" ? event.header : null;
        if (event.header.recipient) await this.#startItem();
        break;
      case "delta":
        if (this.#header === null) break;
        this.#text += event.text;
        if (this.#itemId === null) await this.#startItem();
        await emit({
          type: "item.delta",
          item_id: this.#itemId ?? "",
          channel: this.#header.channel,
          text: event.text,
        });
        await this.#tellPartial(event.text, this.#header);
        this.#countOutput(event.text, this.#header);
        break;
      case "message_ended":
        await this.#messageEnded(event.message);
        break;
    }
  }

  async #tellPartial(text: string, { channel, recipient }: MessageHeader): Promise<void> {
    const { thread, emit } = this.#run;
    if (thread.state.turn?.settings.output?.type !== "json") return;
    if (channel !== "final" || recipient) return;
    this.#partial ??= new PartialJson();
    if (!this.#partial.push(text)) return;
    await emit({ type: "item.partial", item_id: this.#itemId ?? "", value: this.#partial.value });
  }

  #countOutput(text: string, header: MessageHeader): void {
    const { outputBytes } = this.#limits;
    const { channel, recipient } = header;
    if (outputBytes === null || !isForUser({ channel, call: recipient })) return;
    this.#outputBytes += Buffer.byteLength(text);
    if (this.#outputBytes > outputBytes) this.#stop.abort(new BudgetStop("output_bytes"));
  }

  async #messageEnded(
    message: Extract<ModelEvent, { type: "message_ended" }>["message"],
  ): Promise<void> {
    await this.#completeUnterminated();
    if (message.role !== "assistant") {
      // Only the assistant speaks here: a message in another's name would pass for that one's later.
      this.hasForeign = true;
      const author = message.name ?? message.role;
      this.addNotice(
        "foreign_role",
        `The model wrote a message in the name of ${author}; it was dropped: ${message.text}`,
      );
      return;
    }
    const hasItem = message.text !== "" || Boolean(message.recipient);
    if (hasItem && this.#itemId === null) {
      this.#header = message;
      await this.#startItem();
    }
    const understood = understand(message, this.#itemId, this.#run.tools);
    this.messages.push(understood);
    this.#itemId = null;
    this.#header = null;
    if (understood.terminator === null) this.#unterminated = understood;
    else await this.#complete(understood);
  }

  async #startItem(): Promise<void> {
    if (this.#header === null) return;
    const { tools, projection, emit } = this.#run;
    this.#itemId = this.#newItemId();
    const call = callOf(this.#header, tools);
    await emit(projection.started(startedItem(this.#itemId, this.#header, call)));
  }

  async #completeUnterminated(): Promise<void> {
    const message = this.#unterminated;
    this.#unterminated = null;
    if (message !== null) await this.#complete(message);
  }

  /** A call is completed by its result. */
  async #complete(message: UnderstoodMessage): Promise<void> {
    const { itemId } = message;
    if (itemId === null || message.call !== undefined) return;
    const { emit, projection, thread } = this.#run;
    const item = annotated(itemOf({ ...message, itemId }), thread.state);
    await emit(projection.completed(item));
  }

  #newItemId(): string {
    return `item_${this.#nextItem++}`;
  }
}
