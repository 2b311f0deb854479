/**
 * A run as a person at a terminal follows it: reasoning dimmed, calls and results in short form (all
 * on stderr), the answer on stdout. One of the two readers of the event stream; `--json` is the other.
 */
import type { Annotation, EventListener, Item, RunEvent } from "../events.ts";
import type { FootnoteWriter } from "../index.ts";
import type { Output } from "./output.ts";
import { shortText } from "./terminal-text.ts";

/** Lines and columns of a call or a result that are shown; the events have everything. */
const SHOWN_LINES = 12;
const SHOWN_COLUMNS = 200;

export type WatchOptions = {
  /** The answer must pass a schema: it is printed when it has, not while it is written. */
  readonly holdAnswer: boolean;
  /** What is to be waited for before Python can run; null when it is ready. */
  readonly pythonStart?: (() => string | null) | undefined;
  /** Gives each answer its footnotes. Not for an answer that must pass a schema. */
  readonly footnotes?: (() => FootnoteWriter | null) | undefined;
};

/** @returns a listener that prints; it keeps nothing but the items that are in progress */
export function watchRun(output: Output, options: WatchOptions): EventListener {
  const open = new Map<string, Item>();
  /** Text of the answer that stdout has already, or that waits in `citations`. */
  let printed = "";
  /** Of the step that is computed. */
  let startedAt = performance.now();
  let footnotes = options.footnotes?.();
  /** What the citations of the last answer came to. */
  let annotations: readonly Annotation[] | undefined;

  const onDelta = (itemId: string, channel: string | null, text: string): void => {
    const item = open.get(itemId);
    if (item?.type === "reasoning") output.watch(text, "dim");
    else if (item?.type === "agent_message") {
      if (channel !== "final") output.watch(text, "plain");
      else if (!options.holdAnswer) {
        output.answer(footnotes?.push(text) ?? text);
        printed += text;
      }
    }
  };

  return (event: RunEvent): void => {
    switch (event.type) {
      case "item.started":
        open.set(event.item.id, event.item);
        if (event.item.type === "agent_message" && event.item.phase === "final_answer") {
          // What came before it was no answer: the model went on.
          if (printed !== "") output.finishAnswer();
          printed = "";
          annotations = undefined;
          footnotes = options.footnotes?.();
        }
        break;
      case "item.delta":
        onDelta(event.item_id, event.channel, event.text);
        break;
      case "item.updated":
        showCall(output, event.item);
        if (event.item.type === "code_execution") output.progress(options.pythonStart?.() ?? "");
        break;
      case "prefill.progress":
        output.progress(prefillLine(event.done, event.total, performance.now() - startedAt));
        break;
      case "tool.progress":
        output.progress(toolLine(event));
        break;
      case "generation.completed":
        startedAt = performance.now();
        break;
      case "item.completed":
        open.delete(event.item.id);
        output.answer(footnotes?.end() ?? "");
        if (event.item.type === "agent_message" && event.item.phase === "final_answer") {
          ({ annotations } = event.item);
        }
        showCompleted(output, event.item);
        break;
      case "generation.reasoning_limited":
        output.watch(` … (ended after ${event.limit} tokens of reasoning)`, "dim");
        break;
      case "budget":
        if (event.state === "near" && event.used > 0) {
          output.watchLines("!", nearLine(event), "result");
        }
        break;
      case "compaction.started":
        output.progress("summarising the conversation so far");
        break;
      case "compaction.completed":
        output.watchLines("↩", compactionLine(event), "result");
        break;
      case "loop.cut_back":
        output.watchLines("↩", cutBackLine(event.reason), "result");
        break;
      case "error":
        output.note(event.message);
        break;
      case "run.completed":
        if (event.output !== null && event.output !== printed) {
          footnotes = options.footnotes?.();
          output.answer(footnotes?.push(event.output) ?? event.output);
          output.answer(footnotes?.end() ?? "");
        }
        output.finishAnswer();
        if (event.output !== null) showFootnotes(output, footnotes?.notes(annotations) ?? []);
        break;
    }
  };
}

/** They belong to the answer: without them its numbers say nothing. */
function showFootnotes(output: Output, notes: readonly string[]): void {
  if (notes.length === 0) return;
  output.answer(`\n${notes.join("\n")}\n`);
  output.finishAnswer();
}

function nearLine({ budget, used, limit }: Extract<RunEvent, { type: "budget" }>): string {
  const name = budget.replaceAll("_", " ");
  return `${Math.floor(used)} of ${limit} ${name} are used: the model was told to conclude.`;
}

function compactionLine(event: Extract<RunEvent, { type: "compaction.completed" }>): string {
  const what =
    event.kind === "summary"
      ? "The first turns were summarised"
      : `${event.shortened_results?.length ?? 0} old results were shortened`;
  return `${what}: the model reads ${event.tokens_after} tokens instead of ${event.tokens_before}.`;
}

function cutBackLine(reason: "repeated_calls" | "circling_thought"): string {
  const what = reason === "repeated_calls" ? "made the same calls again" : "thought in circles";
  return `The model ${what}: the conversation was cut back to before that.`;
}

/** @param ms since the step began */
function prefillLine(done: number, total: number, ms: number): string {
  const left = done === 0 ? "" : `, ${Math.ceil(((total - done) * ms) / done / 1000)} s left`;
  return `reading the prompt: ${done} of ${total} tokens${left}`;
}

function toolLine({
  progress,
  total,
  message,
}: Extract<RunEvent, { type: "tool.progress" }>): string {
  const amount = total === undefined ? String(progress) : `${progress} of ${total}`;
  return message === undefined ? amount : `${amount}: ${message}`;
}

function showCall(output: Output, item: Item): void {
  if (item.type === "code_execution") {
    output.watchLines("▸ python", shortText(item.code.trim(), SHOWN_LINES, SHOWN_COLUMNS), "call");
  } else if (item.type === "tool_call") {
    const shown = shortText(item.arguments.trim(), SHOWN_LINES, SHOWN_COLUMNS);
    output.watchLines(`▸ ${item.tool}`, shown, "call");
  }
}

function showCompleted(output: Output, item: Item): void {
  if (item.type === "error") output.watchLines("!", item.message, "problem");
  if (item.type === "reasoning" || item.type === "agent_message") output.finishLine();
  if (item.type === "code_execution") {
    showResult(output, item.output, item.status);
    for (const { path } of item.artifacts ?? []) output.watchLines("  ⤓", path, "result");
  }
  if (item.type === "tool_call") {
    showResult(output, item.error?.message ?? item.result?.text ?? "", item.status);
  }
}

function showResult(output: Output, text: string, status: string): void {
  const shown = shortText(text.trimEnd(), SHOWN_LINES, SHOWN_COLUMNS);
  output.watchLines("  →", shown, status === "failed" ? "problem" : "result");
}
