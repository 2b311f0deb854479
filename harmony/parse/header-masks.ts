/**
 * Which tokens can come in a header, for each state of the automaton that describes headers. A mask is
 * made when it is first needed and kept: a header goes through few states, and most of them are the same
 * for all headers. Only tokens whose first byte can come are looked at.
 */

import {
  CHANNEL_MARK,
  CONSTRAIN_MARK,
  HeaderAutomaton,
  NOWHERE,
} from "../header-grammar/header-automaton.ts";
import type { ByteVocabulary } from "../tokenizer/byte-vocabulary.ts";
import { type Tokenizer, vocabularyOf } from "../tokenizer/tokenizer.ts";
import { characterLength, codePointAt } from "../tokenizer/utf8.ts";
import {
  isSpaceBeyondAscii,
  NAME_CLASS,
  REPLACEMENT,
  TokenClasses,
  WORD_CLASS,
} from "./token-classes.ts";

/** A character beyond ASCII: where one may come, all may. */
const BEYOND_ASCII = 0xe9;
/** Lists of tools whose masks are kept for a vocabulary. */
const MAX_TOOL_LISTS = 8;

export class HeaderMasks {
  readonly automaton: HeaderAutomaton;
  readonly #tokenizer: Tokenizer;
  readonly #vocabulary: ByteVocabulary;
  readonly #vocabSize: number;
  readonly #tokens: TokenClasses;
  readonly #masks: (Uint32Array | undefined)[] = [];
  /** Between two messages: nothing but the start of the next. */
  readonly betweenMessages: Uint32Array;

  constructor(
    tokenizer: Tokenizer,
    tools: readonly string[],
    vocabSize: number,
    tokens: TokenClasses,
  ) {
    this.automaton = new HeaderAutomaton(tools);
    this.#tokenizer = tokenizer;
    this.#vocabulary = vocabularyOf(tokenizer);
    this.#vocabSize = vocabSize;
    this.#tokens = tokens;
    this.betweenMessages = this.#empty();
    this.#add(this.betweenMessages, tokenizer.special.start);
  }

  /** Bits of the ids that keep a header in this state one that the format has. */
  of(state: number): Uint32Array {
    const known = this.#masks[state] ?? this.#make(state);
    this.#masks[state] = known;
    return known;
  }

  /** The state behind an id that is none of the structural tokens; NOWHERE if it must not come. */
  behindText(state: number, id: number): number {
    const vocabulary = this.#vocabulary;
    if (id >= 0 && id < vocabulary.size) {
      return this.#accepted(
        this.#behindBytes(state, vocabulary.offsets[id]!, vocabulary.offsets[id + 1]!),
      );
    }
    const text = this.#tokenizer.tokenText(id);
    if (typeof text !== "string") return NOWHERE;
    let next = state;
    for (let at = 0; at < text.length && next !== NOWHERE; at++) {
      const unit = text.charCodeAt(at);
      next = isSpaceBeyondAscii(unit) ? NOWHERE : this.automaton.next(next, unit);
    }
    return this.#accepted(next);
  }

  behindMark(state: number, mark: "channel" | "constrain"): number {
    const unit = mark === "channel" ? CHANNEL_MARK : CONSTRAIN_MARK;
    return this.#accepted(this.automaton.next(state, unit));
  }

  #make(state: number): Uint32Array {
    const mask = this.#empty();
    const { automaton } = this;
    const { special, specialTokens } = this.#tokenizer;
    for (let byte = 0; byte < 0x80; byte++) {
      const next = automaton.next(state, byte);
      if (next !== NOWHERE) this.#addTokens(mask, state, byte, next);
    }
    if (automaton.next(state, BEYOND_ASCII) !== NOWHERE || !automaton.isAscii) {
      for (let byte = 0x80; byte < 256; byte++) {
        const next = automaton.isAscii ? automaton.next(state, BEYOND_ASCII) : NOWHERE;
        this.#addTokensOf(mask, state, this.#tokens.beginningWith(byte), next);
      }
    }
    const structural = new Set<number | null>(Object.values(special));
    for (const id of specialTokens.values()) {
      if (!structural.has(id) && this.behindText(state, id) !== NOWHERE) this.#add(mask, id);
    }
    for (const mark of ["channel", "constrain"] as const) {
      if (this.behindMark(state, mark) !== NOWHERE) this.#add(mask, special[mark]);
    }
    if (automaton.status(state) === "complete") this.#add(mask, special.message);
    return mask;
  }

  /** Adds the tokens that begin with an ASCII character, which leads to the state `next`. */
  #addTokens(mask: Uint32Array, state: number, first: number, next: number): void {
    if (this.#absorbed(next) !== 0) {
      this.#addTokensOf(mask, state, this.#tokens.beginningWith(first), next);
      return;
    }
    // Few characters may follow, so that most tokens need not be looked at.
    for (let second = 0; second < 256; second++) {
      const mayFollow =
        second < 0x80
          ? this.automaton.next(next, second) !== NOWHERE
          : this.automaton.next(next, BEYOND_ASCII) !== NOWHERE || !this.automaton.isAscii;
      if (!mayFollow) continue;
      this.#addTokensOf(mask, state, this.#tokens.beginningWithBoth(first, second), NOWHERE);
    }
    this.#addTokensOf(mask, state, this.#tokens.beginningWithBoth(first, null), NOWHERE);
  }

  /** Adds those of the tokens that may come; all begin with what leads to `next`, if that is given. */
  #addTokensOf(mask: Uint32Array, state: number, ids: Int32Array, next: number): void {
    const { offsets } = this.#vocabulary;
    const absorbed = this.#absorbed(next);
    const classes = absorbed === 0 ? null : this.#tokens.classes;
    const vocabSize = this.#vocabSize;
    // By index, and without a call for most: this runs before it is compiled.
    for (let at = 0; at < ids.length; at++) {
      const id = ids[at]!;
      const isAllowed =
        (classes !== null && (classes[id]! & absorbed) !== 0) ||
        this.#accepted(this.#behindBytes(state, offsets[id]!, offsets[id + 1]!)) !== NOWHERE;
      if (isAllowed && id < vocabSize) mask[id >>> 5]! |= 1 << (id & 31);
    }
  }

  #behindBytes(state: number, from: number, to: number): number {
    const { automaton } = this;
    const { bytes } = this.#vocabulary;
    let next = state;
    for (let at = from; at < to && next !== NOWHERE; ) {
      const byte = bytes[at]!;
      if (byte < 0x80) {
        next = automaton.next(next, byte);
        at++;
        continue;
      }
      // Half a character is none that a header can have.
      const length = characterLength(bytes, at, to);
      if (length <= 0) return NOWHERE;
      const point = codePointAt(bytes, at, length);
      if (point === REPLACEMENT || isSpaceBeyondAscii(point)) return NOWHERE;
      if (point > 0xffff) {
        next = automaton.next(next, 0xd800 + ((point - 0x10000) >> 10));
        next = automaton.next(next, 0xdc00 + ((point - 0x10000) & 0x3ff));
      } else next = automaton.next(next, point);
      at += length;
    }
    return next;
  }

  /** The classes of tokens whose characters all lead from an accepted state back to it. */
  #absorbed(state: number): number {
    const { automaton } = this;
    if (state === NOWHERE || this.#accepted(state) === NOWHERE) return 0;
    const stays = (unit: number): boolean => automaton.next(state, unit) === state;
    const ofName = NAME_SAMPLE.every(stays) ? NAME_CLASS : 0;
    return ofName !== 0 && WORD_SAMPLE.every(stays) ? ofName | WORD_CLASS : ofName;
  }

  #accepted(state: number): number {
    return state !== NOWHERE && this.automaton.status(state) !== "wrong" ? state : NOWHERE;
  }

  #empty(): Uint32Array {
    return new Uint32Array(Math.ceil(this.#vocabSize / 32));
  }

  #add(mask: Uint32Array, id: number): void {
    if (id < this.#vocabSize) mask[id >>> 5]! |= 1 << (id & 31);
  }
}

const ASCII: readonly number[] = Array.from({ length: 0x80 }, (_, unit) => unit);
const NAME_SAMPLE = ASCII.filter((unit) => /[\w$.-]/.test(String.fromCharCode(unit)));
const WORD_SAMPLE = [...ASCII.filter((unit) => /\S/.test(String.fromCharCode(unit))), BEYOND_ASCII];

type Known = {
  readonly tokens: TokenClasses;
  /** By tools and size of the vocabulary, the one used last at the end. */
  readonly masks: Map<string, HeaderMasks>;
};

const known = new WeakMap<Tokenizer, Known>();

/** The masks for these tools: made once and kept, since every message begins with a header. */
export function headerMasks(
  tokenizer: Tokenizer,
  knownTools: Iterable<string>,
  vocabSize: number,
): HeaderMasks {
  const tools = [...new Set(knownTools)].sort();
  const key = JSON.stringify([vocabSize, ...tools]);
  let ofTokenizer = known.get(tokenizer);
  if (ofTokenizer === undefined) {
    ofTokenizer = { tokens: new TokenClasses(tokenizer), masks: new Map() };
    known.set(tokenizer, ofTokenizer);
  }
  const { masks, tokens } = ofTokenizer;
  const made = masks.get(key) ?? new HeaderMasks(tokenizer, tools, vocabSize, tokens);
  masks.delete(key);
  masks.set(key, made);
  for (const oldest of masks.keys()) {
    if (masks.size <= MAX_TOOL_LISTS) break;
    masks.delete(oldest);
  }
  return made;
}
