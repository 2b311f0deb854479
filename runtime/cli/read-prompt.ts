/** The prompt of a command: an argument, stdin, or both. */
import type { Readable } from "node:stream";
import { UsageError } from "../errors.ts";

/** More than any context holds; a larger stdin is a mistake and is refused before it fills the memory. */
const MAX_STDIN_BYTES = 32 * 1024 * 1024;

export type StdinSource = {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly signal: AbortSignal;
};

export type PromptSource = StdinSource & {
  /** Argument of the command; undefined or `-`: stdin is the prompt. */
  readonly argument: string | undefined;
  /** Whether stdin was given to this command, see `stdin-owner.ts`. */
  readonly isOwnStdin: boolean;
  readonly note: (sentence: string) => void;
  /**
   * How long to wait for the first byte of a stdin that only adds to the prompt: a pipe that the
   * caller forgot to close must not hang the run.
   */
  readonly patienceMs?: number;
};

/**
 * The prompt as the model will read it. With an argument and a piped stdin, the input is appended as
 * a `<stdin>` block.
 * @throws UsageError when there is no prompt, it is empty, too long, or not UTF-8
 */
export async function readPrompt(source: PromptSource): Promise<string> {
  const { argument, stdin, isOwnStdin } = source;
  if (argument !== undefined && argument !== "-") {
    if (argument.trim() === "") throw new UsageError("The prompt is empty; give a question.");
    if (!isOwnStdin) return argument;
    const input = await readStdin(source, source.patienceMs ?? 3000);
    if (input === null) {
      source.note(
        "stdin is open but nothing came; going on without it (add </dev/null, or pipe the prompt into `chorale run -` to wait for it).",
      );
      return argument;
    }
    return input.trim() === "" ? argument : `${argument}\n\n<stdin>\n${input.trimEnd()}\n</stdin>`;
  }
  if (argument === undefined && stdin.isTTY === true) {
    throw new UsageError('No prompt given; try: chorale run "What is 12 * 34?"');
  }
  const input = await readStdin(source, null);
  if (input === null || input.trim() === "") {
    throw new UsageError("The prompt is empty: stdin had no text.");
  }
  return input.trimEnd();
}

/**
 * Everything of stdin as text; null when `patienceMs` passed before the first byte.
 * @throws UsageError when it is too long or not UTF-8
 */
export async function readStdin(
  source: StdinSource,
  patienceMs: number | null,
): Promise<string | null> {
  const { stdin, signal } = source;
  const chunks: Buffer[] = [];
  let bytes = 0;
  await new Promise<void>((done, failed) => {
    const timer = patienceMs === null ? undefined : setTimeout(done, patienceMs);
    const stop = () => failed(signal.reason);
    stdin.on("data", (chunk: Buffer) => {
      clearTimeout(timer);
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_STDIN_BYTES) {
        stdin.destroy(); // at once: a fast source would go on before the rejection is seen
        failed(
          new UsageError(
            `stdin has more than ${MAX_STDIN_BYTES / 1024 / 1024} MiB, the most that is read.`,
          ),
        );
      }
    });
    stdin.on("end", done);
    stdin.on("error", (error) =>
      failed(new UsageError(`stdin cannot be read: ${error.message}`, { cause: error })),
    );
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  }).finally(() => stdin.destroy());
  if (bytes === 0 && !stdin.readableEnded) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch (error) {
    throw new UsageError("stdin is not UTF-8 text.", { cause: error });
  }
}
