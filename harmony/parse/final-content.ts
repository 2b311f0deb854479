/**
 * The answer in a text in which Harmony's special tokens stand as written: what comes where a server
 * wrote them out, or where a model spelt them with ordinary tokens.
 */
import { SPECIAL_TEXT } from "../tokenizer/special-tokens.ts";
import { createTokenizer, type Tokenizer } from "../tokenizer/tokenizer.ts";
import type { ParsedMessage } from "./issues.ts";
import { HarmonyParser } from "./parser.ts";

const TOKENS: readonly string[] = Object.values(SPECIAL_TEXT);

/**
 * The content of the final message: the only one on the final channel, else the only one without a
 * channel, which is an answer without a header.
 *
 * @returns null where the text has no special token, no answer, or several of which none is chosen: such
 *   a text has to be taken as it is
 */
export function finalContentOf(text: string): string | null {
  if (!TOKENS.some((token) => text.includes(token))) return null;
  const messages = HarmonyParser.parseText(text, { tokenizer: byteTokenizer() });
  const answers = messages.filter(({ channel }) => channel === "final");
  const [answer, ...others] = answers.length > 0 ? answers : messages.filter(isUnmarked);
  return answer === undefined || others.length > 0 ? null : answer.text;
}

function isUnmarked({ role, channel, recipient, text }: ParsedMessage): boolean {
  return role === "assistant" && channel === null && recipient === null && text.trim() !== "";
}

let made: Tokenizer | null = null;

/** Text needs no vocabulary: a token for each byte, and the special ones. */
function byteTokenizer(): Tokenizer {
  made ??= createTokenizer({
    tokens: {
      lengths: new Uint8Array(256).fill(1),
      bytes: Uint8Array.from({ length: 256 }, (_, byte) => byte),
    },
    specialTokens: new Map(TOKENS.map((token, at) => [token, 256 + at])),
  });
  return made;
}
