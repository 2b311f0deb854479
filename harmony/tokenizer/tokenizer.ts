/**
 * Text into token ids and back. Ordinary text never becomes a special token unless the caller says
 * so: this is what keeps a user, a tool or a page from forging a message boundary.
 */

import { InvalidUtf8Error, UnknownTokenError, VocabularyError } from "../errors.ts";
import { type MergeTable, mergeBytePairs } from "./byte-pairs.ts";
import { ByteVocabulary, type PackedTokens } from "./byte-vocabulary.ts";
import { DecodeBuffer } from "./decode-buffer.ts";
import { SpecialMatcher } from "./special-matcher.ts";
import { type SpecialIds, specialIds } from "./special-tokens.ts";
import { o200kPieceEnd } from "./split.ts";

export type TokenizerOptions = {
  /** Ordinary tokens, ids 0 … n-1; a pair merges if both together are a token, lower ids first. */
  readonly tokens: PackedTokens;
  /** Special tokens as written, with their ids; none may be an ordinary token's id. */
  readonly specialTokens: ReadonlyMap<string, number>;
  /** Another order of merging than by id: pairs of token ids, first pair first. */
  readonly merges?: readonly (readonly [number, number])[] | undefined;
  /** Whether a piece that is a token is taken whole, without merging. Default true. */
  readonly wholePieces?: boolean | undefined;
  /** How text is cut before merging. Default: as o200k does. */
  readonly pieceEnd?: PieceEnd | undefined;
};

/** End of the piece of a well-formed text that starts at `start`, which is before the text's end. */
export type PieceEnd = (text: string, start: number) => number;

/** Pieces that are several tokens are remembered: at most this many, of at most this length. */
const CACHE_ENTRIES = 16_384;
const CACHE_PIECE_LENGTH = 32;

/**
 * Bounds of what a vocabulary's file may ask for: a table has a place for every id up to the highest,
 * and text that arrives in pieces is compared with every special token. gpt-oss has 1,090 of them, of
 * at most 21 characters, and its highest id is 201,087.
 */
const MAX_ID = (1 << 22) - 1;
const MAX_SPECIAL_TOKENS = 1 << 14;
const MAX_SPECIAL_LENGTH = 256;

const REPLACEMENT = "\uFFFD";

/** What an id is for a reader of text: a string, or bytes that are only part of a character. */
export type TokenText = string | null | undefined;

let readVocabulary: (tokenizer: Tokenizer) => ByteVocabulary;

/** The ordinary tokens of a tokenizer, for code of this folder that has to look at all of them. */
export function vocabularyOf(tokenizer: Tokenizer): ByteVocabulary {
  return readVocabulary(tokenizer);
}

/** @throws VocabularyError when the vocabulary is inconsistent or lacks Harmony's special tokens */
export function createTokenizer(options: TokenizerOptions): Tokenizer {
  return new Tokenizer(options);
}

export class Tokenizer {
  static {
    readVocabulary = (tokenizer) => tokenizer.#vocabulary;
  }

  /** Highest id + 1. */
  readonly size: number;
  /** Ids of the tokens that structure a message, in this vocabulary. */
  readonly special: SpecialIds;
  readonly #vocabulary: ByteVocabulary;
  readonly #specials: ReadonlyMap<string, number>;
  readonly #specialBytes: Map<number, Uint8Array> = new Map();
  readonly #merges: MergeTable;
  readonly #wholePieces: boolean;
  readonly #pieceEnd: PieceEnd;
  readonly #byteId: Int32Array;
  readonly #cache: Map<string, readonly number[]> = new Map();
  /** Text of each id once asked for: null = not valid UTF-8 on its own. */
  readonly #texts: TokenText[];
  readonly #matcher: SpecialMatcher;
  readonly #encoder = new TextEncoder();
  readonly #strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #lossy = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #decoded: DecodeBuffer;
  #scratch: Uint8Array<ArrayBuffer> = new Uint8Array(256);

  constructor(options: TokenizerOptions) {
    this.#vocabulary = new ByteVocabulary(options.tokens);
    this.#decoded = new DecodeBuffer(this.#vocabulary);
    this.#specials = new Map(options.specialTokens);
    this.#wholePieces = options.wholePieces ?? true;
    this.#pieceEnd = options.pieceEnd ?? o200kPieceEnd;
    let size = this.#vocabulary.size;
    if (this.#specials.size > MAX_SPECIAL_TOKENS) {
      throw new VocabularyError(
        `There are ${this.#specials.size} special tokens; accepted: at most ${MAX_SPECIAL_TOKENS}`,
      );
    }
    for (const [text, id] of this.#specials) {
      if (text === "" || text.length > MAX_SPECIAL_LENGTH) {
        throw new VocabularyError(
          `A special token has ${text.length} characters; accepted: 1 to ${MAX_SPECIAL_LENGTH}`,
        );
      }
      if (!Number.isInteger(id) || id < 0 || id > MAX_ID) {
        throw new VocabularyError(
          `Special token ${text} has the id ${id}; accepted: 0 … ${MAX_ID}`,
        );
      }
      if (id < this.#vocabulary.size) {
        throw new VocabularyError(
          `Special token ${text} has the id ${id}, which is an ordinary token's; those are 0 … ${this.#vocabulary.size - 1}`,
        );
      }
      if (this.#specialBytes.has(id)) {
        throw new VocabularyError(
          `Special token ${text} has the id ${id}, which another one has too`,
        );
      }
      this.#specialBytes.set(id, this.#encoder.encode(text));
      size = Math.max(size, id + 1);
    }
    this.size = size;
    this.special = specialIds((text) => this.#specials.get(text));
    this.#byteId = singleBytes(this.#vocabulary);
    this.#merges = options.merges
      ? mergesByList(this.#vocabulary, options.merges)
      : mergesById(this.#vocabulary);
    this.#texts = new Array(size).fill(undefined);
    this.#matcher = new SpecialMatcher(this.#specials);
  }

  /** The id of a special token as written, e.g. `<|start|>`. */
  specialId(text: string): number | undefined {
    return this.#specials.get(text);
  }

  /** Whether the id is a special token's. */
  isSpecial(id: number): boolean {
    return this.#specialBytes.has(id);
  }

  /** All special tokens as written, with their ids. */
  get specialTokens(): ReadonlyMap<string, number> {
    return this.#specials;
  }

  /**
   * The ordinary tokens, ids 0 … n-1: token `id` is bytes[offsets[id] … offsets[id + 1]). Not to be
   * written to. What constrained decoding makes its masks of.
   */
  get ordinaryTokens(): { readonly bytes: Uint8Array; readonly offsets: Uint32Array } {
    const { bytes, offsets } = this.#vocabulary;
    return { bytes, offsets };
  }

  /**
   * Encodes text as ordinary tokens: text that looks like a special token does not become one. A lone
   * surrogate is encoded as U+FFFD.
   */
  encode(text: string): number[] {
    const ids: number[] = [];
    this.encodeInto(text, ids);
    return ids;
  }

  /** `encode`, appended to `ids`. */
  encodeInto(text: string, ids: number[]): void {
    const wellFormed = text.isWellFormed() ? text : text.toWellFormed();
    const vocabulary = this.#vocabulary;
    const whole = this.#wholePieces;
    const pieceEnd = this.#pieceEnd;
    for (let start = 0; start < wellFormed.length; ) {
      const end = pieceEnd(wellFormed, start);
      const id = whole ? vocabulary.lookupAscii(wellFormed, start, end) : -2;
      if (id >= 0) ids.push(id);
      else this.#encodePiece(wellFormed.slice(start, end), ids);
      start = end;
    }
  }

  #encodePiece(piece: string, ids: number[]): void {
    const cached = this.#cache.get(piece);
    if (cached !== undefined) {
      for (const id of cached) ids.push(id);
      return;
    }
    if (this.#scratch.length < piece.length * 3) this.#scratch = new Uint8Array(piece.length * 3);
    const bytes = this.#scratch;
    const length = this.#encoder.encodeInto(piece, bytes).written;
    const id = this.#wholePieces ? this.#vocabulary.lookup(bytes, 0, length) : -1;
    const from = ids.length;
    if (id >= 0) ids.push(id);
    else mergeBytePairs(this.#merges, this.#byteId, bytes, length, ids);
    if (piece.length <= CACHE_PIECE_LENGTH) {
      if (this.#cache.size >= CACHE_ENTRIES) this.#cache.clear();
      this.#cache.set(piece, ids.slice(from));
    } else if (this.#scratch.length > 1 << 16) {
      this.#scratch = new Uint8Array(256); // a long piece is no reason to hold on to its memory
    }
  }

  /**
   * Encodes text in which special tokens stand as written. For trusted text only.
   * @param allowed the ones that count; the others are ordinary text
   */
  encodeWithSpecials(text: string, allowed: ReadonlySet<string> | "all" = "all"): number[] {
    const ids: number[] = [];
    let start = 0;
    for (;;) {
      const match = this.#matcher.find(text, start, allowed);
      this.encodeInto(text.slice(start, match?.start ?? text.length), ids);
      if (match === null) return ids;
      ids.push(match.id);
      start = match.end;
    }
  }

  /** Number of ordinary tokens of a text. */
  countTokens(text: string): number {
    return this.encode(text).length;
  }

  /** Whether the vocabulary has this id. */
  has(id: number): boolean {
    return this.#bytesOf(id) !== undefined;
  }

  /** @throws UnknownTokenError */
  tokenBytes(id: number): Uint8Array {
    const bytes = this.#bytesOf(id);
    if (bytes === undefined) throw new UnknownTokenError(id);
    return bytes.slice();
  }

  #bytesOf(id: number): Uint8Array | undefined {
    const { bytes, offsets, size } = this.#vocabulary;
    if (!Number.isInteger(id) || id < 0 || id >= size) return this.#specialBytes.get(id);
    return bytes.subarray(offsets[id], offsets[id + 1]);
  }

  /**
   * The text of one id (a special token as written); null when its bytes are only part of a character,
   * undefined when the vocabulary does not have it.
   */
  tokenText(id: number): TokenText {
    const known = this.#texts[id];
    return known !== undefined ? known : this.#makeText(id);
  }

  #makeText(id: number): TokenText {
    const own = this.#bytesOf(id);
    if (own === undefined) return undefined;
    let text: string | null;
    try {
      text = this.#strict.decode(own);
    } catch {
      text = null;
    }
    this.#texts[id] = text;
    return text;
  }

  /** The bytes of the ids, one after another. @throws UnknownTokenError */
  decodeBytes(ids: Iterable<number>): Uint8Array {
    return this.#collect(ids, true).slice();
  }

  /** The bytes in memory that the next call uses again. */
  #collect(ids: Iterable<number>, strict: boolean): Uint8Array {
    // By index: going through an iterator takes longer than copying a token.
    const list = Array.isArray(ids) || ids instanceof Int32Array ? ids : [...ids];
    const packed = packedIds(list);
    const decoded = this.#decoded;
    decoded.clear(packed.length);
    for (let at = decoded.appendTokens(packed, 0); at < packed.length; ) {
      decoded.append(this.#otherBytes(list[at]!, strict));
      at = decoded.appendTokens(packed, at + 1);
    }
    return decoded.written;
  }

  #otherBytes(id: number, strict: boolean): Uint8Array {
    const bytes = this.#bytesOf(id);
    if (bytes === undefined && strict) throw new UnknownTokenError(id);
    return bytes ?? REPLACEMENT_BYTES;
  }

  /**
   * The text of the ids, special tokens as written.
   * @throws UnknownTokenError for an id that the vocabulary does not have
   * @throws InvalidUtf8Error when the bytes are no UTF-8, e.g. half a character at the end
   */
  decode(ids: Iterable<number>): string {
    const bytes = this.#collect(ids, true);
    try {
      return this.#strict.decode(bytes);
    } catch (cause) {
      throw new InvalidUtf8Error({ cause });
    }
  }

  /** `decode` with U+FFFD for every unknown id and every invalid sequence of bytes. */
  decodeLossy(ids: Iterable<number>): string {
    return this.#lossy.decode(this.#collect(ids, false));
  }
}

/** The same ids; -1, which is no id, for what 32 bits cannot hold. */
export function packedIds(ids: readonly number[] | Int32Array): Int32Array {
  if (ids instanceof Int32Array) return ids;
  const packed = new Int32Array(ids.length);
  for (let at = 0; at < ids.length; at++) {
    const id = ids[at]!;
    packed[at] = id === (id | 0) ? id : -1;
  }
  return packed;
}

const REPLACEMENT_BYTES = new TextEncoder().encode(REPLACEMENT);

function singleBytes(vocabulary: ByteVocabulary): Int32Array {
  const ids = new Int32Array(256);
  const one = new Uint8Array(1);
  for (let byte = 0; byte < 256; byte++) {
    one[0] = byte;
    ids[byte] = vocabulary.lookup(one, 0, 1);
    if (ids[byte] === -1) {
      throw new VocabularyError(
        `The vocabulary has no token for the single byte 0x${byte.toString(16).padStart(2, "0")}; all 256 are needed`,
      );
    }
  }
  return ids;
}

/** Merging as tiktoken does it: the rank of a merge is the id of the token it gives. */
function mergesById(vocabulary: ByteVocabulary): MergeTable {
  return {
    rank: (left, right) => vocabulary.lookupPair(left, right),
    merged: (rank) => rank,
  };
}

/** Merging as Hugging Face's `merges` list says: the rank is the place in the list. */
function mergesByList(
  vocabulary: ByteVocabulary,
  merges: readonly (readonly [number, number])[],
): MergeTable {
  const merged = new Int32Array(merges.length);
  const ranks = new Map<number, number>();
  merges.forEach(([left, right], rank) => {
    const id = vocabulary.lookupPair(left, right);
    if (id === -1) {
      throw new VocabularyError(
        `Merge ${rank} joins the tokens ${left} and ${right}, which together are no token`,
      );
    }
    merged[rank] = id;
    const key = left * vocabulary.size + right;
    if (!ranks.has(key)) ranks.set(key, rank);
  });
  return {
    rank: (left, right) => ranks.get(left * vocabulary.size + right) ?? -1,
    merged: (rank) => merged[rank]!,
  };
}
