/** A vocabulary written out, for files of other programs. */
import { CHAR_OF_BYTE } from "./byte-alphabet.ts";
import { PLAIN_PATTERN } from "./plain-split.ts";
import { O200K_PATTERN } from "./split.ts";
import { type Tokenizer, vocabularyOf } from "./tokenizer.ts";

/** A byte-level BPE vocabulary as lists, as GGUF files hold it. */
export type ByteLevelLists = {
  /** Ordinary tokens, ids 0 … n-1, written with GPT-2's one character per byte. */
  readonly tokens: readonly string[];
  /** `left right`, the first to be merged first. */
  readonly merges: readonly string[];
  /** Special tokens as written, with their ids. */
  readonly specialTokens: ReadonlyMap<string, number>;
  /** How text is cut into pieces before. Default: as o200k does. */
  readonly split?: "plain" | undefined;
};

/**
 * The vocabulary of a tokenizer that merges in the order of its ids, as tiktoken does, as lists: every way of
 * cutting a token into two tokens is a merge.
 */
export function listsOf(tokenizer: Tokenizer): ByteLevelLists {
  const { bytes, offsets, size } = vocabularyOf(tokenizer);
  const tokens = Array.from({ length: size }, (_, id) =>
    Array.from(bytes.subarray(offsets[id], offsets[id + 1]), (byte) => CHAR_OF_BYTE[byte]).join(""),
  );
  const known = new Map(tokens.map((text, id) => [text, id]));
  const merges: string[] = [];
  for (const text of tokens) {
    const cuts: { readonly merge: string; readonly order: number }[] = [];
    for (let cut = 1; cut < text.length; cut++) {
      const [left, right] = [text.slice(0, cut), text.slice(cut)];
      const [first, second] = [known.get(left), known.get(right)];
      if (first === undefined || second === undefined) continue;
      cuts.push({ merge: `${left} ${right}`, order: first * size + second });
    }
    cuts.sort((a, b) => a.order - b.order);
    merges.push(...cuts.map(({ merge }) => merge));
  }
  return { tokens, merges, specialTokens: tokenizer.specialTokens };
}

/** Lists as a `tokenizer.json`, which `tokenizerFromHfJson` reads. */
export function hfJsonOf(lists: ByteLevelLists): object {
  const { tokens, merges, specialTokens } = lists;
  const pattern = { Regex: lists.split === "plain" ? PLAIN_PATTERN : O200K_PATTERN };
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [...specialTokens]
      .sort(([, a], [, b]) => a - b)
      .map(([content, id]) => ({ id, content, ...flags, special: true })),
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern, behavior: "Isolated", invert: false },
        { ...byteLevel, use_regex: false },
      ],
    },
    post_processor: { ...byteLevel, use_regex: true },
    decoder: { ...byteLevel, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((text, id) => [text, id])),
      merges,
    },
  };
}
