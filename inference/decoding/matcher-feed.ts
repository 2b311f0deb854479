import type { GenerateOptions, TokenMatcher } from "../engine.ts";
import { InvalidRequestError } from "../errors.ts";
import { bitmaskWords, hasId, intersects, type TokenBitmask } from "../sampling/token-bitmask.ts";
import type { MaskChannel } from "./mask-channel.ts";

/**
 * Keeps the matcher of one generation in step with what is sampled, and sends its masks. Lives in the
 * main thread; what the matcher throws is kept as `failure`, for the session to end with.
 */
export class MatcherFeed {
  readonly #matcher: TokenMatcher;
  readonly #channel: MaskChannel;
  readonly #vocabSize: number;
  readonly #sampleable: TokenBitmask;
  /** Ids that the matcher has accepted and that are not in the timeline yet: those that came … */
  #came = 0;
  /** … and behind them those of a draft. */
  #drafted: number[] = [];
  #failure: { readonly error: unknown } | undefined;

  /** @param channel that no other generation uses */
  constructor(
    matcher: TokenMatcher,
    options: GenerateOptions,
    vocabSize: number,
    channel: MaskChannel,
  ) {
    this.#matcher = matcher;
    this.#channel = channel;
    channel.reset();
    this.#vocabSize = vocabSize;
    this.#sampleable = options.sampleableIds ?? new Uint32Array(bitmaskWords(vocabSize)).fill(~0);
  }

  get channel(): MaskChannel {
    return this.#channel;
  }

  /** What the matcher threw; the generation is to end with it. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** Puts down the mask of the first id. */
  begin(): void {
    this.#try(() => this.#channel.put(0, this.#mask()));
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /**
   * An id was sampled.
   * @param isDrafted whether it was taken from the last draft. An id that is equal to one of that may come without it: a
   *   decode command that begins drafts anew, and may then draft nothing.
   * @param goesOn whether another one will be
   * @returns whether the matcher has accepted it
   */
  take(id: number, isDrafted: boolean, goesOn: boolean): boolean {
    const came = this.#came;
    this.#try(() => {
      if (isDrafted) this.#drafted.shift();
      else {
        this.#dropDraft();
        this.#matcher.accept(id);
      }
      this.#came++;
      if (isDrafted || !goesOn) return;
      this.#channel.put(0, this.#mask());
      this.#channel.answer();
    });
    return this.#came > came;
  }

  /** Cuts a draft before the first id that may not come, and sends the masks along the rest. */
  draft(ids: readonly number[]): void {
    this.#try(() => {
      this.#dropDraft();
      for (const id of ids) {
        const allowed = this.#channel.mask(this.#drafted.length);
        if (allowed !== null && !hasId(allowed, id)) break;
        // What is an error if the id does come is none as long as it is only drafted: it is left out.
        const mask = this.#maskBehind(id);
        if (mask === undefined) break;
        this.#drafted.push(id);
        this.#channel.put(this.#drafted.length, mask);
      }
      this.#channel.answer(this.#drafted.length);
    });
  }

  /** Has a drafted id accepted. @returns undefined, and it is not, where it could not come without an error */
  #maskBehind(id: number): Uint32Array | null | undefined {
    try {
      this.#matcher.accept(id);
    } catch {
      return undefined;
    }
    try {
      const mask = this.#matcher.mask();
      if (this.#allowsAny(mask)) return mask;
    } catch {}
    this.#matcher.rollback(1);
    return undefined;
  }

  /** An id that came is in the timeline now. */
  keep(): void {
    this.#came--;
  }

  /**
   * The generation has ended: takes back what is not in the timeline.
   * @throws what the matcher throws, unless it has failed before
   */
  end(): void {
    const count = this.#came + this.#drafted.length;
    if (count === 0) return;
    try {
      this.#matcher.rollback(count);
    } catch (error) {
      if (this.#failure === undefined) throw error;
    }
  }

  #try(step: () => void): void {
    if (this.#failure !== undefined) return;
    try {
      step();
    } catch (error) {
      this.#failure = { error };
    }
  }

  #dropDraft(): void {
    const { length } = this.#drafted;
    if (length === 0) return;
    this.#drafted = [];
    this.#matcher.rollback(length);
  }

  /** @throws InvalidRequestError where nothing may come */
  #mask(): Uint32Array | null {
    const mask = this.#matcher.mask();
    if (this.#allowsAny(mask)) return mask;
    throw new InvalidRequestError(
      "Cannot sample: the matcher's mask allows no id that may be sampled. " +
        "Accepted: a mask with at least one of them, or null.",
    );
  }

  #allowsAny(mask: Uint32Array | null): boolean {
    return mask === null || intersects(mask, this.#sampleable, this.#vocabSize);
  }
}
