/** What a person sees of one item while it happens and afterwards: a thought, a call with its result. */
import type { CodeExecutionItem, ToolCallItem } from "../../events.ts";
import { seconds, spinner } from "./clock-text.ts";
import { type Component, truncateToWidth, visibleWidth } from "./terminal-library.ts";
import { GrowingText, shownText, TextBlock, wrapped } from "./text-block.ts";
import type { Theme } from "./theme.ts";
import { plainToolName } from "./tool-name.ts";

/** What the person has chosen to see; changed by keys, for everything on the screen. */
export type Folding = {
  reasoning: boolean;
  tools: boolean;
};

/** Lines of a call, of its output and of its result, where they are folded. */
const FOLDED_LINES = 10;
/** Lines that are shown of anything: no screen shows more, and the log has all of it. */
const MOST_LINES = 2_000;

/** A thought. */
export class ReasoningView implements Component {
  readonly #text = new GrowingText();
  readonly #theme: Theme;
  readonly #folding: Folding;
  readonly #startedAt = performance.now();
  /** How long it took, in words; null while it goes on. */
  #took: string | null = null;
  #note = "";

  constructor(theme: Theme, folding: Folding) {
    this.#theme = theme;
    this.#folding = folding;
  }

  append(text: string): void {
    this.#text.append(text);
  }

  /** Why it ended early. */
  addNote(note: string): void {
    this.#note = note;
  }

  /**
   * @param text all of it; null leaves what came in pieces
   * @param isTimed whether it was seen from its beginning
   */
  end(text: string | null, isTimed: boolean): void {
    if (text !== null && this.#text.text === "") this.#text.append(text);
    this.#took = isTimed ? ` for ${seconds(performance.now() - this.#startedAt)}` : "";
  }

  render(width: number): string[] {
    const { dim } = this.#theme;
    const ms = performance.now() - this.#startedAt;
    const key = this.#folding.reasoning ? " · Ctrl-T shows it" : "";
    const title =
      this.#took === null
        ? `${spinner(ms)} Thinking ${seconds(ms)}${key}`
        : `∴ Thought${this.#took}${key}${this.#note}`;
    const lines = ["", dim(title)];
    if (this.#folding.reasoning) return lines;
    const text = this.#text.lines(Math.max(1, width - 2));
    // A loop instead of a spread: a thought may have more lines than a call may have arguments.
    for (const line of text) lines.push(line === "" ? "" : dim(`  ${line}`));
    return lines;
  }

  invalidate(): void {}
}

/** A call with its output. */
export class CallView implements Component {
  readonly #theme: Theme;
  readonly #folding: Folding;
  readonly #tool: string;
  readonly #output = new GrowingText();
  #input = "";
  #startedAt: number | null = null;
  #ms = 0;
  #waitsFor: string | null = null;
  #isShown = false;
  #progress = "";
  #ended: ToolCallItem | CodeExecutionItem | null = null;

  constructor(item: ToolCallItem | CodeExecutionItem, theme: Theme, folding: Folding) {
    this.#theme = theme;
    this.#folding = folding;
    this.#tool = item.type === "code_execution" ? "python" : plainToolName(item.tool);
    this.#input = inputOf(item);
  }

  /** The model writes on at the arguments. */
  appendInput(text: string): void {
    this.#input += text;
  }

  /** The call is complete and is carried out now. */
  begin(item: ToolCallItem | CodeExecutionItem): void {
    this.#input = inputOf(item);
    this.#startedAt = performance.now();
  }

  /** What the tool has printed while it works. */
  appendOutput(text: string): void {
    this.#output.append(text);
  }

  /** How far the tool has come, in its own words. */
  progress(text: string): void {
    this.#progress = text;
  }

  /** What else has to happen first; null: nothing. Its arguments were shown, whole, with the question. */
  waitFor(what: string | null): void {
    this.#waitsFor = what;
    this.#isShown = true;
    if (what === null) this.#startedAt = performance.now();
  }

  end(item: ToolCallItem | CodeExecutionItem): void {
    this.#ended = item;
    this.#input = inputOf(item);
    this.#ms = this.#startedAt === null ? 0 : performance.now() - this.#startedAt;
  }

  render(width: number): string[] {
    const { call, dim } = this.#theme;
    const limit = (): number => (this.#folding.tools ? FOLDED_LINES : MOST_LINES);
    const input = new TextBlock(this.#isShown ? "" : this.#input.trim(), {
      first: `▸ ${this.#tool} `,
      indent: "  ",
      paint: call,
      hasGap: true,
      limit,
    }).render(width);
    const item = this.#ended;
    if (item !== null) return [...input, ...this.#result(item, limit, width)];
    if (this.#startedAt === null) return input;
    const ms = performance.now() - this.#startedAt;
    const progress = this.#progress === "" ? "" : ` · ${shownText(this.#progress)}`;
    const state = this.#waitsFor ?? `running ${seconds(ms)}${progress}`;
    const output = this.#output.lines(Math.max(1, width - 4)).slice(-limit());
    return [
      ...input,
      ...output.map((line) => dim(`  │ ${line}`)),
      dim(truncateToWidth(`  ${spinner(ms)} ${state}`, width)),
    ];
  }

  invalidate(): void {}

  #result(
    item: ToolCallItem | CodeExecutionItem,
    limit: () => number,
    width: number,
  ): readonly string[] {
    const { dim, problem, warning } = this.#theme;
    const paint = { failed: problem, declined: warning, cancelled: warning }[item.status as string];
    const text = resultOf(item).trimEnd();
    const lines = new TextBlock(text === "" ? "(no output)" : text, {
      first: "  → ",
      indent: "    ",
      paint: paint ?? dim,
      limit,
    }).render(width);
    const files = item.type === "code_execution" ? (item.artifacts ?? []) : [];
    const saved = files.flatMap(({ path }) => wrapped(`  ⤓ ${path}`, width)).map(dim);
    const took = ` · ${seconds(this.#ms)}`;
    const last = lines.at(-1) ?? "";
    if (this.#ms >= SLOW_MS && visibleWidth(last) + took.length <= width) {
      lines[lines.length - 1] = last + dim(took);
    }
    return [...lines, ...saved];
  }
}

/** The time of a faster call says nothing. */
const SLOW_MS = 1_000;

function inputOf(item: ToolCallItem | CodeExecutionItem): string {
  return item.type === "code_execution" ? item.code : item.arguments;
}

function resultOf(item: ToolCallItem | CodeExecutionItem): string {
  // The item says what the model reads about it.
  if (item.status === "declined") return "not allowed";
  if (item.type === "code_execution") return item.output;
  return item.error?.message ?? item.result?.text ?? "";
}
