/**
 * A model's own vocabulary, byte-level BPE with the o200k split (or the plain one): `tokenizer.json` of Hugging Face's
 * tokenizers, as gpt-oss checkpoints bring it, or the same as lists.
 */
import { VocabularyError } from "../errors.ts";
import { BYTE_OF_CHAR } from "./byte-alphabet.ts";
import type { ByteLevelLists } from "./byte-level-lists.ts";
import { PLAIN_PATTERN, plainPieceEnd } from "./plain-split.ts";
import { O200K_PATTERN, o200kPieceEnd } from "./split.ts";
import { joinTokens } from "./tiktoken.ts";
import { createTokenizer, type PieceEnd, type Tokenizer } from "./tokenizer.ts";

/**
 * @param json the parsed `tokenizer.json`
 * @throws VocabularyError when it is of another kind, saying which part and what is accepted
 */
export function tokenizerFromHfJson(json: unknown): Tokenizer {
  const root = object(json, "tokenizer.json");
  const model = object(root["model"], "model");
  if (model["type"] !== undefined && model["type"] !== "BPE") {
    fail("model.type", describe(model["type"]), '"BPE"');
  }
  if (root["normalizer"] !== null && root["normalizer"] !== undefined) {
    fail("normalizer", describe(root["normalizer"]), "null");
  }
  const pieceEnd = readSplit(root["pre_tokenizer"]);
  const specialTokens = readAddedTokens(root["added_tokens"]);
  const idOf = readVocabulary(model["vocab"], specialTokens);
  const wholePieces = model["ignore_merges"] === true;
  const merges = readMerges(model["merges"], idOf);
  return byteLevelTokenizer(idOf, specialTokens, merges, wholePieces, pieceEnd);
}

/** @throws VocabularyError when the lists do not fit together, saying where and what is accepted */
export function tokenizerFromLists(lists: ByteLevelLists): Tokenizer {
  const idOf = new Map(lists.tokens.map((text, id) => [text, id]));
  if (idOf.size !== lists.tokens.length) {
    fail("the list of tokens", `one with ${lists.tokens.length - idOf.size} doubles`, "each once");
  }
  const merges = readMerges(lists.merges, idOf);
  const pieceEnd = lists.split === "plain" ? plainPieceEnd : o200kPieceEnd;
  return byteLevelTokenizer(idOf, lists.specialTokens, merges, false, pieceEnd);
}

/**
 * The vocabulary of a `tokenizer.json` as lists.
 * @throws VocabularyError as `tokenizerFromHfJson`
 */
export function listsFromHfJson(json: unknown): ByteLevelLists {
  const root = object(json, "tokenizer.json");
  const model = object(root["model"], "model");
  const specialTokens = readAddedTokens(root["added_tokens"]);
  const idOf = readVocabulary(model["vocab"], specialTokens);
  const textOf = new Map([...idOf].map(([text, id]) => [id, text]));
  const tokens = Array.from({ length: idOf.size }, (_, id) => {
    const text = textOf.get(id);
    if (text === undefined) fail("model.vocab", `without the id ${id}`, "ids 0 … n-1 without gaps");
    return text as string;
  });
  const merges = readMerges(model["merges"], idOf).map(
    ({ left, right }) => `${tokens[left]} ${tokens[right]}`,
  );
  const isPlain = readSplit(root["pre_tokenizer"]) === plainPieceEnd;
  return { tokens, merges, specialTokens, ...(isPlain && { split: "plain" }) };
}

function byteLevelTokenizer(
  idOf: ReadonlyMap<string, number>,
  specialTokens: ReadonlyMap<string, number>,
  merges: readonly Merge[],
  wholePieces: boolean,
  pieceEnd: PieceEnd,
): Tokenizer {
  const tokens = new Array<Uint8Array | undefined>(idOf.size);
  let total = 0;
  for (const [text, id] of idOf) {
    if (id >= tokens.length) {
      fail("model.vocab", `the id ${id} for ${idOf.size} tokens`, "ids 0 … n-1 without gaps");
    }
    const bytes = fromByteLevel(text);
    if (bytes.length === 0 || bytes.length > 255) {
      fail("model.vocab", `a token of ${bytes.length} bytes`, "1 to 255 bytes");
    }
    if (tokens[id] !== undefined) fail("model.vocab", `the id ${id} twice`, "every id once");
    tokens[id] = bytes;
    total += bytes.length;
  }
  return createTokenizer({
    tokens: joinTokens(tokens as Uint8Array[], total),
    specialTokens,
    merges: isRankOrder(merges, idOf) ? undefined : merges.map(({ left, right }) => [left, right]),
    wholePieces,
    pieceEnd,
  });
}

type Merge = { readonly left: number; readonly right: number; readonly merged: number };

/**
 * Whether the list says no more than the ids do: tiktoken's rule, which needs no table. Every way of
 * cutting a token into two tokens must be listed, in the order of the tokens' ids.
 */
function isRankOrder(merges: readonly Merge[], idOf: ReadonlyMap<string, number>): boolean {
  let last = -1;
  const listed = new Map<number, number>();
  for (const { merged } of merges) {
    if (merged < last) return false;
    last = merged;
    listed.set(merged, (listed.get(merged) ?? 0) + 1);
  }
  for (const [text, id] of idOf) {
    let ways = 0;
    for (let cut = 1; cut < text.length; cut++) {
      if (idOf.has(text.slice(0, cut)) && idOf.has(text.slice(cut))) ways++;
    }
    if (ways !== (listed.get(id) ?? 0)) return false;
  }
  return true;
}

function readMerges(merges: unknown, idOf: ReadonlyMap<string, number>): Merge[] {
  if (!Array.isArray(merges)) fail("model.merges", describe(merges), "a list");
  return (merges as unknown[]).map((merge, at) => {
    const pair = typeof merge === "string" ? merge.split(" ") : merge;
    if (
      !Array.isArray(pair) ||
      pair.length !== 2 ||
      typeof pair[0] !== "string" ||
      typeof pair[1] !== "string"
    ) {
      fail(`model.merges[${at}]`, describe(merge), '"a b" or ["a", "b"]');
    }
    const [a, b] = pair as [string, string];
    const left = idOf.get(a);
    const right = idOf.get(b);
    const merged = idOf.get(a + b);
    if (left === undefined || right === undefined || merged === undefined) {
      const found = `${quoted(a)} ${quoted(b)}, of which a part or the whole is no token`;
      fail(`model.merges[${at}]`, found, "tokens");
    }
    return { left: left as number, right: right as number, merged: merged as number };
  });
}

function readVocabulary(
  vocab: unknown,
  specialTokens: ReadonlyMap<string, number>,
): Map<string, number> {
  const idOf = new Map<string, number>();
  for (const [text, id] of Object.entries(object(vocab, "model.vocab"))) {
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0) {
      fail(`model.vocab[${quoted(text)}]`, describe(id), "an id");
    }
    if (specialTokens.get(text) === id) continue; // some exporters list these twice
    idOf.set(text, id as number);
  }
  return idOf;
}

function readAddedTokens(list: unknown): Map<string, number> {
  if (!Array.isArray(list)) fail("added_tokens", describe(list), "a list");
  const tokens = new Map<string, number>();
  (list as unknown[]).forEach((entry, at) => {
    const { id, content } = object(entry, `added_tokens[${at}]`);
    if (typeof id !== "number" || typeof content !== "string" || content === "") {
      const found = `the id ${describe(id)} and the content ${describe(content)}`;
      fail(`added_tokens[${at}]`, found, "an id and its content");
    }
    tokens.set(content as string, id as number);
  });
  return tokens;
}

/** The splits that are known; a pattern from a file is never run, since it could take forever. */
const SPLITS: ReadonlyMap<unknown, PieceEnd> = new Map([
  [O200K_PATTERN, o200kPieceEnd],
  [PLAIN_PATTERN, plainPieceEnd],
]);

/** Finds the pattern of the split and refuses unknown ones. */
function readSplit(preTokenizer: unknown): PieceEnd {
  const steps = object(preTokenizer, "pre_tokenizer");
  const list = steps["type"] === "Sequence" ? steps["pretokenizers"] : [steps];
  if (!Array.isArray(list)) fail("pre_tokenizer.pretokenizers", describe(list), "a list");
  const split = (list as unknown[])
    .map((step) => object(step, "pre_tokenizer"))
    .find((step) => step["type"] === "Split");
  const pattern =
    split === undefined ? undefined : object(split["pattern"], "pre_tokenizer.pattern")["Regex"];
  const pieceEnd = SPLITS.get(pattern);
  if (pieceEnd !== undefined) return pieceEnd;
  return fail(
    "pre_tokenizer",
    pattern === undefined ? "without a split" : `the split ${describe(pattern)}`,
    "the split of o200k, which gpt-oss uses, or that of the embedded model",
  );
}

/** Bytes of a token written with GPT-2's one character per byte. */
function fromByteLevel(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const byte = BYTE_OF_CHAR.get(text.charCodeAt(i));
    if (byte === undefined) {
      fail("model.vocab", quoted(text), "tokens written byte by byte (byte-level BPE)");
    }
    bytes[i] = byte as number;
  }
  return bytes;
}

function object(value: unknown, where: string): { readonly [key: string]: unknown } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    fail(where, describe(value), "an object");
  }
  return value as { readonly [key: string]: unknown };
}

function describe(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return typeof value === "string" ? quoted(value) : String(value);
}

/** The beginning of a text from the file: a message is read by people. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

function fail(where: string, found: string, accepted: string): never {
  throw new VocabularyError(`${where} of the tokenizer is ${found}; accepted: ${accepted}`);
}
