import { mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { toFloat32 } from "../../inference/checkpoint/dequantise.ts";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import type { Tensor } from "../../inference/checkpoint/tensor-file.ts";
import {
  CheckpointError,
  ModelNotFoundError,
  UnsupportedArchitectureError,
} from "../../inference/errors.ts";
import { readReferenceWeights } from "../../inference/reference/weights.ts";
import { encodeSafetensors, type RawTensor } from "../fixtures/safetensors-writer.ts";
import { type Layout, ModelCopy, readTensors, tinyModel } from "./broken-checkpoints.ts";

const GATE_UP_SCALES = "model.layers.1.mlp.experts.gate_up_proj_scales";

/** Opens and reads everything, as loading an engine does. */
function load(path: string): ReturnType<typeof readReferenceWeights> {
  const checkpoint = openCheckpoint(path);
  try {
    return readReferenceWeights(checkpoint);
  } finally {
    checkpoint.close();
  }
}

function bytesOf(tensor: Tensor): Uint8Array {
  const bytes = new Uint8Array(tensor.byteLength);
  tensor.readInto(bytes);
  return bytes;
}

describe("both layouts", () => {
  test("give the same weights, to the bit", () => {
    const { config: _, ...huggingFace } = load(tinyModel("hf"));
    const { config: __, ...original } = load(tinyModel("original"));
    expect(original).toEqual(huggingFace);
  });

  test("give the same config", () => {
    const [huggingFace, original] = (["hf", "original"] as const).map((layout) => {
      const checkpoint = openCheckpoint(tinyModel(layout));
      checkpoint.close();
      return checkpoint.config;
    });
    expect(original).toEqual(huggingFace);
    expect(huggingFace).toMatchObject({
      layers: 2,
      heads: 4,
      kvHeads: 2,
      layerTypes: ["sliding", "full"],
      rope: { theta: 150_000, factor: 32, betaFast: 32, betaSlow: 1, originalContext: 512 },
      contextLength: 16_384,
    });
  });

  test("q, k and v are rows of the fused matrix", () => {
    const checkpoint = openCheckpoint(tinyModel("original"));
    const fused = readTensors(`${tinyModel("original")}/model.safetensors`).get(
      "block.1.attn.qkv.weight",
    );
    const { q, k, v } = checkpoint.layers[1] ?? expect.unreachable();
    expect([q, k, v].map((part) => part.weight.shape)).toEqual([
      [64, 64],
      [32, 64],
      [32, 64],
    ]);
    const parts = [q, k, v].map((part) => Buffer.from(bytesOf(part.weight)));
    expect(Buffer.concat(parts).equals(fused?.bytes ?? Buffer.alloc(0))).toBe(true);
    checkpoint.close();
  });
});

describe("a tensor", () => {
  test("is read in parts straight into shared memory", () => {
    const checkpoint = openCheckpoint(tinyModel("hf"));
    const { embedding } = checkpoint;
    const shared = new Uint8Array(new SharedArrayBuffer(256), 64, 128);
    embedding.readInto(shared, 128);
    expect([...shared]).toEqual([...bytesOf(embedding).subarray(128, 256)]);
    expect(() => embedding.readInto(shared, embedding.byteLength - 127)).toThrow(CheckpointError);
    expect(() => embedding.readInto(shared, -1)).toThrow(CheckpointError);
    checkpoint.close();
    expect(() => embedding.readInto(shared)).toThrow(/after the checkpoint was closed/);
  });

  test("is exact as float32, whatever its dtype", () => {
    const values = [0, -0, 1, -1.5, 2 ** -14, 65504, 2 ** -24];
    const half = Uint8Array.from(new Uint8Array(Float16Array.from(values).buffer as ArrayBuffer));
    expect([...toFloat32(half, "F16")]).toEqual(values);
    const float = new Uint8Array(Float32Array.from([1.1, -3e38]).buffer);
    expect([...toFloat32(float, "F32")]).toEqual([Math.fround(1.1), Math.fround(-3e38)]);
    expect([...toFloat32(Uint8Array.of(0x80, 0x3f, 0x00, 0xc0), "BF16")]).toEqual([1, -2]);
  });

  test("may be float32 or float16 where bfloat16 is usual", () => {
    using copy = new ModelCopy("hf");
    const name = "model.layers.0.self_attn.sinks";
    copy.tensors((tensors) => {
      const sinks = toFloat32(Uint8Array.from(tensors.get(name)?.bytes ?? []), "BF16");
      tensors.set(name, { dtype: "F32", shape: [4], bytes: new Uint8Array(sinks.buffer) });
    });
    expect(load(copy.folder)).toEqual(load(tinyModel("hf")));
  });
});

describe("where a checkpoint may lie", () => {
  test("one file with config.json beside it", () => {
    expect(load(`${tinyModel("hf")}/model.safetensors`)).toEqual(load(tinyModel("hf")));
  });

  test("several files without an index, in the original layout", () => {
    using copy = new ModelCopy("original");
    splitInTwo(copy, "a.safetensors", "b.safetensors");
    expect(load(copy.folder)).toEqual(load(tinyModel("original")));
  });

  test("shards with an index; files that it does not name are left alone", () => {
    using copy = new ModelCopy("hf");
    const [first, second] = [
      "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
    ];
    const names = splitInTwo(copy, first, second);
    const map = Object.fromEntries(names.map(([name, file]) => [name, file]));
    writeFileSync(copy.path("model.safetensors.index.json"), JSON.stringify({ weight_map: map }));
    writeFileSync(copy.path("adapter.safetensors"), "not one");
    expect(load(copy.folder)).toEqual(load(tinyModel("hf")));
  });

  test("the subfolder original/, with the tokenizer above it", () => {
    using copy = new ModelCopy("original");
    mkdirSync(copy.path("original"));
    for (const name of ["config.json", "model.safetensors"]) {
      renameSync(copy.path(name), copy.path(`original/${name}`));
    }
    writeFileSync(copy.path("tokenizer.json"), "{}");
    const checkpoint = openCheckpoint(copy.folder);
    checkpoint.close();
    expect(checkpoint.files).toEqual({
      tokenizer: copy.path("tokenizer.json"),
      generationConfig: undefined,
      vocabulary: undefined,
    });
    expect(load(copy.folder)).toEqual(load(tinyModel("original")));
  });

  test("nothing there, no config, no weights, another kind of file", () => {
    using copy = new ModelCopy("hf");
    expect(() => openCheckpoint(copy.path("nowhere"))).toThrow(ModelNotFoundError);
    expect(() => openCheckpoint(copy.path("nowhere"))).toThrow(/nowhere: there is nothing/);
    expect(() => openCheckpoint(copy.path("config.json"))).toThrow(/neither .safetensors nor GGUF/);
    rmSync(copy.path("model.safetensors"));
    expect(() => openCheckpoint(copy.folder)).toThrow(/no \*\.safetensors/);
    rmSync(copy.path("config.json"));
    expect(() => openCheckpoint(copy.folder)).toThrow(/the folder has no config.json/);
  });

  test("an index that points out of the folder, or nowhere", () => {
    using copy = new ModelCopy("hf");
    const index = copy.path("model.safetensors.index.json");
    for (const file of ["../model.safetensors", "/etc/passwd", "x/y.safetensors", "x.bin", 7]) {
      writeFileSync(index, JSON.stringify({ weight_map: { a: file } }));
      expect(() => openCheckpoint(copy.folder)).toThrow(/not the name of a .safetensors file/);
    }
    writeFileSync(index, JSON.stringify({ weight_map: { a: "gone.safetensors" } }));
    expect(() => openCheckpoint(copy.folder)).toThrow(
      /1 of its 1 files are missing: gone.safetensors/,
    );
    writeFileSync(index, "{");
    expect(() => openCheckpoint(copy.folder)).toThrow(/index.json: it is not JSON/);
    writeFileSync(index, "{}");
    expect(() => openCheckpoint(copy.folder)).toThrow(/no weight_map/);
  });

  test("the same tensor in two files", () => {
    using copy = new ModelCopy("original");
    writeFileSync(copy.path("z.safetensors"), readFileSync(copy.path("model.safetensors")));
    expect(() => openCheckpoint(copy.folder)).toThrow(
      /embedding.weight is in model.safetensors, too/,
    );
  });
});

describe("a broken checkpoint is refused with names and numbers", () => {
  test("cut short anywhere", () => {
    const full = readFileSync(`${tinyModel("hf")}/model.safetensors`).length;
    for (const size of [0, 5, 8, 500, 5000, full - 1]) {
      using copy = new ModelCopy("hf");
      truncateSync(copy.path("model.safetensors"), size);
      expect(() => openCheckpoint(copy.folder)).toThrow(CheckpointError);
    }
  });

  test("cut short while it is open", () => {
    using copy = new ModelCopy("hf");
    const checkpoint = openCheckpoint(copy.folder);
    truncateSync(copy.path("model.safetensors"), 6000);
    expect(() => readReferenceWeights(checkpoint)).toThrow(/the file ends at byte 6000, inside/);
    checkpoint.close();
  });

  test("a tensor of another shape", () => {
    using copy = new ModelCopy("hf");
    const name = "model.layers.1.self_attn.o_proj.weight";
    copy.tensors((tensors) => reshape(tensors, name, [32, 128]));
    expect(() => openCheckpoint(copy.folder)).toThrow(
      /o_proj.weight is BF16 \(32, 128\); expected BF16 or F16 or F32 \(64, 64\)/,
    );
  });

  test("a tensor of another dtype", () => {
    using copy = new ModelCopy("hf");
    copy.tensors((tensors) => {
      const bias = tensors.get("model.layers.0.mlp.router.bias");
      tensors.set("model.layers.0.mlp.router.bias", {
        dtype: "I16",
        shape: [4],
        bytes: bias?.bytes ?? expect.unreachable(),
      });
    });
    expect(() => openCheckpoint(copy.folder)).toThrow(
      /router.bias is I16 \(4\); expected BF16 or F16 or F32 \(4\)/,
    );
  });

  test.each(["hf", "original"] as const)("any one tensor missing (%s)", (layout: Layout) => {
    const names = [...readTensors(`${tinyModel(layout)}/model.safetensors`).keys()];
    expect(names.length).toBe(layout === "hf" ? 3 + 2 * 19 : 3 + 2 * 15);
    for (const name of names) {
      using copy = new ModelCopy(layout);
      copy.tensors((tensors) => tensors.delete(name));
      expect(() => openCheckpoint(copy.folder)).toThrow(name);
    }
  });

  test("experts as floats", () => {
    using copy = new ModelCopy("hf");
    copy.tensors((tensors) => {
      tensors.delete("model.layers.0.mlp.experts.gate_up_proj_blocks");
      tensors.delete("model.layers.0.mlp.experts.gate_up_proj_scales");
    });
    expect(() => openCheckpoint(copy.folder)).toThrow(
      /gate_up_proj_blocks is missing; expected U8 \(4, 64, 2, 16\). Experts are accepted in MXFP4/,
    );
  });

  test("a scale that is no number", () => {
    using copy = new ModelCopy("hf");
    copy.tensors((tensors) => {
      const scales = tensors.get(GATE_UP_SCALES) ?? expect.unreachable();
      scales.bytes[300] = 255;
    });
    expect(() => load(copy.folder)).toThrow(
      `scale 300 of ${GATE_UP_SCALES} is 255, which is not a number in E8M0; accepted: 0 … 254.`,
    );
  });

  test("a config of another architecture", () => {
    using copy = new ModelCopy("hf");
    copy.config((config) => ({ ...config, model_type: "llama" }));
    expect(() => openCheckpoint(copy.folder)).toThrow(UnsupportedArchitectureError);
    expect(() => openCheckpoint(copy.folder)).toThrow(
      /config.json: model_type is "llama"; accepted: .*"gpt_oss"/,
    );
  });

  test("a config of another size", () => {
    using copy = new ModelCopy("hf");
    copy.config((config) => ({ ...config, vocab_size: 97 }));
    expect(() => openCheckpoint(copy.folder)).toThrow(
      /embed_tokens.weight is BF16 \(96, 64\); expected BF16 or F16 or F32 \(97, 64\)/,
    );
  });

  test("a config that is no JSON, or too large", () => {
    using copy = new ModelCopy("hf");
    writeFileSync(copy.path("config.json"), "{");
    expect(() => openCheckpoint(copy.folder)).toThrow(/config.json: it is not JSON/);
    writeFileSync(copy.path("config.json"), " ".repeat((1 << 20) + 1));
    expect(() => openCheckpoint(copy.folder)).toThrow(/at most 1048576/);
  });

  test("neither layout", () => {
    using copy = new ModelCopy("hf");
    writeFileSync(copy.path("model.safetensors"), encodeSafetensors(new Map()));
    expect(() => openCheckpoint(copy.folder)).toThrow(/neither the tensor model.embed_tokens/);
  });
});

function reshape(tensors: Map<string, RawTensor>, name: string, shape: readonly number[]): void {
  const tensor = tensors.get(name) ?? expect.unreachable();
  tensors.set(name, { ...tensor, shape });
}

/** Spreads model.safetensors over two files; returns which tensor is where. */
function splitInTwo(copy: ModelCopy, first: string, second: string): [string, string][] {
  const all = [...readTensors(copy.path("model.safetensors"))];
  rmSync(copy.path("model.safetensors"));
  const halves = [all.filter((_, i) => i % 2 === 0), all.filter((_, i) => i % 2 === 1)];
  return [first, second].flatMap((file, half) => {
    const tensors = halves[half] ?? [];
    writeFileSync(copy.path(file), encodeSafetensors(new Map(tensors)));
    return tensors.map(([name]): [string, string] => [name, file]);
  });
}
