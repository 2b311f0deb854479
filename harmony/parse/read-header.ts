/** The header of a message from its ids, for readers that follow a model id by id. */
import { HarmonyParseError } from "../errors.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { parseHeader } from "./header.ts";
import type { MessageHeader } from "./issues.ts";

/**
 * @param ids     what stands between `<|start|>` and `<|message|>`
 * @param isBegun the ids begin behind `<|start|>assistant`, as those of a model's first message do
 * @returns null for a header that the format does not have
 */
export function readHeader(
  tokenizer: Tokenizer,
  ids: readonly number[],
  isBegun: boolean,
): MessageHeader | null {
  try {
    return parseHeader(tokenizer.decode(ids), isBegun ? "assistant" : null);
  } catch (error) {
    if (error instanceof HarmonyParseError) return null;
    throw error;
  }
}
