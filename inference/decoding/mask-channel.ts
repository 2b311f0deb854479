/**
 * Brings masks of constrained decoding from the main thread, where the caller's function runs, to the
 * leading thread, which samples. A mask is made while the model computes the logits it is for; the
 * leading thread waits only where making it takes longer.
 */

import { wordsFor } from "../sampling/id-bits.ts";

const POSITION = 0;
const HAS_MASK = 1;
const HEAD = 2;

export type MaskChannel = Int32Array<SharedArrayBuffer>;

export function createMaskChannel(vocabSize: number): MaskChannel {
  const cells = HEAD + wordsFor(vocabSize);
  return new Int32Array(new SharedArrayBuffer(cells * Int32Array.BYTES_PER_ELEMENT));
}

/** @param mask null: everything may come at this position */
export function sendMask(channel: MaskChannel, position: number, mask: Uint32Array | null): void {
  channel[HAS_MASK] = mask === null ? 0 : 1;
  if (mask !== null) channel.set(mask.subarray(0, channel.length - HEAD), HEAD);
  Atomics.store(channel, POSITION, position);
  Atomics.notify(channel, POSITION);
}

/**
 * Waits for the mask of a position.
 * @param isCancelled asked now and then
 * @returns null: no mask; undefined: cancelled
 */
export function receiveMask(
  channel: MaskChannel,
  position: number,
  isCancelled: () => boolean,
): Uint32Array<SharedArrayBuffer> | null | undefined {
  const pollMs = 20;
  for (;;) {
    const ready = Atomics.load(channel, POSITION);
    if (ready === position) break;
    if (isCancelled()) return undefined;
    Atomics.wait(channel, POSITION, ready, pollMs);
  }
  if (channel[HAS_MASK] === 0) return null;
  return new Uint32Array(channel.buffer, HEAD * Int32Array.BYTES_PER_ELEMENT);
}
