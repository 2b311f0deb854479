// biome-ignore-all lint/style/noRestrictedImports: the vocabulary is a file; this is where it is read or made
/**
 * The vocabulary of gpt-oss, o200k_harmony, as a packed table beside the code. The only module of
 * this folder that reads a file; `harmony/index.ts` does not import it, so that Harmony alone also
 * runs where there are no files.
 */
import { readFileSync } from "node:fs";
import { unpackTokens } from "../tokenizer/byte-vocabulary.ts";
import { o200kHarmonySpecialTokens } from "../tokenizer/special-tokens.ts";
import { createTokenizer, type Tokenizer } from "../tokenizer/tokenizer.ts";

let loaded: Tokenizer | null = null;

/** The tokenizer of o200k_harmony, ids 0 … 201088. Made once, on the first call. */
export function loadO200kHarmony(): Tokenizer {
  loaded ??= createTokenizer({
    tokens: unpackTokens(readFileSync(new URL("o200k.bin", import.meta.url))),
    specialTokens: o200kHarmonySpecialTokens(),
  });
  return loaded;
}
