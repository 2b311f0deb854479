import { bitmaskWords } from "../sampling/token-bitmask.ts";
import type { MaskMaker } from "./mask-maker.ts";

/** Memory for the masks of one grammar. */
const CACHE_BYTES = 8 * 2 ** 20;

/** The masks of a grammar's states, the latest ones kept. */
export class MaskCache {
  readonly #maker: MaskMaker;
  readonly #most: number;
  /** The one that was used longest ago first. */
  readonly #masks: Map<number, Uint32Array> = new Map();

  /** @param vocabSize bits of a mask */
  constructor(maker: MaskMaker, vocabSize: number) {
    this.#maker = maker;
    this.#most = Math.max(8, Math.floor(CACHE_BYTES / (4 * bitmaskWords(vocabSize) + 1)));
  }

  /** Not to be written to. */
  of(state: number): Uint32Array {
    let mask = this.#masks.get(state);
    if (mask === undefined) {
      mask = this.#maker.make(state);
      if (this.#masks.size >= this.#most) {
        for (const oldest of this.#masks.keys()) {
          this.#masks.delete(oldest);
          break;
        }
      }
    } else this.#masks.delete(state);
    this.#masks.set(state, mask);
    return mask;
  }
}
