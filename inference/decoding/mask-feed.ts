import type { GenerateOptions, LogitMask } from "../engine.ts";
import { InvalidRequestError } from "../errors.ts";
import { intersects, wordsFor } from "../sampling/id-bits.ts";
import { createMaskChannel, type MaskChannel, sendMask } from "./mask-channel.ts";

/** Asks a generation's mask function for each position in turn, and sends what it says. */
export class MaskFeed {
  readonly channel: MaskChannel;
  readonly #mask: LogitMask;
  readonly #vocabSize: number;
  readonly #sampleable: Uint32Array;
  readonly #tokens: number[] = [];
  #failure: { readonly error: unknown } | undefined;

  constructor(mask: LogitMask, options: GenerateOptions, vocabSize: number) {
    this.channel = createMaskChannel(vocabSize);
    this.#mask = mask;
    this.#vocabSize = vocabSize;
    this.#sampleable = options.sampleableIds ?? new Uint32Array(wordsFor(vocabSize)).fill(~0);
  }

  /** What the function threw; the generation is to end with it. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Before the first id, and where a generation goes on behind the ids it has. */
  begin(tokens: readonly number[]): void {
    if (this.#tokens.length === tokens.length) return;
    this.#tokens.splice(0, this.#tokens.length, ...tokens);
    this.#send();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** An id was sampled, and another will be. */
  take(id: number): void {
    this.#tokens.push(id);
    if (this.#failure === undefined) this.#send();
  }

  #send(): void {
    try {
      const mask = this.#mask(this.#tokens);
      if (mask !== null && !intersects(mask, this.#sampleable, this.#vocabSize)) {
        throw new InvalidRequestError(
          `Cannot sample at position ${this.#tokens.length}: the mask allows no id that may be ` +
            "sampled. Accepted: a mask with at least one of them, or null.",
        );
      }
      sendMask(this.channel, this.#tokens.length, mask);
    } catch (error) {
      this.#failure = { error };
    }
  }
}
