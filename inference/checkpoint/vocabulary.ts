/** A vocabulary as lists, as GGUF files hold it: byte-level BPE, one character per byte. */
export type ListedVocabulary = {
  /** Where it was found, for messages. */
  readonly path: string;
  /** Ordinary tokens in GPT-2's byte alphabet, ids 0 … n-1. */
  readonly tokens: readonly string[];
  /** Pairs of tokens, `left right`, the first to be merged first. */
  readonly merges: readonly string[];
  /** Special tokens as written, with their ids. */
  readonly specialTokens: ReadonlyMap<string, number>;
  /** How text is cut into pieces before; absent: as o200k does. */
  readonly split?: "plain" | undefined;
};
