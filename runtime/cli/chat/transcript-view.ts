/**
 * The conversation on the screen: events of a run in, blocks out. What is finished is committed to the screen,
 * what is being written is a component among the changing lines.
 */
import type { Annotation, Item, RunEvent } from "../../events.ts";
import type { ConversationTurn, FootnoteWriter } from "../../index.ts";
import { AnswerParts } from "./answer-parts.ts";
import { CallView, type Folding, ReasoningView } from "./item-views.ts";
import type { AnswerRenderer } from "./markdown-block.ts";
import { pastEvents } from "./past-turns.ts";
import type { ChatScreen } from "./screen.ts";
import { count } from "./status-line.ts";
import type { Component } from "./terminal-library.ts";
import { type Table, TableBlock, TextBlock } from "./text-block.ts";
import type { Theme } from "./theme.ts";

export type TranscriptOptions = {
  readonly screen: ChatScreen;
  readonly theme: Theme;
  readonly folding: Folding;
  /** Loaded behind the first prompt. */
  readonly renderer: () => AnswerRenderer | null;
};

/** Lines of a question that are shown when it was sent. */
const QUESTION_LINES = 12;

/** An answer, or what is said before a call. */
class AnswerView implements Component {
  readonly #parts = new AnswerParts();
  readonly #options: TranscriptOptions;
  readonly #renderer: AnswerRenderer | null;
  readonly #footnotes: FootnoteWriter | null;
  #isBegun = false;
  hasText = false;

  constructor(options: TranscriptOptions, footnotes: FootnoteWriter | null) {
    this.#options = options;
    this.#renderer = options.renderer();
    this.#footnotes = footnotes;
  }

  append(text: string): void {
    this.hasText ||= text !== "";
    this.#commit(this.#parts.push(this.#footnotes?.push(text) ?? text));
  }

  /** @param annotations what the citations came to, where that is known */
  end(annotations: readonly Annotation[] | undefined): void {
    this.#commit(this.#parts.push(this.#footnotes?.end() ?? ""));
    this.#commit(this.#parts.end());
    const notes = this.#footnotes?.notes(annotations) ?? [];
    const { screen, theme } = this.#options;
    for (const [at, note] of notes.entries()) {
      screen.commit(new TextBlock(note, { paint: theme.dim, hasGap: at === 0 }));
    }
  }

  render(width: number): string[] {
    const { rest } = this.#parts;
    if (rest === null) return [];
    const block =
      this.#renderer?.unfinished(rest) ?? new TextBlock(rest.type === "markdown" ? rest.text : "");
    const hasGap = !this.#isBegun || this.#parts.isGapDue;
    return hasGap ? ["", ...block.render(width)] : [...block.render(width)];
  }

  invalidate(): void {}

  #commit(parts: ReturnType<AnswerParts["push"]>): void {
    const { screen } = this.#options;
    for (const part of parts) {
      if (!this.#isBegun) screen.commit(new TextBlock(""));
      this.#isBegun = true;
      screen.commit(this.#renderer?.finished(part) ?? new TextBlock(textOf(part)));
    }
  }
}

function textOf(part: ReturnType<AnswerParts["push"]>[number]): string {
  if (part.type === "gap") return "";
  return part.type === "code" ? part.lines.join("\n") : part.text;
}

function progressText(event: Extract<RunEvent, { type: "tool.progress" }>): string {
  const { progress, total, message } = event;
  const share =
    total === undefined || total <= 0 ? "" : ` ${Math.round((progress / total) * 100)}%`;
  return message === undefined ? share.trim() : `${message}${share}`;
}

type Happening = Extract<
  RunEvent,
  { type: "budget" | "loop.cut_back" | "compaction.started" | "compaction.completed" }
>;

/** What changes how the turn goes on, in words. */
function happening(event: Happening): string {
  switch (event.type) {
    case "budget":
      return event.state === "near"
        ? `The budget of ${event.budget} is near its end: ${event.used} of ${event.limit}.`
        : `The budget of ${event.budget} is used up: ${event.used} of ${event.limit}.`;
    case "loop.cut_back":
      return event.reason === "repeated_calls"
        ? "The model repeated a call; the conversation was cut back to before that."
        : "The model thought in circles; the conversation was cut back to before that.";
    case "compaction.started":
      return `Summarising the conversation (${count(event.tokens)} tokens).`;
    case "compaction.completed": {
      const what = event.kind === "summary" ? "summarised" : "shortened (old results of tools)";
      const [from, to] = [count(event.tokens_before), count(event.tokens_after)];
      return `The conversation was ${what} for the model: ${from} tokens became ${to}. The log keeps all of it.`;
    }
  }
}

type View = ReasoningView | CallView | AnswerView;

export class TranscriptView implements Component {
  readonly #options: TranscriptOptions;
  /** Items that are not over, in the order in which they began. */
  readonly #open = new Map<string, View>();
  /** What is taken happened in an earlier run. */
  #isPast = false;
  #footnotes: () => FootnoteWriter | null = () => null;

  constructor(options: TranscriptOptions) {
    this.#options = options;
  }

  /** @param make footnotes for one answer */
  useFootnotes(make: () => FootnoteWriter | null): void {
    this.#footnotes = make;
  }

  /** What a person said. */
  addQuestion(text: string): void {
    const { screen, theme } = this.#options;
    const limit = (): number => QUESTION_LINES;
    screen.commit(new TextBlock(text, { first: "› ", paint: theme.user, hasGap: true, limit }));
  }

  /** Turns of a conversation that goes on. */
  addTurns(turns: readonly ConversationTurn[]): void {
    this.#isPast = true;
    for (const past of pastEvents(turns)) {
      if ("question" in past) this.addQuestion(past.question);
      else this.take(past.event);
    }
    this.#isPast = false;
  }

  /** A sentence of the program. */
  addNote(text: string, kind: "note" | "problem" = "note"): void {
    const { screen, theme } = this.#options;
    const paint = kind === "note" ? theme.dim : theme.problem;
    screen.commit(
      new TextBlock(text, { first: kind === "note" ? "• " : "! ", paint, hasGap: true }),
    );
  }

  addTable(rows: Table): void {
    this.#options.screen.commit(new TableBlock(rows));
  }

  take(event: RunEvent): void {
    switch (event.type) {
      case "item.started":
        this.#start(event.item);
        break;
      case "item.delta":
        this.#append(event.item_id, event.text);
        break;
      case "item.updated":
        this.#begin(event.item);
        break;
      case "tool.progress":
        this.#call(event.item_id)?.progress(progressText(event));
        if (event.output !== undefined) this.#call(event.item_id)?.appendOutput(event.output);
        break;
      case "approval.requested":
        this.#call(event.item_id)?.waitFor("waits for your answer");
        break;
      case "approval.resolved":
        this.#call(event.item_id)?.waitFor(null);
        break;
      case "generation.reasoning_limited":
        this.#limit(event.reason === "limit" ? " (the limit)" : " (it repeated itself)");
        break;
      case "item.completed":
        this.#complete(event.item);
        break;
      case "budget":
      case "loop.cut_back":
      case "compaction.started":
      case "compaction.completed":
        this.addNote(happening(event));
        break;
      case "error":
        this.addNote(event.message, "problem");
        break;
    }
  }

  /** What began and did not end: the run was cut off. */
  close(): void {
    for (const [id, view] of this.#open) {
      this.#open.delete(id);
      this.#finish(view, null);
    }
  }

  render(width: number): string[] {
    return [...this.#open.values()].flatMap((view) => view.render(width));
  }

  invalidate(): void {}

  #start(item: Item): void {
    const { theme, folding } = this.#options;
    switch (item.type) {
      case "reasoning":
        this.#open.set(item.id, new ReasoningView(theme, folding));
        break;
      case "agent_message":
        this.#open.set(item.id, new AnswerView(this.#options, this.#footnotes()));
        break;
      case "tool_call":
      case "code_execution":
        this.#open.set(item.id, new CallView(item, theme, folding));
        break;
      case "error":
        break;
    }
  }

  #append(id: string, text: string): void {
    const view = this.#open.get(id);
    if (view instanceof CallView) view.appendInput(text);
    else view?.append(text);
  }

  #begin(item: Item): void {
    if (item.type === "tool_call" || item.type === "code_execution") {
      this.#call(item.id)?.begin(item);
    }
  }

  #limit(note: string): void {
    for (const view of this.#open.values()) {
      if (view instanceof ReasoningView) view.addNote(note);
    }
  }

  #complete(item: Item): void {
    if (item.type === "error") {
      this.addNote(item.message, "problem");
      return;
    }
    if (!this.#open.has(item.id)) this.#start(item);
    const view = this.#open.get(item.id);
    this.#open.delete(item.id);
    if (view !== undefined) this.#finish(view, item);
  }

  #finish(view: View, item: Item | null): void {
    if (view instanceof AnswerView) {
      if (item?.type === "agent_message" && !view.hasText) view.append(item.text);
      view.end(item?.type === "agent_message" ? item.annotations : undefined);
      return;
    }
    if (view instanceof ReasoningView) {
      view.end(item?.type === "reasoning" ? item.text : null, !this.#isPast);
    }
    if (
      view instanceof CallView &&
      (item?.type === "tool_call" || item?.type === "code_execution")
    ) {
      view.end(item);
    }
    this.#options.screen.commit(view);
  }

  #call(id: string): CallView | undefined {
    const view = this.#open.get(id);
    return view instanceof CallView ? view : undefined;
  }
}
