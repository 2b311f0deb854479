/**
 * Random walks under the mask of a grammar: each step is an id that the mask allows, drawn at random, until the
 * text is whole. What comes out must be valid.
 */
import { type GrammarMatcher, hasId, type Vocabulary } from "../../inference/index.ts";
import type { Random } from "../eval/random.ts";

/** From here on a walk makes for its end. */
const WANDERING = 60;
const MAX_TOKENS = 1200;

/** Of ids that end what is open, the first ones are tried first. */
const ENDINGS = ['"', "}", "]", "l", "e", "0", ":", ","] as const;

/** What walks of one vocabulary need to know of it. */
export class Walker {
  readonly #vocabulary: Vocabulary;
  readonly #random: Random;
  /** Ids with a character that JSON gives a meaning to; a string seldom ends without them. */
  readonly #structural: readonly number[];
  readonly #endings: readonly number[];

  constructor(vocabulary: Vocabulary, random: Random) {
    this.#vocabulary = vocabulary;
    this.#random = random;
    const texts = Array.from({ length: vocabulary.offsets.length - 1 }, (_, id) => this.text([id]));
    this.#structural = [...texts.keys()].filter((id) =>
      /["{}[\],:\\]|^[\d.-]+$/.test(texts[id] ?? ""),
    );
    this.#endings = ENDINGS.map((text) => texts.indexOf(text));
  }

  text(ids: readonly number[]): string {
    const { bytes, offsets } = this.#vocabulary;
    return Buffer.concat(ids.map((id) => bytes.subarray(offsets[id], offsets[id + 1]))).toString();
  }

  /** Undefined: the walk found no end. */
  walk(matcher: GrammarMatcher): string | undefined {
    const ids: number[] = [];
    while (ids.length < MAX_TOKENS) {
      const isLate = ids.length > WANDERING;
      if (matcher.isAccepting && (isLate || this.#random.next() < 0.5)) return this.text(ids);
      const id = this.#choose(matcher, isLate);
      // Nothing may follow a whole text.
      if (id === undefined) return matcher.isAccepting ? this.text(ids) : undefined;
      matcher.accept(id);
      ids.push(id);
    }
    return undefined;
  }

  #choose(matcher: GrammarMatcher, isLate: boolean): number | undefined {
    if (isLate && this.#random.next() < 0.9) {
      const end = this.#endings.find((id) => matcher.allows(id));
      if (end !== undefined) return end;
    }
    const mask = matcher.mask();
    if (this.#random.next() < 0.6) {
      const id = this.#pick(mask, this.#structural.length, (index) => this.#structural[index] ?? 0);
      if (id !== undefined) return id;
    }
    return this.#pick(mask, this.#vocabulary.size, (index) => index);
  }

  /** An allowed id, from a random place on. */
  #pick(mask: Uint32Array, count: number, idAt: (index: number) => number): number | undefined {
    const start = Math.floor(this.#random.next() * count);
    for (let tried = 0; tried < count; tried++) {
      const id = idAt((start + tried) % count);
      if (hasId(mask, id)) return id;
    }
    return undefined;
  }
}
