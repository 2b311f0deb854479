import { truncateSync, writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import { describe, expect, test } from "vitest";
import { openCheckpoint } from "../../inference/checkpoint/open.ts";
import {
  CheckpointError,
  InsufficientMemoryError,
  type MemoryNeeds,
  ModelNotFoundError,
  openModel,
} from "../../inference/index.ts";
import { ReferenceModel } from "../../inference/reference/forward.ts";
import { readReferenceWeights } from "../../inference/reference/weights.ts";
import { ModelCopy, tinyModel } from "./broken-checkpoints.ts";

const GREEDY = { temperature: 0, topP: 1, seed: 0 };

test("an opened model goes on as the reference does, far beyond its window", async () => {
  const checkpoint = openCheckpoint(tinyModel("original"));
  const reference = new ReferenceModel(readReferenceWeights(checkpoint));
  checkpoint.close();
  const prompt = [5, 17, 60, 2, 90];
  const expected: number[] = [];
  let logits = prompt.map((id) => reference.step(id)).at(-1) ?? expect.unreachable();
  while (expected.length < 40) {
    const best = logits.indexOf(Math.max(...logits));
    expected.push(best);
    logits = reference.step(best);
  }

  const { engine } = await openModel(tinyModel("original"), { precision: "exact" });
  const session = await engine.createSession();
  await session.sync(prompt);
  const ids: number[] = [];
  const options = { maxTokens: 40, stopIds: new Set<number>(), sampling: GREEDY };
  for await (const id of session.generate(options)) ids.push(id);
  await engine.close();
  expect(ids).toEqual(expected);
});

describe("what is known about an opened model", () => {
  test("its name, its sizes, its tokenizer and how it wants to be sampled", async () => {
    using copy = new ModelCopy("hf");
    writeFileSync(copy.path("tokenizer.json"), "{}");
    writeFileSync(
      copy.path("generation_config.json"),
      '{"do_sample": false, "eos_token_id": [95, 94]}',
    );
    const { engine, tokenizerPath, generation } = await openModel(copy.folder, {
      contextLength: 100,
    });
    await engine.close();
    expect(copy.folder).toContain(engine.name);
    expect(engine).toMatchObject({ vocabSize: 96, contextLength: 100 });
    expect(tokenizerPath).toBe(copy.path("tokenizer.json"));
    expect(generation).toEqual({ temperature: 0, topP: undefined });
  });

  test("what it needs is said before it is taken, keys and values by the context", async () => {
    const said: MemoryNeeds[] = [];
    for (const contextLength of [1000, 16_384]) {
      let loading = false;
      const { engine } = await openModel(tinyModel("hf"), {
        contextLength,
        onMemory: (needs) => {
          expect(loading).toBe(false);
          said.push(needs);
        },
        onProgress: () => {
          loading = true;
        },
      });
      await engine.close();
    }
    const [short, long] = said;
    if (short === undefined || long === undefined) expect.unreachable();
    for (const { bytes, parts } of said) {
      expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBe(bytes);
    }
    expect(long.contextLength).toBe(16_384);
    expect(long.parts.cache).toBeGreaterThan(5 * short.parts.cache);
    expect(long.bytes - long.parts.cache).toBe(short.bytes - short.parts.cache);
  });

  test("a context beyond the model's is refused", async () => {
    await expect(openModel(tinyModel("hf"), { contextLength: 20_000 })).rejects.toThrow(
      /a context of 20000; accepted: an integer 1 … 16384/,
    );
  });
});

describe("a model that cannot be opened", () => {
  test("is not there", async () => {
    await expect(openModel("/nowhere/at/all")).rejects.toThrow(ModelNotFoundError);
  });

  test("has a scale that is no number", async () => {
    using copy = new ModelCopy("original");
    copy.tensors((tensors) => {
      tensors.get("block.1.mlp.mlp2_weight.scales")?.bytes.fill(255, 17, 18);
    });
    for (const precision of ["int8", "exact"] as const) {
      const opening = openModel(copy.folder, { precision });
      await expect(opening).rejects.toThrow(CheckpointError);
      await expect(opening).rejects.toThrow(/scale 17 of block.1.mlp.mlp2_weight.scales is 255/);
    }
  });

  test("needs more memory than there is: said before any of it is taken", async () => {
    using copy = new ModelCopy("hf");
    writeHugeModel(copy, 2 * totalmem());
    const before = process.memoryUsage().rss;
    const opening = openModel(copy.folder);
    await expect(opening).rejects.toThrow(InsufficientMemoryError);
    await expect(opening).rejects.toThrow(
      /\(.*experts [\d.]+ [GT]iB, .*cache [\d.]+ [MG]iB\) needs/,
    );
    await expect(opening).rejects.toThrow(/needs [\d.]+ [GT]iB of memory, have [\d.]+ [MG]iB/);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
  });
});

/** Turns the copy into a checkpoint of gpt-oss-120b's widths with at least `bytes` of holes. */
function writeHugeModel(copy: ModelCopy, bytes: number): void {
  const [hidden, experts, vocab, q, kv] = [2880, 128, 201_088, 4096, 512];
  const expertBytes = 3 * hidden * (hidden / 32) * 17;
  const layers = Math.ceil(bytes / (experts * expertBytes));
  copy.config((config) => ({
    ...config,
    hidden_size: hidden,
    intermediate_size: hidden,
    num_local_experts: experts,
    num_experts_per_tok: 4,
    num_attention_heads: 64,
    num_key_value_heads: 8,
    head_dim: 64,
    vocab_size: vocab,
    num_hidden_layers: layers,
    layer_types: null,
  }));
  const header: Record<string, unknown> = {};
  let offset = 0;
  const tensor = (name: string, dtype: "BF16" | "U8", ...shape: number[]): void => {
    const size = shape.reduce((a, b) => a * b, dtype === "BF16" ? 2 : 1);
    header[name] = { dtype, shape, data_offsets: [offset, offset + size] };
    offset += size;
  };
  const linear = (name: string, outputs: number, inputs: number): void => {
    tensor(`${name}.weight`, "BF16", outputs, inputs);
    tensor(`${name}.bias`, "BF16", outputs);
  };
  for (const name of ["model.embed_tokens.weight", "lm_head.weight"]) {
    tensor(name, "BF16", vocab, hidden);
  }
  tensor("model.norm.weight", "BF16", hidden);
  for (let layer = 0; layer < layers; layer++) {
    const name = `model.layers.${layer}`;
    tensor(`${name}.input_layernorm.weight`, "BF16", hidden);
    tensor(`${name}.post_attention_layernorm.weight`, "BF16", hidden);
    tensor(`${name}.self_attn.sinks`, "BF16", 64);
    linear(`${name}.self_attn.q_proj`, q, hidden);
    linear(`${name}.self_attn.k_proj`, kv, hidden);
    linear(`${name}.self_attn.v_proj`, kv, hidden);
    linear(`${name}.self_attn.o_proj`, hidden, q);
    linear(`${name}.mlp.router`, experts, hidden);
    for (const [which, outputs] of [
      ["gate_up_proj", 2 * hidden],
      ["down_proj", hidden],
    ] as const) {
      tensor(`${name}.mlp.experts.${which}_blocks`, "U8", experts, outputs, hidden / 32, 16);
      tensor(`${name}.mlp.experts.${which}_scales`, "U8", experts, outputs, hidden / 32);
      tensor(`${name}.mlp.experts.${which}_bias`, "BF16", experts, outputs);
    }
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const path = copy.path("model.safetensors");
  writeFileSync(path, Buffer.concat([length, text]));
  truncateSync(path, 8 + text.length + offset);
}
