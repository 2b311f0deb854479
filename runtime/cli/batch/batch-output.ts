/**
 * The results of a batch, in the order of its input. They are appended as soon as all before them are there; what an
 * earlier process wrote is kept. A line that was torn by the end of that process is cut off.
 */
import { appendFileSync, readFileSync, statSync, truncateSync } from "node:fs";
import { messageOf, RunError, UsageError } from "../../errors.ts";
import { writeWhole } from "../write-file.ts";
import type { BatchItem } from "./batch-input.ts";
import { type BatchResult, isFailed, resultOfLine } from "./batch-result.ts";

export interface BatchOutput {
  /**
   * What an earlier batch wrote for a line of the input.
   * @param mayDiffer the line may have been mended where it failed
   * @throws UsageError where that was another line
   */
  earlier(item: BatchItem, mayDiffer: boolean): BatchResult | undefined;
  /** @param at place of the line among those of the input, from 0 */
  put(at: number, result: BatchResult): void;
  /** Writes what waits. */
  finish(): Promise<void>;
}

/** Results go to stdout, a device or a pipe: nothing was there before. */
export class StreamedOutput implements BatchOutput {
  readonly #write: (result: BatchResult) => void;
  readonly #waiting = new Map<number, BatchResult>();
  #next = 0;

  constructor(write: (result: BatchResult) => void) {
    this.#write = write;
  }

  earlier(): undefined {}

  put(at: number, result: BatchResult): void {
    this.#waiting.set(at, result);
    for (let ready = this.#waiting.get(this.#next); ready !== undefined; ) {
      this.#write(ready);
      this.#waiting.delete(this.#next++);
      ready = this.#waiting.get(this.#next);
    }
  }

  async finish(): Promise<void> {}
}

const FLAG = "--output";

export class FileOutput implements BatchOutput {
  readonly #path: string;
  /** Each line of the file as it is, and by the line of the input that it is of. */
  readonly #lines: string[] = [];
  readonly #byLine = new Map<number, BatchResult>();
  /** Results that wait for one before them. */
  readonly #waiting = new Map<number, BatchResult>();
  /** Results that take the place of an earlier one: the file is written anew at the end. */
  readonly #replaced = new Map<number, BatchResult>();
  #bytes: number;

  /** @throws UsageError for a file that holds anything else; RunError where it cannot be read */
  constructor(path: string) {
    this.#path = path;
    const text = readExisting(path);
    const end = text.lastIndexOf("\n") + 1;
    for (const [at, line] of text.slice(0, end).split("\n").slice(0, -1).entries()) {
      const result = resultOfLine(line);
      if (result === null) {
        throw new UsageError(
          `${FLAG} ${path} holds something else: its line ${at + 1} is no result of chorale batch. Name ` +
            "another file, or remove this one.",
        );
      }
      this.#lines.push(line);
      this.#byLine.set(result.line, result);
    }
    this.#bytes = Buffer.byteLength(text.slice(0, end));
    if (end < text.length) truncateSync(path, this.#bytes);
  }

  earlier({ line, sha256 }: BatchItem, mayDiffer: boolean): BatchResult | undefined {
    const result = this.#byLine.get(line);
    if (result === undefined || result.input_sha256 === sha256) return result;
    if (isFailed(result) && mayDiffer) return result;
    throw new UsageError(
      `${FLAG} ${this.#path} has the results of another input: line ${line} was another one. ` +
        (isFailed(result)
          ? "It failed; --retry-failed asks the new one."
          : "Name another file, or remove this one."),
    );
  }

  put(at: number, result: BatchResult): void {
    if (at < this.#lines.length) {
      if (this.#byLine.get(result.line) !== result) this.#replaced.set(at, result);
      return;
    }
    this.#waiting.set(at, result);
    for (;;) {
      const ready = this.#waiting.get(this.#lines.length);
      if (ready === undefined) return;
      this.#append(JSON.stringify(ready));
      this.#waiting.delete(this.#lines.length - 1);
    }
  }

  /** @throws RunError where the file cannot be written */
  async finish(): Promise<void> {
    if (this.#replaced.size === 0) return;
    const lines = this.#lines.map((line, at) => {
      const result = this.#replaced.get(at);
      return result === undefined ? line : JSON.stringify(result);
    });
    await writeWhole(this.#path, lines.map((line) => `${line}\n`).join(""), FLAG);
  }

  #append(line: string): void {
    try {
      appendFileSync(this.#path, `${line}\n`);
    } catch (cause) {
      // What of the line did arrive would make the file one that cannot be read.
      try {
        truncateSync(this.#path, this.#bytes);
      } catch {
        // The next batch cuts it off.
      }
      throw new RunError(
        "CHORALE_FILE_WRITE",
        `${FLAG} ${this.#path} cannot be written: ${messageOf(cause)}.`,
        { cause },
      );
    }
    this.#lines.push(line);
    this.#bytes += Buffer.byteLength(line) + 1;
  }
}

function readExisting(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw new UsageError(`${FLAG} ${path} cannot be read: ${messageOf(cause)}.`, { cause });
  }
}

/** Whether results in it can be found again: a file, or nothing yet. A device or a pipe only takes them. */
export function isKept(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return true;
  }
}
