/** For the fuzz tests of what describes a model: bytes in memory instead of a file, and ways to spoil them. */

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

/** Those of documents in files, of which each try writes one. */
export const FILE_FUZZ: typeof FUZZ = {
  ...FUZZ,
  numRuns: Number(process.env["CHORALE_FUZZ_RUNS"] ?? 800),
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

/** Texts that lead out of a folder, break a terminal or a file system, or are no text at all. */
const TEXTS: readonly string[] = [
  ...[
    "",
    ".",
    "..",
    "../../evil",
    "/etc/passwd",
    "..\\evil",
    "C:evil",
    "a\0b",
    "\u001b[2J",
    "\ud800",
  ],
  ...["evil.safetensors", "../evil.safetensors", "/tmp/evil.safetensors", "a/../b.safetensors"],
  ...["x\0.safetensors", `${"n".repeat(300)}.safetensors`, "n".repeat(3000)],
  ...["sha256:../../../evil", `sha256:${"0".repeat(64)}`, `sha256:${"0".repeat(63)}/`, "sha256:"],
  ...["__proto__", "constructor", "toString"],
];
const NUMBERS: readonly number[] = [0, -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, 1e300, -1e300];

/**
 * Ways to spoil a JSON document: one to three of its values are replaced, taken away or put under
 * another name; or else its bytes are spoilt.
 */
export function documentMutations(document: unknown): fc.Arbitrary<Uint8Array> {
  const good = JSON.stringify(document);
  const hostile = fc.oneof(
    fc.constantFrom(...TEXTS, ...NUMBERS, null, true, [], {}),
    fc.jsonValue({ maxDepth: 3 }),
    fc.integer({ min: 1, max: 200 }).map((depth) => nested(depth)),
  );
  const edit = fc.record({
    /** Which of all values, in the order of the text. */
    at: fc.nat(countValues(document)),
    value: fc.option(hostile, { nil: undefined }),
    name: fc.option(fc.constantFrom(...TEXTS), { nil: undefined, freq: 8 }),
  });
  const spoilt = fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) => {
    const copy: unknown = JSON.parse(good);
    const root = { root: copy };
    for (const { at, value, name } of edits) {
      const place = placesIn(root)[at];
      if (place === undefined) continue;
      const old = place.holder[place.key];
      if (value === undefined || name !== undefined) delete place.holder[place.key];
      if (value !== undefined) place.holder[name ?? place.key] = value;
      else if (name !== undefined) place.holder[name] = old;
    }
    return Buffer.from(JSON.stringify(root.root) ?? "");
  });
  const bytes = Buffer.from(good);
  const broken = mutations(bytes.length).map((mutate) => mutate(Uint8Array.from(bytes)));
  return fc.oneof({ weight: 3, arbitrary: spoilt }, { weight: 1, arbitrary: broken });
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { x: value };
  return value;
}

type Holder = Record<string, unknown>;

/** Where each value of a document is held, in the order of its text. */
function placesIn(holder: Holder): { holder: Holder; key: string }[] {
  return Object.entries(holder).flatMap(([key, value]) => {
    const inner = typeof value === "object" && value !== null ? placesIn(value as Holder) : [];
    return [{ holder, key }, ...inner];
  });
}

function countValues(document: unknown): number {
  return placesIn({ root: document }).length;
}
