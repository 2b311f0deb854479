/** The text that a command works on: a file, or stdin. */
import { readFile, stat } from "node:fs/promises";
import { messageOf, UsageError } from "../errors.ts";
import { readStdin, type StdinSource } from "./read-prompt.ts";

/** Files are read whole, so a wrong path must not read a disk image. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/**
 * @param path undefined or `-`: stdin
 * @throws UsageError when there is nothing to read, it is too long, or no UTF-8
 */
export async function readInput(path: string | undefined, source: StdinSource): Promise<string> {
  if (path !== undefined && path !== "-") return readTextFile(path);
  if (path === undefined && source.stdin.isTTY === true) {
    throw new UsageError("Nothing to read: name a file, or pipe the text into stdin.");
  }
  return (await readStdin(source, null)) ?? "";
}

async function readTextFile(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) {
      throw new UsageError(`${path} has ${size} bytes; at most ${MAX_FILE_BYTES} are read.`);
    }
    bytes = await readFile(path);
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`${path} cannot be read: ${fileProblem(cause)}.`, { cause });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UsageError(`${path} is not UTF-8 text.`, { cause });
  }
}

function fileProblem(error: unknown): string {
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a folder";
  return messageOf(error);
}
