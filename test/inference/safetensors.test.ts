import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_HEADER_BYTES, parseHeader } from "../../inference/checkpoint/safetensors.ts";
import { CheckpointError } from "../../inference/errors.ts";
import { encodeSafetensors, headerOf, type RawTensor } from "../fixtures/safetensors-writer.ts";
import { openBytes } from "./broken-checkpoints.ts";
import { FUZZ, FUZZ_TIMEOUT } from "./hostile-headers.ts";

const TENSORS: ReadonlyMap<string, RawTensor> = new Map([
  ["a", { dtype: "BF16", shape: [2, 3], bytes: new Uint8Array(12) }],
  ["b", { dtype: "U8", shape: [4], bytes: new Uint8Array(4) }],
  ["empty", { dtype: "F32", shape: [0, 7], bytes: new Uint8Array(0) }],
  ["scalar", { dtype: "F32", shape: [], bytes: new Uint8Array(4) }],
]);
const DATA_BYTES = 20;

/** Checks a header, as object, text or bytes, as if a file with `DATA_BYTES` of data followed. */
function check(header: unknown): ReturnType<typeof parseHeader> {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const bytes = header instanceof Uint8Array ? header : new TextEncoder().encode(text);
  return parseHeader(bytes, 8 + bytes.length, 8 + bytes.length + DATA_BYTES, "FILE");
}

/** The good header with one tensor's description changed. */
function withTensor(name: string, change: Record<string, unknown>): Record<string, unknown> {
  const header = headerOf(TENSORS);
  return { ...header, [name]: { ...(header[name] as object), ...change } };
}

describe("a good header", () => {
  test("gives each tensor its place in the file", () => {
    const file = encodeSafetensors(TENSORS);
    const { entries, close } = openBytes(file);
    const dataStart = file.length - DATA_BYTES;
    expect(entries.map(({ name, position, byteLength }) => [name, position, byteLength])).toEqual([
      ["a", dataStart, 12],
      ["b", dataStart + 12, 4],
      ["empty", dataStart + 16, 0],
      ["scalar", dataStart + 16, 4],
    ]);
    close();
  });
});

describe("a hostile header is refused in words", () => {
  const cases: [string, unknown, RegExp][] = [
    ["no JSON", "{nonsense", /not JSON/],
    ["no UTF-8", Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d), /not JSON/],
    ["a list", [1], /not a JSON object/],
    ["deep nesting", "[".repeat(1_000_000), /deeper than 3/],
    ["deep nesting behind a string", `{"[[[\\"[": {"x": [[[[`, /deeper than 3/],
    ["a tensor that is a number", { a: 3 }, /tensor a has no description/],
    ["a tensor that is null", { a: null }, /tensor a has no description/],
    ["an unknown dtype", withTensor("a", { dtype: "Q9" }), /tensor a has an unknown dtype/],
    ["a dtype of the prototype", withTensor("a", { dtype: "toString" }), /unknown dtype/],
    ["a negative size", withTensor("a", { shape: [-2, -3] }), /shape that is not/],
    ["a fractional size", withTensor("a", { shape: [1.5, 4] }), /shape that is not/],
    ["too many dimensions", withTensor("b", { shape: [1, 1, 1, 1, 1, 1, 1, 1, 4] }), /at most 8/],
    ["sizes whose product overflows", withTensor("a", { shape: [2 ** 52, 2 ** 52] }), /takes/],
    [
      "sizes of which one is zero",
      withTensor("a", { shape: [2 ** 53 - 1, 2 ** 53 - 1, 0] }),
      /takes/,
    ],
    ["no offsets", withTensor("a", { data_offsets: undefined }), /data_offsets/],
    ["three offsets", withTensor("a", { data_offsets: [0, 12, 13] }), /data_offsets/],
    ["offsets as text", withTensor("a", { data_offsets: ["0", "12"] }), /data_offsets/],
    ["offsets backwards", withTensor("a", { data_offsets: [12, 0] }), /-12 bytes/],
    ["offsets of another length", withTensor("a", { data_offsets: [0, 11] }), /11 bytes, but BF16/],
    ["offsets beyond the file", withTensor("b", { data_offsets: [18, 22] }), /cut short/],
    [
      "offsets beyond all files",
      withTensor("b", { data_offsets: [2 ** 53 - 5, 2 ** 53 - 1] }),
      /cut short/,
    ],
    ["tensors that overlap", withTensor("b", { data_offsets: [10, 14] }), /a and b overlap/],
  ];
  test.each(cases)("%s", (_name, header, message) => {
    expect(() => check(header)).toThrow(CheckpointError);
    expect(() => check(header)).toThrow(message);
  });

  test("a length beyond the file, or beyond the limit, is not allocated", () => {
    for (const length of [2n ** 64n - 1n, 2n ** 40n, BigInt(MAX_HEADER_BYTES) + 1n, 100n]) {
      const file = new Uint8Array(64);
      new DataView(file.buffer).setBigUint64(0, length, true);
      expect(() => openBytes(file)).toThrow(/the header claims/);
    }
  });

  test("files too short for a length", () => {
    for (const bytes of [0, 1, 7]) {
      expect(() => openBytes(new Uint8Array(bytes))).toThrow(/the file ends at byte/);
    }
  });
});

test(
  "whatever happens to the bytes of a file, it is read or refused, never crashed on",
  () => {
    const good = encodeSafetensors(TENSORS);
    const mutation = fc.record({
      at: fc.nat(good.length - 1),
      byte: fc.integer({ min: 0, max: 255 }),
    });
    fc.assert(
      fc.property(
        fc.array(mutation, { maxLength: 6 }),
        fc.option(fc.nat(good.length), { nil: undefined }),
        (mutations, cut) => {
          const file = good.slice(0, cut);
          for (const { at, byte } of mutations) if (at < file.length) file[at] = byte;
          let opened: ReturnType<typeof openBytes>;
          try {
            opened = openBytes(file);
          } catch (error) {
            expect(error).toBeInstanceOf(CheckpointError);
            return;
          }
          for (const entry of opened.entries) {
            expect(entry.position + entry.byteLength).toBeLessThanOrEqual(file.length);
          }
          opened.close();
        },
      ),
      FUZZ,
    );
  },
  FUZZ_TIMEOUT,
);

test(
  "whatever happens to the JSON of the header, it is read or refused",
  () => {
    const size = fc.oneof(fc.nat(8), fc.maxSafeNat(), fc.integer(), fc.double(), fc.string());
    const description = fc.record(
      {
        dtype: fc.oneof(fc.constantFrom("BF16", "U8", "F32", "F64"), fc.string()),
        shape: fc.array(size, { maxLength: 10 }),
        data_offsets: fc.array(size, { maxLength: 3 }),
      },
      { requiredKeys: [] },
    );
    const header = fc.dictionary(fc.string(), fc.oneof(description, fc.jsonValue({ maxDepth: 5 })));
    fc.assert(
      fc.property(header, (json) => {
        try {
          for (const entry of check(json)) {
            expect(entry.byteLength).toBeLessThanOrEqual(DATA_BYTES);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(CheckpointError);
        }
      }),
      FUZZ,
    );
  },
  FUZZ_TIMEOUT,
);
