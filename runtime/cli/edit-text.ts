/** A text in the editor of the user. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import type { CommandContext } from "./command-context.ts";

/** @returns the text as the editor left it. @throws UsageError where the editor fails; the signal's reason */
export async function editText(
  text: string,
  context: Pick<CommandContext, "env" | "signal">,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "chorale-edit-"));
  try {
    const path = join(folder, "text.txt");
    writeFileSync(path, text, { mode: 0o600 });
    await openEditor(path, context);
    return readFileSync(path, "utf8");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Opens a file and waits until the editor has ended. @throws UsageError where it fails; the signal's reason */
export async function openEditor(
  path: string,
  { env, signal }: Pick<CommandContext, "env" | "signal">,
): Promise<void> {
  const editor = env["VISUAL"] || env["EDITOR"] || "vi";
  // The variable may hold arguments, like "code --wait": the shell splits it, as git does.
  const child = spawn("sh", ["-c", `${editor} "$1"`, editor, path], { stdio: "inherit", signal });
  const status = await new Promise<number | null>((done, failed) => {
    child.once("error", failed);
    child.once("exit", done);
  });
  signal.throwIfAborted();
  if (status === 0) return;
  throw new UsageError(
    `The editor ${editor} ended with ${status}; set VISUAL or EDITOR to another one.`,
  );
}
