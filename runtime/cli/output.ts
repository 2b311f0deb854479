/**
 * The two streams of a command. The answer, or the events of `--json`, go to stdout and nothing else
 * does; everything for the person watching goes to stderr.
 */
import { visibleText } from "./terminal-text.ts";

export type ColorMode = "auto" | "always" | "never";

export class Output {
  readonly #color: boolean;
  readonly #stdoutColor: boolean;
  /** Escape sequences in an answer are only dangerous, and only changed, on a terminal. */
  readonly #stdoutIsTerminal: boolean;
  #stdoutAtLineStart = true;
  #stderrAtLineStart = true;
  #runCompleted = false;
  #lastNote: string | null = null;

  constructor(color: ColorMode, env: NodeJS.ProcessEnv) {
    this.#stdoutIsTerminal = process.stdout.isTTY === true;
    const paints = (isTerminal: boolean): boolean =>
      color === "always" || (color === "auto" && isTerminal && allowsColor(env));
    this.#color = paints(process.stderr.isTTY === true);
    this.#stdoutColor = paints(this.#stdoutIsTerminal);
  }

  /** Part of the answer: raw into a pipe or file, with control characters shown on a terminal. */
  answer(text: string): void {
    if (text === "") return;
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
    // U+2028 and U+2029 are legal in JSON, but many line readers split at them.
    const line = JSON.stringify(value).replace(
      /[\u2028\u2029]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16)}`,
    );
    process.stdout.write(`${line}\n`);
  }

  /** Part of a running text for the person watching. */
  watch(text: string, style: "dim" | "plain"): void {
    if (text === "") return;
    if (this.#stdoutIsTerminal) this.finishAnswer();
    const shown = visibleText(text);
    process.stderr.write(style === "dim" && this.#color ? `\x1b[2m${shown}\x1b[22m` : shown);
    this.#stderrAtLineStart = text.endsWith("\n");
  }

  /** Whole lines for the person watching, after a `marker` that says what they are (a model may have named it). */
  watchLines(marker: string, text: string, style: "call" | "result" | "problem"): void {
    this.finishLine();
    const indent = " ".repeat([...marker].length + 1);
    const shown = visibleText(text).split("\n").join(`\n${indent}`);
    const code = { call: "36", result: "2", problem: "31" }[style];
    const line = `${visibleText(marker)} ${shown}`;
    process.stderr.write(this.#color ? `\x1b[${code}m${line}\x1b[0m\n` : `${line}\n`);
  }

  /** One sentence of the command itself. */
  note(sentence: string): void {
    this.#lastNote = sentence;
    this.finishLine();
    process.stderr.write(`chorale: ${visibleText(sentence)}\n`);
  }

  /** Ends a running text on stderr, if one is open. */
  finishLine(): void {
    if (!this.#stderrAtLineStart) process.stderr.write("\n");
    this.#stderrAtLineStart = true;
  }
}

/** https://no-color.org: any non-empty value turns colour off. */
function allowsColor(env: NodeJS.ProcessEnv): boolean {
  const off = env["NO_COLOR"];
  return (off === undefined || off === "") && env["TERM"] !== "dumb";
}
