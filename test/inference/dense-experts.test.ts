/** Checkpoints whose experts are not in MXFP4: fine-tunes, and files that were quantised in another way. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packMxfp4 } from "../../inference/checkpoint/mxfp4-pack.ts";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import { type LocalEngineOptions, openLocalEngine } from "../../inference/local/local-engine.ts";
import { decodeBlocks } from "../../inference/reference/mxfp4.ts";
import { encodeGguf, type GgufTensor } from "../fixtures/gguf-writer.ts";
import { encodeQ8, FORMS, GGML, ggufContent } from "../fixtures/make-gguf-model.ts";
import {
  huggingFaceConfig,
  type ModelSize,
  makeRandomModel,
  randomWeights,
  type Tensors,
  TINY,
} from "../fixtures/make-tiny-model.ts";
import { encodeSafetensors, type RawTensor, toBfloat16 } from "../fixtures/safetensors-writer.ts";
import { engineLogitsOf, referenceLogitsOf } from "./checkpoint-logits.ts";

/** No shape tells which way round `down_proj` lies, as in gpt-oss-20b. GGUF fixes the limit of SwiGLU. */
const SIZE: ModelSize = { ...TINY, hidden: 64, intermediate: 64, swigluLimit: 7 };
const SEED = 23;
const PROMPT = Array.from({ length: 24 }, (_, i) => (i * i + 5 * i) % SIZE.vocab);

let folder = "";
let expected: Float64Array[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chorale-dense-"));
  makeRandomModel(join(folder, "original"), SIZE, SEED);
  expected = reference(join(folder, "original"));
});

afterAll(() => rmSync(folder, { recursive: true }));

const reference = (path: string): Float64Array[] => referenceLogitsOf(path, PROMPT);

const logits = (path: string, options: LocalEngineOptions): Promise<Float32Array[]> =>
  engineLogitsOf(path, PROMPT, options);

/** Root mean square of the difference, over that of what is wanted. */
function difference(
  found: readonly ArrayLike<number>[],
  wanted: readonly ArrayLike<number>[],
): number {
  let error = 0;
  let power = 0;
  for (const [i, row] of wanted.entries()) {
    for (let j = 0; j < row.length; j++) {
      error += ((found[i]?.[j] ?? Number.NaN) - row[j]!) ** 2;
      power += row[j]! ** 2;
    }
  }
  return Math.sqrt(error / power);
}

type Dtype = "BF16" | "F16" | "F32";
const ENCODE: Readonly<Record<Dtype, (values: Float32Array) => Uint8Array>> = {
  BF16: toBfloat16,
  F16: (values) => new Uint8Array(Float16Array.from(values).buffer),
  F32: (values) => new Uint8Array(values.slice().buffer),
};

/** The values of an expert tensor, f32 (experts, outputs, inputs). */
function unpacked(weights: Tensors, name: string): { values: Float32Array; shape: number[] } {
  const [blocks, scales] = [weights.get(`${name}_blocks`)!, weights.get(`${name}_scales`)!];
  const [experts = 0, outputs = 0, rowBlocks = 0] = scales.shape;
  const values = Float32Array.from(decodeBlocks(blocks.bytes, scales.bytes));
  return { values, shape: [experts, outputs, rowBlocks * 32] };
}

/** The weights as a fine-tune has them: one tensor that lies transposed, or one per expert. */
function denseWeights(layout: "transposed" | "listed", dtype: Dtype): Tensors {
  const weights = randomWeights(SIZE, SEED);
  const out: Tensors = new Map();
  for (const [name, tensor] of weights) {
    const expert = /^(.*\.experts\.\w+_proj)_(blocks|scales|bias)$/.exec(name);
    if (expert === null) {
      out.set(layout === "listed" ? name.replace(".router.", ".router.linear.") : name, tensor);
      continue;
    }
    const [, stem = "", kind] = expert;
    if (kind === "scales" || (kind === "bias" && layout === "listed")) continue;
    if (kind === "bias") {
      out.set(name, tensor);
      continue;
    }
    const { values, shape } = unpacked(weights, stem);
    const [experts = 0, outputs = 0, inputs = 0] = shape;
    const bias = weights.get(`${stem}_bias`)!;
    const turned = new Float32Array(values.length);
    for (let e = 0; e < experts; e++) {
      const part = values.subarray(e * outputs * inputs, (e + 1) * outputs * inputs);
      for (let o = 0; o < outputs; o++) {
        for (let i = 0; i < inputs; i++) {
          turned[e * outputs * inputs + i * outputs + o] = part[o * inputs + i]!;
        }
      }
      if (layout === "transposed") continue;
      const bytes = bias.bytes.subarray(e * outputs * 2, (e + 1) * outputs * 2);
      out.set(`${stem}s.${e}.weight`, {
        dtype,
        shape: [outputs, inputs],
        bytes: ENCODE[dtype](part),
      });
      out.set(`${stem}s.${e}.bias`, { dtype: "BF16", shape: [outputs], bytes });
    }
    if (layout === "listed") continue;
    out.set(stem, { dtype, shape: [experts, inputs, outputs], bytes: ENCODE[dtype](turned) });
  }
  return out;
}

function write(name: string, tensors: ReadonlyMap<string, RawTensor>, without?: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  const config = { ...(huggingFaceConfig(SIZE) as Record<string, unknown>) };
  delete config["quantization_config"];
  if (without !== undefined) delete config[without];
  writeFileSync(join(path, "config.json"), JSON.stringify(config));
  writeFileSync(join(path, "model.safetensors"), encodeSafetensors(tensors));
  return path;
}

describe.each([
  ["transposed", "BF16"],
  ["transposed", "F16"],
  ["transposed", "F32"],
  ["listed", "BF16"],
  ["listed", "F32"],
] as const)("experts as floats, %s, %s", (layout, dtype) => {
  let path = "";
  beforeAll(() => {
    path = write(`${layout}-${dtype}`, denseWeights(layout, dtype));
  });

  test("give the logits of the original, exactly computed", async () => {
    expect(difference(reference(path), expected)).toBe(0);
    expect(difference(await logits(path, { precision: "exact" }), expected)).toBeLessThan(1e-5);
  });

  test("may become Q8_0 or MXFP4", async () => {
    // What was MXFP4 becomes the same MXFP4 again, where its scale is that of its largest value.
    const original = await logits(join(folder, "original"), { precision: "int8" });
    const narrow = await logits(path, { precision: "int8", experts: "mxfp4" });
    expect(difference(narrow, original)).toBeLessThan(1e-6);
    const wide = await logits(path, { precision: "int8" });
    expect(difference(wide, expected)).toBeLessThan(0.1);
    expect(difference(wide, original)).toBeGreaterThan(0);
  });

  test("are paged where they do not fit, with the same logits", async () => {
    const all = await logits(path, { precision: "int8", experts: "q8", prefillChunk: 8 });
    const checkpoint = openCheckpoint(path);
    const bytes: number[] = [];
    const options = {
      precision: "int8",
      experts: "q8",
      prefillChunk: 8,
      contextLength: 64,
    } as const;
    const whole = await openLocalEngine(checkpoint, {
      ...options,
      onMemory: (needs) => bytes.push(needs.bytes, needs.parts.experts),
    });
    await whole.close();
    checkpoint.close();
    const [total = 0, experts = 0] = bytes;
    const memoryLimit = total - experts / 2;
    const paged = await logits(path, { ...options, memoryLimit });
    expect(paged).toEqual(all);
  });
});

describe("GGUF", () => {
  type Change = (tensor: GgufTensor, name: string) => GgufTensor;

  function writeGguf(name: string, change: Change, without?: string): string {
    const weights = randomWeights(SIZE, SEED);
    const content = ggufContent(SIZE, weights, FORMS.llamaCpp);
    for (const [key, tensor] of content.tensors) content.tensors.set(key, change(tensor, key));
    if (without !== undefined) content.metadata.delete(without);
    const path = join(folder, `${name}.gguf`);
    writeFileSync(path, encodeGguf(content));
    return path;
  }

  /** The values of an MXFP4 tensor of a GGUF file in another type. */
  function as(type: "F16" | "F32" | "BF16" | "Q8_0", tensor: GgufTensor): GgufTensor {
    const count = tensor.shape.reduce((a, b) => a * b, 1);
    const values = new Float32Array(count);
    for (let block = 0; block < count / 32; block++) {
      const bytes = tensor.bytes.subarray(block * 17, (block + 1) * 17);
      const adjacent = new Uint8Array(16);
      for (let j = 0; j < 8; j++) {
        const [a, b] = [bytes[1 + 2 * j]!, bytes[2 + 2 * j]!];
        adjacent[j] = (a & 15) | ((b & 15) << 4);
        adjacent[j + 8] = (a >> 4) | ((b >> 4) << 4);
      }
      values.set(decodeBlocks(adjacent, bytes.subarray(0, 1)), block * 32);
    }
    const bytes = type === "Q8_0" ? encodeQ8(values) : ENCODE[type](values);
    return { type: GGML[type], shape: tensor.shape, bytes };
  }

  const isExpert = (name: string): boolean => /ffn_(gate|up|down)_exps\.weight$/.test(name);

  test.each(["F16", "BF16", "F32"] as const)("experts as %s", async (type) => {
    const path = writeGguf(`all-${type}`, (tensor, name) =>
      isExpert(name) ? as(type, tensor) : tensor,
    );
    expect(difference(reference(path), expected)).toBe(0);
    expect(difference(await logits(path, { precision: "exact" }), expected)).toBeLessThan(1e-5);
  });

  test("experts as Q8_0 are read as they are", async () => {
    const path = writeGguf("all-q8", (tensor, name) =>
      isExpert(name) ? as("Q8_0", tensor) : tensor,
    );
    const [exact, int8] = [
      await logits(path, { precision: "exact" }),
      await logits(path, { precision: "int8" }),
    ];
    expect(difference(exact, reference(path))).toBeLessThan(1e-5);
    expect(difference(exact, expected)).toBeLessThan(0.1);
    expect(difference(int8, expected)).toBeLessThan(0.1);
  });

  test.each(["blk.3.ffn_down_exps.weight", "blk.1.ffn_up_exps.weight"])(
    "one expert tensor of another type: %s",
    async (changed) => {
      const path = writeGguf(`one-${changed}`, (tensor, name) =>
        name === changed ? as("F16", tensor) : tensor,
      );
      expect(difference(await logits(path, { precision: "exact" }), expected)).toBeLessThan(1e-5);
      expect(difference(await logits(path, { precision: "int8" }), expected)).toBeLessThan(0.1);
    },
  );

  test.each(["gpt-oss.attention.key_length", "gpt-oss.rope.scaling.type"])(
    "without the key %s",
    (key) => {
      const path = writeGguf(`without-${key}`, (tensor) => tensor, key);
      expect(difference(reference(path), expected)).toBe(0);
    },
  );
});

test("a config without head_dim", () => {
  const path = write("without-head-dim", randomWeights(SIZE, SEED), "head_dim");
  expect(difference(reference(path), expected)).toBe(0);
});

describe("what is refused", () => {
  test("says that a tensor of one expert is missing", () => {
    const tensors = denseWeights("listed", "BF16");
    tensors.delete("model.layers.1.mlp.experts.down_projs.2.weight");
    const path = write("missing", tensors);
    expect(() => openCheckpoint(path)).toThrow(
      /down_projs\.2\.weight is missing; expected .*one per expert \(outputs, inputs\)/,
    );
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "an expert with %s names its tensor",
    async (bad) => {
      const tensors = denseWeights("transposed", "F32");
      const name = "model.layers.0.mlp.experts.gate_up_proj";
      const { bytes, ...tensor } = tensors.get(name)!;
      const broken = bytes.slice();
      new DataView(broken.buffer).setFloat32(4 * (2 * 64 * 128 + 70), bad, true);
      const path = write(
        `broken-${bad}`,
        new Map([...tensors, [name, { ...tensor, bytes: broken }]]),
      );
      await expect(logits(path, {})).rejects.toThrow(/gate_up_proj\[2\] is infinite or NaN/);
    },
  );
});

test("what was packed as MXFP4 is as near as any of the sixteen values", () => {
  const value = fc.float({ noNaN: true, min: -1e6, max: 1e6 });
  fc.assert(
    fc.property(fc.array(value, { minLength: 32, maxLength: 32 }), (list) => {
      const values = Float32Array.from(list);
      const [codes, scales] = [new Uint8Array(16), new Uint8Array(1)];
      packMxfp4(values, codes, scales);
      const largest = Math.max(...values.map(Math.abs));
      const step = 2 ** (scales[0]! - 127);
      const decoded = decodeBlocks(codes, scales);
      for (const [i, wanted] of values.entries()) {
        const levels = [0, 0.5, 1, 1.5, 2, 3, 4, 6].flatMap((x) => [x * step, -x * step]);
        const nearest = Math.min(...levels.map((level) => Math.abs(level - wanted)));
        expect(Math.abs(decoded[i]! - wanted)).toBe(nearest);
      }
      if (scales[0]! > 0) expect(largest / step).toBeGreaterThanOrEqual(4);
      expect(largest / step).toBeLessThan(8);
    }),
  );
});
