/**
 * Keeps an object from having a property twice, where names are free. No grammar can say so; what is said here is
 * which tokens would close a key that has been there. Only tokens with a quote can, and only few states have
 * such keys, so that most masks are those of the grammar as they are.
 */
import { InvalidRequestError } from "../errors.ts";
import type { GrammarMatcher } from "./matcher.ts";
import type { Vocabulary } from "./token-trie.ts";

/** Keys of one object, the last one first. */
type Keys = { readonly key: string; readonly before: Keys } | undefined;

/** An object or array that is open. */
type Frame = { readonly isObject: boolean; readonly keys: Keys; readonly outer: Frame } | undefined;

/** Where a JSON text has come to. */
type Place = {
  readonly frame: Frame;
  readonly inside: "structure" | "text" | "key";
  /** A key comes next, not a value. */
  readonly wantsKey: boolean;
  /** The last byte was a backslash that escapes the next one. */
  readonly escaped: boolean;
  /** Of the key that is being read: its bytes so far, as they are written, one character each. */
  readonly written: string;
};

const START: Place = {
  frame: undefined,
  inside: "structure",
  wantsKey: false,
  escaped: false,
  written: "",
};

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Undefined: the bytes give an object a key that it has, and that is not to be passed over. */
function read(
  place: Place,
  bytes: Uint8Array,
  [from, to]: readonly [from: number, to: number],
  passOver: boolean,
): Place | undefined {
  let { frame, inside, wantsKey, escaped, written } = place;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    if (inside !== "structure") {
      const isEnd = byte === QUOTE && !escaped;
      escaped = byte === BACKSLASH && !escaped;
      if (!isEnd) {
        if (inside === "key") written += String.fromCharCode(byte);
        continue;
      }
      if (inside === "key" && frame !== undefined) {
        const key = keyOf(written);
        if (!passOver && has(frame.keys, key)) return undefined;
        frame = { ...frame, keys: { key, before: frame.keys } };
      }
      inside = "structure";
    } else if (byte === QUOTE) {
      inside = wantsKey ? "key" : "text";
      written = "";
      wantsKey = false;
    } else if (byte === 0x7b || byte === 0x5b) {
      const isObject = byte === 0x7b;
      frame = { isObject, keys: undefined, outer: frame };
      wantsKey = isObject;
    } else if (byte === 0x7d || byte === 0x5d) {
      frame = frame?.outer;
      wantsKey = false;
    } else if (byte === 0x2c) wantsKey = frame?.isObject === true;
  }
  return { frame, inside, wantsKey, escaped, written };
}

function has(keys: Keys, key: string): boolean {
  for (let one = keys; one !== undefined; one = one.before) if (one.key === key) return true;
  return false;
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

const bytesOf = (written: string): Uint8Array =>
  Uint8Array.from(written, (char) => char.charCodeAt(0));

/** A key without its escapes. */
function keyOf(written: string): string {
  const text = utf8.decode(bytesOf(written));
  return text.includes("\\") ? (JSON.parse(`"${text}"`) as string) : text;
}

/** Tokens by what they have to do with keys. */
type KeyTokens = {
  /** With a quote in them. */
  readonly quotes: readonly number[];
  /** With two at least: one may end a key that another has begun. */
  readonly severalQuotes: readonly number[];
  /** With four at least: there may be two keys in it. */
  readonly manyQuotes: readonly number[];
  /** With a backslash as well. */
  readonly quotesWithEscapes: readonly number[];
  readonly quotesByFirstByte: readonly (readonly number[])[];
  readonly byFirstByte: readonly (readonly number[])[];
};

const tokensOf = new WeakMap<Vocabulary, KeyTokens>();

function keyTokensOf(vocabulary: Vocabulary): KeyTokens {
  const known = tokensOf.get(vocabulary);
  if (known !== undefined) return known;
  const { bytes, offsets } = vocabulary;
  const quotes: number[] = [];
  const severalQuotes: number[] = [];
  const manyQuotes: number[] = [];
  const quotesWithEscapes: number[] = [];
  const quotesByFirstByte: number[][] = Array.from({ length: 256 }, () => []);
  const byFirstByte: number[][] = Array.from({ length: 256 }, () => []);
  for (let id = 0; id + 1 < offsets.length; id++) {
    const [from, to] = [offsets[id] as number, offsets[id + 1] as number];
    if (from === to) continue;
    byFirstByte[bytes[from] as number]?.push(id);
    let count = 0;
    for (let at = from; at < to; at++) if (bytes[at] === QUOTE) count++;
    if (count === 0) continue;
    quotes.push(id);
    quotesByFirstByte[bytes[from] as number]?.push(id);
    if (bytes.subarray(from, to).includes(BACKSLASH)) quotesWithEscapes.push(id);
    if (count > 1) severalQuotes.push(id);
    if (count > 3) manyQuotes.push(id);
  }
  const found = {
    quotes,
    severalQuotes,
    manyQuotes,
    quotesWithEscapes,
    quotesByFirstByte,
    byFirstByte,
  };
  tokensOf.set(vocabulary, found);
  return found;
}

/** A matcher of JSON texts whose objects have each key once. */
export class DistinctKeyMatcher implements GrammarMatcher {
  readonly #matcher: GrammarMatcher;
  readonly #vocabulary: Vocabulary;
  readonly #tokens: KeyTokens;
  readonly #isBounded: boolean;
  #place: Place = START;
  /** The places before each accepted id. */
  readonly #earlier: Place[] = [];

  /**
   * @param matcher  of a grammar of JSON, before its first byte
   * @param names  `bounded`: there may be no other name left that begins like one that has been there
   */
  constructor(matcher: GrammarMatcher, vocabulary: Vocabulary, names: "unbounded" | "bounded") {
    this.#isBounded = names === "bounded";
    this.#matcher = matcher;
    this.#vocabulary = vocabulary;
    this.#tokens = keyTokensOf(vocabulary);
  }

  get length(): number {
    return this.#matcher.length;
  }

  get isAccepting(): boolean {
    return this.#matcher.isAccepting;
  }

  get isStopped(): boolean {
    return this.#matcher.isStopped;
  }

  forcedBytes(): Uint8Array {
    return this.#matcher.forcedBytes();
  }

  shortestEnding(): Uint8Array | null {
    const ending = this.#matcher.shortestEnding();
    const isRepeating =
      ending !== null && read(this.#place, ending, [0, ending.length], false) === undefined;
    return isRepeating ? null : ending;
  }

  forcedIds(): readonly number[] {
    const { bytes, offsets } = this.#vocabulary;
    const ids = this.#matcher.forcedIds();
    let place: Place | undefined = this.#place;
    for (const [at, id] of ids.entries()) {
      place = read(place, bytes, [offsets[id] as number, offsets[id + 1] as number], false);
      if (place === undefined) return ids.slice(0, at);
    }
    return ids;
  }

  /** @throws InvalidRequestError when the id may not come here; the matcher is unchanged */
  accept(id: number): void {
    const isRepeated = this.#behind(id) === undefined;
    if (isRepeated && !isSet(this.mask(), id)) {
      throw new InvalidRequestError(
        `Cannot accept the id ${id} as token ${this.length}: it ends a key that the object has already.`,
      );
    }
    const place = this.#behind(id, isRepeated) ?? this.#place;
    this.#matcher.accept(id);
    this.#earlier.push(this.#place);
    this.#place = place;
  }

  allows(id: number): boolean {
    return this.#matcher.allows(id) && isSet(this.mask(), id);
  }

  rollback(count: number): void {
    this.#matcher.rollback(count);
    if (count === 0) return;
    this.#place = this.#earlier[this.#earlier.length - count] as Place;
    this.#earlier.length -= count;
  }

  /**
   * The ids that may come. Where a grammar allows only names that have been there, they stay allowed: a text
   * with no way on would be worse than one that the validator refuses.
   */
  mask(): Uint32Array {
    const mask = this.#matcher.mask();
    const refused = this.#candidates().filter((id) => isSet(mask, id) && !this.#leadsOn(id));
    if (refused.length === 0) return mask;
    const own = mask.slice();
    for (const id of refused) own[id >>> 5] = (own[id >>> 5] as number) & ~(1 << (id & 31));
    return own.some((word) => word !== 0) ? own : mask;
  }

  /** Tokens that may end a key that has been there, or lead to where nothing else is possible. */
  #candidates(): readonly number[] {
    const { frame, inside, written } = this.#place;
    if (inside === "key") {
      const left = remainders(frame?.keys, written);
      if (left.length === 0) return this.#tokens.severalQuotes;
      const { severalQuotes, quotesWithEscapes, quotesByFirstByte } = this.#tokens;
      // Once an escape is written, any token may end the key.
      if (written.includes("\\")) return this.#tokens.quotes;
      return [
        ...severalQuotes,
        ...quotesWithEscapes,
        ...left.flatMap((one) => {
          const end = `${one}"`;
          const ids = quotesByFirstByte[end.charCodeAt(0)] ?? [];
          return ids.filter((id) => this.#agrees(id, end));
        }),
        ...(this.#isBounded ? left.flatMap((one) => this.#beginnings(one)) : []),
      ];
    }
    if (inside === "structure" && frame?.keys !== undefined && this.#isBounded) {
      return this.#tokens.quotes;
    }
    for (let one = frame; one !== undefined; one = one.outer) {
      if (one.keys !== undefined) return this.#tokens.severalQuotes;
    }
    return this.#tokens.manyQuotes;
  }

  /** Tokens that a text begins with. */
  #beginnings(text: string): readonly number[] {
    const ids = this.#tokens.byFirstByte[text.charCodeAt(0)] ?? [];
    return ids.filter((id) => this.#agrees(id, text) && this.#lengthOf(id) <= text.length);
  }

  /** Whether an allowed token leaves a way to a key that has not been there. */
  #leadsOn(id: number): boolean {
    const place = this.#behind(id);
    if (place === undefined) return false;
    if (!this.#isBounded || place.inside !== "key") return true;
    const left = remainders(place.frame?.keys, place.written);
    return left.length === 0 || this.#after(id, () => this.#canEnd(left, MAX_LOOK_AHEAD));
  }

  /** Whether a key can go on from where the matcher stands in another way than all of some. */
  #canEnd(left: readonly string[], levels: number): boolean {
    const { bytes, offsets } = this.#vocabulary;
    const mask = this.#matcher.mask();
    const ends = left.map((one) => `${one}"`);
    const follow = new Set<number>();
    for (let id = 0; id + 1 < offsets.length; id++) {
      // An escape may be another way to write the same.
      if (!isSet(mask, id) || bytes[offsets[id] as number] === BACKSLASH) continue;
      if (!ends.some((end) => this.#agrees(id, end))) return true;
      follow.add(id);
    }
    if (levels === 0) return true;
    for (const id of follow) {
      const length = this.#lengthOf(id);
      const next = left.filter((one) => length <= one.length && this.#agrees(id, one));
      if (next.length === 0) continue;
      const rest = next.map((one) => one.slice(length));
      if (this.#after(id, () => this.#canEnd(rest, levels - 1))) return true;
    }
    return false;
  }

  #after<Result>(id: number, look: () => Result): Result {
    this.#matcher.accept(id);
    try {
      return look();
    } finally {
      this.#matcher.rollback(1);
    }
  }

  #lengthOf(id: number): number {
    const { offsets } = this.#vocabulary;
    return (offsets[id + 1] as number) - (offsets[id] as number);
  }

  /** Whether a token and a text are the same as far as both go. */
  #agrees(id: number, text: string): boolean {
    const { bytes, offsets } = this.#vocabulary;
    const from = offsets[id] as number;
    const length = Math.min(this.#lengthOf(id), text.length);
    for (let at = 0; at < length; at++) {
      if (bytes[from + at] !== text.charCodeAt(at)) return false;
    }
    return true;
  }

  #behind(id: number, passOver = false): Place | undefined {
    const { bytes, offsets } = this.#vocabulary;
    const from = offsets[id];
    const to = offsets[id + 1];
    // A stop id or another special token has no bytes.
    if (from === undefined || to === undefined) return this.#place;
    return read(this.#place, bytes, [from, to], passOver);
  }
}

/** Tokens of a key that are looked at in advance. */
const MAX_LOOK_AHEAD = 4;

const isSet = (mask: Uint32Array, id: number): boolean =>
  (((mask[id >>> 5] as number) >>> (id & 31)) & 1) === 1;

/** What is left of the keys that begin like what is written, as they would be written. */
function remainders(keys: Keys, written: string): readonly string[] {
  const left: string[] = [];
  for (let one = keys; one !== undefined; one = one.before) {
    const whole = binary(JSON.stringify(one.key).slice(1, -1));
    if (whole.startsWith(written)) left.push(whole.slice(written.length));
    // Written with other escapes it may still be the same.
    else if (written.includes("\\")) left.push("");
  }
  return left;
}

/** The bytes of a text, one character each. */
function binary(text: string): string {
  let bytes = "";
  for (const byte of utf8Encoder.encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}

const utf8Encoder = new TextEncoder();
