import { createHash } from "node:crypto";
import { CheckpointError } from "../errors.ts";
import { show } from "./fields.ts";
import type { GgufMetadata } from "./gguf-metadata.ts";
import type { ListedVocabulary } from "./vocabulary.ts";

const TOKENS = "tokenizer.ggml.tokens";
const TYPES = "tokenizer.ggml.token_type";
const MERGES = "tokenizer.ggml.merges";
/** Written by `chorale models convert` for a vocabulary that cuts text in a way that llama.cpp has no name for. */
export const SPLIT_KEY = "chorale.tokenizer.split";

/** Values of `tokenizer.ggml.token_type`. */
const NORMAL = 1;
const CONTROL = 3;
const USER_DEFINED = 4;
const MAX_TOKENS = 1 << 22;

/**
 * o200k_harmony: so many ordinary tokens, the hash of their texts as they stand in a GGUF file, and
 * the special tokens that Harmony needs. The names of the other special tokens vary.
 */
const O200K = {
  count: 199_998,
  bytes: 3_619_252,
  sha256: "6bba98859f84dadb76c684fe1c24d218b52dc14f41f292e16f35f29abd44eb58",
  specials: new Map([
    [199_998, "<|startoftext|>"],
    [199_999, "<|endoftext|>"],
    [200_002, "<|return|>"],
    [200_003, "<|constrain|>"],
    [200_005, "<|channel|>"],
    [200_006, "<|start|>"],
    [200_007, "<|end|>"],
    [200_008, "<|message|>"],
    [200_012, "<|call|>"],
  ]),
} as const;

/**
 * The vocabulary of a GGUF file; undefined when it is that of o200k_harmony (which needs no reading)
 * or when the file has none.
 * @throws CheckpointError when it is of another kind or its lists do not fit together
 */
export function readGgufVocabulary(metadata: GgufMetadata): ListedVocabulary | undefined {
  const listed = metadata.get(TOKENS);
  if (listed === undefined || isO200k(metadata)) return undefined;
  checkKind(metadata, "tokenizer.ggml.model", ["gpt2"]);
  // Ollama's converter writes none or "default"; gpt-oss has but one way to split text.
  checkKind(metadata, "tokenizer.ggml.pre", ["gpt-4o", "default", undefined]);
  const tokens = metadata.strings(TOKENS) ?? [];
  const types = metadata.numbers(TYPES, MAX_TOKENS) ?? tokens.map(guessType);
  if (types.length !== tokens.length) {
    throw new CheckpointError(
      metadata.path,
      `${TYPES} has ${types.length} values for ${tokens.length} tokens.`,
      TYPES,
    );
  }
  const firstOther = types.findIndex((type) => type !== NORMAL);
  const ordinary = firstOther === -1 ? tokens.length : firstOther;
  const specialTokens = new Map<string, number>();
  for (let id = ordinary; id < tokens.length; id++) {
    const type = types[id];
    const text = tokens[id] ?? "";
    if (type === NORMAL || specialTokens.has(text)) {
      throw new CheckpointError(
        metadata.path,
        `token ${id}, ${show(text)}, ${type === NORMAL ? "is an ordinary one after special ones" : "is there twice"}.`,
        TOKENS,
      );
    }
    if (type === CONTROL || type === USER_DEFINED) specialTokens.set(text, id);
  }
  return {
    path: metadata.path,
    tokens: tokens.slice(0, ordinary),
    merges: metadata.strings(MERGES) ?? [],
    specialTokens,
    ...(metadata.scalar(SPLIT_KEY) === "plain" && { split: "plain" }),
  };
}

function isO200k(metadata: GgufMetadata): boolean {
  const raw = metadata.rawStrings(TOKENS, O200K.count, O200K.bytes);
  if (raw === undefined || raw.length !== O200K.bytes) return false;
  if (createHash("sha256").update(raw).digest("hex") !== O200K.sha256) return false;
  const others = metadata.strings(TOKENS, O200K.count) ?? [];
  return [...O200K.specials].every(([id, text]) => others[id - O200K.count] === text);
}

function checkKind(metadata: GgufMetadata, key: string, accepted: readonly unknown[]): void {
  const found = metadata.scalar(key);
  if (accepted.includes(found)) return;
  throw new CheckpointError(
    metadata.path,
    `${key} is ${show(found)}; accepted: ${accepted.map(show).join(" or ")}.`,
    key,
  );
}

/** For files without types. */
function guessType(text: string): number {
  return /^<\|.*\|>$/.test(text) ? CONTROL : NORMAL;
}
