/** The question of a command: its argument, stdin and attached documents in one text. */
import { checkLength, readAttachments, withAttachments } from "./attachments.ts";
import type { CommandContext } from "./command-context.ts";
import type { ModelArguments } from "./flags.ts";
import { readPrompt } from "./read-prompt.ts";
import { isOwnStdin } from "./stdin-owner.ts";

export type QuestionArguments = {
  readonly prompt: string | undefined;
  readonly attach: readonly string[];
};

export type Question = {
  readonly text: string;
  /** Of what is in it beside the person's own words. */
  readonly untrusted: readonly string[];
};

/**
 * @param model has to hold the text; null: it is not known here
 * @throws UsageError, AttachmentError; RunError with the code CHORALE_PROMPT_TOO_LONG
 */
export async function readQuestion(
  { prompt, attach }: QuestionArguments,
  model: ModelArguments | null,
  { output, env, signal }: CommandContext,
): Promise<Question> {
  const note = (sentence: string): void => output.note(sentence);
  const asked = await readPrompt({
    argument: prompt,
    stdin: process.stdin,
    isOwnStdin: isOwnStdin(env),
    note,
    signal,
  });
  const attachments = await readAttachments(attach, note);
  const text = withAttachments(asked, attachments);
  if (model !== null) await checkLength(text, attachments, model);
  const hasBlock = prompt !== undefined && prompt !== "-" && asked !== prompt;
  const paths = attachments.map(({ path }) => path);
  return { text, untrusted: [...(hasBlock ? ["<stdin>"] : []), ...paths] };
}
