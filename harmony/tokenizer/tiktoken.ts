/** Vocabulary files as tiktoken publishes them: a line per token, its bytes in base64 and its rank. */

import { VocabularyError } from "../errors.ts";
import type { PackedTokens } from "./byte-vocabulary.ts";

/**
 * Reads a `.tiktoken` file.
 * @throws VocabularyError with the line when one is not `BASE64 RANK` with ranks 0, 1, 2, …
 */
export function parseTiktokenRanks(file: Uint8Array): PackedTokens {
  const tokens: Uint8Array[] = [];
  let total = 0;
  let line = 0;
  for (const text of new TextDecoder().decode(file).split("\n")) {
    line++;
    if (text.trim() === "") continue;
    const match = /^([A-Za-z0-9+/]+={0,2}) (\d+)\r?$/.exec(text);
    if (match === null || Number(match[2]) !== tokens.length) {
      throw new VocabularyError(
        `Line ${line} of the vocabulary is ${JSON.stringify(text.slice(0, 60))}; accepted: base64, a space and the rank ${tokens.length}`,
      );
    }
    const bytes = fromBase64(match[1]!, line);
    if (bytes.length > 255) {
      throw new VocabularyError(
        `Line ${line} of the vocabulary is a token of ${bytes.length} bytes; accepted: at most 255`,
      );
    }
    tokens.push(bytes);
    total += bytes.length;
  }
  return joinTokens(tokens, total);
}

/** Puts separate tokens one after another. */
export function joinTokens(tokens: readonly Uint8Array[], total: number): PackedTokens {
  const lengths = new Uint8Array(tokens.length);
  const bytes = new Uint8Array(total);
  let offset = 0;
  tokens.forEach((token, id) => {
    lengths[id] = token.length;
    bytes.set(token, offset);
    offset += token.length;
  });
  return { lengths, bytes };
}

function fromBase64(text: string, line: number): Uint8Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch (cause) {
    throw new VocabularyError(`Line ${line} of the vocabulary is no base64`, { cause });
  }
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
