/** The text that a command works on: a file, or stdin. */
import { FileReadError, readFileOrPipe } from "../../tools/index.ts";
import { messageOf, UsageError } from "../errors.ts";
import { readStdin, type StdinSource } from "./read-prompt.ts";

/** Files are read whole, so a wrong path must not read a disk image. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/**
 * @param path undefined or `-`: stdin
 * @throws UsageError when there is nothing to read, it is too long, or no UTF-8
 */
export async function readInput(path: string | undefined, source: StdinSource): Promise<string> {
  if (path !== undefined && path !== "-") return readTextFile(path, MAX_FILE_BYTES);
  if (path === undefined && source.stdin.isTTY === true) {
    throw new UsageError("Nothing to read: name a file, or pipe the text into stdin.");
  }
  return (await readStdin(source, null)) ?? "";
}

/**
 * A text file, whole. What has no size (a pipe, a device) is read up to the same bound.
 *
 * @param name  how a refusal speaks of it: the flag that named it comes first
 * @throws UsageError when it cannot be read, is too long, or no UTF-8
 */
export async function readTextFile(
  path: string,
  maxBytes: number,
  name: string = path,
): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFileOrPipe(path, maxBytes);
  } catch (cause) {
    if (cause instanceof FileReadError) {
      throw new UsageError(`${name}${cause.message.slice(path.length)}`, { cause });
    }
    throw new UsageError(`${name} cannot be read: ${fileProblem(cause)}.`, { cause });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UsageError(`${name} is not UTF-8 text.`, { cause });
  }
}

function fileProblem(error: unknown): string {
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "there is no such file";
  return messageOf(error);
}
