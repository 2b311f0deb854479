/**
 * The two streams of a command. The answer, or the events of `--json`, go to stdout and nothing else
 * does; everything for the person watching goes to stderr.
 */
import { visibleText, wrapWords } from "./terminal-text.ts";

export type ColorMode = "auto" | "always" | "never";

export class Output {
  readonly #color: boolean;
  readonly #stdoutColor: boolean;
  /** Escape sequences in an answer are only dangerous, and only changed, on a terminal. */
  readonly #stdoutIsTerminal: boolean;
  #stdoutAtLineStart = true;
  #stderrAtLineStart = true;
  /** A line of progress is on the screen, which the next output replaces. */
  #hasProgress = false;
  #isQuiet = false;
  #runCompleted = false;
  #lastNote: string | null = null;

  constructor(color: ColorMode | undefined, env: NodeJS.ProcessEnv) {
    this.#stdoutIsTerminal = process.stdout.isTTY === true;
    const paints = (isTerminal: boolean): boolean =>
      color === "always" || (color !== "never" && isTerminal && allowsColor(env));
    this.#color = paints(process.stderr.isTTY === true);
    this.#stdoutColor = paints(this.#stdoutIsTerminal);
  }

  /** Whether stdout shows colours. */
  get isColored(): boolean {
    return this.#stdoutColor;
  }

  /** From now on only the answer and errors are shown. */
  beQuiet(): void {
    this.#isQuiet = true;
  }

  /** Columns of the terminal that shows stderr. */
  get columns(): number {
    // Some terminals say that they have none.
    return process.stderr.columns || 80;
  }

  /**
   * How far something has come, on one line that is written over: only on a terminal, where it would fill
   * nothing else.
   */
  progress(text: string): void {
    if (this.#isQuiet || !this.isLive || text === "") return;
    if (!this.#hasProgress) this.finishLine();
    const shown = visibleText(text).slice(0, this.columns - 1);
    process.stderr.write(`\r\x1b[K${shown}`);
    this.#hasProgress = true;
  }

  /** Whether progress can be told in place. */
  get isLive(): boolean {
    return process.stderr.isTTY === true && process.env["TERM"] !== "dumb";
  }

  /** Part of the answer: raw into a pipe or file, with control characters shown on a terminal. */
  answer(text: string): void {
    if (text === "") return;
    this.#endProgress();
    if (this.#stdoutIsTerminal) this.finishLine();
    process.stdout.write(this.#stdoutIsTerminal ? visibleText(text) : text);
    this.#stdoutAtLineStart = text.endsWith("\n");
  }

  /** Ends the answer with a newline, if it does not have one. */
  finishAnswer(): void {
    if (!this.#stdoutAtLineStart) process.stdout.write("\n");
    this.#stdoutAtLineStart = true;
  }

  /** One line of a listing on stdout; its control characters must be visible already. */
  line(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  /** Text for `line` in a colour (an SGR code), where stdout shows colours. */
  paint(text: string, code: string): string {
    return this.#stdoutColor && text !== "" ? `\x1b[${code}m${text}\x1b[0m` : text;
  }

  /** The last event of `--json` has been written: there must not be another. */
  get runCompleted(): boolean {
    return this.#runCompleted;
  }

  /** What was said last on stderr, so that it is not said twice. */
  get lastNote(): string | null {
    return this.#lastNote;
  }

  /** One JSON value as one line. */
  jsonLine(value: unknown): void {
    this.#runCompleted ||= (value as { type?: unknown } | null)?.type === "run.completed";
    const line = JSON.stringify(value).replace(
      UNSAFE_IN_JSON,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    process.stdout.write(`${line}\n`);
  }

  /** Part of a running text for the person watching. */
  watch(text: string, style: "dim" | "plain"): void {
    if (text === "" || this.#isQuiet) return;
    this.#endProgress();
    if (this.#stdoutIsTerminal) this.finishAnswer();
    const shown = visibleText(text);
    process.stderr.write(style === "dim" && this.#color ? `\x1b[2m${shown}\x1b[22m` : shown);
    this.#stderrAtLineStart = text.endsWith("\n");
  }

  /** Whole lines for the person watching, after a `marker` that says what they are (a model may have named it). */
  watchLines(marker: string, text: string, style: "call" | "result" | "problem"): void {
    if (this.#isQuiet) return;
    this.finishLine();
    const indent = " ".repeat([...marker].length + 1);
    const shown = visibleText(text).split("\n").join(`\n${indent}`);
    const code = { call: "36", result: "2", problem: "31" }[style];
    const line = `${visibleText(marker)} ${shown}`;
    process.stderr.write(this.#color ? `\x1b[${code}m${line}\x1b[0m\n` : `${line}\n`);
  }

  /** Part of a question to the person at the terminal; also shown with `--quiet`. */
  question(text: string): void {
    this.finishLine();
    process.stderr.write(visibleText(text));
  }

  /** One sentence of the command itself that is good to know. */
  note(sentence: string): void {
    if (!this.#isQuiet) this.problem(sentence);
  }

  /** One sentence about what went wrong; also shown with `--quiet`. */
  problem(sentence: string): void {
    this.#lastNote = sentence;
    this.finishLine();
    const isTerminal = process.stderr.isTTY === true;
    const shown = visibleText(`chorale: ${sentence}`);
    process.stderr.write(`${isTerminal ? wrapWords(shown, this.columns, "  ") : shown}\n`);
  }

  #endProgress(): void {
    if (!this.#hasProgress) return;
    this.#hasProgress = false;
    process.stderr.write("\r\x1b[K");
  }

  /** Ends a running text on stderr, if one is open. */
  finishLine(): void {
    this.#endProgress();
    if (!this.#stderrAtLineStart) process.stderr.write("\n");
    this.#stderrAtLineStart = true;
  }
}

/**
 * Characters of JSON lines that are written as escapes: line separators, at which many readers split, and what
 * a terminal would obey.
 */
const UNSAFE_IN_JSON = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** https://no-color.org: any non-empty value turns colour off. */
function allowsColor(env: NodeJS.ProcessEnv): boolean {
  const off = env["NO_COLOR"];
  return (off === undefined || off === "") && env["TERM"] !== "dumb";
}
