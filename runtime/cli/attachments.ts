/** `--attach FILE`: documents as part of the prompt, each in a block with its name. */
import { type Attachment, readAttachment } from "../../tools/index.ts";
import { RunError } from "../errors.ts";
import { checkPromptLength } from "../index.ts";
import type { ModelArguments } from "./flags.ts";

/**
 * The documents, in the order in which they were named.
 * @param note gets what is to be known of how one was read
 * @throws AttachmentError
 */
export async function readAttachments(
  paths: readonly string[],
  note: (sentence: string) => void,
): Promise<readonly Attachment[]> {
  const attachments = await Promise.all(paths.map(readAttachment));
  for (const { path, warnings } of attachments) {
    for (const warning of warnings) note(`${path}: ${warning}`);
  }
  return attachments;
}

/** The prompt with a `<document>` block for each attachment behind it. */
export function withAttachments(prompt: string, attachments: readonly Attachment[]): string {
  const names = attachments.map(({ name }) => name);
  const blocks = attachments.map(({ name, path, text }) => {
    const isUnique = names.filter((other) => other === name).length === 1;
    const label = (isUnique ? name : path).replace(/["<>\s]+/g, " ");
    // A document that has the end of its own block in it would put what follows into the user's mouth.
    let tag = "document";
    for (let count = 2; text.includes(`</${tag}>`); count++) tag = `document-${count}`;
    return `<${tag} name="${label}">\n${text.trimEnd()}\n</${tag}>`;
  });
  return [prompt, ...blocks].join("\n\n");
}

/**
 * Refuses a prompt that the model cannot hold, before it is loaded.
 * @throws RunError with the code CHORALE_PROMPT_TOO_LONG; InferenceError, ModelError
 */
export async function checkLength(
  prompt: string,
  attachments: readonly Attachment[],
  model: Pick<ModelArguments, "model" | "context" | "engine">,
): Promise<void> {
  // Only the server knows what its model holds.
  if (model.engine.length > 0) return;
  try {
    await checkPromptLength(prompt, model.model, model.context);
  } catch (error) {
    if (!RunError.isInstance(error) || error.code !== "CHORALE_PROMPT_TOO_LONG") throw error;
    if (attachments.length === 0) throw error;
    const sizes = attachments.map(({ name, text }) => `${name} (${text.length} characters)`);
    throw new RunError(
      error.code,
      `${error.message} Attached are ${sizes.join(", ")}; --docs gives the model a folder that it ` +
        "searches and reads in parts.",
      { cause: error, facts: error.facts },
    );
  }
}
