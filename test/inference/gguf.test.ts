import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  expertScaleError,
  readExpertRows,
  type StagedRows,
  storedRowBytes,
} from "../../inference/checkpoint/expert-rows.ts";
import { readGgufHeader } from "../../inference/checkpoint/gguf.ts";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import type { ExpertLinear } from "../../inference/checkpoint/tensors.ts";
import { CheckpointError, UnsupportedArchitectureError } from "../../inference/errors.ts";
import {
  bools,
  encodeGguf,
  f32,
  type GgufTensor,
  i32s,
  type MetaValue,
  strings,
  text,
  u32,
} from "../fixtures/gguf-writer.ts";
import { FORMS, ggufContent, makeGguf } from "../fixtures/make-gguf-model.ts";
import { type ModelSize, randomWeights, TINY } from "../fixtures/make-tiny-model.ts";
import { FUZZ, FUZZ_TIMEOUT, MemorySource, mutations } from "./hostile-headers.ts";
import { KernelMemory } from "./kernel-memory.ts";

const SIZE: ModelSize = { ...TINY, swigluLimit: 7 };
const WEIGHTS = randomWeights(SIZE, 3);

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chorale-gguf-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

type Content = ReturnType<typeof ggufContent>;

const LLAMA_CPP = ggufContent(SIZE, WEIGHTS, FORMS.llamaCpp);

/** llama.cpp's form of the model, of which the lists may be changed. */
function llamaCpp(): Content {
  return { metadata: new Map(LLAMA_CPP.metadata), tensors: new Map(LLAMA_CPP.tensors) };
}

/** Opens it with one thing changed. */
function open(change: (content: Content) => void): void {
  const content = llamaCpp();
  change(content);
  const path = join(folder, "model.gguf");
  writeFileSync(path, encodeGguf(content));
  openCheckpoint(path).close();
}

function configWith(
  entries: readonly [string, MetaValue][],
): ReturnType<typeof openCheckpoint>["config"] {
  const content = llamaCpp();
  for (const [key, value] of entries) content.metadata.set(key, value);
  const path = join(folder, "config.gguf");
  writeFileSync(path, encodeGguf(content));
  const checkpoint = openCheckpoint(path);
  checkpoint.close();
  return checkpoint.config;
}

describe("the config", () => {
  test("is that of the same model in safetensors", () => {
    expect(configWith([])).toEqual({
      layers: 2,
      hidden: 64,
      intermediate: 32,
      heads: 4,
      kvHeads: 2,
      headDim: 16,
      experts: 4,
      expertsPerToken: 2,
      vocab: 96,
      slidingWindow: 8,
      layerTypes: ["sliding", "full"],
      rope: { theta: 150_000, factor: 32, betaFast: 32, betaSlow: 1, originalContext: 512 },
      rmsEps: 1e-5,
      swigluLimit: 7,
      swigluAlpha: 1.702,
      contextLength: 16_384,
    });
  });

  test("may say which layers slide, as a period or one by one", () => {
    const key = "gpt-oss.attention.sliding_window_pattern";
    expect(configWith([[key, u32(3)]]).layerTypes).toEqual(["sliding", "sliding"]);
    expect(configWith([[key, bools([false, true])]]).layerTypes).toEqual(["full", "sliding"]);
    expect(() => configWith([[key, bools([true])]])).toThrow(/a list of 2 truth values/);
    expect(() => configWith([[key, u32(0)]])).toThrow(CheckpointError);
  });

  const refused: [string, string, MetaValue, RegExp][] = [
    ["another architecture", "general.architecture", text("llama"), /"gpt-oss" \(llama.cpp\) or/],
    ["another rope", "gpt-oss.rope.scaling.type", text("linear"), /accepted: "yarn"/],
    ["a second rope", "gpt-oss.rope.freq_base_swa", f32(10_000), /accepted: 150000/],
    ["no layers", "gpt-oss.block_count", u32(0), /gpt-oss.block_count is 0/],
    [
      "more layers than tensors",
      "gpt-oss.block_count",
      u32(3),
      /blk.2.attn_norm.weight is missing/,
    ],
    ["text for a number", "gpt-oss.expert_count", text("32"), /expert_count is "32"/],
    ["a list for a number", "gpt-oss.expert_count", i32s([4, 4]), /expert_count is missing/],
    ["another width", "gpt-oss.embedding_length", u32(96), /token_embd.weight is F32 \(96, 64\)/],
    ["heads that do not divide", "gpt-oss.attention.head_count", u32(5), /not a multiple of/],
  ];
  test.each(refused)("%s is refused", (_name, key, value, message) => {
    expect(() => configWith([[key, value]])).toThrow(message);
  });

  test("of another architecture has an error of its own", () => {
    const architecture: [string, MetaValue][] = [["general.architecture", text("llama")]];
    expect(() => configWith(architecture)).toThrow(UnsupportedArchitectureError);
  });
});

describe("tensors", () => {
  test("of version 2, and at another alignment", () => {
    const content = llamaCpp();
    content.metadata.set("general.alignment", u32(4096));
    const path = join(folder, "aligned.gguf");
    writeFileSync(path, encodeGguf({ ...content, version: 2, alignment: 4096 }));
    const { embedding, close } = openCheckpoint(path);
    close();
    expect(embedding.position % 4096).toBe(0);
  });

  test("any one missing is named", () => {
    for (const name of llamaCpp().tensors.keys()) {
      const missing = (): unknown => open(({ tensors }) => tensors.delete(name));
      expect(missing).toThrow(CheckpointError);
      expect(missing).toThrow(`the tensor ${name} is missing`);
    }
  });

  const name = "blk.1.ffn_up_exps.weight";
  const change = (change: Partial<GgufTensor>) => (content: Content) => {
    const tensor = content.tensors.get(name) ?? expect.unreachable();
    content.tensors.set(name, { ...tensor, ...change });
  };
  const cases: [string, (content: Content) => void, RegExp][] = [
    ["experts of another type", change({ type: 24 }), /has the ggml type 24 \(I8\); accepted: F32/],
    [
      "a type that is not read",
      change({ type: 11 }),
      /has the ggml type 11 \(Q3_K\); accepted: F32/,
    ],
    ["an unknown type", change({ type: 77 }), /has the ggml type 77; accepted/],
    ["another shape", change({ shape: [4, 64, 32] }), /is MXFP4 \(4, 64, 32\); expected/],
    ["rows that end inside a block", change({ shape: [32, 4, 64 + 1] }), /has rows of 65 in MXFP4/],
    ["five dimensions", change({ shape: [1, 1, 4, 32, 64] }), /has 5 dimensions/],
    ["no elements", change({ shape: [4, 0, 64] }), /has 0 elements/],
    [
      "sizes beyond any file",
      change({ shape: [2 ** 40, 2 ** 40] }),
      /has 1.2089258.*e\+24 elements/,
    ],
    [
      "more than the file has",
      change({ shape: [2 ** 20, 32, 64] }),
      /was cut short; fetch it again/,
    ],
  ];
  test.each(cases)("%s", (_name, broken, message) => {
    expect(() => open(broken)).toThrow(CheckpointError);
    expect(() => open(broken)).toThrow(message);
  });

  test("a scale that is no number is named with its place", () => {
    const content = ggufContent(SIZE, WEIGHTS, FORMS.llamaCppFused);
    const fused = content.tensors.get("blk.0.ffn_gate_up_exps.weight") ?? expect.unreachable();
    // Expert 1, row 32 + 5 of 64: up 5; the second of its two blocks.
    fused.bytes[((64 + 32 + 5) * 2 + 1) * 17] = 255;
    const path = join(folder, "nan.gguf");
    writeFileSync(path, encodeGguf(content));
    const checkpoint = openCheckpoint(path);
    const { gateUp } = checkpoint.layers[0] ?? expect.unreachable();
    const { bad } = readRecords(gateUp, 1, 0, 64);
    checkpoint.close();
    const index = (2 * 5 + 1) * 2 + 1;
    expect(bad).toBe(index + 1);
    expect(expertScaleError(gateUp, 1, index).message).toContain(
      `scale ${(64 + 32 + 5) * 2 + 1} of blk.0.ffn_gate_up_exps.weight is 255`,
    );
  });
});

const memory = new KernelMemory("relaxed", 1 << 20);

/** Rows as the loader brings them in: read, then repacked. */
function readRecords(
  linear: ExpertLinear,
  expert: number,
  row: number,
  rows: number,
): { records: Uint8Array; bad: number } {
  memory.reset();
  const bytes = new Uint8Array(rows * storedRowBytes(linear));
  return repack(bytes, readExpertRows(linear, expert, row, rows, bytes), rows, linear.inputs / 32);
}

function repack(bytes: Uint8Array, staged: StagedRows, rows: number, rowBlocks: number) {
  const { codes, scales, blockBytes, split, odd } = staged;
  const at = memory.put(bytes);
  const size = Math.ceil(rows / 8) * rowBlocks * 136;
  const out = memory.reserve(size);
  const bad = memory.kernels.mxfp4_repack(
    at + codes,
    at + scales,
    blockBytes,
    split ? 1 : 0,
    odd,
    out,
    rows,
    rowBlocks,
  );
  return { records: memory.bytes(out, size), bad };
}

test("any rows of an expert are those of the published bytes, in every form", () => {
  const published = (what: string): Uint8Array =>
    WEIGHTS.get(`model.layers.1.mlp.experts.gate_up_proj_${what}`)?.bytes ?? expect.unreachable();
  const [blocks, scales] = [published("blocks"), published("scales")];
  const rowBlocks = SIZE.hidden / 32;
  const outputs = 2 * SIZE.intermediate;
  for (const form of [FORMS.llamaCpp, FORMS.llamaCppFused, FORMS.ollamaFirst, FORMS.ollamaLater]) {
    const path = join(folder, "rows.gguf");
    writeFileSync(path, makeGguf(SIZE, WEIGHTS, form));
    const checkpoint = openCheckpoint(path);
    const { gateUp } = checkpoint.layers[1] ?? expect.unreachable();
    const place = fc.record({
      expert: fc.nat(SIZE.experts - 1),
      row: fc.nat(outputs / 2 - 1).map((pair) => 2 * pair),
      rows: fc.integer({ min: 1, max: outputs }),
    });
    fc.assert(
      fc.property(place, ({ expert, row, rows }) => {
        const count = Math.min(rows, outputs - row);
        const found = readRecords(gateUp, expert, row, count);
        const first = (expert * outputs + row) * rowBlocks;
        const end = first + count * rowBlocks;
        const codes = blocks.subarray(first * 16, end * 16);
        const apart = { codes: 0, scales: codes.length, blockBytes: 16, split: false, odd: 0 };
        const bytes = Uint8Array.from([...codes, ...scales.subarray(first, end)]);
        const wanted = repack(bytes, apart, count, rowBlocks);
        expect(found).toEqual(wanted);
        expect(found.bad).toBe(0);
      }),
      { numRuns: 60 },
    );
    checkpoint.close();
  }
});

describe("a model in several files", () => {
  const content = llamaCpp();
  const names = [...content.tensors.keys()];
  const shard = (i: number): string => join(folder, `split-0000${i}-of-00003.gguf`);

  function writeShards(): void {
    for (const i of [0, 1, 2]) {
      const own = names.filter((_, at) => at % 3 === i);
      const metadata = i === 0 ? new Map(content.metadata) : new Map<string, MetaValue>();
      metadata.set("split.count", { type: 4, value: 3 });
      const tensors = new Map(own.map((name) => [name, content.tensors.get(name) as GgufTensor]));
      writeFileSync(shard(i + 1), encodeGguf({ metadata, tensors }));
    }
  }

  test("is opened by any of them", () => {
    writeShards();
    for (const path of [shard(1), shard(2), shard(3)]) {
      const checkpoint = openCheckpoint(path);
      checkpoint.close();
      expect(checkpoint.layers).toHaveLength(2);
    }
  });

  test("is refused when one is missing, has been renamed or is another's", () => {
    writeShards();
    rmSync(shard(2));
    expect(() => openCheckpoint(shard(1))).toThrow(/1 of its 3 files are missing: split-00002-of/);
    const alone = join(folder, "alone.gguf");
    const metadata = new Map(content.metadata).set("split.count", { type: 4, value: 3 });
    writeFileSync(alone, encodeGguf({ ...content, metadata }));
    expect(() => openCheckpoint(alone)).toThrow(/one of 3 files, of which 1 were found/);
    writeFileSync(shard(2), encodeGguf({ ...content, metadata }));
    expect(() => openCheckpoint(shard(1))).toThrow(/is in split-0000\d-of-00003.gguf, too/);
  });
});

describe("a hostile header is refused in words", () => {
  const good = encodeGguf(LLAMA_CPP);

  /** The good file with bytes changed at the start, and not written anywhere. */
  function read(change: (view: DataView) => void): ReturnType<typeof readGgufHeader> {
    const bytes = good.slice();
    change(new DataView(bytes.buffer));
    return readGgufHeader(new MemorySource(bytes));
  }

  test("no GGUF, another version, big-endian", () => {
    expect(() => read((view) => view.setUint8(0, 0x67))).toThrow(/it is no GGUF file/);
    expect(() => read((view) => view.setUint32(4, 1, true))).toThrow(/it is version 1; accepted/);
    expect(() => read((view) => view.setUint32(4, 3, false))).toThrow(/a big-endian file/);
  });

  test("counts and lengths beyond all bounds", () => {
    for (const count of [2n ** 64n - 1n, 2n ** 53n, 2n ** 40n, 65_537n]) {
      expect(() => read((view) => view.setBigUint64(8, count, true))).toThrow(CheckpointError);
      expect(() => read((view) => view.setBigUint64(16, count, true))).toThrow(CheckpointError);
      // The length of the first key.
      expect(() => read((view) => view.setBigUint64(24, count, true))).toThrow(CheckpointError);
    }
  });

  const withValue = (bytes: readonly number[]): Uint8Array => {
    const header = [..."GGUF"].map((c) => c.charCodeAt(0));
    const u64 = (value: number): number[] => [value, 0, 0, 0, 0, 0, 0, 0];
    return Uint8Array.from([
      ...header,
      3,
      0,
      0,
      0,
      ...u64(0),
      ...u64(1),
      ...u64(1),
      0x78,
      ...bytes,
    ]);
  };

  test("arrays that nest, or claim more than there is", () => {
    const nested = [9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    const deep = withValue([9, 0, 0, 0, ...Array.from({ length: 1000 }, () => nested).flat()]);
    expect(() => readGgufHeader(new MemorySource(deep))).toThrow(/x nests deeper than 3 arrays/);
    for (const type of [0, 8, 9, 12]) {
      const claims = [9, 0, 0, 0, type, 0, 0, 0, 255, 255, 255, 255, 255, 255, 31, 0];
      const source = new MemorySource(withValue(claims));
      expect(() => readGgufHeader(source)).toThrow(CheckpointError);
      expect(source.largestRead).toBeLessThan(100);
    }
    const unknown = new MemorySource(withValue([13, 0, 0, 0]));
    expect(() => readGgufHeader(unknown)).toThrow(/x has the type 13; accepted: 0 … 12/);
  });

  test("an alignment that is none", () => {
    for (const alignment of [0, 3, 33, 2 ** 21]) {
      const content = llamaCpp();
      content.metadata.set("general.alignment", u32(alignment));
      const source = new MemorySource(encodeGguf(content));
      expect(() => readGgufHeader(source)).toThrow(/accepted: a power of two/);
    }
  });

  test("a key twice, a tensor twice, tensors that overlap or lie askew", () => {
    // The reader sees names only, so a rename makes doubles.
    const renamed = (from: string, to: string): MemorySource => {
      const bytes = Buffer.from(good);
      bytes.write(to, bytes.indexOf(from), "latin1");
      return new MemorySource(bytes);
    };
    const twice = renamed("gpt-oss.attention.key_length", "gpt-oss.attention.head_count");
    expect(() => readGgufHeader(twice)).toThrow(/head_count is there twice/);
    const double = renamed("blk.0.attn_q.weight", "blk.0.attn_k.weight");
    expect(() => readGgufHeader(double)).toThrow(/blk.0.attn_k.weight is described twice/);
    const offsetOf = (name: string): number =>
      Buffer.from(good).indexOf(name) + name.length + 4 + 8 + 4;
    const at = offsetOf("output_norm.weight");
    expect(() => read((view) => view.setBigUint64(at, 33n, true))).toThrow(/no multiple of/);
    expect(() => read((view) => view.setBigUint64(at, 0n, true))).toThrow(/overlap/);
    expect(() => read((view) => view.setBigUint64(at, 2n ** 40n, true))).toThrow(/cut short/);
  });

  test("a file cut anywhere", () => {
    const path = join(folder, "cut.gguf");
    const lengths = [0, 3, 4, 8, 23, 24, 100, 1000, 3000, 5000, good.length - 32];
    for (const length of lengths) {
      writeFileSync(path, good);
      truncateSync(path, length);
      expect(() => openCheckpoint(path)).toThrow(/cut short|neither .safetensors nor GGUF/);
    }
  });

  test(
    "whatever happens to its bytes, it is read or refused, in little memory",
    () => {
      const content = llamaCpp();
      content.metadata.set("tokenizer.ggml.tokens", strings(["a", "bb", "<|end|>"]));
      content.metadata.set("tokenizer.ggml.token_type", i32s([1, 1, 3]));
      const file = encodeGguf(content);
      const headerBytes = readGgufHeader(new MemorySource(file)).entries[0]?.position ?? 0;
      fc.assert(
        fc.property(mutations(headerBytes), (mutate) => {
          const source = new MemorySource(mutate(file.slice()));
          try {
            const { entries } = readGgufHeader(source);
            const ends = entries.map((entry) => entry.position + entry.byteLength);
            expect(Math.max(0, ...ends)).toBeLessThanOrEqual(source.byteLength);
          } catch (error) {
            expect(error).toBeInstanceOf(CheckpointError);
          }
          expect(source.largestRead).toBeLessThanOrEqual(1 << 16);
        }),
        FUZZ,
      );
    },
    FUZZ_TIMEOUT,
  );
});
