/** The ids of a message of the conversation, as the model reads it or sampled it. */
import { createHash } from "node:crypto";
import { MODEL_HEADER_STYLE, renderMessage, type Tokenizer } from "../../harmony/index.ts";
import type { TranscriptMessage } from "../context.ts";

/** Two vocabularies with the same value give the same ids the same meaning. */
export function vocabularyOf(tokenizer: Tokenizer): string {
  const probe = 'The quick brown fox — 12,345.67 ≠ «naïve» 東京 \t\n{"a": [1, 2]} 🦊';
  const facts = [tokenizer.size, tokenizer.special, tokenizer.encode(probe)];
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 16);
}

/**
 * What was sampled with this vocabulary stays as sampled; every other message is rendered.
 *
 * @param vocabulary of the tokenizer, see `vocabularyOf`
 * @throws RenderError for what is no Harmony message
 */
export function messageIds(
  tokenizer: Tokenizer,
  vocabulary: string,
  { message, sampled }: TranscriptMessage,
  hasFunctionTools: boolean,
): readonly number[] {
  if (sampled?.vocabulary !== vocabulary) {
    return renderMessage(tokenizer, message, {
      headerStyle: MODEL_HEADER_STYLE,
      hasFunctionTools,
    });
  }
  const { start } = tokenizer.special;
  const { ids } = sampled;
  return ids[0] === start ? ids : [start, ...tokenizer.encode("assistant"), ...ids];
}
