/** For the fuzz tests of file headers: bytes in memory instead of a file, and ways to spoil them. */

import fc from "fast-check";
import type { ByteSource } from "../../inference/checkpoint/header-reader.ts";
import { CheckpointError } from "../../inference/errors.ts";

/**
 * How often the fuzz tests of headers try: the same few thousand files every time, or, for a longer run,
 * `CHORALE_FUZZ_RUNS=100000 npx vitest run test/inference -t "whatever happens to"`, seeded by
 * `CHORALE_FUZZ_SEED`.
 */
export const FUZZ: { readonly numRuns: number; readonly seed: number } = {
  numRuns: Number(process.env["CHORALE_FUZZ_RUNS"] ?? 3000),
  seed: Number(process.env["CHORALE_FUZZ_SEED"] ?? 1),
};

/** Milliseconds that a fuzz test may take. */
export const FUZZ_TIMEOUT: number = 30_000 + 20 * FUZZ.numRuns;

/** A file in memory that knows the largest piece that was asked of it, so the largest allocated. */
export class MemorySource implements ByteSource {
  readonly path = "FILE";
  readonly byteLength: number;
  readonly #bytes: Uint8Array;
  largestRead = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.byteLength = bytes.length;
  }

  readInto(target: Uint8Array, position: number, what: string): void {
    this.largestRead = Math.max(this.largestRead, target.length);
    if (position + target.length > this.byteLength) {
      throw new CheckpointError(this.path, `the file ends inside ${what}.`);
    }
    target.set(this.#bytes.subarray(position, position + target.length));
  }
}

/** Values that break arithmetic more often than random ones. */
const WORDS: readonly bigint[] = [
  ...[0n, 1n, 8n, 9n, 31n, 32n, 255n, 256n, 65_535n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n],
  ...[2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
];

/**
 * Ways to spoil the first `length` bytes: bytes and 8-byte words overwritten, pieces copied over
 * others, the end cut off.
 */
export function mutations(length: number): fc.Arbitrary<(bytes: Uint8Array) => Uint8Array> {
  const at = fc.nat(length - 1);
  const byte = fc.record({ at, byte: fc.nat(255) });
  const word = fc.record({ at, word: fc.constantFrom(...WORDS) });
  const copy = fc.record({ at, from: at, length: fc.nat(64) });
  const edit = fc.oneof(byte, word, copy);
  const edits = fc.array(edit, { minLength: 1, maxLength: 5 });
  const cut = fc.oneof(
    { weight: 7, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.nat(length) },
  );
  return fc.tuple(edits, cut).map(([all, end]) => (bytes: Uint8Array): Uint8Array => {
    for (const change of all) {
      if ("byte" in change) bytes[change.at] = change.byte;
      else if ("from" in change) {
        bytes.copyWithin(change.at, change.from, change.from + change.length);
      } else if (change.at + 8 <= bytes.length) {
        new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(change.at, change.word, true);
      }
    }
    return bytes.subarray(0, end);
  });
}
