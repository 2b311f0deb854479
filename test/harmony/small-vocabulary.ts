/** A vocabulary of the first o200k ranks and Harmony's special tokens, as ranks and as `tokenizer.json`. */
import { SPECIAL_TEXT, type Tokenizer, type TokenizerOptions } from "../../harmony/index.ts";

const O200K_PATTERN =
  "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

export function smallVocabulary(tokenizer: Tokenizer, size: number): TokenizerOptions {
  const tokens = Array.from({ length: size }, (_, id) => tokenizer.tokenBytes(id));
  return {
    tokens: {
      lengths: Uint8Array.from(tokens, (token) => token.length),
      bytes: Buffer.concat(tokens),
    },
    specialTokens: new Map(Object.values(SPECIAL_TEXT).map((text, at) => [text, size + at])),
  };
}

/** GPT-2's way of writing bytes as characters. */
export function byteLevel(bytes: Uint8Array): string {
  const shifted = Array.from({ length: 256 }, (_, byte) => byte).filter(
    (byte) => !((byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174),
  );
  return Array.from(bytes, (byte) => {
    const place = shifted.indexOf(byte);
    return String.fromCharCode(place === -1 ? byte : 256 + place);
  }).join("");
}

export function hfTokenizerJson(options: TokenizerOptions, mergeForm: "text" | "pair") {
  const { lengths, bytes } = options.tokens;
  const texts: string[] = [];
  let offset = 0;
  for (const length of lengths) {
    texts.push(byteLevel(bytes.subarray(offset, offset + length)));
    offset += length;
  }
  const vocab = Object.fromEntries(texts.map((text, id) => [text, id]));
  const merges = texts.flatMap((text) => {
    const cuts: [string, string][] = [];
    for (let cut = 1; cut < text.length; cut++) {
      const pair: [string, string] = [text.slice(0, cut), text.slice(cut)];
      if (pair.every((part) => part in vocab)) cuts.push(pair);
    }
    return cuts;
  });
  return {
    added_tokens: [...options.specialTokens].map(([content, id]) => ({
      id,
      content,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: O200K_PATTERN }, behavior: "Removed", invert: true },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    model: {
      type: "BPE",
      vocab,
      merges: mergeForm === "pair" ? merges : merges.map((pair) => pair.join(" ")),
      ignore_merges: true,
    },
  };
}
