/**
 * Constrained decoding of headers: which tokens may come next so that the model's messages keep the
 * headers that the format has (see `header-automaton.ts`). Content is never constrained, and a tool's name
 * is free: a name that was meant must not become another one.
 */

import { HarmonyError } from "../errors.ts";
import { NOWHERE } from "../header-grammar/header-automaton.ts";
import type { SpecialName } from "../tokenizer/special-tokens.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { type HeaderMasks, headerMasks } from "./header-masks.ts";
import type { Kind } from "./message-reader.ts";

/** Where a model's output stands when it is in no header; a header's states are 0 and above. */
const CONTENT = -2;
const BETWEEN = -3;
/** In a header that is none of the format's. */
const LOST = -4;

/** A `TokenMatcher` of inference. Begins behind `<|start|>assistant`. */
export class HeaderMatcher {
  readonly #masks: HeaderMasks;
  readonly #kinds: ReadonlyMap<number, Kind>;
  #state: number;
  /** The state before each accepted id. */
  readonly #earlier: number[] = [];

  /**
   * @param knownTools declared tools, as `HarmonyParser` takes them
   * @param vocabSize  ids the model has rows for, 0 … vocabSize-1; default: the tokenizer's
   */
  constructor(
    tokenizer: Tokenizer,
    knownTools: Iterable<string> = [],
    vocabSize: number = tokenizer.size,
  ) {
    this.#masks = headerMasks(tokenizer, knownTools, vocabSize);
    this.#state = this.#masks.automaton.behindRole;
    const { endOfText, ...named } = tokenizer.special;
    const kinds = new Map<number, Kind>();
    for (const [name, id] of Object.entries(named)) kinds.set(id, name as SpecialName);
    if (endOfText !== null) kinds.set(endOfText, "endOfText");
    this.#kinds = kinds;
  }

  /** An id has come, whether the mask allows it or not. */
  accept(id: number): void {
    this.#earlier.push(this.#state);
    this.#state = this.#behind(id);
  }

  /**
   * Forgets the last `count` accepted ids.
   * @throws HarmonyError (CHORALE_HARMONY_ROLLBACK) when fewer were accepted
   */
  rollback(count: number): void {
    if (!Number.isInteger(count) || count < 0 || count > this.#earlier.length) {
      throw new HarmonyError(
        "CHORALE_HARMONY_ROLLBACK",
        `Cannot forget ${count} ids; accepted: 0 … ${this.#earlier.length}, as many as have come`,
      );
    }
    if (count === 0) return;
    this.#state = this.#earlier[this.#earlier.length - count]!;
    this.#earlier.length -= count;
  }

  /**
   * The ids that may come next (id i is bit i % 32 of word i / 32); null where everything may: in content,
   * and in a header that is none of the format's already. Valid until the next call.
   */
  mask(): Uint32Array | null {
    switch (this.#state) {
      case CONTENT:
      case LOST:
        return null;
      case BETWEEN:
        return this.#masks.betweenMessages;
      default:
        return this.#masks.of(this.#state);
    }
  }

  #behind(id: number): number {
    const kind = this.#kinds.get(id);
    switch (kind) {
      case "start":
        return this.#masks.automaton.start;
      case "message":
        return CONTENT;
      case "end":
      case "call":
      case "return":
      case "endOfText":
        return BETWEEN;
    }
    const isNext = kind === "channel" && this.#state === CONTENT;
    // Inside of content `<|channel|>` begins the next message.
    const state = isNext ? this.#masks.automaton.behindRole : this.#state;
    if (state === CONTENT) return CONTENT;
    if (state < 0) return LOST;
    const next =
      kind === undefined ? this.#masks.behindText(state, id) : this.#masks.behindMark(state, kind);
    return next === NOWHERE ? LOST : next;
  }
}
