/**
 * Which ids the model may sample so that its headers are those of the format: the header matcher of harmony,
 * and one thing that only a turn knows: behind an answer the model may stop.
 */
import { HeaderMatcher, type Tokenizer } from "../../harmony/index.ts";
import type { TokenEngine, TokenMatcher } from "../../inference/index.ts";
import type { DeclaredTools } from "../calls/declared-tools.ts";

/** @returns undefined where headers are not to be constrained, or the engine cannot do it */
export function headerMatcher(
  { capabilities, vocabSize }: TokenEngine,
  tokenizer: Tokenizer,
  tools: DeclaredTools,
  isWanted: boolean,
): TokenMatcher | undefined {
  if (!isWanted || !capabilities.matchers) return undefined;
  return new TurnMatcher(
    tokenizer,
    new HeaderMatcher(tokenizer, tools.names, vocabSize),
    vocabSize,
  );
}

/** Where the output stands, as far as it decides whether the turn may end here. */
type Place = {
  readonly at: "header" | "content" | "between";
  /** Ids behind the last `<|channel|>` of the header; null before it. */
  readonly channel: readonly number[] | null;
  readonly isFinal: boolean;
};

const BEGINNING: Place = { at: "header", channel: null, isFinal: false };

class TurnMatcher implements TokenMatcher {
  readonly #headers: HeaderMatcher;
  readonly #tokenizer: Tokenizer;
  readonly #final: readonly number[];
  /** Behind an answer: another message begins, or the turn ends. */
  readonly #behindAnswer: Uint32Array;
  #place: Place = BEGINNING;
  /** The place before each accepted id. */
  readonly #earlier: Place[] = [];

  constructor(tokenizer: Tokenizer, headers: HeaderMatcher, vocabSize: number) {
    this.#headers = headers;
    this.#tokenizer = tokenizer;
    this.#final = tokenizer.encode("final");
    const { start, return: returnId } = tokenizer.special;
    this.#behindAnswer = new Uint32Array(Math.ceil(vocabSize / 32));
    for (const id of [start, returnId]) {
      this.#behindAnswer[id >>> 5] = (this.#behindAnswer[id >>> 5] ?? 0) | (1 << (id & 31));
    }
  }

  accept(id: number): void {
    this.#headers.accept(id);
    this.#earlier.push(this.#place);
    this.#place = this.#behind(id);
  }

  rollback(count: number): void {
    this.#headers.rollback(count);
    if (count === 0) return;
    this.#place = this.#earlier[this.#earlier.length - count] ?? BEGINNING;
    this.#earlier.length -= count;
  }

  mask(): Uint32Array | null {
    const { at, isFinal } = this.#place;
    return at === "between" && isFinal ? this.#behindAnswer : this.#headers.mask();
  }

  #behind(id: number): Place {
    const { start, channel, message, end, call, return: returnId } = this.#tokenizer.special;
    const place = this.#place;
    switch (id) {
      case start:
        return BEGINNING;
      case channel:
        return { at: "header", channel: [], isFinal: false };
      case message:
        return { ...place, at: "content", isFinal: this.#isFinal(place.channel) };
      case end:
      case call:
      case returnId:
        return { ...place, at: "between" };
    }
    if (place.at !== "header" || place.channel === null) return place;
    // The name of a channel is short: what comes behind it does not matter.
    const isOpen = place.channel.length < this.#final.length;
    return isOpen ? { ...place, channel: [...place.channel, id] } : place;
  }

  #isFinal(channel: readonly number[] | null): boolean {
    return (
      channel?.length === this.#final.length && this.#final.every((id, at) => id === channel[at])
    );
  }
}
