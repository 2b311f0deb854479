/**
 * The special tokens that structure a Harmony message. Their ids are the tokenizer's to say: the
 * o200k_harmony numbers below are only that vocabulary's table.
 */
import { VocabularyError } from "../errors.ts";

/** Names of the special tokens with a meaning in the format, and how they are written. */
export const SPECIAL_TEXT = {
  start: "<|start|>",
  message: "<|message|>",
  end: "<|end|>",
  call: "<|call|>",
  return: "<|return|>",
  channel: "<|channel|>",
  constrain: "<|constrain|>",
} as const;

export type SpecialName = keyof typeof SPECIAL_TEXT;

/** The ids of one vocabulary; `endOfText` is null where the vocabulary has none. */
export type SpecialIds = Readonly<Record<SpecialName, number>> & {
  readonly endOfText: number | null;
};

/**
 * Looks up the ids of the structural tokens.
 * @throws VocabularyError when one is missing: no Harmony can be written with such a vocabulary
 */
export function specialIds(idOf: (text: string) => number | undefined): SpecialIds {
  const ids = {} as Record<SpecialName, number>;
  for (const name of Object.keys(SPECIAL_TEXT) as SpecialName[]) {
    const text = SPECIAL_TEXT[name];
    const id = idOf(text);
    if (id === undefined) {
      throw new VocabularyError(
        `The vocabulary has no special token ${text}; Harmony needs ${Object.values(SPECIAL_TEXT).join(" ")}`,
      );
    }
    ids[name] = id;
  }
  return { ...ids, endOfText: idOf("<|endoftext|>") ?? null };
}

const O200K_HARMONY_NAMED: readonly (readonly [string, number])[] = [
  ["<|startoftext|>", 199998],
  ["<|endoftext|>", 199999],
  ["<|return|>", 200002],
  ["<|constrain|>", 200003],
  ["<|channel|>", 200005],
  ["<|start|>", 200006],
  ["<|end|>", 200007],
  ["<|message|>", 200008],
  ["<|call|>", 200012],
];

const O200K_FIRST_SPECIAL = 199998;
const O200K_LAST_SPECIAL = 201088;

/** The 1091 special tokens of o200k_harmony: nine with a name, the others `<|reserved_N|>`. */
export function o200kHarmonySpecialTokens(): Map<string, number> {
  const nameOf = new Map(O200K_HARMONY_NAMED.map(([text, id]) => [id, text]));
  const tokens = new Map<string, number>();
  for (let id = O200K_FIRST_SPECIAL; id <= O200K_LAST_SPECIAL; id++) {
    tokens.set(nameOf.get(id) ?? `<|reserved_${id}|>`, id);
  }
  return tokens;
}
